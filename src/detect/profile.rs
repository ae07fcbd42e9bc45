//! What is kept of an article to compare it with others: its fingerprint, weighed once, when it came, with the
//! document frequencies of that moment.
//!
//! All its lists lie in one piece of memory. There are as many pieces as articles in the windows, and each is let go when
//! nobody has touched it for weeks, so that every one costs a wait for memory then.

use super::{
    Newcomer,
    terms::{Term, Terms},
};
use crate::model::{ArticleId, ArticleNo, Digest, Encoded, Fingerprint, Language, Slot, Time, low_half};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// So many numbers lie in a line of memory.
const NUMBERS_A_LINE: usize = 16;

/// A kept profile cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Its head is none.
    #[error("a kept profile cannot be read: {0}")]
    Head(#[from] postcard::Error),
    /// Its lists are not as long as its head says.
    #[error("a kept profile cannot be read: its lists are not as long as they should be")]
    Lists,
}

/// An article as it is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    pub no: ArticleNo,
    pub id: ArticleId,
    pub text_digest: Digest,
    pub time: Time,
    pub published: Option<Time>,
    /// The hash of its source; nothing where it is unknown, which is never the same as another unknown.
    pub source: Option<u32>,
    pub language: Language,
    /// How many articles of its language its terms were weighed with, itself counted.
    pub seen: u32,
    pub words: u32,
    pub simhash: Option<u64>,
    pub shingles: u32,
    pub weekdays: u8,
    /// What a sentence encoder made of it.
    pub encoded: Option<Box<Encoded>>,
    /// What follows from the terms, so that neither a pair nor a start need work it out again.
    pub totals: Totals,
    lists: Lengths,
    /// The lists, one behind the other.
    #[serde(skip)]
    numbers: Box<[u32]>,
}

/// How long the lists of a profile are, in the order in which they lie: the terms' numbers and what they weigh, the sketch, the
/// places of the figures and what stands in them, those of the names, and the quoted runs.
type Lengths = [u32; 8];

impl Profile {
    /// Of an article whose terms, sorted by number, were weighed when so many of its language had been seen.
    pub fn new(newcomer: &Newcomer<'_>, seen: u32, terms: &[Term]) -> Self {
        let print = newcomer.fingerprint;
        let mut numbers = Vec::with_capacity(room(terms, print));
        let (term_numbers, weights) =
            (terms.iter().map(|term| term.number), terms.iter().map(|term| term.packed()));
        let [term_numbers, weights] = [add(&mut numbers, term_numbers), add(&mut numbers, weights)];
        let sketch = add(&mut numbers, print.sketch.iter().copied());
        let [figures, figures_there] = add_slots(&mut numbers, &print.slots);
        let [names, names_there] = add_slots(&mut numbers, &print.name_slots);
        let quoted = add(&mut numbers, print.quoted.iter().copied());
        Self {
            no: newcomer.no,
            id: newcomer.id,
            text_digest: newcomer.text_digest,
            time: newcomer.time,
            published: newcomer.published,
            source: newcomer.source.map(|source| low_half(xxh3_64(source.to_lowercase().as_bytes()))),
            language: print.language,
            seen,
            words: print.words,
            simhash: print.simhash,
            shingles: print.shingles,
            weekdays: print.weekdays,
            encoded: print.encoded.clone().map(Box::new),
            totals: Totals::of(terms.iter().copied()),
            lists: [term_numbers, weights, sketch, figures, figures_there, names, names_there, quoted],
            numbers: numbers.into_boxed_slice(),
        }
    }

    /// The terms that can tell anything on a pair.
    pub fn terms(&self) -> Terms<'_> {
        let [numbers, weights, ..] = self.parts();
        Terms::new(numbers, weights)
    }

    /// The sampled shingles, sorted.
    pub fn sketch(&self) -> &[u32] {
        let [_, _, sketch, ..] = self.parts();
        sketch
    }

    /// The places of figures.
    pub fn slots(&self) -> Slots<'_> {
        let [_, _, _, places, fillings, ..] = self.parts();
        Slots { places, fillings }
    }

    /// The places of names.
    pub fn name_slots(&self) -> Slots<'_> {
        let [_, _, _, _, _, places, fillings, _] = self.parts();
        Slots { places, fillings }
    }

    /// The quoted runs of four words, sorted.
    pub fn quoted(&self) -> &[u32] {
        let [.., quoted] = self.parts();
        quoted
    }

    /// Looks at the head, so far as its fields tell where it lies.
    pub fn touch_head(&self) -> u32 {
        let [first, .., last] = self.lists;
        let numbers = [self.totals.figures, self.seen, self.no.0, first, last];
        let flags = u32::from(self.source.is_some()) + u32::from(self.published.is_some());
        numbers.iter().fold(flags, |sum, number| sum ^ number)
    }

    /// Looks at the lists that every comparison goes through, a number of each line of memory.
    pub fn touch_lists(&self, is_wording_compared: bool, are_quotes_compared: bool) -> u32 {
        let lists = [
            self.terms().numbers(),
            if is_wording_compared { self.sketch() } else { &[] },
            if are_quotes_compared { self.quoted() } else { &[] },
        ];
        lists.iter().flat_map(|list| list.iter().step_by(NUMBERS_A_LINE)).fold(0, |sum, number| sum ^ number)
    }

    fn parts(&self) -> [&[u32]; 8] {
        let mut rest = &*self.numbers;
        self.lists.map(|length| rest.split_off(..length as usize).unwrap_or_default())
    }
}

