//! A labelled set: originals, an edited copy of each, reports of one form, and other stories around them, in the order in
//! which they come in.

use super::{Edit, Rng, Story, Style, Topic, json_line, stream, telling::tell};
use crate::model::{Article, Time};

/// What is said of two articles of the set, by their ids.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LabelledPair {
    /// The earlier one.
    pub a: String,
    /// The later one.
    pub b: String,
    /// Whether they tell one story.
    pub same: bool,
    /// The edit between them, or the kind of look-alike that they are.
    pub kind: String,
}

/// How large a set is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Originals for each edit.
    pub originals: usize,
    /// Pairs of reports of one form, for each kind.
    pub siblings: usize,
    /// Articles on other stories.
    pub background: usize,
}

/// A set in the form of `articles.jsonl` and `pairs.jsonl`.
#[derive(Debug, Default)]
pub struct Labelled {
    /// The articles in order of arrival, each with an id, a title, a time and a source.
    pub articles: Vec<Article>,
    /// The pairs that something is said of.
    pub pairs: Vec<LabelledPair>,
}

const BEGIN_MILLIS: i64 = 1_772_409_600_000;
const MINUTE_MILLIS: i64 = 60_000;
/// Originals and background come in over four days; a copy within two days of its original.
const DAYS_MINUTES: usize = 4 * 24 * 60;
const COPY_MINUTES: usize = 2 * 24 * 60;
/// So many in a hundred of the background are on an original's topic.
const SAME_TOPIC_PERCENT: usize = 25;

impl Labelled {
    /// The set of a seed.
    pub fn new(seed: u64, size: Size) -> Self {
        let mut rng = Rng::new(seed);
        let (mut set, mut topics) = (Self::default(), Vec::new());
        for edit in Edit::ALL {
            for _ in 0..size.originals {
                topics.push(set.add_copied(edit, &mut rng));
            }
        }
        for form in &FORMS[..2] {
            (0..size.siblings).for_each(|_| set.add_siblings(*form, &mut rng));
        }
        for _ in 0..size.background {
            let topic = topics.get(rng.below(topics.len())).filter(|_| rng.percent(SAME_TOPIC_PERCENT));
            let story = match topic {
                Some(topic) => Story::new(topic, &mut rng),
                None => Story::alone(&mut rng),
            };
            let article = tell(&story, Style::any(&mut rng), &mut rng);
            set.add(article, "background", moment(&mut rng), stream::outlet(&mut rng));
        }
        for form in &FORMS[2..] {
            (0..size.siblings).for_each(|_| set.add_siblings(*form, &mut rng));
        }
        // Stable, so that of two in one minute the one that was made first comes first.
        set.articles.sort_by_key(|article| article.published);
        set
    }

    /// The lines of `articles.jsonl`.
    pub fn article_lines(&self) -> impl Iterator<Item = String> {
        self.articles.iter().map(json_line)
    }

    /// An original and its copy: from the same outlet in half the cases, minutes to two days later.
    fn add_copied(&mut self, edit: Edit, rng: &mut Rng) -> Topic {
        let topic = Topic::new(rng);
        let original = tell(&Story::new(&topic, rng), Style::any(rng), rng);
        let copy = edit.apply(&original, rng);
        let (at, source) = (moment(rng), stream::outlet(rng));
        let copied_by = if rng.percent(50) { source.clone() } else { stream::outlet(rng) };
        let after = rng.between(3, COPY_MINUTES);
        let a = self.add(original, "original", at, source);
        let b = self.add(copy, "copy", at + after, copied_by);
        self.pairs.push(LabelledPair { a, b, same: true, kind: edit.name() });
        topic
    }

    /// Two reports of one form, by one outlet: the words are the same, the facts are others.
    fn add_siblings(&mut self, form: (&str, Style), rng: &mut Rng) {
        let (kind, style) = form;
        let story = Story::alone(rng);
        let wording = rng.branch();
        let first = tell(&story, style, &mut wording.clone());
        let second = tell(&story.sibling(rng), style, &mut wording.clone());
        let (at, source) = (moment(rng), stream::outlet(rng));
        let after = rng.between(60, COPY_MINUTES);
        let a = self.add(first, "form", at, source.clone());
        let b = self.add(second, "form", at + after, source);
        self.pairs.push(LabelledPair { a, b, same: false, kind: kind.to_owned() });
    }

    fn add(&mut self, mut article: Article, what: &str, minute: usize, source: String) -> String {
        let id = format!("{what}-{:06}", self.articles.len());
        let minutes = i64::try_from(minute).unwrap_or_default();
        article.item = Some(id.clone());
        article.published = Some(Time::from_millis(BEGIN_MILLIS + minutes * MINUTE_MILLIS));
        article.source = Some(source);
        self.articles.push(article);
        id
    }
}

/// The forms, by length and by the share of sentences that tell a figure beyond what their frames ask for.
const FORMS: [(&str, Style); 8] = [
    ("form of 90 words, many figures", Style { words: 90, figures_percent: 90 }),
    ("form of 450 words, few figures", Style { words: 450, figures_percent: 0 }),
    ("form of 60 words, few figures", Style { words: 60, figures_percent: 0 }),
    ("form of 60 words, many figures", Style { words: 60, figures_percent: 90 }),
    ("form of 90 words, few figures", Style { words: 90, figures_percent: 0 }),
    ("form of 200 words, few figures", Style { words: 200, figures_percent: 0 }),
    ("form of 200 words, many figures", Style { words: 200, figures_percent: 90 }),
    ("form of 450 words, many figures", Style { words: 450, figures_percent: 90 }),
];

fn moment(rng: &mut Rng) -> usize {
    rng.below(DAYS_MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_set_is_whole_and_the_same_twice() {
        let size = Size { originals: 2, siblings: 3, background: 10 };
        let set = Labelled::new(1, size);
        assert_eq!(set.articles.len(), Edit::ALL.len() * 4 + FORMS.len() * 3 * 2 + 10);
        assert_eq!(set.pairs.iter().filter(|pair| !pair.same).count(), FORMS.len() * 3);
        let places = set.articles.iter().enumerate().map(|(at, a)| (a.item.clone().unwrap(), at));
        let at: BTreeMap<String, usize> = places.collect();
        assert!(set.pairs.iter().all(|pair| at[&pair.a] < at[&pair.b]), "an original comes before its copy");
        assert!(set.article_lines().eq(Labelled::new(1, size).article_lines()));
        assert!(!set.article_lines().eq(Labelled::new(2, size).article_lines()));
    }

    #[test]
    fn reports_of_one_form_share_their_frame() {
        let set = Labelled::new(1, Size { originals: 0, siblings: 5, background: 0 });
        let text = |id: &str| &set.articles.iter().find(|a| a.item.as_deref() == Some(id)).unwrap().text;
        for pair in &set.pairs {
            let words = |id: &str| text(id).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (a, b) = (words(&pair.a), words(&pair.b));
            let shared = a.iter().filter(|word| b.contains(word)).count();
            assert!(a != b && shared * 10 > a.len() * 6, "{}: {shared} of {}", pair.kind, a.len());
        }
    }
}
