//! What happens to an article on its way from one outlet to the next, each a pure function of the article and chance.

use super::{
    rng::Rng,
    site, spelling,
    story::{Story, date},
    telling::{Style, agency, reporter, tell},
    vocabulary::{self, Vocabulary},
};
use crate::model::Article;

/// One kind of edit. Where it takes a number, that is percent of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit {
    /// Only so much of the beginning is kept.
    Cut(usize),
    /// So much other text is put after it.
    Pad(usize),
    /// So many words are replaced by any others.
    Change(usize),
    /// The sentences stand in another order.
    Shuffle,
    /// Letters are misread in so many words.
    Misread(usize),
    /// It has another headline and dateline.
    Headline,
    /// An agency signs off below.
    SignOff,
    /// It stands on a page with navigation, a banner and links, as HTML.
    Page,
    /// The same as plain text, as a careless extraction leaves it.
    PageText,
    /// British spelling becomes American.
    American,
    /// A figure that the story hangs on is updated wherever it stands.
    Figure,
}

impl Edit {
    /// All of the benchmark.
    pub const ALL: [Self; 18] = [
        Self::Cut(70),
        Self::Cut(50),
        Self::Cut(25),
        Self::Pad(30),
        Self::Pad(100),
        Self::Change(2),
        Self::Change(5),
        Self::Change(10),
        Self::Change(20),
        Self::Change(30),
        Self::Shuffle,
        Self::Misread(15),
        Self::Headline,
        Self::SignOff,
        Self::Page,
        Self::PageText,
        Self::American,
        Self::Figure,
    ];
    /// Those that give text and are everyday.
    pub const TEXTS: [Self; 8] = [
        Self::Cut(70),
        Self::Cut(50),
        Self::Pad(30),
        Self::Change(5),
        Self::Headline,
        Self::SignOff,
        Self::American,
        Self::Figure,
    ];

    /// What a table calls it.
    pub fn name(self) -> String {
        match self {
            Self::Cut(percent) => format!("cut to {percent}%"),
            Self::Pad(percent) => format!("padded by {percent}%"),
            Self::Change(percent) => format!("{percent}% of words changed"),
            Self::Shuffle => "sentences shuffled".to_owned(),
            Self::Misread(percent) => format!("OCR noise in {percent}% of words"),
            Self::Headline => "new headline and dateline".to_owned(),
            Self::SignOff => "agency sign-off".to_owned(),
            Self::Page => "a site's page".to_owned(),
            Self::PageText => "a site's page as plain text".to_owned(),
            Self::American => "British to American spelling".to_owned(),
            Self::Figure => "one figure updated".to_owned(),
        }
    }

    /// The edited copy. Its id, time and source are the original's.
    pub fn apply(self, article: &Article, rng: &mut Rng) -> Article {
        let text = article.text.as_str();
        let edited = |text: String| Article { text, ..article.clone() };
        match self {
            Self::Cut(percent) => edited(cut(text, percent)),
            Self::Pad(percent) => edited(pad(text, percent, rng)),
            Self::Change(percent) => {
                edited(by_word(text, |word| rng.percent(percent).then(|| other_word(word, rng))))
            }
            Self::Shuffle => edited(shuffled(text, rng)),
            Self::Misread(percent) => {
                edited(by_word(text, |word| rng.percent(percent).then(|| misread(word, rng))))
            }
            Self::Headline => Article { title: Some(headline(text, rng)), ..edited(dateline(text, rng)) },
            Self::SignOff => edited(sign_off(text, rng)),
            Self::Page => edited(site::page(article, rng)),
            Self::PageText => edited(site::plain(article, rng)),
            Self::American => {
                Article { title: article.title.as_deref().map(american), ..edited(american(text)) }
            }
            Self::Figure => updated(article, rng),
        }
    }
}

fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The first words of a text, its paragraphs kept.
fn cut(text: &str, percent: usize) -> String {
    let keep = (word_count(text) * percent / 100).max(1);
    let mut kept = 0;
    let pieces = text.split_inclusive(char::is_whitespace).take_while(|piece| {
        kept += usize::from(!piece.trim().is_empty());
        kept <= keep
    });
    pieces.collect::<String>().trim_end().to_owned()
}

