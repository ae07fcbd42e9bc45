//! Files that a person has and the daemon, which runs as another user, cannot read: their bytes go over the control socket.
//!
//! ```text
//! file  'f', a heading as JSON: the path as typed, the folder it lay in, what it is, which time counts, how long it is
//! bytes 'b', at most 64 KiB of it, as often as needed
//! end   'e', the system's number of the error that reading it ended with, or null, as JSON
//! ```
//!
//! Each is a letter, a length as four bytes with the highest first, and so many bytes. What comes back are lines of
//! [`Told`]: how far it has come, and at last how it ended. The daemon copies a file, a large one to the data directory's own
//! disk, and takes it in as `ingest` does once it is whole; so one that is half streamed is nothing, one that is slow keeps nobody
//! waiting, and memory holds a block of it. Both ends are here. `ingest` sends, `daemon` receives.

use super::ServiceError;
use crate::{
    inbox::{Arrivals, FileKind},
    pipeline::{ArticleTimes, Handed, Job, Origin, Tally},
    query::Tell,
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};

/// The longest of what follows a letter. A heading is a path and its first folder, each byte of them up to four digits long.
const PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// How often it is told how far it has come.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// How many MiB of copies may lie on the disk until they are taken in: enough that many archives are under way at one
/// time, and little beside what they leave in the journal and the originals. A larger file goes alone.
const COPIES_MIB_MAX: u32 = 2048;
/// What must stay free beside a file, which lies on the disk as a copy and then as an original too: as much as a commit
/// and a segment of the view take twice over.
const SPARE_BYTES: u64 = 128 << 20;
/// `EIO`, for an error that the system gave no number.
const UNNUMBERED: i32 = 5;

const FILE: u8 = b'f';
const BYTES: u8 = b'b';
const END: u8 = b'e';

/// What stands above the bytes of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Heading {
    path: OsString,
    folder: Option<String>,
    kind: FileKind,
    times: ArticleTimes,
    /// How many bytes are to come, as far as is known. Room is kept for them.
    #[serde(default)]
    bytes: u64,
}

/// What the daemon says meanwhile and at the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// What is durable by now.
    pub tally: Tally,
    /// Whether it waits until there is room for the next file.
    #[serde(default)]
    pub waits: bool,
    /// Set at the end.
    pub end: Option<End>,
}

/// How a handover ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// All that came is durable.
    Whole,
    /// The daemon stops; what is counted is durable, and nothing else was taken in, or not to its end.
    Stopping,
    /// The daemon can take in no more.
    Failed(String),
}

/// Sends one file. Only where nobody receives any more is that an error.
pub(super) fn send(job: &Job, to: &mut impl Write) -> io::Result<()> {
    let (folder, kind, times) = (job.folder.clone(), job.kind, job.times);
    // What is no file is named and not opened: a pipe has no end.
    let opened = (kind == FileKind::Regular).then(|| job.open());
    let bytes = opened.as_ref().map_or(0, |opened| opened.as_ref().map_or(0, |(bytes, _)| *bytes));
    let heading = Heading { path: job.path().into(), folder, kind, times, bytes };
    put(to, FILE, &serde_json::to_vec(&heading)?)?;
    let broke_off = match opened {
        Some(Ok((_, file))) => send_bytes(file, to)?,
        Some(Err(error)) => Some(number(&error)),
        None => None,
    };
    put(to, END, &serde_json::to_vec(&broke_off)?)
}

fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(UNNUMBERED)
}

/// Sends a file's bytes, and returns the number of the error that reading it ended with.
fn send_bytes(mut file: impl Read, to: &mut impl Write) -> io::Result<Option<i32>> {
    let mut block = vec![0; PAYLOAD_BYTES_MAX];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(None),
            Ok(count) => put(to, BYTES, block.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Some(number(&error))),
        }
    }
}

fn put(to: &mut impl Write, letter: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    to.write_all(&[letter])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(payload)
}

