//! Keys and rows as bytes.
//!
//! One tree holds everything, so that one batch is one atomic step. A key is a letter and its parts, numbers
//! big-endian so that they sort:
//!
//! | key | row |
//! | --- | --- |
//! | `m` | [`Counts`](super::Counts) and the journal position applied |
//! | `a` article:u32 / 4 | [`ArticleRow`](super::ArticleRow) of each of these, and what its format said of it, as JSON |
//! | `i` era:u16, first 16 bytes of the article's id | article:u32 |
//! | `t` era:u16, first 16 bytes of the text's digest | article:u32, the first with that text |
//! | `s` era:u16, first 16 bytes of the digest of a wire id | article:u32 and number:i64, its latest version up to then |
//! | `p` article:u32 / 64 | where the profiles lie that `detect` compares, of those of these that are in a window |
//! | `k` article:u32 | founder:u32 of its record: a person pinned the article there |
//! | `r` founder:u32 | [`RecordRow`](super::RecordRow), where the record is not just what its founder says of it |
//! | `n` record id:u64 | founder:u32 of the record that it names today, where it is not the head of the founder's id |
//! | `w` last part (16 bytes and u32), file as u32, whole as u32, article:u32 | a path and a wire id or number in it under which the article came |
//! | `v` founder:u32 article:u32 | nothing: the article is of that record, which the founder is without a row |
//! | `l` founder:u32 founder:u32 | [`Score`](crate::model::Score): the two records are related |
//! | `f` arrival:u64 | [`ArrivalRow`](super::ArrivalRow) |
//! | `o` arrival:u64 | nothing: the arrival has no receipt yet |
//! | `d` era:u16, first 16 bytes of a file's digest | where its original is kept |
//! | `x` subject:u64 segment:u32 offset:u64 line:u32 | nothing: there the journal tells what befell the subject later |
//!
//! The eras of `i`, `t`, `s` and `d` are told in `digests`: a digest is looked for in the latest first.
//!
//! A record is there where an article is its own founder. A `w` begins with what follows the last slash of the wire id, or
//! of the path where there is none: its first bytes and its xxh3, the low half as in all that follows. Then come what follows that of
//! the path, and all of it.
//!
//! A subject is a record that went over into another, an article that moved or was pinned, by the head of its id, or a file that
//! was put back, by its arrival.
//!
//! A row is the format version (one byte), the low half of the xxh3 of what follows (four bytes, little-endian)
//! and the value in postcard.

use super::{StoreError, articles::ARTICLES_A_ROW, digests::Era, profiles::PROFILES_A_ROW};
use crate::journal::Place;
use crate::model::{Arrival, ArticleNo, Digest, RecordId, place_of};
use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64;

/// The format of the rows. A view of another version is rebuilt.
const VERSION: u8 = 15;
const HEAD_BYTES: usize = 5;
/// So much of a name stands in its key: where most differ from those before and after them.
const WORD_BYTES: usize = 16;
/// Room for most rows.
const ROW_BYTES: usize = 64;

pub(super) type Key = Vec<u8>;

pub(super) const META: &[u8] = b"m";
/// The letter of the rows that point at profiles.
pub(super) const PROFILES: &[u8] = b"p";

/// The letters of the rows under a digest.
pub(super) const DIGESTS: [u8; 4] = *b"itsd";

/// The letter of the rows of articles.
pub(super) const ARTICLES: &[u8] = b"a";

/// The row that tells of an article.
pub(super) fn articles(no: ArticleNo) -> Key {
    [ARTICLES, &(no.0 / ARTICLES_A_ROW).to_be_bytes()[..]].concat()
}

/// The row that says where the profile of an article lies.
pub(super) fn profiles(no: ArticleNo) -> Key {
    [PROFILES, &(no.0 / PROFILES_A_ROW).to_be_bytes()[..]].concat()
}

pub(super) fn pin(no: ArticleNo) -> Key {
    [b"k", &no.0.to_be_bytes()[..]].concat()
}

pub(super) fn record(founder: ArticleNo) -> Key {
    [b"r", &founder.0.to_be_bytes()[..]].concat()
}

pub(super) fn id(era: Era, digest: Digest) -> Key {
    of_digest(b'i', era, digest)
}

/// The prefix of the ids of an era whose head names this record.
pub(super) fn ids_headed(era: Era, record: RecordId) -> Key {
    [&of_era(b'i', era)[..], &record.0.to_be_bytes()].concat()
}

