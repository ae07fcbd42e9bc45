//! Whether a view can be trusted after the machine may have lost power: sled can miss rows without a word.

use super::{
    StoreError, View,
    articles::{self, Part},
    codec,
    digests::Era,
    profiles::ProfileRows,
};
use crate::model::ArticleNo;
use std::collections::HashMap;

/// Reads every row, and proves that articles, records and memberships add up to the counts.
pub(super) fn whole(view: View<'_>) -> Result<(), StoreError> {
    let counts = view.counts()?;
    let (mut rows, mut articles, mut founders): (HashMap<u8, u64>, u64, u64) = Default::default();
    let mut profiles = view.profile_reader();
    for entry in view.raw() {
        let (key, row) = entry?;
        let letter = key.first().copied().unwrap_or_default();
        *rows.entry(letter).or_default() += 1;
        if key.starts_with(codec::ARTICLES) {
            for part in articles::parts(&key, &row)? {
                articles += 1;
                founders += u64::from(is_founder(view, &key, part)?);
            }
        } else if key.starts_with(codec::PROFILES) {
            let rows: ProfileRows = codec::decode(&key, &row)?;
            rows.iter().try_for_each(|(_, row)| profiles.read(row).map(|_| ()))?;
        } else if !matches!(letter, b'v' | b'o' | b'x') {
            codec::sound(&key, &row)?;
        }
    }
    let of = |letter: u8| rows.get(&letter).copied().unwrap_or(0);
    add_up("articles", articles, counts.articles())?;
    add_up("ids of articles", of(b'i'), counts.articles())?;
    add_up("memberships", of(b'v'), counts.variants)?;
    add_up("records", founders, counts.canonical)?;
    add_up("arrivals", of(b'f'), counts.received)?;
    add_up("arrivals with and without a receipt", of(b'o') + counts.ended(), counts.received)
}

/// Whether an article founded its record. It must be found by its id, and its record be there.
fn is_founder(view: View<'_>, key: &[u8], part: Part<'_>) -> Result<bool, StoreError> {
    let (no, row) = (part.no, part.row(key)?);
    let is_listed = view.row::<ArticleNo>(&codec::id(Era::of(no), row.id))? == Some(no);
    let is_founder = row.founder == no;
    if is_listed && (is_founder || view.is_founder(row.founder)?) {
        Ok(is_founder)
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