/// Reads what follows the next letter into `payload`; no letter at the end.
fn take(from: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<Option<u8>> {
    let mut letter = [0];
    if from.read(&mut letter)? == 0 {
        return Ok(None);
    }
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > PAYLOAD_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    payload.resize(length, 0);
    from.read_exact(payload)?;
    Ok(Some(u8::from_be_bytes(letter)))
}

/// Where files that are handed over go while the daemon runs. It does not keep the stages from ending.
pub(super) struct Receiver {
    runtime: Handle,
    jobs: mpsc::WeakSender<Job>,
    arrivals: Arc<Arrivals>,
    copies: PathBuf,
    room: Room,
}

impl Receiver {
    /// Takes files in under the next arrivals, with a copy of each in the folder `copies`.
    pub fn new(jobs: &mpsc::Sender<Job>, arrivals: &Arc<Arrivals>, copies: &Path) -> Self {
        let (jobs, arrivals) = (jobs.downgrade(), Arc::clone(arrivals));
        let room = Room::of(COPIES_MIB_MAX);
        Self { runtime: Handle::current(), jobs, arrivals, copies: copies.to_owned(), room }
    }

    /// Takes in what is streamed until its end, and tells of it. Blocks the thread.
    pub fn receive(&self, upload: &mut (impl Read + Send), tell: &mut Tell<'_>) {
        let (tally, mut tallied) = watch::channel(Tally::default());
        let waits = AtomicBool::new(false);
        let ended = thread::scope(|scope| {
            let receiving = scope.spawn(|| self.files(upload, &Followed { tally, waits: &waits }));
            follow(&mut tallied, &waits, &self.runtime, tell);
            receiving.join()
        });
        let tally = tallied.borrow().clone();
        let end = match ended {
            Ok((files, End::Whole)) if tally.files() < files => End::Stopping,
            Ok((_, end)) => end,
            Err(_) => End::Failed("taking the files over brought a defect of wirefold to light".to_owned()),
        };
        tracing::info!(files = tally.files(), articles = tally.articles, ?end, "files were handed over");
        say(&Told { tally, waits: false, end: Some(end) }, tell);
    }

    /// Takes in one file after another. Returns how many went on their way, and why there are no more.
    fn files(&self, upload: &mut impl Read, followed: &Followed<'_>) -> (u64, End) {
        let (mut files, mut payload) = (0, Vec::new());
        loop {
            match self.file(upload, &mut payload, followed) {
                Ok(true) => files += 1,
                Ok(false) => return (files, End::Whole),
                Err(error) => return (files, error.into()),
            }
        }
    }

    /// Takes in the next file once it is whole; false where there is none.
    fn file(
        &self,
        upload: &mut impl Read,
        payload: &mut Vec<u8>,
        followed: &Followed<'_>,
    ) -> Result<bool, Trouble> {
        let Some(letter) = take(upload, payload)? else { return Ok(false) };
        if letter != FILE {
            return Err(Trouble::NotUnderstood);
        }
        let heading: Heading = serde_json::from_slice(payload).map_err(|_| Trouble::NotUnderstood)?;
        let room = self.room_for(heading.bytes, followed.waits)?;
        let mut copy = Handed::copy_in(&self.copies);
        let broke_off = loop {
            match take(upload, payload)? {
                Some(BYTES) => copy.write_all(payload).map_err(Trouble::Copy)?,
                Some(END) => break serde_json::from_slice(payload).map_err(|_| Trouble::NotUnderstood)?,
                _ => return Err(Trouble::NotUnderstood),
            }
        };
        let Heading { path, folder, kind, times, .. } = heading;
        let job = Job::of_given(path.into(), kind, folder, times);
        let path = job.path().to_owned();
        let origin = Origin::Given { path, handed: Some(Handed::new(copy, broke_off, room)) };
        self.pass_on(Job { origin, tally: Some(followed.tally.clone()), ..job })?;
        Ok(true)
    }

    /// Waits until there is room for a copy of so many bytes; a short one is held in memory and takes none.
    fn room_for(&self, bytes: u64, waits: &AtomicBool) -> Result<Option<OwnedSemaphorePermit>, Trouble> {
        if Handed::is_held(bytes) {
            return Ok(None);
        }
        waits.store(true, Ordering::Relaxed);
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).min(self.room.mib);
        let mut room = self.room.take(mib, &self.runtime)?;
        if !has_space(&self.copies, bytes) {
            // What others have handed over may go first; one who waits must hold nothing that they wait for.
            drop(room);
            room = self.room.take(self.room.mib, &self.runtime)?;
            if !has_space(&self.copies, bytes) {
                return Err(Trouble::Copy(io::ErrorKind::StorageFull.into()));
            }
        }
        waits.store(false, Ordering::Relaxed);
        Ok(Some(room))
    }

    /// Puts a file on its way once there is room. The number is taken after that, so that nobody waits for one.
    fn pass_on(&self, job: Job) -> Result<(), Trouble> {
        let jobs = self.jobs.upgrade().ok_or(Trouble::Stopping)?;
        let place = self.runtime.block_on(jobs.reserve()).map_err(|_| Trouble::Stopping)?;
        self.arrivals.take(|arrival| {
            place.send(Job { arrival, ..job });
            Ok(())
        })
    }
}

/// Room for copies on the disk, in MiB.
struct Room {
    free: Arc<Semaphore>,
    mib: u32,
}

impl Room {
    fn of(mib: u32) -> Self {
        Self { free: Arc::new(Semaphore::new(usize::try_from(mib).unwrap_or(Semaphore::MAX_PERMITS))), mib }
    }

    fn take(&self, mib: u32, runtime: &Handle) -> Result<OwnedSemaphorePermit, Trouble> {
        let room = Arc::clone(&self.free).acquire_many_owned(mib);
        runtime.block_on(room).map_err(|_| Trouble::Stopping)
    }
}

/// Whether there is space for a copy and for the original that becomes of it; where that cannot be told, writing will.
fn has_space(folder: &Path, bytes: u64) -> bool {
    let needed = bytes.saturating_mul(2).saturating_add(SPARE_BYTES);
    rustix::fs::statvfs(folder).map_or(true, |found| found.f_bavail.saturating_mul(found.f_frsize) >= needed)
}

