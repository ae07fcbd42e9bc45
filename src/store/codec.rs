//! Keys and rows as bytes.
//!
//! One tree holds everything, so that one batch is one atomic step. A key is a letter and its parts, numbers
//! big-endian so that they sort:
//!
//! | key | row |
//! | --- | --- |
//! | `m` | [`Counts`](super::Counts) and the journal position applied |
//! | `a` article:u32 | [`ArticleRow`](super::ArticleRow) |
//! | `i` first 16 bytes of the article's id | article:u32 |
//! | `t` first 16 bytes of the text's digest | article:u32, the first with that text |
//! | `s` first 16 bytes of the digest of a wire id | article:u32 and number:i64, its latest version |
//! | `e` article:u32 | what its format said of it, as JSON; where it said anything |
//! | `p` article:u32 | where the profile lies that `detect` compares, while the article is in a window |
//! | `k` article:u32 | founder:u32 of its record: a person pinned the article there |
//! | `r` founder:u32 | [`RecordRow`](super::RecordRow) |
//! | `n` record id:u64 | founder:u32 of the record that it names today |
//! | `w` last part:u64 whole:u64 article:u32 | a path or a wire id that names the article; both parts as xxh3 |
//! | `v` founder:u32 article:u32 | nothing: the article is of that record, which the founder is without a row |
//! | `l` founder:u32 founder:u32 | [`Score`](crate::model::Score): the two records are related |
//! | `f` arrival:u64 | [`ArrivalRow`](super::ArrivalRow) |
//! | `o` arrival:u64 | nothing: the arrival has no receipt yet |
//! | `d` first 16 bytes of a file's digest | where its original is kept |
//! | `x` subject:u64 segment:u32 offset:u64 line:u32 | nothing: there the journal tells what befell the subject later |
//!
//! A subject is a record that went over into another, an article that moved or was pinned, by the head of its id, or a file that
//! was put back, by its arrival.
//!
//! A row is the format version (one byte), the low half of the xxh3 of what follows (four bytes, little-endian)
//! and the value in postcard.

use super::StoreError;
use crate::journal::Place;
use crate::model::{Arrival, ArticleNo, Digest, RecordId};
use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64;

/// The format of the rows. A view of another version is rebuilt.
const VERSION: u8 = 10;
const HEAD_BYTES: usize = 5;

pub(super) type Key = Vec<u8>;

pub(super) const META: &[u8] = b"m";
/// The letter of the profiles.
pub(super) const PROFILES: &[u8] = b"p";

pub(super) fn article(no: ArticleNo) -> Key {
    [b"a", &no.0.to_be_bytes()[..]].concat()
}

pub(super) fn meta(no: ArticleNo) -> Key {
    [b"e", &no.0.to_be_bytes()[..]].concat()
}

pub(super) fn profile(no: ArticleNo) -> Key {
    [PROFILES, &no.0.to_be_bytes()[..]].concat()
}

pub(super) fn pin(no: ArticleNo) -> Key {
    [b"k", &no.0.to_be_bytes()[..]].concat()
}

pub(super) fn record(founder: ArticleNo) -> Key {
    [b"r", &founder.0.to_be_bytes()[..]].concat()
}

pub(super) fn id(digest: Digest) -> Key {
    of_digest(b'i', digest)
}

pub(super) fn text(digest: Digest) -> Key {
    of_digest(b't', digest)
}

pub(super) fn story(digest: Digest) -> Key {
    of_digest(b's', digest)
}

pub(super) fn file(digest: Digest) -> Key {
    of_digest(b'd', digest)
}

pub(super) fn name(record: RecordId) -> Key {
    [b"n", &record.0.to_be_bytes()[..]].concat()
}

/// A path or a wire id that names an article.
pub(super) fn word(word: &str, no: ArticleNo) -> Key {
    [words_ending(word), xxh3_64(word.as_bytes()).to_be_bytes().to_vec(), no.0.to_be_bytes().to_vec()]
        .concat()
}

/// The prefix of all paths and wire ids that end like this one: that are the same from their last slash on.
pub(super) fn words_ending(word: &str) -> Key {
    let last = word.rsplit('/').next().unwrap_or_default();
    [b"w", &xxh3_64(last.as_bytes()).to_be_bytes()[..]].concat()
}

pub(super) fn arrival(arrival: Arrival) -> Key {
    [b"f", &arrival.0.to_be_bytes()[..]].concat()
}

pub(super) fn open_arrival(arrival: Arrival) -> Key {
    [b"o", &arrival.0.to_be_bytes()[..]].concat()
}

pub(super) fn member(founder: ArticleNo, no: ArticleNo) -> Key {
    [b"v", &founder.0.to_be_bytes()[..], &no.0.to_be_bytes()].concat()
}

