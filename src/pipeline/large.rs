//! A file that is too large to be held, as it is read: it is hashed, and what is to be kept of it is written, so that its end
//! holds up no commit. Who reads it knows nothing of that; it may seek, and need not read to the end.

use super::{
    StageName,
    job::{Bytes, Job},
    read::Reader,
};
use crate::{
    inbox::is_transient,
    journal::{Alone, AloneWriter},
    model::Digest,
};
use sha2::Digest as _;
use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom, Write},
    rc::Rc,
    time::Instant,
};

/// What is to be kept is written on the way only where so many times the bytes of the file are free: what becomes of its
/// articles takes up about twice as much, and is not to find the disk full of this.
const FREE_TIMES: u64 = 4;

/// When the last item was handed over, and what the system said that may pass, whatever a format makes of it.
pub(super) type Notes = (Rc<Cell<Instant>>, Rc<Cell<Option<String>>>);

/// A large file that is being read.
pub(super) struct Large<'r> {
    file: Box<dyn Bytes>,
    length: u64,
    reader: &'r Reader,
    job: &'r Job,
    notes: Notes,
    /// Whether nobody has sought in it. What follows counts only as long as that is so.
    is_in_order: bool,
    hash: sha2::Sha256,
    bytes: u64,
    /// Nothing where it cannot be written now: then it is made of the file at the commit, which says what is wrong.
    kept: Option<AloneWriter>,
}

impl<'r> Large<'r> {
    /// Takes a file of so many bytes, as far as is known.
    pub fn open(file: Box<dyn Bytes>, length: u64, reader: &'r Reader, job: &'r Job, notes: Notes) -> Self {
        let (hash, bytes) = (sha2::Sha256::new(), 0);
        let mut large = Self { file, length, reader, job, notes, is_in_order: true, hash, bytes, kept: None };
        large.begin();
        large
    }

    fn begin(&mut self) {
        let Reader { room, originals, .. } = self.reader;
        let has_room = room.lacks(self.length.saturating_mul(FREE_TIMES)).is_none();
        self.kept = if has_room { AloneWriter::begin(originals).ok() } else { None };
        (self.is_in_order, self.hash, self.bytes) = (true, sha2::Sha256::new(), 0);
    }

    /// How long it is; and where it can be read to its end its digest, and what is to be kept of it where that could be
    /// written. What nobody wanted is read too.
    pub fn whole(mut self) -> (u64, Option<Digest>, Option<Alone>) {
        if !self.is_in_order {
            if self.file.rewind().is_err() {
                return (self.bytes, None, None);
            }
            self.begin();
        }
        if io::copy(&mut self, &mut io::sink()).is_err() {
            return (self.bytes, None, None);
        }
        let kept = self.kept.and_then(|kept| kept.finish().ok());
        (self.bytes, Some(Digest(self.hash.finalize().into())), kept)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let (began, (handed_over, _)) = (Instant::now(), &self.notes);
        if self.kept.as_mut().is_some_and(|kept| kept.write_all(bytes).is_err()) {
            self.kept = None;
        }
        // Where the disk of the data is slow, that is no fault of the file.
        handed_over.set(handed_over.get() + began.elapsed());
    }
}

impl Read for Large<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.progress.stage(StageName::Read).go_on();
        if self.reader.is_cut(self.job) {
            return Err(io::Error::other("the run is to stop"));
        }
        let note = |error: &io::Error| {
            if is_transient(error) && error.kind() != io::ErrorKind::Interrupted {
                self.notes.1.set(Some(error.to_string()));
            }
        };
        let count = self.file.read(into).inspect_err(note)?;
        if self.is_in_order {
            let read = into.get(..count).unwrap_or_default();
            self.hash.update(read);
            self.bytes += count as u64;
            self.keep(read);
        }
        Ok(count)
    }
}

