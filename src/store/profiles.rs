//! The profiles of the articles in the windows: plain files beside sled's, into which the rows `p` point.
//!
//! Owns `<data_dir>/db/profiles/`. A profile is larger than all rows of its article together, is read at a start
//! and seldom else, and goes after some days. In sled each of them had 6 kB of disk for good, as sled gives room back
//! late where it does at all. Here they are written from end to end, and a file is removed once no row points
//! into it. The rows say what is there: what they do not point at is what a crash left behind.

use super::{StoreError, sync_folder};
use crate::model::ArticleNo;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::xxh3_64;

/// A file is closed when it reaches so many bytes, some seven thousand profiles: the room of a window is given
/// back in steps of this.
const FILE_BYTES: u64 = 16 << 20;

/// So much of a file is read at a time: some thirty profiles.
const READ_BYTES: usize = 64 << 10;

/// So many numbers in turn share a row that says where their profiles lie: a kilobyte at most, and few enough rows to be
/// counted when a first batch is applied.
pub(super) const PROFILES_A_ROW: u32 = 64;

/// The folder of the profiles within that of the view.
pub(super) fn folder_in(view: &Path) -> PathBuf {
    view.join("profiles")
}

/// Where the profile of an article lies, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProfileRow {
    file: u32,
    offset: u64,
    bytes: u32,
    checksum: u64,
}

impl ProfileRow {
    /// How long the profile is.
    pub fn length(&self) -> usize {
        self.bytes as usize
    }
}

/// Those of the articles in turn that share a row, by their numbers.
pub(super) type ProfileRows = Vec<(ArticleNo, ProfileRow)>;

/// The writing end. What is added is written by [`write`](Self::write), all at once.
pub(super) struct ProfileWriter {
    folder: PathBuf,
    /// Its number, and how much of it is written.
    current: Option<(u32, File, u64)>,
    waiting: Vec<u8>,
    /// How many rows point into each file.
    pointed_at: BTreeMap<u32, u64>,
}

impl ProfileWriter {
    /// Goes on behind what the rows point at, in a file of its own.
    pub fn open(
        folder: PathBuf,
        rows: impl Iterator<Item = Result<ProfileRows, StoreError>>,
    ) -> Result<Self, StoreError> {
        let mut pointed_at: BTreeMap<u32, u64> = BTreeMap::new();
        for number in numbers_in(&folder)? {
            pointed_at.insert(number, 0);
        }
        for row in rows {
            for (_, row) in row? {
                *pointed_at.entry(row.file).or_default() += 1;
            }
        }
        Ok(Self { folder, current: None, waiting: Vec::new(), pointed_at })
    }

    /// Adds a profile, and says where it will lie.
    pub fn add(&mut self, profile: &[u8]) -> Result<ProfileRow, StoreError> {
        let (file, _, end) = match self.current.take() {
            // What is written in one go lies in one file.
            Some(current) if current.2 < FILE_BYTES || !self.waiting.is_empty() => {
                self.current.insert(current)
            }
            _ => {
                let number = self.pointed_at.last_key_value().map_or(1, |(last, _)| last + 1);
                self.current.insert((number, create(&path_of(&self.folder, number))?, 0))
            }
        };
        let offset = *end + self.waiting.len() as u64;
        self.waiting.extend_from_slice(profile);
        *self.pointed_at.entry(*file).or_default() += 1;
        let bytes = u32::try_from(profile.len()).unwrap_or(u32::MAX);
        Ok(ProfileRow { file: *file, offset, bytes, checksum: xxh3_64(profile) })
    }

    /// A row that pointed at a profile goes.
    pub fn let_go(&mut self, row: ProfileRow) {
        self.pointed_at.entry(row.file).and_modify(|rows| *rows = rows.saturating_sub(1));
    }

    /// Writes what was added. After an error the writer is to be opened anew.
    pub fn write(&mut self) -> Result<(), StoreError> {
        if let Some((number, file, end)) = &mut self.current {
            file.write_all(&self.waiting)
                .map_err(StoreError::io("write to", &path_of(&self.folder, *number)))?;
            *end += self.waiting.len() as u64;
        }
        self.waiting.clear();
        Ok(())
    }

