//! What a story is made of: the facts that every article on it repeats, and the topic that it may share with others.

use super::{
    rng::Rng,
    vocabulary::{self, Vocabulary},
};

/// How many words, names and so on a topic and a story bring. Two stories of one topic are to have in common what two
/// events of a running story have: in part the same words, actors and places, hardly a figure. The numbers are a guess
/// at that; of 1,500 pairs of one topic some ten are joined.
const TOPIC_WORDS: usize = 10;
const STORY_WORDS: usize = 24;
const STORY_FIGURES: usize = 5;
const STORY_QUOTES: usize = 3;
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What a running story is about: words, a person, a place and a body that its single stories share.
#[derive(Clone, Debug)]
pub struct Topic {
    pub(super) words: Vec<&'static str>,
    person: Person,
    place: String,
    body: String,
}

/// A person as articles name them: in full at first, then by family name.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub full: String,
    pub family: String,
}

/// One event and its facts.
#[derive(Clone, Debug)]
pub struct Story {
    pub(super) topic: Vec<&'static str>,
    pub(super) words: Vec<&'static str>,
    pub(super) people: Vec<Person>,
    pub(super) places: Vec<String>,
    pub(super) bodies: Vec<String>,
    pub(super) figures: Vec<String>,
    pub(super) weekday: &'static str,
    pub(super) date: String,
    /// What people said, word for word as every report has it; the order and length follow from this seed.
    pub(super) quotes: Vec<u64>,
}

impl Topic {
    /// A topic that shares nothing with others but by chance.
    pub fn new(rng: &mut Rng) -> Self {
        Self {
            words: telling_words(rng, TOPIC_WORDS),
            person: person(rng),
            place: vocabulary::place(rng),
            body: vocabulary::body(rng),
        }
    }
}

impl Story {
    /// An event of a topic.
    pub fn new(topic: &Topic, rng: &mut Rng) -> Self {
        Self {
            topic: topic.words.clone(),
            words: telling_words(rng, STORY_WORDS),
            people: vec![person(rng), topic.person.clone(), person(rng), person(rng)],
            places: vec![vocabulary::place(rng), topic.place.clone()],
            bodies: vec![vocabulary::body(rng), topic.body.clone()],
            figures: figures(rng),
            weekday: weekday(rng),
            date: date(rng),
            quotes: (0..STORY_QUOTES).map(|_| rng.below(usize::MAX) as u64).collect(),
        }
    }

    /// A story of no topic that others have.
    pub fn alone(rng: &mut Rng) -> Self {
        Self::new(&Topic::new(rng), rng)
    }

    /// The next report of the same form: the words stay, every figure, name and date is another.
    #[must_use]
    pub fn sibling(&self, rng: &mut Rng) -> Self {
        Self {
            people: self.people.iter().map(|_| person(rng)).collect(),
            places: self.places.iter().map(|_| vocabulary::place(rng)).collect(),
            bodies: self.bodies.iter().map(|_| vocabulary::body(rng)).collect(),
            figures: figures(rng),
            weekday: weekday(rng),
            date: date(rng),
            ..self.clone()
        }
    }
}

fn telling_words(rng: &mut Rng, count: usize) -> Vec<&'static str> {
    (0..count).map(|_| Vocabulary::get().telling_word(rng)).collect()
}

fn person(rng: &mut Rng) -> Person {
    let (full, family) = vocabulary::person(rng);
    Person { full, family }
}

/// The first is the one that a later version updates, a toll or a total.
fn figures(rng: &mut Rng) -> Vec<String> {
    let toll = rng.between(13, 97).to_string();
    let others = (1..STORY_FIGURES).map(|_| figure(rng));
    std::iter::once(toll).chain(others).collect()
}

/// A figure as news writes them.
pub(super) fn figure(rng: &mut Rng) -> String {
    match rng.below(10) {
        0..4 => Vocabulary::get().number(rng).to_owned(),
        4 => format!("{},{:03}", rng.between(1, 98), rng.below(1000)),
        5 => format!("{}.{} per cent", rng.between(1, 80), rng.below(10)),
        6 => format!("${}.{} million", rng.between(1, 900), rng.between(1, 9)),
        7 => format!("£{},000", rng.between(2, 950)),
        8 => rng.between(101, 999).to_string(),
        _ => rng.between(1990, 2026).to_string(),
    }
}

pub(super) fn weekday(rng: &mut Rng) -> &'static str {
    WEEKDAYS.get(rng.below(WEEKDAYS.len())).copied().unwrap_or_default()
}

pub(super) fn date(rng: &mut Rng) -> String {
    format!("{} {}", rng.pick(&MONTHS), rng.between(1, 28))
}
