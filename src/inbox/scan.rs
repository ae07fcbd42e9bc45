//! Walking an inbox. Finds files, decides nothing about them.
//!
//! Symbolic links are not followed and ignored names not entered. Each folder is announced before it is read, so that
//! it can be watched from before the first look. `watch` calls it.

use super::{
    InboxError, Marker, Root,
    leash::Leash,
    lying::not_to_be_had,
    names::{Ignore, display_path},
    pending::NAMED_MAX,
    stamp::{FileKind, Look, Stamp, is_absence},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What a walk looks for, and when it gives up.
pub(super) struct Walk<'a> {
    pub(super) ignore: &'a Ignore,
    /// Shown every entry; where it is pulled, the walk ends at the next.
    pub(super) leash: &'a Leash,
}

/// Someone who is told what a walk comes by.
pub(super) trait Visitor {
    /// A folder is about to be read.
    fn enter(&mut self, folder: &Path);
    /// There is a file.
    fn found(&mut self, path: PathBuf, stamp: Stamp);
    /// A folder below the first could not be read.
    fn unreadable(&mut self, folder: &Path, error: &io::Error);
}

/// Looks through an inbox that nobody watches. One that is not there is empty.
pub fn survey(root: &Root) -> Result<Survey, InboxError> {
    let ignore = Ignore::new(&root.ignore)?;
    let mut survey = Survey { marker: root.marker.clone(), ..Survey::default() };
    let walked = Walk { ignore: &ignore, leash: &Leash::new() }.run(&root.path, &mut survey);
    match walked {
        Err(error) if !is_absence(&error) => Err(InboxError::io("look through the inbox", &root.path)(error)),
        _ => Ok(survey),
    }
}

/// What there is in an inbox.
#[derive(Debug, Default)]
pub struct Survey {
    /// Files that wait.
    pub files: u64,
    /// Folders, itself among them.
    pub folders: u64,
    /// Files that wait for their markers, where files have some. They are not among those that wait.
    pub unmarked: u64,
    /// How many of those that wait this user can neither read nor move, and some of them (whole paths).
    pub refused: (u64, Vec<PathBuf>),
    /// Why the first of them cannot be.
    pub trouble: Option<String>,
    /// A folder that could not be read, where there is one.
    pub unreadable: Option<PathBuf>,
    /// How the markers are named without which files do not count.
    marker: Option<Marker>,
}

impl Visitor for Survey {
    fn enter(&mut self, _: &Path) {
        self.folders += 1;
    }

    fn found(&mut self, path: PathBuf, stamp: Stamp) {
        match &self.marker {
            Some(marker) if marker.file_of(&path).is_some() => return,
            Some(marker) if !matches!(marker.is_beside(&path), Ok(true)) => {
                self.unmarked += 1;
                return;
            }
            _ => self.files += 1,
        }
        if stamp.kind == FileKind::Regular
            && let Some(why) = not_to_be_had(&path)
        {
            self.trouble.get_or_insert_with(|| format!("{} {why}", display_path(&path)));
            let (refused, named) = &mut self.refused;
            *refused += 1;
            if named.len() < NAMED_MAX {
                named.push(path);
            }
        }
    }

    fn unreadable(&mut self, folder: &Path, _: &io::Error) {
        self.unreadable = Some(folder.to_owned());
    }
}

impl Walk<'_> {
    /// Walks a folder and all in it. Only the first folder's being unreadable is an error.
    pub(super) fn run(&self, from: &Path, visitor: &mut impl Visitor) -> io::Result<()> {
        let mut ahead = vec![from.to_owned()];
        while let Some(folder) = ahead.pop() {
            visitor.enter(&folder);
            match self.read(&folder, &mut ahead, visitor) {
                Err(error) if folder == from => return Err(error),
                Err(error) if !is_absence(&error) => visitor.unreadable(&folder, &error),
                _ => {}
            }
        }
        Ok(())
    }

    fn read(&self, folder: &Path, ahead: &mut Vec<PathBuf>, visitor: &mut impl Visitor) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            if !self.leash.goes_on() {
                ahead.clear();
                return Ok(());
            }
            let entry = entry?;
            if self.ignore.name(&entry.file_name()) {
                continue;
            }
            // One that vanished since it was listed is no loss.
            match entry.metadata().map(|found| Look::from(&found)) {
                Ok(Look::Folder) => ahead.push(entry.path()),
                Ok(Look::File(stamp)) => visitor.found(entry.path(), stamp),
                Ok(Look::Nothing) | Err(_) => {}
            }
        }
        Ok(())
    }
}