pub(super) fn link(one: ArticleNo, other: ArticleNo) -> Key {
    [b"l", &one.0.to_be_bytes()[..], &other.0.to_be_bytes()].concat()
}

pub(super) fn later(subject: u64, place: Place) -> Key {
    let Place { segment, offset, line } = place;
    [&later_of(subject)[..], &segment.to_be_bytes(), &offset.to_be_bytes(), &line.to_be_bytes()].concat()
}

/// The prefix of all that befell a subject later.
pub(super) fn later_of(subject: u64) -> Key {
    [b"x", &subject.to_be_bytes()[..]].concat()
}

/// The place at the end of the key of what befell a subject.
pub(super) fn last_place(key: &[u8]) -> Option<Place> {
    let (rest, line) = key.split_last_chunk()?;
    let (rest, offset) = rest.split_last_chunk()?;
    let (_, segment) = rest.split_last_chunk()?;
    let (segment, offset) = (u32::from_be_bytes(*segment), u64::from_be_bytes(*offset));
    Some(Place { segment, offset, line: u32::from_be_bytes(*line) })
}

/// The prefix of all members of a record but its founder.
pub(super) fn members(founder: ArticleNo) -> Key {
    [b"v", &founder.0.to_be_bytes()[..]].concat()
}

/// The prefix of all links of a record.
pub(super) fn links(founder: ArticleNo) -> Key {
    [b"l", &founder.0.to_be_bytes()[..]].concat()
}

fn of_digest(letter: u8, digest: Digest) -> Key {
    std::iter::once(letter).chain(digest.0.into_iter().take(16)).collect()
}

/// The number behind the letter of a key.
pub(super) fn first_article(key: &[u8]) -> Option<ArticleNo> {
    key.get(1..)?.first_chunk().map(|bytes| ArticleNo(u32::from_be_bytes(*bytes)))
}

/// The number in the last four bytes of a key.
pub(super) fn last_article(key: &[u8]) -> Option<ArticleNo> {
    key.last_chunk().map(|bytes| ArticleNo(u32::from_be_bytes(*bytes)))
}

/// The number in the last eight bytes of a key.
pub(super) fn last_arrival(key: &[u8]) -> Option<Arrival> {
    key.last_chunk().map(|bytes| Arrival(u64::from_be_bytes(*bytes)))
}

/// A value as a row.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let body = postcard::to_stdvec(value).map_err(|e| damaged(b"", e.to_string()))?;
    let mut row = Vec::with_capacity(HEAD_BYTES + body.len());
    row.push(VERSION);
    row.extend_from_slice(&checksum(&body).to_le_bytes());
    row.extend_from_slice(&body);
    Ok(row)
}

/// A row as a value. The version and the checksum are checked.
pub(super) fn decode<T: DeserializeOwned>(key: &[u8], row: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(body(key, row)?).map_err(|e| damaged(key, e.to_string()))
}

/// Whether a row's version and checksum are right.
pub(super) fn sound(key: &[u8], row: &[u8]) -> Result<(), StoreError> {
    body(key, row).map(|_| ())
}

fn body<'r>(key: &[u8], row: &'r [u8]) -> Result<&'r [u8], StoreError> {
    let (head, body) =
        row.split_at_checked(HEAD_BYTES).ok_or_else(|| damaged(key, "it is too short".to_owned()))?;
    if head.first() != Some(&VERSION) {
        return Err(damaged(key, format!("its version is {:?}, not {VERSION}", head.first())));
    }
    if head.last_chunk() != Some(&checksum(body).to_le_bytes()) {
        return Err(damaged(key, "its checksum is wrong".to_owned()));
    }
    Ok(body)
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
fn checksum(body: &[u8]) -> u32 {
    xxh3_64(body) as u32
}

pub(super) fn damaged(key: &[u8], what: String) -> StoreError {
    StoreError::Damaged { key: key.escape_ascii().to_string(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_and_a_flipped_bit_is_seen() {
        let row = encode(&(7_u32, "seven")).unwrap();
        assert_eq!(decode::<(u32, String)>(b"k", &row).unwrap(), (7, "seven".to_owned()));
        for byte in 0..row.len() {
            let mut broken = row.clone();
            broken[byte] ^= 4;
            assert!(decode::<(u32, String)>(b"k", &broken).is_err(), "byte {byte}");
        }
        assert!(decode::<u32>(b"k", b"").is_err());
    }

    #[test]
    fn golden_row() {
        assert_eq!(encode(&(7_u32, "seven")).unwrap(), GOLDEN_ROW);
    }
    const GOLDEN_ROW: &[u8] = &[10, 76, 224, 117, 25, 7, 5, 115, 101, 118, 101, 110];
}
