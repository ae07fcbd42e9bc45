//! The document frequencies that stand behind what the stream teaches, and how a term gets its number.
//!
//! The English table holds the document frequencies of 21,093 terms over 1,483 news texts of 2003 to 2024:
//! the term, in how many texts it occurs, and in how many with a capital inside the text. It must be modern:
//! with a prior of 1987 names that are everywhere today would count as rare.

use super::{SpreadHasher, TermMap, low_half};
use std::{collections::HashSet, sync::LazyLock};
use xxhash_rust::xxh3::xxh3_64;

/// A word in at least this many of the prior's texts is a common word of the language.
const COMMON_DOCUMENTS: u32 = 300;

/// The English table as it is shipped.
const ENGLISH_TABLE: &str = include_str!("prior_en.tsv");

static ENGLISH: LazyLock<Prior> = LazyLock::new(|| Prior::read(ENGLISH_TABLE));

/// Document frequencies from elsewhere.
pub struct Prior {
    /// How many texts were counted.
    pub documents: u32,
    frequency: TermMap<u32>,
    /// The common words alone, so that what is asked for with every word is at hand.
    common: HashSet<u32, SpreadHasher>,
}

impl Prior {
    /// The one for English.
    pub fn english() -> &'static Self {
        &ENGLISH
    }

    /// In how many of its texts the term occurs.
    pub fn documents_with(&self, term: u32) -> u32 {
        self.frequency.get(&term).copied().unwrap_or(0)
    }

    /// Every term with the number of its texts that have it.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = (u32, u32)> {
        self.frequency.iter().map(|(term, documents)| (*term, *documents))
    }

    /// Whether it is a common word of the language.
    pub fn is_common(&self, term: u32) -> bool {
        self.common.contains(&term)
    }

    fn read(table: &'static str) -> Self {
        let stated = table.lines().find_map(|line| line.strip_prefix("#documents\t")?.parse().ok());
        let mut prior = Self {
            documents: stated.unwrap_or(0),
            frequency: TermMap::default(),
            common: HashSet::default(),
        };
        for (term, documents, capital) in rows(table) {
            prior.frequency.insert(term_of(term), documents);
            if capital > 0 {
                prior.frequency.insert(name_of(term), capital);
            }
        }
        let common = prior.frequency.iter().filter(|(_, documents)| **documents >= COMMON_DOCUMENTS);
        prior.common = common.map(|(term, _)| *term).collect();
        prior
    }
}

/// The English terms, most frequent first: each with the number of texts that have it, and of those that have it with a
/// capital inside the text.
pub fn english_terms() -> impl Iterator<Item = (&'static str, u32, u32)> {
    rows(ENGLISH_TABLE)
}

/// A line that is not a term and two numbers is passed over; a test counts that none is.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, u32, u32)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let (term, documents, capital) = (fields.next()?, fields.next()?, fields.next()?);
        Some((term, documents.parse().ok()?, capital.parse().ok()?))
    })
}

/// The number of a term: the low half of the xxh3 of its letters in lower case.
pub fn term_of(letters: &str) -> u32 {
    low_half(xxh3_64(letters.as_bytes()))
}

/// The number of a term that is written like a name, counted beside the plain one: that of `^` and its letters.
pub fn name_of(letters: &str) -> u32 {
    // Most names are short, and each text has a hundred: a `String` for each would cost more than all their hashes.
    let mut marked = [b'^'; 64];
    if let Some(place) = marked.get_mut(1..=letters.len()) {
        place.copy_from_slice(letters.as_bytes());
    }
    match marked.get(..=letters.len()) {
        Some(marked) => low_half(xxh3_64(marked)),
        None => low_half(xxh3_64(format!("^{letters}").as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let prior = Prior::english();
        assert_eq!(prior.documents, 1483);
        assert!(prior.is_common(term_of("the")) && !prior.is_common(term_of("ukraine")));
        let lines = include_str!("prior_en.tsv").lines().filter(|l| !l.starts_with('#')).count();
        let with_capital = include_str!("prior_en.tsv")
            .lines()
            .filter(|l| !l.starts_with('#') && !l.ends_with("\t0"))
            .count();
        assert_eq!(
            prior.frequency.len(),
            lines + with_capital,
            "a line was passed over or two terms share a number"
        );
    }
}