/// What a local paper adds of its own.
fn pad(text: &str, percent: usize, rng: &mut Rng) -> String {
    let words = (word_count(text) * percent / 100).max(1);
    let other = tell(&Story::alone(rng), Style { words: words + 40, figures_percent: 10 }, rng);
    let share = (words * 100 / word_count(&other.text).max(1)).min(100);
    format!("{text}\n\n{}", cut(&other.text, share))
}

/// The text with some words replaced; punctuation and spaces around them stay.
fn by_word(text: &str, mut edit: impl FnMut(&str) -> Option<String>) -> String {
    let mut edited = String::with_capacity(text.len() + text.len() / 8);
    for piece in text.split_inclusive(char::is_whitespace) {
        let is_edge = |c: char| !c.is_alphanumeric();
        let word = piece.trim_matches(is_edge);
        let new = if word.is_empty() { None } else { edit(word) };
        let Some(new) = new else {
            edited.push_str(piece);
            continue;
        };
        let before = piece.len() - piece.trim_start_matches(is_edge).len();
        edited.push_str(piece.get(..before).unwrap_or_default());
        edited.push_str(&new);
        edited.push_str(piece.get(before + word.len()..).unwrap_or_default());
    }
    edited
}

/// Another word, with a capital where it had one.
fn other_word(word: &str, rng: &mut Rng) -> String {
    let other = Vocabulary::get().word(rng);
    if word.starts_with(char::is_uppercase) { vocabulary::capitalized(other) } else { other.to_owned() }
}

/// A word as bad print is read: one letter taken for another, lost, or a space seen in it.
fn misread(word: &str, rng: &mut Rng) -> String {
    const TAKEN_FOR: [(&str, &str); 16] = [
        ("rn", "m"),
        ("m", "rn"),
        ("l", "1"),
        ("i", "l"),
        ("o", "0"),
        ("e", "c"),
        ("h", "b"),
        ("cl", "d"),
        ("u", "ii"),
        ("s", "5"),
        ("a", "o"),
        ("t", "f"),
        ("n", "u"),
        ("d", "cl"),
        ("5", "S"),
        ("1", "l"),
    ];
    let from = rng.below(TAKEN_FOR.len());
    let table = TAKEN_FOR.iter().cycle().skip(from).take(TAKEN_FOR.len());
    let letters = word.chars().count();
    match rng.below(10) {
        0 if letters > 3 => word.chars().take(letters - 1).collect(),
        1 if letters > 4 => word.chars().take(2).chain([' ']).chain(word.chars().skip(2)).collect(),
        _ => {
            let found = table.into_iter().find(|(seen, _)| word.contains(seen));
            found.map_or_else(|| format!("{word}."), |(seen, read)| word.replacen(seen, read, 1))
        }
    }
}

