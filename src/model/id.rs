//! The names of things: digests, article and record ids, and the running numbers of the store.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;
use std::{fmt, str::FromStr};

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// The id of an article: the SHA-256 of its raw bytes.
pub type ArticleId = Digest;

/// The text is not the id that was asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not an id: an article's is 64 hexadecimal digits, a record's is wf- and 16 of them")]
pub struct ParseIdError(pub String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The first eight bytes as a number, for indexes that check the rest elsewhere.
    pub fn head(&self) -> u64 {
        self.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = [0; 64];
        hex::encode_to_slice(self.0, &mut letters).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&letters).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

/// The id of a record, from the first eight bytes of its founding article's: `wf-` and 16 hexadecimal
/// digits. It never changes, whatever joins the record or becomes its canonical article.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

impl RecordId {
    /// The record that this article founds.
    pub fn founded_by(article: ArticleId) -> Self {
        Self(article.head())
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wf-{:016x}", self.0)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let digits = text.strip_prefix("wf-").filter(|d| d.len() == 16);
        let number = digits.and_then(|d| u64::from_str_radix(d, 16).ok());
        number.map(Self).ok_or_else(|| ParseIdError(text.to_owned()))
    }
}

/// Ids are text where people read them and bytes in the view.
macro_rules! serde_as_text_or {
    ($id:ty, $bytes:ty) => {
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if !from.is_human_readable() {
                    return <$bytes>::deserialize(from).map(Self);
                }
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
serde_as_text_or!(Digest, [u8; 32]);
serde_as_text_or!(RecordId, u64);

/// The running number of an article, in order of first sighting, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArticleNo(pub u32);

/// The running number of a file's arrival, from 1. It names the claimed file, so a restart knows which
/// files it had begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arrival(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_what_they_write() {
        let article = Digest::of(b"one story");
        assert_eq!(article.to_string().parse(), Ok(article));
        let record = RecordId::founded_by(article);
        assert_eq!(record.to_string().parse(), Ok(record));
        assert!(article.to_string().starts_with(record.to_string().trim_start_matches("wf-")));
        let through_json: RecordId = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(through_json, record);
    }

    #[test]
    fn what_is_no_id_is_refused_by_name() {
        assert!("wf-12".parse::<RecordId>().unwrap_err().to_string().contains("'wf-12'"));
        assert!("xyz".parse::<Digest>().is_err());
    }
}