/// What whoever waits for the outcome is told of.
struct Followed<'w> {
    tally: watch::Sender<Tally>,
    waits: &'w AtomicBool,
}

/// Why no more is taken in.
enum Trouble {
    /// The stream broke off.
    Stream(io::Error),
    /// No copy can be made.
    Copy(io::Error),
    /// The stream does not say what was agreed.
    NotUnderstood,
    /// The stages end.
    Stopping,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionAborted => Self::Stopping,
            io::ErrorKind::InvalidData => Self::NotUnderstood,
            _ => Self::Stream(error),
        }
    }
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Stopping => Self::Stopping,
            Trouble::Stream(error) => Self::Failed(format!("what was handed over broke off: {error}")),
            Trouble::Copy(error) => Self::Failed(format!("no copy can be made in its data directory: {error}")),
            Trouble::NotUnderstood => Self::Failed(
                "it does not understand what was handed over; start it again where wirefold was updated since".to_owned(),
            ),
        }
    }
}

/// Tells now and then how far it has come, for as long as somebody listens, until nothing more will come of it.
fn follow(tallied: &mut watch::Receiver<Tally>, waits: &AtomicBool, runtime: &Handle, tell: &mut Tell<'_>) {
    let (mut last, mut is_heard) = (None, true);
    loop {
        let told = Told {
            tally: tallied.borrow_and_update().clone(),
            waits: waits.load(Ordering::Relaxed),
            end: None,
        };
        if is_heard && last.as_ref() != Some(&told) {
            is_heard = say(&told, tell);
        }
        last = Some(told);
        let ended = async { while tallied.changed().await.is_ok() {} };
        if runtime.block_on(async { timeout(TELL_EVERY, ended).await }).is_ok() {
            return;
        }
    }
}

fn say(told: &Told, tell: &mut Tell<'_>) -> bool {
    serde_json::to_vec(told).is_ok_and(|line| tell(&line))
}

/// What became of a handover, by the last that was told of it, where the daemon did not take in everything.
pub(super) fn outcome(last: Told) -> Result<Tally, ServiceError> {
    let files = last.tally.files();
    let part = |what: &str, is_temporary| {
        Err(ServiceError::HandedInPart { what: what.to_owned(), files, is_temporary })
    };
    match last.end {
        Some(End::Whole) => Ok(last.tally),
        Some(End::Stopping) => part("is stopping", true),
        Some(End::Failed(why)) => part(&format!("can take in no more: {why}"), false),
        None => part("ended in the middle", true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arrival;

    const MIB: usize = 1 << 20;

    /// So many files, each of so many bytes, as they are streamed.
    fn stream(files: usize, bytes: usize) -> io::Cursor<Vec<u8>> {
        let mut stream = Vec::new();
        let heading = Heading {
            path: "a".into(),
            folder: None,
            kind: FileKind::Regular,
            times: ArticleTimes::Recent,
            bytes: bytes as u64,
        };
        for _ in 0..files {
            put(&mut stream, FILE, &serde_json::to_vec(&heading).unwrap()).unwrap();
            vec![b'x'; bytes]
                .chunks(PAYLOAD_BYTES_MAX)
                .for_each(|block| put(&mut stream, BYTES, block).unwrap());
            put(&mut stream, END, b"null").unwrap();
        }
        io::Cursor::new(stream)
    }

    /// Twenty copies of five gigabytes each filled the disk: only their number was bounded.
    #[tokio::test(flavor = "multi_thread")]
    async fn copies_wait_until_there_is_room_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let (jobs, mut taken) = mpsc::channel(9);
        let arrivals = Arc::new(Arrivals::starting_at(Arrival(1)));
        // A file of three MiB is more than there may be, and goes alone.
        let receiver = Receiver { room: Room::of(2), ..Receiver::new(&jobs, &arrivals, dir.path()) };
        let (say, mut told) = mpsc::channel(99);
        let receiving = tokio::task::spawn_blocking(move || {
            let tell =
                &mut |line: &[u8]| say.blocking_send(serde_json::from_slice::<Told>(line).unwrap()).is_ok();
            receiver.receive(&mut stream(2, 3 * MIB), tell);
        });
        let first: Job = taken.recv().await.unwrap();
        let waits = async { while !told.recv().await.unwrap().waits {} };
        timeout(Duration::from_secs(30), waits).await.unwrap();
        assert!(taken.try_recv().is_err(), "there is no room for the second");
        drop(first);
        drop(taken.recv().await.unwrap());
        drop(jobs);
        let mut last = None;
        while let Some(told) = told.recv().await {
            last = Some(told);
        }
        receiving.await.unwrap();
        assert!(last.is_some_and(|told| !told.waits && told.end.is_some()));
    }

    #[test]
    fn space_is_kept_for_the_copy_and_the_original() {
        let dir = tempfile::tempdir().unwrap();
        let found = rustix::fs::statvfs(dir.path()).unwrap();
        assert!(has_space(dir.path(), 1));
        assert!(!has_space(dir.path(), found.f_blocks * found.f_frsize));
        assert!(has_space(&dir.path().join("nowhere"), u64::MAX));
    }
}
