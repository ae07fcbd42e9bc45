//! Done-markers: where an inbox has them, `x.xml` counts once `x.xml.done` lies beside it, in whatever order they come.
//!
//! A name that ends as markers do is a marker, never a file. With its marker a file still has to be still, since a marker
//! may be quicker than its file. The marker goes when its file is claimed and is made again where the file goes back; one that
//! a crash left between the two is removed at the next start. `root` asks it.

use super::{
    display_path,
    stamp::{Look, Moment, look},
};
use crate::model::Time;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// A marker without a file is told after so long: a large file that comes behind its marker takes minutes.
const ALONE_MS_MAX: i64 = 10 * 60 * 1000;

/// What is appended to a file's name to name its marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// Markers are named so.
    pub fn new(suffix: String) -> Self {
        Self(suffix)
    }

    /// How much longer a marker's name is than its file's, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The marker of a file.
    pub(super) fn of(&self, file: &Path) -> PathBuf {
        OsString::from_vec([file.as_os_str().as_bytes(), self.0.as_bytes()].concat()).into()
    }

    /// The file of a marker, where this is one.
    pub(super) fn file_of<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let name = path.file_name()?.as_bytes();
        let is_marker = name.len() > self.0.len() && name.ends_with(self.0.as_bytes());
        let bytes = path.as_os_str().as_bytes();
        let file = bytes.get(..bytes.len().checked_sub(self.0.len())?)?;
        is_marker.then_some(Path::new(OsStr::from_bytes(file)))
    }

    /// Whether a file's marker is there.
    pub(super) fn is_beside(&self, file: &Path) -> io::Result<bool> {
        Ok(matches!(look(&self.of(file))?, Look::File(_)))
    }

    /// Makes the marker of a file, or leaves the one that is there. Says whether it was made.
    pub(super) fn put_beside(&self, file: &Path) -> io::Result<bool> {
        match fs::File::create_new(self.of(file)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => made.map(|_| true),
        }
    }

    /// Removes the marker of a file that is claimed. One that does not go would let the next file of its name count too early.
    pub(super) fn remove_beside(&self, file: &Path) {
        if let Err(error) = fs::remove_file(self.of(file))
            && error.kind() != io::ErrorKind::NotFound
        {
            let file = display_path(file);
            tracing::warn!(file, %error, "the done-marker of a file that was claimed cannot be removed; remove it");
        }
    }

    /// Removes the marker that a crash left when its file had just been claimed. One that is younger belongs to a file that
    /// is still to come.
    pub(super) fn remove_left_over(&self, file: &Path, claimed_at: Time) {
        if let (Ok(Look::Nothing), Ok(Look::File(marker))) = (look(file), look(&self.of(file)))
            && marker.changed_at() <= claimed_at
        {
            self.remove_beside(file);
        }
    }
}

/// What lies alone in an inbox, as paths under it: files without their markers, and markers without their files.
#[derive(Debug, Default)]
pub(super) struct Alone {
    max: usize,
    files: BTreeSet<OsString>,
    markers: BTreeMap<OsString, Moment>,
    has_told: bool,
}

impl Alone {
    /// At most so many of each are kept in mind.
    pub(super) fn at_most(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    /// A scan of the whole inbox begins.
    pub(super) fn clear(&mut self) {
        self.files.clear();
        self.markers.clear();
    }

    pub(super) fn file(&mut self, name: &Path) {
        if self.files.len() < self.max {
            self.files.insert(name.into());
        }
    }

    pub(super) fn marker(&mut self, name: &Path, made: Moment) {
        if self.markers.len() < self.max {
            self.markers.insert(name.into(), made);
        }
    }

    /// Neither this file nor this marker is alone any more, or there.
    pub(super) fn forget(&mut self, name: &Path) {
        self.files.remove(name.as_os_str());
        self.markers.remove(name.as_os_str());
    }

    /// How many files have no marker yet.
    pub(super) fn unmarked(&self) -> u64 {
        self.files.len() as u64
    }

    /// How many markers have had no file for long, and the first of them.
    pub(super) fn markers_for_long(&self, now: Time) -> (u64, Option<PathBuf>) {
        let is_old = |made: &Moment| made.0.saturating_mul(1000) <= now.millis().saturating_sub(ALONE_MS_MAX);
        let mut old =
            self.markers.iter().filter(|(_, made)| is_old(made)).map(|(name, _)| PathBuf::from(name));
        let first = old.next();
        (u64::from(first.is_some()) + old.count() as u64, first)
    }

    /// Says once that there are such.
    pub(super) fn tell(&mut self, inbox: &Path, now: Time) {
        let (markers, first) = self.markers_for_long(now);
        if let Some(first) = &first
            && !self.has_told
        {
            let (inbox, first) = (display_path(inbox), display_path(first));
            tracing::warn!(inbox, markers, first, "done-markers have lain without their files for long");
        }
        self.has_told = first.is_some();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_named_by_its_file() {
        let marker = Marker::new(".done".to_owned());
        assert_eq!(marker.of(Path::new("a/x.xml")), Path::new("a/x.xml.done"));
        assert_eq!(marker.file_of(Path::new("a/x.xml.done")), Some(Path::new("a/x.xml")));
        for no_marker in ["a/x.xml", "a/.done", ".done", "a.done/x"] {
            assert_eq!(marker.file_of(Path::new(no_marker)), None, "{no_marker}");
        }
    }

    #[test]
    fn a_marker_without_a_file_is_told_after_a_while() {
        let mut alone = Alone::at_most(2);
        for (name, made) in [("a", 100), ("b", 700), ("c", 1)] {
            alone.marker(Path::new(name), (made, 0));
        }
        let told = |alone: &Alone, seconds: i64| alone.markers_for_long(Time::from_millis(seconds * 1000));
        assert_eq!(told(&alone, 699), (0, None));
        assert_eq!(told(&alone, 700), (1, Some("a".into())));
        assert_eq!(told(&alone, 1300).0, 2, "of more than are kept in mind, so many");
        alone.forget(Path::new("a"));
        assert_eq!(told(&alone, 700), (0, None));
    }
}