fn room(terms: &[Term], print: &Fingerprint) -> usize {
    2 * (terms.len() + print.slots.len() + print.name_slots.len()) + print.sketch.len() + print.quoted.len()
}

/// Adds a list behind others, and says how long it is.
fn add(numbers: &mut Vec<u32>, list: impl Iterator<Item = u32>) -> u32 {
    let before = numbers.len();
    numbers.extend(list);
    u32::try_from(numbers.len() - before).unwrap_or(u32::MAX)
}

/// Adds the places of slots behind others, then what stands there, each once. Says how many they are.
pub(super) fn add_slots(numbers: &mut Vec<u32>, slots: &[Slot]) -> [u32; 2] {
    let mut fillings = Vec::with_capacity(slots.len());
    let place = |slot: &Slot| {
        let known = fillings.iter().position(|filling| *filling == slot.filling);
        let which = known.unwrap_or_else(|| {
            fillings.push(slot.filling);
            fillings.len() - 1
        });
        slot.frame & FRAME | u32::from(u8::try_from(which).unwrap_or(u8::MAX))
    };
    let places = add(numbers, slots.iter().map(place));
    [places, add(numbers, fillings.into_iter())]
}

/// The upper bits of a place are those of its frame, the others say which of the fillings stands there: a fingerprint has no
/// more than these can tell. That of 40 frames of two articles each any two have these bits in common and are not the same is as
/// likely as one in ten thousand.
const FRAME: u32 = !0 << u8::BITS;

/// The places of figures, or of names, by their frames, and what stands in them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots<'p> {
    pub places: &'p [u32],
    pub fillings: &'p [u32],
}

impl<'p> Slots<'p> {
    /// Each frame once, with all that stands in it.
    pub fn by_frame(self) -> impl Iterator<Item = (u32, Self)> {
        let frame_of = |place: &u32| place & FRAME;
        let frames = self.places.chunk_by(move |x, y| frame_of(x) == frame_of(y));
        frames.filter_map(move |places| Some((frame_of(places.first()?), Self { places, ..self })))
    }

    /// How many stand there.
    pub fn len(self) -> usize {
        self.places.len()
    }

    /// What stands there.
    pub fn filled(self) -> impl Iterator<Item = u32> + 'p {
        let at = |place: &u32| self.fillings.get((place & !FRAME) as usize);
        self.places.iter().filter_map(move |place| at(place).copied())
    }

    /// Whether this stands there.
    pub fn contain(self, filling: u32) -> bool {
        self.filled().any(|other| other == filling)
    }
}

/// What must be kept of an article to compare it after a restart.
#[derive(Clone, Debug)]
pub struct Kept {
    pub(super) profile: Arc<Profile>,
    /// The numbers of the terms that tell nothing on a pair: document frequencies are learned by them too.
    pub(super) others: Vec<u32>,
}

impl Kept {
    /// As it is written down: the head in postcard, then all numbers, little-endian. It takes a while, which need not be that
    /// of the one who decides.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = postcard::to_stdvec(&(&*self.profile, self.others.len())).unwrap_or_default();
        let numbers = self.profile.numbers.iter().chain(&self.others);
        bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileError> {
        let ((mut profile, others), bytes): ((Profile, usize), _) = postcard::take_from_bytes(bytes)?;
        let length = profile.lists.iter().map(|length| *length as usize).sum();
        let numbers = match bytes.as_chunks() {
            (numbers, []) if numbers.len() == others.saturating_add(length) => numbers,
            _ => return Err(ProfileError::Lists),
        };
        let (lists, others) = numbers.split_at_checked(length).ok_or(ProfileError::Lists)?;
        let read =
            |numbers: &[[u8; 4]]| -> Vec<u32> { numbers.iter().copied().map(u32::from_le_bytes).collect() };
        profile.numbers = read(lists).into_boxed_slice();
        Ok(Self { profile: Arc::new(profile), others: read(others) })
    }

    /// The numbers of all terms.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + Clone {
        self.profile.terms().numbers().iter().chain(&self.others).copied()
    }
}

/// What is summed over all terms of an article. A mass is a sum of inverse document frequencies, in `IDF_UNIT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// How many of the terms are figures.
    pub figures: u32,
    pub figure_mass: u32,
    /// That of the figures in the head.
    pub head_figure_mass: u32,
    /// That of the rare terms.
    pub rare_mass: u32,
    /// That of the names among the strongest terms.
    pub name_mass: u32,
    /// That of the opening.
    pub opening_mass: u32,
    /// The length of the vector of the strongest terms with every weight squared.
    pub focus_norm: f64,
    /// The length of the head's vector with the names alone.
    pub head_names_norm: f64,
}

impl Totals {
    pub fn of(terms: impl Iterator<Item = Term>) -> Self {
        let mut totals = Self::default();
        let (mut focus, mut head_names) = (0., 0.);
        for term in terms {
            let when = |is: bool| if is { term.idf() } else { 0 };
            totals.figures += u32::from(term.is_figure());
            totals.figure_mass += when(term.is_figure());
            totals.head_figure_mass += when(term.is_figure() && term.is_in_head());
            totals.rare_mass += when(term.is_rare());
            totals.name_mass += when(term.is_top_name());
            totals.opening_mass += when(term.is_in_opening());
            let (top, head) = (f64::from(term.top()), f64::from(term.head()));
            focus += top * top * (top * top);
            head_names += if term.is_name() { head * head } else { 0. };
        }
        Self { focus_norm: libm::sqrt(focus), head_names_norm: libm::sqrt(head_names), ..totals }
    }
}
