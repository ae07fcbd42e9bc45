//! A copy of what cannot be made anew: the journal, the originals, and what was set aside.
//!
//! Journal and packs are only ever appended to, so a copy taken while a daemon writes is consistent when it ends between
//! two frames and holds every original that these frames speak of; and the next one need only add what came since. Knows
//! neither the view nor who writes. `cli` calls it.

mod copy;

use crate::{
    clock,
    inbox::{answered, display_path, shown_path},
    journal::{Damage, JournalError, Position, Replay, check_format, segment_path},
    model::{Event, Time},
};
use copy::{append, make_folder, sync_folder, whole};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::symlink,
    path::{Component, Path, PathBuf},
    time::Duration,
};

/// The file that makes a folder a backup, written last.
pub const MANIFEST: &str = "backup.json";
/// The form of a backup.
const FORMAT: u32 = 1;
/// What is copied: in this order, so that a journal never speaks of an original that is not there yet.
const FOLDERS: [&str; 3] = ["originals", "failed", "journal"];

/// Why no backup can be made, or brought back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] JournalError),
    /// There is nothing to copy.
    #[error("there is no data in {0} yet")]
    Nothing(PathBuf),
    /// The folder holds something else.
    #[error("{0} is not empty and holds no backup of wirefold")]
    NotABackup(PathBuf),
    /// The folder holds a backup of another data directory, or of another past of this one.
    #[error(
        "{path} holds a backup of something else: {file} differs where both have it; take an empty folder"
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// The file that differs.
        file: String,
    },
    /// One lies within the other.
    #[error("{to} and {from} must not lie within one another")]
    Within {
        /// What is copied.
        from: PathBuf,
        /// Where to.
        to: PathBuf,
    },
    /// Another backup into the folder is under way.
    #[error("another backup into {0} is under way")]
    Busy(PathBuf),
    /// There is data where a backup is to be brought back to.
    #[error("there is data in {0} already; a backup is brought back into a folder without any")]
    NotEmpty(PathBuf),
    /// A backup was made by a later version, or something in it is missing.
    #[error("the backup in {path} cannot be used: {what}")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        what: String,
    },
}

impl BackupError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    at: Time,
    /// Up to where the journal is in it.
    end: Position,
    /// Its files, and how many bytes of each count.
    files: BTreeMap<String, u64>,
    /// Links that were set aside, and where they lead: they stand here alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    links: BTreeMap<String, String>,
}

impl Manifest {
    /// How many files and links are in it.
    fn held(&self) -> u64 {
        (self.files.len() + self.links.len()) as u64
    }

    /// Its files that are not as long in this folder as they should be, as sentences.
    fn short(&self, folder: &Path) -> impl Iterator<Item = String> {
        self.files.iter().filter_map(move |(name, bytes)| match fs::metadata(folder.join(shown_path(name))) {
            Err(error) => Some(format!("{name}: {error}")),
            Ok(found) if found.len() < *bytes => {
                Some(format!("{name} has {} bytes, and {bytes} were written", found.len()))
            }
            Ok(_) => None,
        })
    }
}

/// What a backup lacks of what it says that is in it, as sentences; nothing where the folder is no backup. A journal that lies
/// there without a lock or a view was never worked with, so it is one that does not say what should be in it.
pub fn lacks(folder: &Path) -> Result<Option<Vec<String>>, BackupError> {
    if let Some(manifest) = manifest(folder)? {
        return Ok(Some(
            manifest.short(folder).map(|what| format!("the backup was cut short: {what}")).collect(),
        ));
    }
    let holds = |name: &str| folder.join(name).exists();
    if holds("lock") || holds("db") || !holds("journal") {
        return Ok(None);
    }
    let what = if holds(BEGUN) {
        format!("the backup was begun and not ended: there is no {MANIFEST} yet")
    } else {
        format!(
            "there is no {MANIFEST}, so it is a backup that lost it, or another copy: what it lacks at its end cannot be told"
        )
    };
    Ok(Some(vec![what]))
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files in the backup.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, bytes that were copied this time.
    pub copied: u64,
    /// Frames of the journal.
    pub frames: u64,
    /// What of the journal cannot be read; it is copied as it is.
    pub damage: Vec<Damage>,
    /// What was set aside and is not in the backup, as it cannot be read.
    pub missing: Vec<PathBuf>,
}

