//! The rows `a`: what is known of some articles in turn, one behind the other.
//!
//! Owns how articles share a row. sled keeps so many rows a page whatever their size, writes a page anew after every
//! tenth change of it, and holds a place in memory for each; so few rows cost less than many, both to write and to
//! go through. Called by `write` and `view`.

use super::{StoreError, codec, rows::ArticleRow};
use crate::model::ArticleNo;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// So many numbers in turn share a row, which is written anew when any of them changes: with headlines and paths as
/// they come that is one to two kilobytes.
pub(super) const ARTICLES_A_ROW: u32 = 4;

/// What is written of one article: its row, and behind it what its format said of it, as JSON.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub row: ArticleRow,
    pub metadata: Vec<u8>,
}

/// What a row says of one article, not yet read.
#[derive(Clone, Copy)]
pub(super) struct Part<'r> {
    pub no: ArticleNo,
    bytes: &'r [u8],
}

impl<'r> Part<'r> {
    /// What its bytes begin with, and what stands behind that: behind the whole row its metadata.
    pub fn read<T: DeserializeOwned>(self, key: &[u8]) -> Result<(T, &'r [u8]), StoreError> {
        codec::take(key, self.bytes)
    }

    /// Its record's founder, which stands first.
    pub fn founder(self, key: &[u8]) -> Result<ArticleNo, StoreError> {
        Ok(self.read(key)?.0)
    }

    /// All of it.
    pub fn row(self, key: &[u8]) -> Result<ArticleRow, StoreError> {
        Ok(self.read(key)?.0)
    }

    /// What its format said of it; nothing where it said nothing.
    pub fn metadata(self, key: &[u8]) -> Result<Option<Map<String, Value>>, StoreError> {
        let (_, metadata) = self.read::<ArticleRow>(key)?;
        if metadata.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(metadata).map(Some).map_err(|e| codec::damaged(key, e.to_string()))
    }
}

/// The articles of a row, by their numbers. The version and the checksum are checked.
pub(super) fn parts<'r>(key: &[u8], row: &'r [u8]) -> Result<Vec<Part<'r>>, StoreError> {
    let mut rest = codec::body(key, row)?;
    let mut parts = Vec::with_capacity(ARTICLES_A_ROW as usize);
    while !rest.is_empty() {
        let cut = || codec::damaged(key, "it ends within an article".to_owned());
        let (no, behind) = rest.split_first_chunk().ok_or_else(cut)?;
        let (bytes, behind) = behind.split_first_chunk().ok_or_else(cut)?;
        let (bytes, behind) = behind.split_at_checked(u32::from_le_bytes(*bytes) as usize).ok_or_else(cut)?;
        parts.push(Part { no: ArticleNo(u32::from_le_bytes(*no)), bytes });
        rest = behind;
    }
    Ok(parts)
}

/// A row of articles that is being written.
pub(super) struct RowOfArticles(Vec<u8>);

impl RowOfArticles {
    pub fn new() -> Self {
        Self(codec::begun())
    }

    /// Adds an article as it stands in the row that this one takes the place of.
    pub fn keep(&mut self, part: Part<'_>) {
        self.begin(part.no, part.bytes.len());
        self.0.extend_from_slice(part.bytes);
    }

    /// Adds an article.
    pub fn tell(&mut self, no: ArticleNo, told: &Told) -> Result<(), StoreError> {
        let row = codec::append(Vec::with_capacity(512), &told.row)?;
        self.begin(no, row.len() + told.metadata.len());
        self.0.extend_from_slice(&row);
        self.0.extend_from_slice(&told.metadata);
        Ok(())
    }

    fn begin(&mut self, no: ArticleNo, bytes: usize) {
        self.0.extend_from_slice(&no.0.to_le_bytes());
        self.0.extend_from_slice(&u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes());
    }

    /// The row as it is stored.
    pub fn sealed(self) -> Vec<u8> {
        codec::seal(self.0)
    }
}
