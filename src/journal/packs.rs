//! The packs of original bytes under `<data_dir>/originals/`, by date: `2026-11-22-0001.zst` holds one frame
//! a file, and what is too large for a pack has one of its own, `2026-11-22-<arrival>.alone.zst`. A pack is numbered by the
//! arrival that began it: a number that counted packs came twice where one had been moved away, and receipts that spoke of
//! the first then led into the second.
//!
//! A pack is written and synced before the journal line that points into it. What no line points at is what
//! a crash left behind, and the next writer cuts it off or leaves it be.

use super::{
    JournalError,
    alone::{self, Alone, AloneWriter},
    frame::{self, FrameWriter},
    make_folder, sync_folder,
};
use crate::model::{Arrival, Digest, Original, Time};
use sha2::Digest as _;
use std::{
    fs,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// zstd's own default: 187 MB/s and 2.4 times smaller on texts of 4 kB.
pub(super) const COMPRESSION_LEVEL: i32 = 3;
/// A pack is closed when it reaches this many bytes.
const PACK_BYTES: u64 = 1 << 30;

/// The writing end of the packs.
pub struct Packs {
    folder: PathBuf,
    current: Option<(String, FrameWriter)>,
}

impl Packs {
    /// Opens the packs. None is read: the journal says where everything is.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        make_folder(folder)?;
        alone::sweep(folder).map_err(JournalError::io("list", folder))?;
        Ok(Self { folder: folder.to_owned(), current: None })
    }

    /// Adds a file's bytes to the pack of the day. They are durable after [`sync`](Self::sync).
    pub fn push(&mut self, bytes: &[u8], arrival: Arrival, at: Time) -> Result<Original, JournalError> {
        let (pack, writer) = self.pack_of(&at.day(), arrival)?;
        let offset = writer.end();
        let length = writer.push(bytes)?;
        Ok(Original { pack, offset, length })
    }

    /// Puts the frame of a large file into its place, durably, beside whatever was kept under its number before: one may be
    /// given again where the end of the journal was lost. Where it lies there already it is not asked for. `goes_on` is told of
    /// every block that is read.
    pub fn push_alone(
        &self,
        make: impl FnOnce() -> Result<Option<Alone>, JournalError>,
        expected: Digest,
        arrival: Arrival,
        at: Time,
        goes_on: &dyn Fn(),
    ) -> Result<Option<Original>, JournalError> {
        let mut beside = 1;
        let (pack, path) = loop {
            let pack = format!("{}-{:016}{}.alone.zst", at.day(), arrival.0, again(beside));
            let path = self.folder.join(&pack);
            if is_free(&path)? {
                break (pack, path);
            }
            let length = fs::metadata(path).map_or(0, |found| found.len());
            let original = Original { pack, offset: 0, length };
            if check_original(&self.folder, &original, expected, goes_on).is_ok() {
                // A crash came before the journal could speak of it.
                sync_folder(&self.folder)?;
                return Ok(Some(original));
            }
            beside += 1;
        };
        let Some(alone) = make()? else { return Ok(None) };
        let length = alone.length;
        alone.put(&path).map_err(JournalError::io("make", &path))?;
        sync_folder(&self.folder)?;
        Ok(Some(Original { pack, offset: 0, length }))
    }

    /// Copies a large file into a frame. Nothing where it is not what it was when it was read; where reading fails, that is an
    /// error of its own. `goes_on` is told of every block.
    pub fn copy_alone(
        &self,
        inner: impl Read,
        expected: Digest,
        goes_on: &dyn Fn(),
    ) -> Result<Option<Alone>, JournalError> {
        let mut from = Hashing { inner, hash: sha2::Sha256::new(), failed: None, goes_on };
        let mut copy = || {
            let mut writer = AloneWriter::begin(&self.folder)?;
            io::copy(&mut from, &mut writer)?;
            writer.finish()
        };
        let copied = copy();
        if let Some(source) = from.failed {
            return Err(JournalError::Source { source });
        }
        let alone = copied.map_err(JournalError::io("copy a large file to", &self.folder))?;
        Ok((Digest(from.hash.finalize().into()) == expected).then_some(alone))
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether an original lies whole where it was put: its pack may have been moved away since, or be damaged.
    pub fn has(&self, original: &Original, digest: Digest, goes_on: &dyn Fn()) -> bool {
        check_original(&self.folder, original, digest, goes_on).is_ok()
    }

    /// Makes what was pushed durable.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        let Some((name, mut writer)) = self.current.take() else { return Ok(()) };
        // After a failure the pack is opened anew, so that nothing half written is trusted.
        if writer.is_behind() {
            writer.sync()?;
            if !writer.is_there()? {
                let gone = io::ErrorKind::StaleNetworkFileHandle.into();
                return Err(JournalError::io("go on in", &self.folder.join(name))(gone));
            }
        }
        self.current = Some((name, writer));
        Ok(())
    }

    /// What was pushed since the last sync does not count, and is to be pushed again.
    pub fn forget_unsynced(&mut self) {
        self.current = None;
    }

    fn pack_of(&mut self, day: &str, arrival: Arrival) -> Result<(String, &mut FrameWriter), JournalError> {
        // Once something waits to be synced, it is the sync that looks.
        let is_moved = match &self.current {
            Some((_, writer)) if !writer.is_behind() => !writer.is_there()?,
            _ => false,
        };
        let current = match self.current.take() {
            Some((name, writer)) if !is_moved && name.starts_with(day) && writer.end() < PACK_BYTES => {
                (name, writer)
            }
            other => {
                self.current = other;
                self.sync()?;
                // What now has the name of a pack that was moved away is somebody else's.
                let last = if is_moved { None } else { self.last_with_room(day)? };
                match last {
                    Some((name, end)) => {
                        let writer = FrameWriter::open(&self.folder.join(&name), end, COMPRESSION_LEVEL)?;
                        (name, writer)
                    }
                    None => self.begin(day, arrival)?,
                }
            }
        };
        let (name, writer) = self.current.insert(current);
        Ok((name.clone(), writer))
    }

    /// The last pack of the day and its length, if there is one and it is not full.
    fn last_with_room(&self, day: &str) -> Result<Option<(String, u64)>, JournalError> {
        let failed = || JournalError::io("list", &self.folder);
        let mut last = None;
        for entry in fs::read_dir(&self.folder).map_err(failed())? {
            let name = entry.map_err(failed())?.file_name().to_string_lossy().into_owned();
            last = last.max(number_of(&name, day).map(|number| (number, name)));
        }
        let Some((_, name)) = last else { return Ok(None) };
        let path = self.folder.join(&name);
        match fs::metadata(&path) {
            Ok(pack) => Ok((pack.len() < PACK_BYTES).then_some((name, pack.len()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(JournalError::io("look at", &path)(error)),
        }
    }

    /// Makes a pack under a name that none had: each arrival ends once.
    fn begin(&self, day: &str, arrival: Arrival) -> Result<(String, FrameWriter), JournalError> {
        let mut beside = 1;
        loop {
            let name = format!("{day}-{:04}{}.zst", arrival.0, again(beside));
            let path = self.folder.join(&name);
            if is_free(&path)? {
                return Ok((name, FrameWriter::create(&path, COMPRESSION_LEVEL)?));
            }
            beside += 1;
        }
    }
}

/// What a name has more where others have it before.
fn again(beside: u32) -> String {
    if beside == 1 { String::new() } else { format!("-{beside}") }
}

/// Where a pack stands among those of its day, from its name; nothing where that is none of a pack.
fn number_of(name: &str, day: &str) -> Option<(u64, u32)> {
    let number = name.strip_prefix(day)?.strip_prefix('-')?.strip_suffix(".zst")?;
    let (arrival, beside) = number.split_once('-').unwrap_or((number, "1"));
    Some((arrival.parse().ok()?, beside.parse().ok()?))
}

/// Whether nothing has a name, not even a link that leads nowhere just now.
fn is_free(path: &Path) -> Result<bool, JournalError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(JournalError::io("look at", path)(error)),
    }
}

/// Hashes what is read through it, and remembers whether reading failed.
struct Hashing<'g, R> {
    inner: R,
    hash: sha2::Sha256,
    failed: Option<io::Error>,
    goes_on: &'g dyn Fn(),
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (self.goes_on)();
        let count = match self.inner.read(into) {
            Ok(count) => count,
            Err(error) => {
                let same = |code| io::Error::from_raw_os_error(code);
                let told = error.raw_os_error().map_or_else(|| error.kind().into(), same);
                self.failed = Some(error);
                return Err(told);
            }
        };
        self.hash.update(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Whether an original is there and has this digest, as a sentence where not. `goes_on` is told of every block.
pub fn check_original(
    folder: &Path,
    original: &Original,
    digest: Digest,
    goes_on: &dyn Fn(),
) -> Result<(), String> {
    let read = || frame_at(&mut open_at(folder, original)?, &mut io::sink(), goes_on);
    let found = read().map_err(|error| error.to_string())?;
    if found == digest { Ok(()) } else { Err(format!("its digest is {found}, and should be {digest}")) }
}

/// Copies an original to a new file, however large it is. Where it cannot be read whole, no file is left.
pub fn copy_original(folder: &Path, original: &Original, to: &Path) -> Result<(), JournalError> {
    let mut file = fs::File::create(to).map_err(JournalError::io("write", to))?;
    let read = || frame_at(&mut open_at(folder, original)?, &mut file, &|| ()).map(drop);
    let copied = { read }();
    if copied.is_err() {
        fs::remove_file(to).map_err(JournalError::io("remove", to))?;
    }
    copied.map_err(JournalError::io("copy an original from", &folder.join(&original.pack)))
}

fn open_at(folder: &Path, original: &Original) -> io::Result<BufReader<fs::File>> {
    let mut pack = BufReader::new(fs::File::open(folder.join(&original.pack))?);
    pack.seek(SeekFrom::Start(original.offset))?;
    Ok(pack)
}

/// Copies the payload of the frame that begins here, and stops behind it. Returns the digest of what it held.
fn frame_at(pack: &mut BufReader<fs::File>, to: &mut impl Write, goes_on: &dyn Fn()) -> io::Result<Digest> {
    let from = zstd::stream::read::Decoder::with_buffer(pack)?.single_frame();
    copy_hashed(from, to, goes_on)
}

fn copy_hashed(inner: impl Read, to: &mut impl Write, goes_on: &dyn Fn()) -> io::Result<Digest> {
    let mut from = Hashing { inner, hash: sha2::Sha256::new(), failed: None, goes_on };
    io::copy(&mut from, to)?;
    Ok(Digest(from.hash.finalize().into()))
}

/// The digest of what is read, however much that is.
pub fn digest_of(from: impl Read) -> io::Result<Digest> {
    copy_hashed(from, &mut io::sink(), &|| ())
}

/// What lies in a pack and no receipt speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreferred {
    /// Where it lies.
    pub original: Original,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// The whole frames of a pack that lie outside of what receipts speak of, which are given as offset and length in order.
/// What is no frame there is what a crash left, and is passed over.
pub fn unreferred(
    folder: &Path,
    pack: &str,
    spoken_of: &[(u64, u64)],
) -> Result<Vec<Unreferred>, JournalError> {
    let path = folder.join(pack);
    let failed = || JournalError::io("read", &path);
    let mut file = BufReader::new(fs::File::open(&path).map_err(failed())?);
    let length = file.get_ref().metadata().map_err(failed())?.len();
    let (mut found, mut at) = (Vec::new(), 0);
    for (from, bytes) in spoken_of.iter().copied().chain([(length, 0)]) {
        while at < from.min(length) {
            file.seek(SeekFrom::Start(at)).map_err(failed())?;
            let whole = frame_at(&mut file, &mut io::sink(), &|| ());
            let end = file.stream_position().map_err(failed())?;
            match whole {
                Ok(digest) if end > at => {
                    let original = Original { pack: pack.to_owned(), offset: at, length: end - at };
                    found.push(Unreferred { original, digest });
                    at = end;
                }
                _ => at = next_frame(&mut file, at + 1).map_err(failed())?.unwrap_or(length),
            }
        }
        at = at.max(from.saturating_add(bytes));
    }
    Ok(found)
}

/// Where the next bytes lie, from an offset on, that look like the beginning of a frame.
fn next_frame(pack: &mut BufReader<fs::File>, from: u64) -> io::Result<Option<u64>> {
    pack.seek(SeekFrom::Start(from))?;
    let mut last = [0; frame::MAGIC.len()];
    for (read, byte) in (1..).zip(pack.bytes()) {
        last.rotate_left(1);
        last[3] = byte?;
        if last == frame::MAGIC {
            return Ok(Some(from + read - frame::MAGIC.len() as u64));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_original(folder: &Path, original: &Original) -> Result<Vec<u8>, JournalError> {
        let to = tempfile::NamedTempFile::new().unwrap();
        copy_original(folder, original, to.path())?;
        Ok(fs::read(to).unwrap())
    }

    #[test]
    fn originals_come_back_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let at = Time::from_millis(1_795_305_600_000);
        let mut packs = Packs::open(folder.path()).unwrap();
        let one = packs.push(b"first", Arrival(1), at).unwrap();
        let two = packs.push(b"\x00\xff second", Arrival(2), at).unwrap();
        packs.sync().unwrap();
        let mut again = Packs::open(folder.path()).unwrap();
        let three = again.push(b"third", Arrival(3), at).unwrap();
        again.sync().unwrap();
        for (original, bytes) in [(&one, &b"first"[..]), (&two, b"\x00\xff second"), (&three, b"third")] {
            assert_eq!(read_original(folder.path(), original).unwrap(), bytes);
            assert_eq!(original.pack, "2026-11-22-0001.zst");
        }
    }

    /// The writer went on in the file that had been moved away, and a new pack took the name of the old one.
    #[test]
    fn what_comes_after_a_pack_was_moved_away_is_in_a_pack_of_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let moved = folder.path().join("moved");
        let mut packs = Packs::open(folder.path()).unwrap();
        let kept = |packs: &mut Packs, arrival| {
            let original = packs.push(b"text", Arrival(arrival), Time::default()).unwrap();
            packs.sync().unwrap();
            assert!(packs.has(&original, Digest::of(b"text"), &|| ()));
            assert!(!packs.has(&original, Digest::of(b"else"), &|| ()));
            original
        };
        let first = kept(&mut packs, 1);
        let path = folder.path().join(&first.pack);
        fs::rename(&path, &moved).unwrap();
        let second = kept(&mut packs, 2);
        assert_eq!(second.pack, "1970-01-01-0002.zst");
        assert!(!packs.has(&first, Digest::of(b"text"), &|| ()));
        // A copy that is cut short stands in the place of what was moved.
        fs::rename(folder.path().join(&second.pack), &moved).unwrap();
        fs::write(folder.path().join(&second.pack), "short").unwrap();
        assert_eq!(kept(&mut packs, 3).pack, "1970-01-01-0003.zst");
        // A later process goes on in the last that is there, and begins one where that was moved.
        assert_eq!(kept(&mut Packs::open(folder.path()).unwrap(), 4).pack, "1970-01-01-0003.zst");
        fs::rename(folder.path().join("1970-01-01-0003.zst"), &moved).unwrap();
        fs::remove_file(folder.path().join(&second.pack)).unwrap();
        assert_eq!(kept(&mut Packs::open(folder.path()).unwrap(), 5).pack, "1970-01-01-0005.zst");
        // What is moved before it is synced is said, and pushed again into the last that is there.
        let lost = packs.push(b"text", Arrival(6), Time::default()).unwrap();
        fs::rename(folder.path().join(&lost.pack), &moved).unwrap();
        packs.sync().unwrap_err();
        assert_eq!(kept(&mut packs, 6).pack, "1970-01-01-0005.zst");
    }

    #[test]
    fn what_is_pushed_again_after_a_failure_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(folder.path()).unwrap();
        let kept = packs.push(b"kept", Arrival(1), Time::default()).unwrap();
        packs.sync().unwrap();
        packs.push(b"tried", Arrival(1), Time::default()).unwrap();
        packs.forget_unsynced();
        let again = packs.push(b"tried", Arrival(1), Time::default()).unwrap();
        packs.sync().unwrap();
        assert_eq!(again.offset, kept.length);
        assert_eq!(read_original(folder.path(), &again).unwrap(), b"tried");
    }

    #[test]
    fn what_nothing_speaks_of_is_found_between_what_is_spoken_of_and_past_what_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(folder.path()).unwrap();
        let texts = ["one", "two", "three", "four", "five"];
        let kept =
            texts.map(|text| packs.push(text.repeat(40).as_bytes(), Arrival(1), Time::default()).unwrap());
        packs.sync().unwrap();
        let path = folder.path().join(&kept[0].pack);
        let mut bytes = fs::read(&path).unwrap();
        bytes[usize::try_from(kept[3].offset).unwrap() + 9] ^= 1;
        fs::write(&path, bytes).unwrap();
        let spoken_of = [(kept[1].offset, kept[1].length)];
        let found = unreferred(folder.path(), &kept[0].pack, &spoken_of).unwrap();
        let expected = [0, 2, 4].map(|n: usize| Unreferred {
            original: kept[n].clone(),
            digest: Digest::of(texts[n].repeat(40).as_bytes()),
        });
        assert_eq!(found, expected);
        let to = folder.path().join("copy");
        copy_original(folder.path(), &kept[3], &to).unwrap_err();
        assert!(!to.exists(), "half a file is none");
    }

    #[test]
    fn a_large_file_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large.txt");
        fs::write(&file, vec![b'x'; 3 << 20]).unwrap();
        let packs = Packs::open(&folder.path().join("originals")).unwrap();
        let digest = Digest::of(&vec![b'x'; 3 << 20]);
        let open = || fs::File::open(&file).unwrap();
        let push = |digest| {
            let make = || packs.copy_alone(open(), digest, &|| ());
            packs.push_alone(make, digest, Arrival(7), Time::from_millis(0), &|| ()).unwrap()
        };
        assert_eq!(push(Digest::of(b"what it was before")), None);
        let original = push(digest).unwrap();
        assert_eq!(original.pack, "1970-01-01-0000000000000007.alone.zst");
        let back = |original| read_original(&folder.path().join("originals"), original).unwrap().len();
        assert_eq!(back(&original), 3 << 20);
        // A journal that lost its end gives the number to another file. It used to take the place of the first, which an audit
        // would have brought back.
        fs::write(&file, "another").unwrap();
        let other = push(Digest::of(b"another")).unwrap();
        assert_eq!((other.pack.as_str(), back(&other)), ("1970-01-01-0000000000000007-2.alone.zst", 7));
        assert_eq!(back(&original), 3 << 20);
        // What a crash left there whole is not even read again.
        let gone = || packs.copy_alone(Gone(0), digest, &|| ());
        let again = packs.push_alone(gone, digest, Arrival(7), Time::from_millis(0), &|| ()).unwrap();
        assert_eq!(again, Some(original));
        assert_eq!(fs::read_dir(folder.path().join("originals")).unwrap().count(), 2);
    }

    #[test]
    fn what_a_crash_left_of_a_large_file_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(folder.path()).unwrap();
        let kept = packs.push(b"kept", Arrival(1), Time::default()).unwrap();
        packs.sync().unwrap();
        std::mem::forget(AloneWriter::begin(folder.path()).and_then(AloneWriter::finish).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let packs = Packs::open(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(packs.has(&kept, Digest::of(b"kept"), &|| ()));
    }

    /// What could not be looked at was taken for free, and written over.
    #[test]
    fn a_name_that_leads_nowhere_is_not_free() {
        let folder = tempfile::tempdir().unwrap();
        let packs = Packs::open(folder.path()).unwrap();
        let links = ["1970-01-01-0000000000000007.alone.zst", "1970-01-01-0000000000000007-2.alone.zst"];
        for (link, target) in links.iter().zip(["moved", links[1]]) {
            std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
        }
        let digest = Digest::of(b"text");
        let make = || packs.copy_alone(&b"text"[..], digest, &|| ());
        let kept = packs.push_alone(make, digest, Arrival(7), Time::default(), &|| ()).unwrap();
        assert_eq!(kept.unwrap().pack, "1970-01-01-0000000000000007-3.alone.zst");
        assert!(links.iter().all(|link| folder.path().join(link).is_symlink()));
        let taken = folder.path().join("taken");
        fs::write(&taken, "before").unwrap();
        AloneWriter::begin(folder.path()).and_then(AloneWriter::finish).unwrap().put(&taken).unwrap_err();
        assert_eq!(fs::read(taken).unwrap(), b"before");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            4,
            "and of what has no place nothing is left"
        );
    }

    /// Reads some bytes, then fails as a share does that is gone.
    struct Gone(usize);

    impl Read for Gone {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::from_raw_os_error(116))?;
            into.fill(b'a');
            Ok(into.len())
        }
    }

    #[test]
    fn a_large_file_that_cannot_be_read_now_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let packs = Packs::open(folder.path()).unwrap();
        let digest = Digest(sha2::Sha256::digest(b"a").into());
        let failed = packs.copy_alone(Gone(3), digest, &|| {}).unwrap_err();
        assert!(
            matches!(&failed, JournalError::Source { source } if source.raw_os_error() == Some(116)),
            "{failed:?}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