/// Where files were set aside that could not leave the mount of their inbox.
#[derive(Clone, Debug)]
pub struct Near {
    /// The folders.
    pub folders: Vec<PathBuf>,
    /// How long one may leave a question unanswered, as on a mount whose server is gone.
    pub patience: Duration,
}

/// Copies a data directory to a folder, or adds to an earlier copy what came since. A daemon may write meanwhile.
/// What was set aside in an inbox is brought back with all else that was.
pub fn backup(data_dir: &Path, near: &Near, to: &Path) -> Result<Copied, BackupError> {
    if !data_dir.join("journal").is_dir() {
        return Err(BackupError::Nothing(data_dir.to_owned()));
    }
    check_apart(data_dir, to)?;
    let earlier = manifest(to)?;
    let is_empty = || fs::read_dir(to).map_or(!to.exists(), |mut entries| entries.next().is_none());
    if earlier.is_none() && !is_empty() && !to.join(BEGUN).exists() {
        return Err(BackupError::NotABackup(to.to_owned()));
    }
    make_folder(to)?;
    // A first copy that is cut short is known for what it is, and may be gone on with.
    let begun = fs::File::create(to.join(BEGUN)).map_err(BackupError::io("write to", to))?;
    if begun.try_lock().is_err() {
        return Err(BackupError::Busy(to.to_owned()));
    }
    let mut manifest = earlier.unwrap_or(Manifest {
        format: FORMAT,
        at: Time::default(),
        end: Position::default(),
        files: BTreeMap::new(),
        links: BTreeMap::new(),
    });
    let spoken_of = SpokenOf::since(data_dir, manifest.end).map_err(|error| match error {
        JournalError::Behind { path, .. } => other(to, &path),
        error => error.into(),
    })?;
    let mut copied = Copied { damage: spoken_of.damage, ..Copied::default() };
    for folder in FOLDERS {
        make_folder(&to.join(folder))?;
    }
    for (pack, bytes) in spoken_of.packs {
        let name = format!("originals/{pack}");
        // A pack that is not kept any more is no loss of this backup.
        if data_dir.join(&name).exists() {
            copied.copied += add(data_dir, to, &name, bytes, &mut manifest)?;
        }
    }
    copy_failed(&data_dir.join("failed"), to, &mut manifest, &mut copied)?;
    for folder in &near.folders {
        let found = folder.clone();
        match answered(near.patience, move |_| found.is_dir()) {
            Ok(Some(true)) => copy_failed(folder, to, &mut manifest, &mut copied)?,
            Ok(Some(false)) => {}
            Ok(None) | Err(_) => copied.missing.push(folder.clone()),
        }
    }
    for segment in manifest.end.segment.max(1)..=spoken_of.end.segment {
        let path = segment_path(&data_dir.join("journal"), segment);
        let Ok(found) = fs::metadata(&path) else { continue };
        let bytes = if segment == spoken_of.end.segment { spoken_of.end.offset } else { found.len() };
        let name = format!("journal/{}", path.file_name().unwrap_or_default().display());
        copied.copied += add(data_dir, to, &name, bytes, &mut manifest)?;
    }
    for folder in FOLDERS {
        sync_folder(&to.join(folder))?;
    }
    (manifest.end, manifest.at) = (spoken_of.end, clock::now().whole_second());
    write_manifest(to, &manifest)?;
    fs::remove_file(to.join(BEGUN)).map_err(BackupError::io("write to", to))?;
    copied.frames = manifest.end.frame;
    (copied.files, copied.bytes) = (manifest.held(), manifest.files.values().sum());
    Ok(copied)
}

/// Lies in a backup while one is made.
const BEGUN: &str = "backup.begun";

