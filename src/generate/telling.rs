//! From a story to an article: headline, dateline, sentences and paragraphs.
//!
//! A sentence is put together of short frames of function words whose slots are filled with the story's words, names
//! and figures and with any words of news. It says nothing, but it is shaped as sentences are.

use super::{
    rng::Rng,
    spelling,
    story::{Story, date, figure, weekday},
    vocabulary::{self, Vocabulary, capitalized},
};
use crate::model::Article;

/// How an article is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// About how many words.
    pub words: usize,
    /// In how many percent of the sentences a figure is told beyond what the frames ask for.
    pub figures_percent: usize,
}

impl Style {
    /// Lengths as news has them: most of 200 to 500 words, some of 40, some of 900.
    pub fn any(rng: &mut Rng) -> Self {
        let words = match rng.below(100) {
            0..12 => rng.between(40, 120),
            12..24 => rng.between(120, 200),
            24..90 => rng.between(200, 500),
            _ => rng.between(500, 900),
        };
        Self { words, figures_percent: rng.between(5, 25) }
    }
}

/// The words before this one are the lead, which keeps to the story.
const LEAD_WORDS: usize = 60;
/// How many percent of the words are the story's, in the lead and after it, and how many its topic's.
const STORY_PERCENT: [usize; 2] = [60, 32];
const TOPIC_PERCENT: usize = 10;
/// How many percent are of those that Britons and Americans spell apart: one or two in an article.
const BRITISH_PERCENT: usize = 1;

/// What stands for a slot: `w` any word, `n` a name that is known, `p` a person, `l` a place, `b` a body, `f` a figure,
/// `d` a weekday, `t` a date.
const OPENERS: [&str; 36] = [
    "The $w $w",
    "The $w of the $w",
    "A $w $w",
    "But the $w",
    "In $l the $w",
    "On $d the $w",
    "$p",
    "$p $w",
    "$b",
    "The $b",
    "It was the $w",
    "There were $f $w",
    "He",
    "She",
    "They",
    "Officials in $l",
    "After the $w",
    "According to $b the $w",
    "Meanwhile $p",
    "More than $f $w",
    "Since $t the $w",
    "While the $w $w",
    "Some $w",
    "Many $w in $l",
    "$n",
    "For the $w",
    "This $w",
    "When $p",
    "Its $w",
    "As the $w $w",
    "Earlier on $d $p",
    "At the $w",
    "Under the $w $w",
    "Both $p and $p",
    "The $w at $b",
    "And the $w",
];
const MIDDLES: [&str; 64] = [
    "of the $w",
    "in the $w",
    "to $w the $w",
    "and $w",
    "a $w $w",
    "with $w $w",
    "that the $w $w",
    "for the $w of $w",
    "which was $w by the $w",
    "$w $w",
    "$w and $w",
    "after the $w",
    "at $l",
    "in $l",
    "by $b",
    "on $d",
    "as $w $w",
    "from the $w",
    "who had been $w",
    "but the $w",
    "were $w",
    "was $w",
    "has $w $w",
    "had $w",
    "would $w",
    "will be $w",
    "more than $f $w",
    "$f $w",
    "about $f",
    "its $w",
    "their $w $w",
    "his $w",
    "because of $w",
    "while the $w",
    "under the $w $w",
    "into $w",
    "over the $w",
    "was not $w",
    "also $w",
    "it is $w",
    "the $w is $w",
    "have been $w",
    "to the $w",
    "to be $w",
    "on the $w",
    "with the $w of $n",
    "is $w at the $w",
    "said the $w",
    "that it had $w",
    "they were $w",
    "he was $w",
    "this $w",
    "or $w",
    "than the $w",
    "could $w",
    "against $n",
    "near $l",
    "from $l",
    "out of $w",
    "up to $f $w",
    "before $t",
    "for $w",
    "through the $w",
    "so that $w",
];
const CLOSERS: [&str; 16] = [
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    ", $p said",
    ", officials said on $d",
    ", according to $b",
    ", it said in a statement",
    ", $p told reporters",
    " on $d",
    " in $l",
    ", $b said",
    ", she added",
];
const SPEECH: [&str; 8] = [
    "$p said",
    "said $p",
    "$p told reporters",
    "a spokesman for $b said",
    "$p added",
    "$p said on $d",
    "she said",
    "he said",
];

/// An article on a story. The same chance tells two siblings of a story in the same words.
pub fn tell(story: &Story, style: Style, rng: &mut Rng) -> Article {
    let mut telling =
        Telling { story, style, rng: rng.branch(), text: String::new(), slots: 0, named: [false; 8] };
    let title = telling.headline();
    telling.body();
    Article { title: Some(title), text: telling.text, ..Article::default() }
}

/// An article under way.
struct Telling<'s> {
    story: &'s Story,
    style: Style,
    rng: Rng,
    text: String,
    /// How many words have been told, names counted as one, so that siblings stay in step.
    slots: usize,
    /// Which of the people have been named in full.
    named: [bool; 8],
}

