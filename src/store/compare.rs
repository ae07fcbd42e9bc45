//! Whether a view is what the journal makes of it, proved by making it once more.

use super::{Change, Store, StoreError, Trust, View, codec, profiles::ProfileRows};
use crate::journal::Frame;
use std::path::{Path, PathBuf};

/// So many rows are compared at a time, some milliseconds' worth: commits wait for as long.
const SLICE_ROWS: usize = 4096;

/// A second view, made of the journal's frames alone. It lies beside the first and is removed when it is dropped.
pub struct Comparison {
    folder: PathBuf,
    store: Option<Store>,
}

/// What came of comparing some rows.
#[derive(Debug, Default)]
pub struct Slice {
    /// How many rows both have alike.
    pub alike: u64,
    /// Which differ.
    pub differ: Vec<String>,
    /// The last that was compared; nothing where there are no more.
    pub last: Option<Vec<u8>>,
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

    /// Compares the next rows in the order of their keys, behind `after`. Profiles are left out, as `detect` makes them;
    /// that they are whole is checked. What comes of rows that are alike to the last adds up as theirs does.
    pub fn slice(&self, view: View<'_>, after: Option<&[u8]>) -> Result<Slice, StoreError> {
        let mut slice = Slice::default();
        let Some(store) = &self.store else { return Ok(slice) };
        let (mut here, mut there) =
            (view.raw_after(after).peekable(), store.view().raw_after(after).peekable());
        let mut profiles = view.profile_reader();
        for _ in 0..SLICE_ROWS {
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
            let Some(key) = one.as_ref().or(other.as_ref()).map(|(key, _)| key.clone()) else {
                return Ok(Slice { last: None, ..slice });
            };
            let name = || key.escape_ascii();
            match (one, other) {
                (Some((_, row)), None) if key.starts_with(codec::PROFILES) => {
                    let read = codec::decode(&key, &row).and_then(|rows: ProfileRows| {
                        rows.iter().try_for_each(|(_, row)| profiles.read(row).map(drop))
                    });
                    slice.differ.extend(read.err().map(|error| error.to_string()));
                }
                (Some((_, a)), Some((_, b))) if a == b => slice.alike += 1,
                (Some(_), Some(_)) => slice.differ.push(format!("row {} differs", name())),
                (Some(_), None) => slice.differ.push(format!("row {} is not in the journal", name())),
                (None, _) => slice.differ.push(format!("row {} is missing", name())),
            }
            slice.last = Some(key.to_vec());
        }
        Ok(slice)
    }
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