    /// The files that no row points into, but for the one that is written to.
    pub fn unused(&self) -> Vec<u32> {
        let current = self.current.as_ref().map(|(number, ..)| *number);
        let unused = self.pointed_at.iter().filter(|(number, rows)| **rows == 0 && Some(**number) != current);
        unused.map(|(number, _)| *number).collect()
    }

    /// Removes files that no row points into. The rows must be durable.
    pub fn remove(&mut self, unused: &[u32]) -> Result<(), StoreError> {
        for number in unused {
            let path = path_of(&self.folder, *number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &path)(error));
                }
                _ => self.pointed_at.remove(number),
            };
        }
        Ok(())
    }
}

/// Makes every profile durable, whoever wrote it: one that was killed may not have. Files are few.
pub(super) fn sync(view: &Path) -> Result<(), StoreError> {
    let folder = folder_in(view);
    for number in numbers_in(&folder)? {
        let path = path_of(&folder, number);
        match File::open(&path).and_then(|file| file.sync_all()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("sync", &path)(error));
            }
            // One that leaves meanwhile need not be durable.
            _ => {}
        }
    }
    sync_folder(&folder)
}

/// The reading end. Profiles that lie side by side are read as fast as their file.
pub(super) struct ProfileReader {
    folder: PathBuf,
    /// The file that is open: its number, and where it is read next.
    open: Option<(u32, BufReader<File>, u64)>,
}

impl ProfileReader {
    pub fn new(view: &Path) -> Self {
        Self { folder: folder_in(view), open: None }
    }

    /// The profile that a row points at.
    pub fn read(&mut self, row: &ProfileRow) -> Result<Vec<u8>, StoreError> {
        let mut profile = Vec::new();
        self.append(row, &mut profile)?;
        Ok(profile)
    }

    /// Reads it behind what there is.
    pub fn append(&mut self, row: &ProfileRow, profiles: &mut Vec<u8>) -> Result<(), StoreError> {
        let read = self.read_at(row, profiles).map(xxh3_64);
        if matches!(read, Ok(checksum) if checksum == row.checksum) {
            return Ok(());
        }
        let path = path_of(&self.folder, row.file);
        let damaged = |what: String| StoreError::Inconsistent(format!("{}: {what}", path.display()));
        Err(match read {
            Ok(_) => damaged(format!("the checksum of the profile at byte {} is wrong", row.offset)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotADirectory => damaged(error.to_string()),
                _ => StoreError::io("read", &path)(error),
            },
        })
    }

    fn read_at<'p>(&mut self, row: &ProfileRow, profiles: &'p mut Vec<u8>) -> io::Result<&'p [u8]> {
        let (_, file, at) = match self.open.take() {
            Some(open) if open.0 == row.file => self.open.insert(open),
            _ => {
                let file = File::open(path_of(&self.folder, row.file))?;
                self.open.insert((row.file, BufReader::with_capacity(READ_BYTES, file), 0))
            }
        };
        file.seek_relative(row.offset.cast_signed() - at.cast_signed())?;
        let before = profiles.len();
        let read = file.by_ref().take(u64::from(row.bytes)).read_to_end(profiles)?;
        *at = row.offset + read as u64;
        match profiles.get(before..) {
            Some(profile) if read == row.bytes as usize => Ok(profile),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// What the profiles take on disk, in bytes.
pub(super) fn bytes_on_disk(view: &Path) -> Result<u64, StoreError> {
    let folder = folder_in(view);
    let lengths = numbers_in(&folder)?.into_iter().map(|number| {
        // One that leaves meanwhile takes nothing.
        fs::metadata(path_of(&folder, number)).map_or(0, |found| found.len())
    });
    Ok(lengths.sum())
}

fn path_of(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}"))
}

fn create(path: &Path) -> Result<File, StoreError> {
    let mut options = fs::OpenOptions::new();
    let file = options.append(true).create_new(true).mode(0o640).open(path);
    file.map_err(StoreError::io("make", path))
}