impl Telling<'_> {
    fn headline(&mut self) -> String {
        let frames = [
            "$w $w $w after $w in $l",
            "$l $w $w as $f $w",
            "$p $w $w over $w $w",
            "$b to $w $w $w",
            "$w of $w: $f $w in $l",
            "$w $w $w, says $b",
        ];
        let frame = self.rng.pick(&frames);
        self.frame(frame);
        let title = capitalized(&std::mem::take(&mut self.text));
        (self.slots, self.named) = (0, [false; 8]);
        title
    }

    fn body(&mut self) {
        if self.rng.percent(40) {
            let place = self.story.places.first().map(|p| p.to_uppercase()).unwrap_or_default();
            self.text = format!("{place}, {} - ", self.story.date);
        }
        while self.slots < self.style.words {
            for at in 0..self.rng.between(1, 3) {
                if at > 0 {
                    self.text.push(' ');
                }
                if self.rng.percent(12) { self.quotation() } else { self.sentence() }
            }
            self.text.push_str("\n\n");
        }
        self.text.truncate(self.text.trim_end().len());
    }

    fn sentence(&mut self) {
        let (start, until) = (self.text.len(), self.slots + self.rng.between(7, 30));
        let opener = self.rng.pick(&OPENERS);
        self.frame(opener);
        let has_figure = self.rng.percent(self.style.figures_percent);
        while self.slots < until {
            self.text.push_str(if self.rng.percent(8) { ", " } else { " " });
            let middle = self.rng.pick(&MIDDLES);
            self.frame(middle);
        }
        if has_figure {
            self.frame(" by $f to $f");
        }
        let closer = self.rng.pick(&CLOSERS);
        self.frame(closer);
        self.text.push('.');
        self.capitalize(start);
    }

    /// What somebody said: half of the time the same words as in every other report of the story.
    fn quotation(&mut self) {
        let seed =
            self.story.quotes.get(self.rng.below(self.story.quotes.len())).copied().unwrap_or_default();
        let is_shared = self.rng.percent(50);
        let own = self.rng.branch();
        let before = std::mem::replace(&mut self.rng, if is_shared { Rng::new(seed) } else { own });
        self.text.push('"');
        let start = self.text.len();
        let until = self.slots + self.rng.between(6, 18);
        let opener =
            self.rng.pick(&["We", "It is", "I think that the $w", "This", "There is no $w", "Our $w"]);
        self.frame(opener);
        while self.slots < until {
            self.text.push(' ');
            let middle = self.rng.pick(&MIDDLES);
            self.frame(middle);
        }
        self.capitalize(start);
        self.text.push_str(",\" ");
        self.rng = before;
        let speech = self.rng.pick(&SPEECH);
        self.frame(speech);
        self.text.push('.');
    }

    fn capitalize(&mut self, start: usize) {
        if let Some(first) = self.text.get_mut(start..start + 1) {
            first.make_ascii_uppercase();
        }
    }

    /// Writes a frame with its slots filled.
    fn frame(&mut self, frame: &str) {
        for (at, part) in frame.split('$').enumerate() {
            let mut letters = part.chars();
            if at > 0
                && let Some(slot) = letters.next()
            {
                self.fill(slot);
            }
            let rest = letters.as_str();
            self.slots += rest.split(' ').filter(|word| word.len() > 1).count();
            self.text.push_str(rest);
        }
    }

    fn fill(&mut self, slot: char) {
        self.slots += 1;
        match slot {
            'w' => self.word(),
            'p' => self.person(),
            'l' => self.text.push_str(self.rng.pick(&self.story.places)),
            'b' => self.text.push_str(self.rng.pick(&self.story.bodies)),
            'n' => self.text.push_str(Vocabulary::get().known_name(&mut self.rng)),
            'f' if self.rng.percent(60) => self.text.push_str(self.rng.pick(&self.story.figures)),
            'f' => self.text.push_str(&figure(&mut self.rng)),
            'd' if self.rng.percent(60) => self.text.push_str(self.story.weekday),
            'd' => self.text.push_str(weekday(&mut self.rng)),
            't' if self.rng.percent(50) => self.text.push_str(&self.story.date),
            _ => self.text.push_str(&date(&mut self.rng)),
        }
    }

    fn word(&mut self) {
        let of_story = if self.slots <= LEAD_WORDS { STORY_PERCENT[0] } else { STORY_PERCENT[1] };
        let draw = self.rng.below(100);
        let word = if draw < of_story {
            self.rng.pick(&self.story.words)
        } else if draw < of_story + TOPIC_PERCENT {
            self.rng.pick(&self.story.topic)
        } else if draw < of_story + TOPIC_PERCENT + BRITISH_PERCENT {
            spelling::british(&mut self.rng)
        } else {
            Vocabulary::get().word(&mut self.rng)
        };
        self.text.push_str(word);
    }

    fn person(&mut self) {
        let at = self.rng.below(self.story.people.len());
        let (Some(person), Some(named)) = (self.story.people.get(at), self.named.get_mut(at)) else { return };
        self.text.push_str(if *named { &person.family } else { &person.full });
        *named = true;
    }
}

/// A line of an agency's own: a name for datelines and sign-offs.
pub(super) fn agency(rng: &mut Rng) -> String {
    let agencies = [
        "Harrow Wire",
        "Estuary Press",
        "North Quay News",
        "Bellweather Dispatch",
        "Ellery Telegraph Service",
    ];
    rng.pick(&agencies).to_owned()
}

/// A reporter's name.
pub(super) fn reporter(rng: &mut Rng) -> String {
    vocabulary::person(rng).0
}
