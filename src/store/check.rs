//! Whether a view can be trusted after the machine may have lost power: sled can miss rows without a word.

use super::{StoreError, View, codec, rows::ArticleRow};
use crate::model::ArticleNo;
use std::collections::HashMap;

/// Reads every row, and proves that articles, records and memberships add up to the counts.
pub(super) fn whole(view: View<'_>) -> Result<(), StoreError> {
    let counts = view.counts()?;
    let mut rows: HashMap<u8, u64> = HashMap::new();
    let mut profiles = view.profile_reader();
    for entry in view.raw() {
        let (key, row) = entry?;
        let letter = key.first().copied().unwrap_or_default();
        *rows.entry(letter).or_default() += 1;
        if letter == b'a' {
            article(view, &codec::decode(&key, &row)?, codec::last_article(&key).unwrap_or_default())?;
        } else if key.starts_with(codec::PROFILES) {
            profiles.read(&codec::decode(&key, &row)?)?;
        } else if !matches!(letter, b'v' | b'o' | b'x') {
            codec::sound(&key, &row)?;
        }
    }
    let of = |letter: u8| rows.get(&letter).copied().unwrap_or(0);
    add_up("articles", of(b'a'), counts.articles())?;
    add_up("ids of articles", of(b'i'), counts.articles())?;
    add_up("memberships", of(b'v'), counts.variants)?;
    add_up("records", of(b'r'), counts.canonical)?;
    add_up("arrivals", of(b'f'), counts.received)?;
    add_up("arrivals with and without a receipt", of(b'o') + counts.ended(), counts.received)
}

fn article(view: View<'_>, row: &ArticleRow, no: ArticleNo) -> Result<(), StoreError> {
    let is_listed = view.row::<ArticleNo>(&codec::id(row.id))? == Some(no);
    let has_record = view.record(row.founder)?.is_some();
    if is_listed && has_record {
        Ok(())
    } else {
        Err(StoreError::Inconsistent(format!("article {} is not found by its id or has no record", row.id)))
    }
}

fn add_up(what: &str, found: u64, counted: u64) -> Result<(), StoreError> {
    if found == counted {
        Ok(())
    } else {
        Err(StoreError::Inconsistent(format!("{found} {what} where {counted} were counted")))
    }
}