/// Is the journal of a data directory while a backup is being brought back into it.
const UNFINISHED: &str = "journal.restored";

/// Whether there is no data in a data directory yet, but for what a restore that was cut short has left.
fn check_empty(data_dir: &Path) -> Result<(), BackupError> {
    let holds =
        |name: &str| fs::read_dir(data_dir.join(name)).is_ok_and(|mut entries| entries.next().is_some());
    // What is in these may be all that is left of a journal that was moved away.
    let has_files = || ["originals", "failed"].into_iter().any(holds);
    if holds("journal") || holds("db") || has_files() && !data_dir.join(UNFINISHED).exists() {
        return Err(BackupError::NotEmpty(data_dir.to_owned()));
    }
    Ok(())
}

/// Whether a backup may be brought back into a data directory, which may still have to be made.
pub fn check_restore(from: &Path, data_dir: &Path) -> Result<(), BackupError> {
    usable(from, data_dir).map(drop)
}

/// What a backup says of itself that may be brought back there.
fn usable(from: &Path, data_dir: &Path) -> Result<Manifest, BackupError> {
    let unusable = |what: String| BackupError::Unusable { path: from.to_owned(), what };
    check_empty(data_dir)?;
    let manifest = manifest(from)?.ok_or_else(|| unusable(format!("there is no {MANIFEST} in it")))?;
    check_apart(from, data_dir)?;
    check_format(&from.join("journal"))?;
    let lacking = manifest.short(from).next();
    lacking.map_or(Ok(manifest), |what| Err(unusable(what)))
}

/// Brings a backup back into a data directory without any data, on which the lock is held. The view is still to be made.
pub fn restore(from: &Path, data_dir: &Path) -> Result<Copied, BackupError> {
    let manifest = usable(from, data_dir)?;
    // The journal gets its name when all is there: what is cut short before that has none, and is begun anew.
    let unfinished = data_dir.join(UNFINISHED);
    let mut copied = Copied { frames: manifest.end.frame, ..Copied::default() };
    for folder in [data_dir.join("originals"), data_dir.join("failed"), unfinished.clone()] {
        make_folder(&folder)?;
    }
    for (name, bytes) in &manifest.files {
        let path = shown_path(name);
        let to = match path.strip_prefix("journal") {
            Ok(segment) => unfinished.join(segment),
            Err(_) => data_dir.join(&path),
        };
        whole(&from.join(&path), &to, *bytes)?;
        copied.bytes += bytes;
    }
    for (name, target) in &manifest.links {
        let to = data_dir.join(shown_path(name));
        match symlink(shown_path(target), &to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(BackupError::io("make", &to)(error));
            }
            _ => {}
        }
    }
    (copied.files, copied.copied) = (manifest.held(), copied.bytes);
    for folder in [&data_dir.join("originals"), &data_dir.join("failed"), &unfinished] {
        sync_folder(folder)?;
    }
    let journal = data_dir.join("journal");
    fs::rename(&unfinished, &journal).map_err(BackupError::io("make", &journal))?;
    sync_folder(data_dir)?;
    Ok(copied)
}

/// What the journal says from a place on: which packs up to where, and where it ends.
struct SpokenOf {
    packs: BTreeMap<String, u64>,
    end: Position,
    damage: Vec<Damage>,
}

impl SpokenOf {
    fn since(data_dir: &Path, from: Position) -> Result<Self, JournalError> {
        let mut replay = Replay::from(&data_dir.join("journal"), from)?;
        let mut packs = BTreeMap::new();
        while let Some(frame) = replay.next_frame()? {
            for event in frame.events {
                if let Event::Receipt(receipt) = event
                    && let Some(original) = receipt.original
                {
                    let end = packs.entry(original.pack).or_default();
                    *end = (original.offset + original.length).max(*end);
                }
            }
        }
        let end = replay.end();
        let mut damage = replay.into_damage();
        // What is being written is not there yet.
        damage.retain(|stretch| !stretch.at_the_end);
        Ok(Self { packs, end, damage })
    }
}