pub(super) fn text(era: Era, digest: Digest) -> Key {
    of_digest(b't', era, digest)
}

pub(super) fn story(era: Era, digest: Digest) -> Key {
    of_digest(b's', era, digest)
}

pub(super) fn file(era: Era, digest: Digest) -> Key {
    of_digest(b'd', era, digest)
}

pub(super) fn name(record: RecordId) -> Key {
    [b"n", &record.0.to_be_bytes()[..]].concat()
}

/// A path, and a wire id or a number in it, under which an article came.
pub(super) fn word(path: &str, item: Option<&str>, no: ArticleNo) -> Key {
    let whole = checksum(place_of(path, item).as_bytes());
    [&words_of(path, item.unwrap_or(path))[..], &whole.to_be_bytes(), &no.0.to_be_bytes()].concat()
}

/// The prefix of all that came under a path and a wire id, or a path alone, which end like these: that are the same from
/// their last slash on.
pub(super) fn words_of(path: &str, item: &str) -> Key {
    [&words_ending(item)[..], &checksum(last_part(path)).to_be_bytes()].concat()
}

/// The prefix of all paths and wire ids that end like this one. What ends them stands as it is, since the names of what
/// came in turn begin alike, and rows that lie side by side are written together; but not the whole of it.
pub(super) fn words_ending(word: &str) -> Key {
    let last = last_part(word);
    let begins = last.first_chunk::<WORD_BYTES>().map_or(last, |chunk| &chunk[..]);
    let fill = [0; WORD_BYTES];
    let fill = fill.get(begins.len()..).unwrap_or_default();
    [b"w", begins, fill, &checksum(last).to_be_bytes()].concat()
}

fn last_part(word: &str) -> &[u8] {
    word.rsplit('/').next().unwrap_or_default().as_bytes()
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

/// The prefix of the rows of a letter in an era.
pub(super) fn of_era(letter: u8, era: Era) -> [u8; 3] {
    let [high, low] = era.0.to_be_bytes();
    [letter, high, low]
}

fn of_digest(letter: u8, era: Era, digest: Digest) -> Key {
    of_era(letter, era).into_iter().chain(digest.0.into_iter().take(16)).collect()
}

/// The era in the key of a row under a digest.
pub(super) fn era(key: &[u8]) -> Option<Era> {
    key.get(1..)?.first_chunk().map(|bytes| Era(u16::from_be_bytes(*bytes)))
}

/// What the digest in such a key begins with.
pub(super) fn digest_head(key: &[u8]) -> Option<u64> {
    key.get(3..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
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
    append(begun(), value).map(seal)
}

/// A row without a body, to be appended to and sealed.
pub(super) fn begun() -> Vec<u8> {
    let mut row = Vec::with_capacity(ROW_BYTES);
    row.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
    row
}

/// A value behind what there is.
pub(super) fn append<T: Serialize>(row: Vec<u8>, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, row).map_err(|e| damaged(b"", e.to_string()))
}

/// A row that was begun, with the checksum of its body.
pub(super) fn seal(mut row: Vec<u8>) -> Vec<u8> {
    if let Some((head, body)) = row.split_first_chunk_mut::<HEAD_BYTES>() {
        let [_, sum @ ..] = head;
        *sum = checksum(body).to_le_bytes();
    }
    row
}

/// A row as a value. The version and the checksum are checked.
pub(super) fn decode<T: DeserializeOwned>(key: &[u8], row: &[u8]) -> Result<T, StoreError> {
    Ok(take(key, body(key, row)?)?.0)
}

/// The value at the beginning of these bytes of a row, and what stands behind it.
pub(super) fn take<'r, T: DeserializeOwned>(
    key: &[u8],
    bytes: &'r [u8],
) -> Result<(T, &'r [u8]), StoreError> {
    postcard::take_from_bytes(bytes).map_err(|e| damaged(key, e.to_string()))
}

/// Whether a row's version and checksum are right.
pub(super) fn sound(key: &[u8], row: &[u8]) -> Result<(), StoreError> {
    body(key, row).map(|_| ())
}

/// What stands behind the head of a row, which is checked.
pub(super) fn body<'r>(key: &[u8], row: &'r [u8]) -> Result<&'r [u8], StoreError> {
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
    const GOLDEN_ROW: &[u8] = &[15, 76, 224, 117, 25, 7, 5, 115, 101, 118, 101, 110];
}
