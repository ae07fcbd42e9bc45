//! A copy of a file that only its owner can read, handed over to a daemon that runs as another user.
//!
//! The copy is in memory or in a file that has no name, so a crash leaves nothing to mend: it goes with the process. It
//! is whole before anything of it is read.

use std::{
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};
use tempfile::{SpooledData, SpooledTempFile, spooled_tempfile_in};
use tokio::sync::OwnedSemaphorePermit;

/// A copy up to this size is held in memory: most articles, and a megabyte where as many as may be are waiting to be
/// read. A file without a name costs .1 to .4 ms of system time.
const HELD_BYTES_MAX: usize = 64 << 10;

/// The bytes of a file as they were handed over, and how reading them ended where they were read.
#[derive(Clone, Debug)]
pub struct Handed {
    copy: Arc<Copy>,
    /// The number of the error that it ended with before its end.
    broke_off: Option<i32>,
}

/// What was copied, and the room that is taken for it until the last who needs it lets go.
#[derive(Debug)]
struct Copy {
    data: SpooledData,
    _room: Option<OwnedSemaphorePermit>,
}

impl Handed {
    /// What was copied, the number of the error that reading it broke off with, if it did, and the room that it takes.
    pub fn new(copy: SpooledTempFile, broke_off: Option<i32>, room: Option<OwnedSemaphorePermit>) -> Self {
        Self { copy: Arc::new(Copy { data: copy.into_inner(), _room: room }), broke_off }
    }

    /// Whether a copy of so many bytes is held in memory.
    pub fn is_held(bytes: u64) -> bool {
        bytes <= HELD_BYTES_MAX as u64
    }

    /// Where to write a copy, on the disk of this folder where it is large.
    pub fn copy_in(folder: &Path) -> SpooledTempFile {
        spooled_tempfile_in(HELD_BYTES_MAX, folder)
    }

    /// How many bytes there are.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        match &self.copy.data {
            SpooledData::InMemory(held) => Ok(held.get_ref().len() as u64),
            SpooledData::OnDisk(file) => Ok(file.metadata()?.len()),
        }
    }

    /// Reads it from its start, as the file itself would be read: also to the error that it broke off with.
    pub(super) fn read(&self) -> impl Read + Seek + use<> {
        Reading { handed: self.clone(), at: 0 }
    }
}

/// A place in the copy of its own, so that it can be read again.
struct Reading {
    handed: Handed,
    at: u64,
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match &self.handed.copy.data {
            SpooledData::InMemory(held) => {
                let at = usize::try_from(self.at).map_err(io::Error::other)?;
                held.get_ref().get(at..).unwrap_or_default().read(into)?
            }
            SpooledData::OnDisk(file) => file.read_at(into, self.at)?,
        };
        self.at += count as u64;
        match self.handed.broke_off {
            Some(code) if count == 0 && !into.is_empty() => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(count),
        }
    }
}

impl Seek for Reading {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, offset) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(offset) => (self.handed.bytes()?, offset),
            SeekFrom::Current(offset) => (self.at, offset),
        };
        self.at = from.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_reads_as_the_file_did_and_again_from_the_start() {
        let dir = tempfile::tempdir().unwrap();
        for bytes in [b"first half".to_vec(), vec![b'x'; HELD_BYTES_MAX + 1]] {
            let copy = || {
                let mut copy = Handed::copy_in(dir.path());
                copy.write_all(&bytes).unwrap();
                copy
            };
            let whole = Handed::new(copy(), None, None);
            assert_eq!(matches!(whole.copy.data, SpooledData::OnDisk(_)), bytes.len() > HELD_BYTES_MAX);
            for _ in 0..2 {
                assert_eq!(io::read_to_string(whole.read()).unwrap().as_bytes(), bytes);
            }
            let mut reading = whole.read();
            let at = reading.seek(SeekFrom::End(-4)).unwrap();
            assert_eq!((at, io::read_to_string(reading).unwrap().len()), (bytes.len() as u64 - 4, 4));
            let broken = Handed::new(copy(), Some(5), None);
            assert_eq!(broken.bytes().unwrap(), bytes.len() as u64);
            let (mut read, mut reading) = (vec![0; bytes.len()], broken.read());
            reading.read_exact(&mut read).unwrap();
            assert_eq!(read, bytes);
            assert_eq!(reading.read(&mut read).unwrap_err().raw_os_error(), Some(5));
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it has no name");
        }
    }
}