impl Seek for Large<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        (self.is_in_order, self.kept) = (false, None);
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inbox::FileKind,
        journal::Packs,
        model::{Arrival, Time},
        pipeline::{ArticleTimes, Handed, Origin},
    };
    use std::{fs, io::Cursor, path::Path, sync::atomic::Ordering};

    /// Some blocks of which no two are the same.
    fn bytes() -> Vec<u8> {
        (0..200_000_u32).flat_map(u32::to_be_bytes).collect()
    }

    fn job() -> Job {
        Job::of_given("large.txt".into(), FileKind::Regular, None, ArticleTimes::Recent)
    }

    fn large<'r>(reader: &'r Reader, job: &'r Job) -> Large<'r> {
        let notes = (Rc::new(Cell::new(Instant::now())), Rc::default());
        Large::open(Box::new(Cursor::new(bytes())), bytes().len() as u64, reader, job, notes)
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_is_kept_is_the_whole_file_in_whatever_order_it_was_read() {
        let dir = tempfile::tempdir().unwrap();
        let (packs, reader, job) =
            (Packs::open(dir.path()).unwrap(), Reader::of_short_articles(dir.path()), job());
        for (n, seeks_to) in [None, Some(SeekFrom::Start(7)), Some(SeekFrom::End(-9))].into_iter().enumerate()
        {
            let mut large = large(&reader, &job);
            large.read_exact(&mut [0; 5000]).unwrap();
            if let Some(to) = seeks_to {
                large.seek(to).unwrap();
                assert_eq!(files(dir.path()), n, "what cannot be gone on with takes no room");
                large.read_exact(&mut [0; 9]).unwrap();
            }
            let (length, digest, kept) = large.whole();
            assert_eq!((length, digest), (bytes().len() as u64, Some(Digest::of(&bytes()))));
            let (digest, arrival) = (digest.unwrap(), Arrival(n as u64));
            let original = packs.push_alone(|| Ok(kept), digest, arrival, Time::default(), &|| ()).unwrap();
            assert!(packs.has(&original.unwrap(), digest, &|| ()));
            assert_eq!(files(dir.path()), n + 1);
        }
    }

    /// Whoever gave it to this very process has it read to its end.
    #[test]
    fn a_stop_waits_for_no_file_that_may_be_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (reader, given) = (Reader::of_short_articles(dir.path()), job());
        let handed = Some(Handed::new(Handed::copy_in(dir.path()), None, None));
        let handed = Job { origin: Origin::Given { path: "large.txt".into(), handed }, ..job() };
        for (job, is_cut) in [(&given, false), (&handed, true)] {
            reader.stop.store(false, Ordering::Relaxed);
            let mut large = large(&reader, job);
            large.read_exact(&mut [0; 5000]).unwrap();
            assert_eq!(files(dir.path()), 1);
            reader.stop.store(true, Ordering::Relaxed);
            let (_, digest, kept) = large.whole();
            assert_eq!((digest.is_none(), kept.is_none()), (is_cut, is_cut));
            drop(kept);
            assert_eq!(files(dir.path()), 0, "what gets no place is gone");
        }
    }

    #[test]
    fn it_is_read_all_the_same_where_what_is_kept_of_it_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let (mut full, job) = (Reader::of_short_articles(dir.path()), job());
        full.room.free_min_bytes = u64::MAX;
        for reader in [full, Reader::of_short_articles(&dir.path().join("gone"))] {
            let (_, digest, kept) = large(&reader, &job).whole();
            assert_eq!(digest, Some(Digest::of(&bytes())));
            assert!(kept.is_none());
        }
        assert_eq!(files(dir.path()), 0);
    }

    #[test]
    fn the_time_that_writing_takes_is_not_counted_against_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (reader, job) = (Reader::of_short_articles(dir.path()), job());
        let mut large = large(&reader, &job);
        let handed_over = large.notes.0.get();
        io::copy(&mut large, &mut io::sink()).unwrap();
        assert!(large.notes.0.get() > handed_over);
    }
}
