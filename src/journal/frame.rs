//! One zstd frame with its checksum, appended to a file or read from a place in it. The journal's segments
//! and the packs of originals are both made of these.

use super::{JournalError, sync_folder};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The first bytes of every zstd frame.
pub(super) const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// Appends frames to one file. What is pushed is durable after [`sync`](Self::sync), or not there at all.
pub(super) struct FrameWriter {
    path: PathBuf,
    file: File,
    compressor: zstd::bulk::Compressor<'static>,
    synced: u64,
    waiting: Vec<u8>,
}

impl FrameWriter {
    /// Makes a new file, which must not be there yet, for frames of this level of zstd.
    pub fn create(path: &Path, level: i32) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o640).open(path);
        Self::of(path, file.map_err(JournalError::io("make", path))?, 0, level)
    }

    /// Opens a file to append after `end`. What lies behind it is copied beside the file and cut off.
    pub fn open(path: &Path, end: u64, level: i32) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).open(path).map_err(JournalError::io("open", path))?;
        let length = file.metadata().map_err(JournalError::io("measure", path))?.len();
        if length < end {
            let what = format!("it ends at byte {length}");
            return Err(JournalError::Damaged { path: path.to_owned(), offset: end, what });
        }
        if length > end {
            keep_tail(path, &file, end).map_err(JournalError::io("keep the torn tail of", path))?;
            file.set_len(end).map_err(JournalError::io("cut the torn tail of", path))?;
        }
        Self::of(path, file, end, level)
    }

    /// What an earlier process wrote and did not live to sync may have been read since, so it is synced first.
    fn of(path: &Path, file: File, end: u64, level: i32) -> Result<Self, JournalError> {
        file.sync_all().map_err(JournalError::io("sync", path))?;
        path.parent().map_or(Ok(()), sync_folder)?;
        let compressor = compressor(level).map_err(JournalError::io("set up compression for", path))?;
        Ok(Self { path: path.to_owned(), file, compressor, synced: end, waiting: Vec::new() })
    }

    /// Adds a frame and returns its length in bytes.
    pub fn push(&mut self, payload: &[u8]) -> Result<u64, JournalError> {
        let frame =
            self.compressor.compress(payload).map_err(JournalError::io("compress for", &self.path))?;
        self.waiting.extend_from_slice(&frame);
        Ok(frame.len() as u64)
    }

    /// Writes and syncs what was pushed. On an error the file is cut back to what was synced before.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        let waiting = std::mem::take(&mut self.waiting);
        let written = self.write(&waiting);
        if written.is_err() {
            // The cut may fail too on a dying disk; the next open cuts at the same place.
            drop(self.file.set_len(self.synced));
        }
        written.map_err(JournalError::io("write to", &self.path))?;
        self.synced += waiting.len() as u64;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(io::SeekFrom::Start(self.synced))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    /// Whether something was pushed and not synced yet.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether its path still leads to the file that it writes: that may have been moved away, or replaced.
    pub fn is_there(&self) -> Result<bool, JournalError> {
        let own = self.file.metadata().map_err(JournalError::io("measure", &self.path))?;
        match fs::metadata(&self.path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(JournalError::io("look at", &self.path)(error)),
        }
    }

    /// Where the next frame will begin.
    pub fn end(&self) -> u64 {
        self.synced + self.waiting.len() as u64
    }
}

/// Copies what lies behind `end` to a file of its own, so that a cut destroys nothing.
fn keep_tail(path: &Path, mut file: &File, end: u64) -> io::Result<()> {
    let mut tail = Vec::new();
    file.seek(io::SeekFrom::Start(end))?;
    file.read_to_end(&mut tail)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut options = OpenOptions::new();
    let beside = path.with_file_name(format!("{name}.torn-{end}"));
    let mut kept = options.write(true).create(true).truncate(true).mode(0o640).open(beside)?;
    kept.write_all(&tail)?;
    kept.sync_all()?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn compressor(level: i32) -> io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

/// Writes one frame as its bytes come.
pub(super) fn encoder<W: Write>(to: W, level: i32) -> io::Result<zstd::stream::write::Encoder<'static, W>> {
    let mut encoder = zstd::stream::write::Encoder::new(to, level)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

/// The payload of the frame that begins at `offset`. Its checksum is checked.
pub(super) fn read(path: &Path, offset: u64) -> Result<Vec<u8>, JournalError> {
    let mut payload = Vec::new();
    let mut file = File::open(path).map_err(JournalError::io("open", path))?;
    let read = file
        .seek(io::SeekFrom::Start(offset))
        .and_then(|_| zstd::stream::read::Decoder::new(file)?.single_frame().read_to_end(&mut payload));
    match read {
        Ok(_) => Ok(payload),
        Err(e) => Err(JournalError::Damaged { path: path.to_owned(), offset, what: e.to_string() }),
    }
}

/// The payload of the frame that a reader stands before, which then stands behind it; nothing at its end.
pub(super) fn next(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut payload = Vec::new();
    zstd::stream::read::Decoder::with_buffer(reader)?.single_frame().read_to_end(&mut payload)?;
    Ok(Some(payload))
}

/// The payload and the length of the frame at the beginning of `bytes`, if there is a whole and sound one.
pub(super) fn first(bytes: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let length = zstd::zstd_safe::find_frame_compressed_size(bytes)
        .map_err(|code| zstd::zstd_safe::get_error_name(code).to_owned())?;
    let frame = bytes.get(..length).ok_or("its end is missing")?;
    let payload = zstd::stream::decode_all(frame).map_err(|e| e.to_string())?;
    Ok((payload, length))
}
