//! A copy of a file that only its owner can read, handed over to a daemon that runs as another user.
//!
//! The copy has no name, so it takes part in nothing that a crash would have to mend: it goes with the process. It is
//! whole before anything of it is read.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

/// The bytes of a file as they were handed over, and how reading them ended where they were read.
#[derive(Clone, Debug)]
pub struct Handed {
    copy: Arc<File>,
    broke_off: Option<i32>,
}

impl Handed {
    /// What was copied, and the system's number of the error that reading it ended with, if it did.
    pub fn new(copy: File, broke_off: Option<i32>) -> Self {
        Self { copy: Arc::new(copy), broke_off }
    }

    /// How many bytes there are.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        Ok(self.copy.metadata()?.len())
    }

    /// Reads it from its start, as the file itself would be read: also to the error that it broke off with.
    pub(super) fn read(&self) -> impl Read + use<> {
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
        let count = self.handed.copy.read_at(into, self.at)?;
        self.at += count as u64;
        match self.handed.broke_off {
            Some(code) if count == 0 && !into.is_empty() => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_reads_as_the_file_did_and_again_from_the_start() {
        let mut copy = tempfile::tempfile().unwrap();
        copy.write_all(b"first half").unwrap();
        let whole = Handed::new(copy.try_clone().unwrap(), None);
        for _ in 0..2 {
            assert_eq!(io::read_to_string(whole.read()).unwrap(), "first half");
        }
        let broken = Handed::new(copy, Some(5));
        let (mut bytes, mut reading) = ([0; 10], broken.read());
        reading.read_exact(&mut bytes).unwrap();
        assert_eq!((&bytes, broken.bytes().unwrap()), (b"first half", 10));
        assert_eq!(reading.read(&mut bytes).unwrap_err().raw_os_error(), Some(5));
    }
}