/// The sentences of a text: each ends at a full stop, under a quotation mark or not, before a space.
fn sentences(text: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(end) =
        [". ", ".\n", ".\" ", ".\"\n"].iter().filter_map(|e| rest.find(e).map(|at| at + e.len())).min()
    {
        let (sentence, after) = rest.split_at(end);
        found.push(sentence.trim());
        rest = after;
    }
    found.push(rest.trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

fn shuffled(text: &str, rng: &mut Rng) -> String {
    let mut sentences = sentences(text);
    rng.shuffle(&mut sentences);
    sentences.chunks(3).map(|paragraph| paragraph.join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// A headline of the desk's own, of words of the lead.
fn headline(text: &str, rng: &mut Rng) -> String {
    let lead: Vec<&str> = text.split_whitespace().take(60).filter(|word| word.len() > 4).collect();
    let mut words: Vec<&str> = (0..rng.between(4, 6)).map(|_| rng.pick(&lead)).collect();
    words.insert(2, rng.pick(&["after", "as", "over", "in", "before"]));
    words.push(Vocabulary::get().word(rng));
    let spelt = words.join(" ").replace(['.', ',', '"'], "");
    vocabulary::capitalized(&spelt)
}

fn dateline(text: &str, rng: &mut Rng) -> String {
    let is_dateline =
        |(place, _): &(&str, &str)| place.len() < 60 && place.starts_with(|c: char| c.is_uppercase());
    let body = text.split_once(" - ").filter(is_dateline).map_or(text, |(_, body)| body);
    format!("{}, {} ({}) - {body}", vocabulary::place(rng).to_uppercase(), date(rng), agency(rng))
}

fn sign_off(text: &str, rng: &mut Rng) -> String {
    let agency = agency(rng);
    format!(
        "{text}\n\n(Reporting by {}; additional reporting by {} in {}; editing by {})\n\n© {agency} 2026. All rights reserved. This \
         material may not be published, broadcast or redistributed without the consent of {agency}.",
        reporter(rng),
        reporter(rng),
        vocabulary::place(rng),
        reporter(rng),
    )
}

fn american(text: &str) -> String {
    by_word(text, spelling::american)
}

/// The first number of two digits or more that stands alone is counted up, everywhere.
fn updated(article: &Article, rng: &mut Rng) -> Article {
    let is_number = |word: &&str| (2..4).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    let Some(old) = article.text.split(' ').find(is_number) else { return article.clone() };
    let new = (old.parse::<usize>().unwrap_or_default() + rng.between(1, 9)).to_string();
    let edit = |text: &str| by_word(text, |word| (word == old).then(|| new.clone()));
    Article { title: article.title.as_deref().map(edit), text: edit(&article.text), ..article.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original() -> Article {
        let mut rng = Rng::new(3);
        tell(&Story::alone(&mut rng), Style { words: 300, figures_percent: 20 }, &mut rng)
    }

    #[test]
    fn every_edit_changes_the_text_and_gives_the_same_twice() {
        for edit in Edit::ALL {
            let once = edit.apply(&original(), &mut Rng::new(5));
            assert_eq!(once, edit.apply(&original(), &mut Rng::new(5)), "{}", edit.name());
            assert!(once.text != original().text, "{}: {}", edit.name(), once.text);
        }
    }

    #[test]
    fn edits_are_as_large_as_they_say() {
        let (original, mut rng) = (original(), Rng::new(9));
        let words = word_count(&original.text);
        let of = |edit: Edit, rng: &mut Rng| edit.apply(&original, rng).text;
        assert_eq!(word_count(&of(Edit::Cut(50), &mut rng)), words / 2);
        let padded = word_count(&of(Edit::Pad(100), &mut rng));
        assert!((words * 19 / 10..words * 21 / 10).contains(&padded), "{words} {padded}");
        let changed = of(Edit::Change(20), &mut rng);
        let differing =
            original.text.split_whitespace().zip(changed.split_whitespace()).filter(|(a, b)| a != b).count();
        assert!((words * 14 / 100..words * 26 / 100).contains(&differing), "{differing} of {words}");
        let mut shuffled: Vec<String> =
            sentences(&of(Edit::Shuffle, &mut rng)).into_iter().map(str::to_owned).collect();
        let mut before: Vec<&str> = sentences(&original.text);
        shuffled.sort();
        before.sort_unstable();
        assert_eq!(shuffled, before);
    }

    #[test]
    fn an_edit_is_what_its_name_says() {
        let article = Article {
            text: "Quay, March 3 - At least 17 in the harbour centre. \"No,\" he said. It was 17.".to_owned(),
            ..Article::default()
        };
        let of = |edit: Edit| edit.apply(&article, &mut Rng::new(2)).text;
        assert!(of(Edit::American).contains("the harbor center."));
        assert!(!of(Edit::Figure).contains("17") && of(Edit::Figure).contains("March 3"));
        assert!(
            of(Edit::Headline)
                .ends_with(") - At least 17 in the harbour centre. \"No,\" he said. It was 17.")
        );
        assert_eq!(
            sentences(&article.text),
            ["Quay, March 3 - At least 17 in the harbour centre.", "\"No,\" he said.", "It was 17."]
        );
    }
}
