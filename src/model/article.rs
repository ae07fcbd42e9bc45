//! One news item on its way from bytes to the form that is compared.

use super::{Digest, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Where an article lies in a file that holds more than it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ItemPlace {
    /// Its number, from 1: the line in JSON Lines, else the running number of the element, object or message.
    Number(u64),
    /// The entry of an archive that it is, with its number there where the entry holds several.
    Member(String),
}

impl fmt::Display for ItemPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Member(name) => f.write_str(name),
        }
    }
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

/// Which version of which story an article is, by the wire id that its agency gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The story: the digest of provider and wire id.
    pub story: Digest,
    /// Later versions have higher numbers.
    pub number: i64,
}

impl Version {
    /// What the metadata says, under `guid`, `provider` and `version`. All that stands on it is joined whatever its text is, so
    /// a document must say all three itself; the provider alone may be missing where the id is a name for all the world.
    /// What numbers its stories anew every day, or gives one id to all of them, seldom numbers versions too.
    pub fn of(meta: &Map<String, Value>) -> Option<Self> {
        let said = |name: &str| meta.get(name).and_then(Value::as_str);
        let (guid, number) = (said("guid")?, said("version")?.parse().ok()?);
        let is_global = ["urn:", "tag:"].iter().any(|start| guid.starts_with(start));
        let provider = said("provider").map(str::to_lowercase);
        let provider = provider.or_else(|| is_global.then(String::new))?;
        Some(Self { story: Digest::of(format!("{provider}\0{guid}").as_bytes()), number })
    }
}

/// Where an article came from, as a person names it: its file, and its own id or number in that where it is one of
/// several.
pub fn place_of(path: &str, item: Option<&str>) -> String {
    item.map_or_else(|| path.to_owned(), |item| format!("{path}#{item}"))
}

/// Whether two paths may mean one thing: the one is the end of the other, from a slash on.
pub fn ends_alike(one: &str, other: &str) -> bool {
    let (long, short) = if one.len() > other.len() { (one, other) } else { (other, one) };
    long.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with('/'))
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
        // Line by line, so that one letter beyond ASCII makes its own line slow only.
        let lines = self.text.split_inclusive('\n');
        Digest::of(lines.map(str::to_lowercase).collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_version_is_told_by_provider_and_wire_id() {
        let of = |meta: Value| meta.as_object().and_then(Version::of);
        let first = of(json!({"guid": "17", "provider": "HNA", "version": "1"})).unwrap();
        let second = of(json!({"guid": "17", "provider": "hna", "version": "2"})).unwrap();
        assert!(first.story == second.story && first.number < second.number);
        let other = of(json!({"guid": "17", "provider": "other", "version": "2"})).unwrap();
        assert_ne!(other.story, first.story);
        assert!(of(json!({"guid": "urn:x:17", "version": "3"})).is_some());
    }

    /// A feed may give all its entries one address for an id, and a desk may number its stories anew every day.
    #[test]
    fn what_does_not_say_all_of_it_is_no_version() {
        for meta in [
            json!({"guid": "17", "version": "1"}),
            json!({"guid": "17", "provider": "HNA"}),
            json!({"provider": "HNA", "version": "1"}),
            json!({"guid": "https://pier.example/", "version": "1"}),
            json!({"guid": "urn:x:17"}),
            json!({"guid": "urn:x:17", "version": "final"}),
        ] {
            assert_eq!(meta.as_object().and_then(Version::of), None, "{meta}");
        }
    }
}
