//! Whether a view is what the journal makes of it, proved by making it once more.

use super::{Change, Store, StoreError, Trust, View, check, codec};
use crate::journal::Frame;
use std::path::{Path, PathBuf};

/// So many rows that differ are named; one is enough for a rebuild.
const NAMED_MAX: usize = 10;

/// A second view, made of the journal's frames alone. It lies beside the first and is removed when it is dropped.
pub struct Comparison {
    folder: PathBuf,
    store: Option<Store>,
}

impl Comparison {
    /// An empty one in this folder, which is made anew.
    pub fn begin(folder: &Path) -> Result<Self, StoreError> {
        Store::discard(folder)?;
        Ok(Self { folder: folder.to_owned(), store: Some(Store::open(folder, Trust::SameBoot)?) })
    }

    /// Applies what a frame says.
    pub fn apply(&self, frame: &Frame) -> Result<(), StoreError> {
        let changes = frame.events.iter().zip(frame.places());
        let changes: Vec<_> = changes.map(|(event, place)| Change::Event(event, place, None)).collect();
        self.store.as_ref().map_or(Ok(()), |store| store.apply(&changes, frame.end))
    }

    /// How many rows both have alike, and which differ. Profiles are left out: `detect` makes them. The view's own
    /// checksums and counts are checked too.
    pub fn differences(&self, view: View<'_>) -> Result<(u64, Vec<String>), StoreError> {
        let Some(store) = &self.store else { return Ok((0, Vec::new())) };
        let mut differ = Vec::new();
        if let Err(error) = check::whole(view) {
            if !error.is_damage() {
                return Err(error);
            }
            differ.push(error.to_string());
        }
        let (mut here, mut there) = (rows(view).peekable(), rows(store.view()).peekable());
        let mut alike = 0;
        loop {
            let key = |entry: Option<&Result<(sled::IVec, sled::IVec), StoreError>>| match entry {
                Some(Ok((key, _))) => Some(key.clone()),
                _ => None,
            };
            let next = (key(here.peek()), key(there.peek()));
            // An error on either side ends the walk with it.
            let (one, other) = match &next {
                (Some(a), Some(b)) if a == b => (here.next().transpose()?, there.next().transpose()?),
                (Some(a), Some(b)) if a < b => (here.next().transpose()?, None),
                (Some(_), Some(_)) => (None, there.next().transpose()?),
                _ => (here.next().transpose()?, there.next().transpose()?),
            };
            let said = match (one, other) {
                (None, None) => break,
                (Some((_, a)), Some((_, b))) if a == b => {
                    alike += 1;
                    continue;
                }
                (Some((key, _)), Some(_)) => format!("row {} differs", key.escape_ascii()),
                (Some((key, _)), None) => format!("row {} is not in the journal", key.escape_ascii()),
                (None, Some((key, _))) => format!("row {} is missing", key.escape_ascii()),
            };
            if differ.len() < NAMED_MAX {
                differ.push(said);
            }
        }
        Ok((alike, differ))
    }
}

/// The rows of a view but for the profiles.
fn rows(view: View<'_>) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>> {
    let is_profile = |key: &sled::IVec| key.starts_with(codec::PROFILES);
    view.raw().filter(move |row| !row.as_ref().is_ok_and(|(key, _)| is_profile(key)))
}

impl Drop for Comparison {
    fn drop(&mut self) {
        self.store = None;
        if let Err(error) = Store::discard(&self.folder) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what an audit made could not be removed"
            );
        }
    }
}