fn numbers_in(folder: &Path) -> Result<Vec<u32>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io("list", folder))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let number = |name: std::ffi::OsString| {
        let number = name.to_str()?.parse().ok()?;
        // Others lie there for reasons of their own.
        (path_of(Path::new(""), number).as_os_str() == name).then_some(number)
    };
    Ok(names.filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(view: &Path, rows: &[ProfileRow]) -> ProfileWriter {
        fs::create_dir_all(folder_in(view)).unwrap();
        ProfileWriter::open(folder_in(view), rows.iter().map(|row| Ok(vec![(ArticleNo(0), *row)]))).unwrap()
    }

    /// Profiles of which the second fills a file.
    fn written(writer: &mut ProfileWriter) -> [ProfileRow; 3] {
        let large = vec![7; usize::try_from(FILE_BYTES).unwrap()];
        [&b"one"[..], &large, b"three"].map(|profile| {
            let row = writer.add(profile).unwrap();
            writer.write().unwrap();
            row
        })
    }

    #[test]
    fn profiles_read_back_in_any_order() {
        let view = tempfile::tempdir().unwrap();
        let rows = written(&mut opened(view.path(), &[]));
        assert_eq!(rows.map(|row| row.file), [1, 1, 2], "a full file is followed by another");
        let more = opened(view.path(), &rows).add(b"").unwrap();
        assert_eq!(more.file, 3, "nothing is written behind what an earlier process wrote");
        let mut reader = ProfileReader::new(view.path());
        for at in [2, 0, 1, 0, 2] {
            let read = reader.read(&rows[at]).unwrap();
            assert_eq!(xxh3_64(&read), rows[at].checksum);
        }
        assert_eq!(reader.read(&more).unwrap(), b"");
        assert_eq!(bytes_on_disk(view.path()).unwrap(), FILE_BYTES + 8);
    }

    #[test]
    fn a_file_is_removed_once_no_row_points_into_it() {
        let view = tempfile::tempdir().unwrap();
        let rows = written(&mut opened(view.path(), &[]));
        // The third row was lost in a crash, and its file with it.
        let mut writer = opened(view.path(), &rows[..2]);
        assert_eq!(writer.unused(), [2]);
        writer.let_go(rows[0]);
        assert_eq!(writer.unused(), [2], "there is another in the first file");
        writer.let_go(rows[1]);
        let fresh = writer.add(b"fresh").unwrap();
        writer.write().unwrap();
        assert_eq!((fresh.file, writer.unused()), (3, vec![1, 2]));
        writer.remove(&[1, 2]).unwrap();
        writer.let_go(fresh);
        assert_eq!(writer.unused(), [0_u32; 0], "the one that is written to stays");
        assert_eq!(numbers_in(&folder_in(view.path())).unwrap(), [3]);
        fs::write(folder_in(view.path()).join("+5"), b"a stranger").unwrap();
        assert_eq!(numbers_in(&folder_in(view.path())).unwrap(), [3]);
        sync(view.path()).unwrap();
    }

    #[test]
    fn what_is_damaged_cut_short_or_gone_is_said_to_be() {
        let view = tempfile::tempdir().unwrap();
        let mut writer = opened(view.path(), &[]);
        let rows = [writer.add(b"first").unwrap(), writer.add(b"second").unwrap()];
        writer.write().unwrap();
        let path = path_of(&folder_in(view.path()), 1);
        let damage = |row: &ProfileRow| {
            let error = ProfileReader::new(view.path()).read(row).unwrap_err();
            assert!(error.is_damage(), "{error}");
            error.to_string()
        };
        fs::write(&path, b"firstsecomd").unwrap();
        assert!(damage(&rows[1]).contains("checksum of the profile at byte 5"), "{}", damage(&rows[1]));
        assert_eq!(ProfileReader::new(view.path()).read(&rows[0]).unwrap(), b"first");
        fs::write(&path, b"firstsecon").unwrap();
        assert!(damage(&rows[1]).contains("unexpected end of file"), "{}", damage(&rows[1]));
        fs::remove_file(&path).unwrap();
        assert!(damage(&rows[0]).contains("No such file"), "{}", damage(&rows[0]));
    }
}