/// Adds to a file of the backup what is missing of its first `bytes`. Returns how many were copied.
fn add(from: &Path, to: &Path, name: &str, bytes: u64, manifest: &mut Manifest) -> Result<u64, BackupError> {
    let counted = manifest.files.entry(name.to_owned()).or_default();
    let copied = append(&from.join(name), &to.join(name), *counted, bytes)?;
    *counted = bytes.max(*counted);
    copied.ok_or_else(|| other(to, Path::new(name)))
}

/// Copies what was set aside in a folder and is not in the backup yet: it lies nowhere else.
fn copy_failed(
    folder: &Path,
    to: &Path,
    manifest: &mut Manifest,
    copied: &mut Copied,
) -> Result<(), BackupError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let (file, from) = (entry.file_name(), entry.path());
        let name = format!("failed/{}", display_path(Path::new(&file)));
        if name.starts_with("failed/.") || manifest.files.contains_key(&name) {
            continue;
        }
        let Ok(found) = entry.metadata() else { continue };
        if let Ok(target) = fs::read_link(&from) {
            manifest.links.insert(name, display_path(&target));
            continue;
        }
        // A pipe, a socket or a device holds nothing: all there is to it stands in its reason.
        if !found.is_file() {
            continue;
        }
        if fs::File::open(&from).is_err() && from.exists() {
            copied.missing.push(from);
            continue;
        }
        match whole(&from, &to.join("failed").join(&file), found.len()) {
            // One that is put back into its inbox meanwhile is no longer failed.
            Err(_) if !from.exists() => continue,
            done => done?,
        }
        manifest.files.insert(name, found.len());
        copied.copied += found.len();
    }
    Ok(())
}

fn other(to: &Path, file: &Path) -> BackupError {
    let file = file.file_name().unwrap_or_default().display().to_string();
    BackupError::Other { path: to.to_owned(), file }
}

/// A path without links in it; of one that is still to be made, that of the folder it will lie in.
fn real(path: &Path) -> Result<PathBuf, BackupError> {
    let whole = std::path::absolute(path).map_err(BackupError::io("find", path))?;
    let there = whole.ancestors().find(|above| above.exists()).unwrap_or(&whole);
    let rest = whole.strip_prefix(there).unwrap_or(Path::new(""));
    Ok(fs::canonicalize(there).map_err(BackupError::io("find", there))?.join(rest))
}

fn check_apart(from: &Path, to: &Path) -> Result<(), BackupError> {
    let (one, other) = (real(from)?, real(to)?);
    if one.starts_with(&other) || other.starts_with(&one) {
        return Err(BackupError::Within { from: from.to_owned(), to: to.to_owned() });
    }
    Ok(())
}

/// What a folder says of itself; nothing where it says nothing.
fn manifest(folder: &Path) -> Result<Option<Manifest>, BackupError> {
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BackupError::io("read", &path)(error)),
    };
    let unusable = |what| BackupError::Unusable { path: folder.to_owned(), what };
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| unusable(format!("{MANIFEST}: {error}")))?;
    if manifest.format != FORMAT {
        return Err(unusable(format!("its form is {}, and {FORMAT} is read here", manifest.format)));
    }
    let leads_out = |name: &String| {
        let path = shown_path(name);
        let is_within = FOLDERS.iter().any(|folder| path.strip_prefix(folder).is_ok());
        !is_within || path.components().any(|part| !matches!(part, Component::Normal(_)))
    };
    match manifest.files.keys().chain(manifest.links.keys()).find(|name| leads_out(name)) {
        Some(name) => Err(unusable(format!("{MANIFEST} names {name}"))),
        None => Ok(Some(manifest)),
    }
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let (path, unfinished) = (folder.join(MANIFEST), folder.join(".backup.json.tmp"));
    let failed = || BackupError::io("write", &path);
    let mut text = serde_json::to_vec_pretty(manifest).map_err(|error| failed()(error.into()))?;
    text.push(b'\n');
    copy::write_durably(&unfinished, &text)?;
    fs::rename(&unfinished, &path).map_err(failed())?;
    sync_folder(folder)
}
