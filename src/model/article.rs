//! One news item on its way from bytes to the form that is compared.

use super::{Digest, Time};
use serde_json::{Map, Value};

/// The raw bytes of one article: the slice of the file that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawItem {
    /// Where it stands among the items of its file, from 0. With the arrival it keys the sighting.
    pub index: u32,
    /// What a person would call its place, where the file is not itself the article: the line number.
    pub place: Option<u64>,
    /// The bytes as they were received.
    pub bytes: Vec<u8>,
}

/// An article as its publisher wrote it, with what its format says of it. Nothing in it is normalized.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Article {
    /// The article's own id within its file.
    pub item: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// The text, untouched. In plain text it still begins with the title line.
    pub text: String,
    /// When the publisher says it was published.
    pub published: Option<Time>,
    /// Who published it, where the article itself says so.
    pub source: Option<String>,
    /// Its canonical address.
    pub url: Option<String>,
    /// Its language as an ISO 639 code, where the article says so.
    pub lang: Option<String>,
    /// All else that the format carried, under its own names.
    pub meta: Map<String, Value>,
}

/// Where an article came from, as a person names it: its file, and its own id or number in that where it is one of
/// several.
pub fn place_of(path: &str, item: Option<&str>) -> String {
    item.map_or_else(|| path.to_owned(), |item| format!("{path}#{item}"))
}

/// What of an article is compared: headline and text as lines, one paragraph a line, in NFC, with quotes,
/// dashes and spaces unified and the site's chrome left out. The case is kept: capitals are evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Normalized {
    /// The lines, headline first.
    pub text: String,
    /// How many bytes at the start of `text` are the headline; 0 where there is none.
    pub title_bytes: usize,
}

impl Normalized {
    /// The digest that makes two articles `identical`: that of the text without regard to case.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.to_lowercase().as_bytes())
    }
}
