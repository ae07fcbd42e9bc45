//! Files that a person has and the daemon, which runs as another user, cannot read: their bytes go over the control socket.
//!
//! ```text
//! file  'f', a heading as JSON: the path as typed, the folder it lay in, what it is, which time counts, how long it is
//! bytes 'b', at most 64 KiB of it, as often as needed
//! end   'e', the number of the error that reading it broke off with, or null, as JSON
//! ```
//!
//! Each is a letter, a length as four bytes with the highest first, and so many bytes. What comes back are lines of
//! [`Told`]: how far it has come, and at last how it ended. The daemon copies a file, a large one to the data directory's own
//! disk, and takes it in as `ingest` does once it is whole; so one that is half streamed is nothing, one that is slow keeps nobody
//! waiting, and memory holds a block of it. Of a file that is written to meanwhile as much is sent as there was when it was
//! opened, or as there is. Both ends are here. `ingest` sends, `daemon` receives.

use super::ServiceError;
use crate::{
    inbox::{Arrivals, FileKind, is_transient},
    pipeline::{ArticleTimes, Handed, Job, Origin, Room, Tally},
    query::Tell,
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    io::{self, Cursor, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
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
/// Whoever holds room that others wait for must not be waited for himself for longer than this, and so long again for each
/// MiB that came: one who sends a byte a second is cut off, a disk or a share that is in order is far from it.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_A_MIB: Duration = Duration::from_secs(1);
/// What the system makes as it is read, and so has no length before, is held by the sender up to this.
const MADE_BYTES_MAX: u64 = 8 << 20;
/// `EIO`, for an error that the system gave no number, and `EFBIG`.
const UNNUMBERED: i32 = 5;
const TOO_LARGE: i32 = 27;

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
    /// How many bytes are to come at most. Room is kept for them.
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
    /// The daemon cannot take in more for now.
    ForNow(String),
    /// The daemon can take in no more.
    Failed(String),
}

/// Sends one file. Only where nobody receives any more is that an error.
pub(super) fn send(job: &Job, to: &mut impl Write) -> io::Result<()> {
    let (folder, kind, times) = (job.folder.clone(), job.kind, job.times);
    // What is no file is named and not opened: a pipe has no end.
    let opened = (kind == FileKind::Regular).then(|| open(job));
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

/// How long a file is, and so many bytes of it. What the system makes as it is read has no length before, as below `/proc`.
fn open(job: &Job) -> io::Result<(u64, impl Read + use<>)> {
    let (bytes, mut file) = job.open()?;
    let mut made = Vec::new();
    if bytes == 0 {
        (&mut file).take(MADE_BYTES_MAX + 1).read_to_end(&mut made)?;
    }
    if made.len() as u64 > MADE_BYTES_MAX {
        return Err(io::Error::from_raw_os_error(TOO_LARGE));
    }
    let bytes = bytes + made.len() as u64;
    Ok((bytes, Cursor::new(made).chain(file).take(bytes)))
}

fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(UNNUMBERED)
}

/// Sends a file's bytes, and returns the error that reading it broke off with.
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
    loop {
        match from.read(&mut letter) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
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
    folder: PathBuf,
    copies: Copies,
    room: Room,
}

impl Receiver {
    /// Takes files in under the next arrivals, with a copy of each in this folder. What must be free for a commit must be so
    /// beside the copies too, or the one would wait for the other.
    pub fn new(jobs: &mpsc::Sender<Job>, arrivals: &Arc<Arrivals>, folder: &Path, room: Room) -> Self {
        let (jobs, arrivals, folder) = (jobs.downgrade(), Arc::clone(arrivals), folder.to_owned());
        Self { runtime: Handle::current(), jobs, arrivals, folder, copies: Copies::of(COPIES_MIB_MAX), room }
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
        let Heading { path, folder, kind, times, bytes } = heading;
        let (mut copy, mut came) = (Handed::copy_in(&self.folder), 0);
        let mut upload = Paced {
            inner: upload,
            waited: Duration::ZERO,
            came: 0,
            room: room.as_ref().map(|_| &self.copies),
        };
        let broke_off: Option<i32> = loop {
            match take(&mut upload, payload)? {
                Some(BYTES) => {
                    came += payload.len() as u64;
                    if came > bytes {
                        return Err(Trouble::NotUnderstood);
                    }
                    copy.write_all(payload).map_err(Trouble::Copy)?;
                }
                Some(END) => break serde_json::from_slice(payload).map_err(|_| Trouble::NotUnderstood)?,
                _ => return Err(Trouble::NotUnderstood),
            }
        };
        let job = Job::of_given(path.into(), kind, folder, times);
        let path = job.path().to_owned();
        let origin = Origin::Given { path, handed: Some(Handed::new(copy, broke_off, room)) };
        self.pass_on(Job { origin, tally: Some(followed.tally.clone()), ..job })?;
        Ok(true)
    }

    /// Waits until there is room for a copy of so many bytes; a short one is held in memory and takes none. Where the disk is
    /// full neither would be durable, and a person waits for that.
    fn room_for(&self, bytes: u64, waits: &AtomicBool) -> Result<Option<OwnedSemaphorePermit>, Trouble> {
        if Handed::is_held(bytes) {
            return self
                .room
                .lacks(bytes.saturating_mul(2))
                .map_or(Ok(None), |what| Err(Trouble::Room(what)));
        }
        waits.store(true, Ordering::Relaxed);
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).min(self.copies.mib);
        let mut room = self.copies.take(mib, &self.runtime)?;
        // Each lies on the disk as a copy and then as an original too.
        if self.room.lacks(self.copies.taken_bytes().max(bytes).saturating_mul(2)).is_some() {
            // What others have handed over may go first; one who waits must hold nothing that they wait for.
            drop(room);
            room = self.copies.take(self.copies.mib, &self.runtime)?;
            if let Some(what) = self.room.lacks(bytes.saturating_mul(2)) {
                return Err(Trouble::Room(what));
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

/// A file as it is streamed. Whoever sends it may take his time, but not that of others who wait for the room it takes.
struct Paced<'c, R> {
    inner: R,
    /// How long its sender was waited for.
    waited: Duration,
    came: u64,
    /// Nothing where it takes no room.
    room: Option<&'c Copies>,
}

impl<R: Read> Read for Paced<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        let read = self.inner.read(into);
        self.waited += began.elapsed();
        self.came += *read.as_ref().unwrap_or(&0) as u64;
        match self.room {
            Some(room) if room.is_waited_for() && self.waited > room.patience(self.came) => {
                Err(io::ErrorKind::TimedOut.into())
            }
            _ => read,
        }
    }
}

/// The copies that may lie on the disk, in MiB.
struct Copies {
    free: Arc<Semaphore>,
    mib: u32,
    /// How many wait for room.
    waiting: AtomicUsize,
    patience: Duration,
}

impl Copies {
    fn of(mib: u32) -> Self {
        let free = Arc::new(Semaphore::new(usize::try_from(mib).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { free, mib, waiting: AtomicUsize::new(0), patience: PATIENCE }
    }

    fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// How long one who has sent so many bytes may have been waited for.
    fn patience(&self, bytes: u64) -> Duration {
        self.patience + PATIENCE_A_MIB.saturating_mul(u32::try_from(bytes >> 20).unwrap_or(u32::MAX))
    }

    fn take(&self, mib: u32, runtime: &Handle) -> Result<OwnedSemaphorePermit, Trouble> {
        let room = Arc::clone(&self.free).acquire_many_owned(mib);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let room = runtime.block_on(room);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        room.map_err(|_| Trouble::Stopping)
    }

    /// How much room all of them take, those included of which nothing is written yet.
    fn taken_bytes(&self) -> u64 {
        let free_mib = self.free.available_permits() as u64;
        u64::from(self.mib).saturating_sub(free_mib) << 20
    }
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
    /// There is too little room for a copy and what becomes of it.
    Room(String),
    /// It comes so slowly that others wait for its room, or not at all.
    Slow,
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
            io::ErrorKind::TimedOut => Self::Slow,
            _ => Self::Stream(error),
        }
    }
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Stopping => Self::Stopping,
            Trouble::Stream(error) => Self::Failed(format!("what was handed over broke off: {error}")),
            Trouble::Slow => Self::ForNow("what was handed over came too slowly".to_owned()),
            Trouble::Copy(error) if !is_transient(&error) => {
                Self::Failed(format!("no copy can be made in its data directory: {error}"))
            }
            Trouble::Copy(error) => Self::ForNow(format!("no copy can be made in its data directory: {error}")),
            Trouble::Room(what) => Self::ForNow(format!("no copy can be made in its data directory: {what}")),
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
        Some(End::ForNow(why)) => part(&format!("can take in no more for now: {why}"), true),
        Some(End::Failed(why)) => part(&format!("can take in no more: {why}"), false),
        None => part("ended in the middle", true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arrival;
    use tokio::select;

    const MIB: usize = 1 << 20;

    fn no_room_asked() -> Room {
        Room { folders: Vec::new(), free_min_bytes: 0 }
    }

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
        // A file of three MiB is more than there may be, and goes alone.
        let (receiver, (jobs, mut taken)) = receiver(dir.path(), Copies::of(2));
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

    /// How a stream ended, and whether the one file in it was taken in.
    async fn received(receiver: Receiver, mut stream: impl Read + Send + 'static, jobs: Jobs) -> (End, bool) {
        let (jobs, mut taken) = jobs;
        let (say, mut told) = mpsc::channel(99);
        let receiving = tokio::task::spawn_blocking(move || {
            let tell =
                &mut |line: &[u8]| say.blocking_send(serde_json::from_slice::<Told>(line).unwrap()).is_ok();
            receiver.receive(&mut stream, tell);
        });
        let (mut end, mut is_taken) = (None, false);
        while end.is_none() {
            select! {
                told = told.recv() => end = told.unwrap().end,
                // Who waits for the outcome does so until all jobs are let go.
                job = taken.recv() => is_taken = job.is_some(),
            }
        }
        receiving.await.unwrap();
        drop(jobs);
        (end.unwrap(), is_taken || taken.recv().await.is_some())
    }

    type Jobs = (mpsc::Sender<Job>, mpsc::Receiver<Job>);

    fn receiver(dir: &Path, copies: Copies) -> (Receiver, Jobs) {
        let (jobs, taken) = mpsc::channel(9);
        let arrivals = Arc::new(Arrivals::starting_at(Arrival(1)));
        (Receiver { copies, ..Receiver::new(&jobs, &arrivals, dir, no_room_asked()) }, (jobs, taken))
    }

    /// What is said to be short is held in memory, and what is said to be long keeps room from others. One that shrank on the way
    /// is what is left of it, as where nobody hands it over.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_longer_than_was_said_is_not_taken_in() {
        let dir = tempfile::tempdir().unwrap();
        for (said, is_right) in [(7, true), (6, false), (8, true)] {
            let mut stream = stream(1, 7).into_inner();
            let told = format!("\"bytes\":{said}");
            let at = stream.windows(told.len()).position(|w| w == b"\"bytes\":7").unwrap();
            stream.splice(at..at + told.len(), told.into_bytes());
            let (receiver, jobs) = receiver(dir.path(), Copies::of(2));
            let (end, is_taken) = received(receiver, Cursor::new(stream), jobs).await;
            assert_eq!((is_taken, matches!(end, End::Failed(_))), (is_right, !is_right), "{said}: {end:?}");
        }
    }

    /// The beginning of a stream, and then nothing for as long as somebody waits.
    struct Trickle(Cursor<Vec<u8>>);

    impl Read for Trickle {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => {
                    thread::park_timeout(Duration::from_millis(1));
                    Err(io::ErrorKind::Interrupted.into())
                }
                count => Ok(count),
            }
        }
    }

    /// Whoever sent a byte a second of a large file held up all others behind him, for as long as he liked.
    #[tokio::test(flavor = "multi_thread")]
    async fn one_who_sends_slowly_takes_no_room_from_those_who_wait_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let copies = Copies { patience: Duration::ZERO, ..Copies::of(2) };
        let (receiver, (_jobs, mut taken)) = receiver(dir.path(), copies);
        let receiver = Arc::new(receiver);
        let mut slow = stream(1, 2 * MIB).into_inner();
        slow.truncate(MIB);
        let (say, mut slow_told) = mpsc::channel(99);
        let at_it = Arc::clone(&receiver);
        let slowly = tokio::task::spawn_blocking(move || {
            let tell =
                &mut |line: &[u8]| say.blocking_send(serde_json::from_slice::<Told>(line).unwrap()).is_ok();
            at_it.receive(&mut Trickle(Cursor::new(slow)), tell);
        });
        let has_room = || async {
            while receiver.copies.taken_bytes() == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), has_room()).await.unwrap();
        let other = Arc::clone(&receiver);
        let quickly =
            tokio::task::spawn_blocking(move || other.receive(&mut stream(1, 2 * MIB), &mut |_| true));
        drop(timeout(Duration::from_secs(30), taken.recv()).await.unwrap().unwrap());
        slowly.await.unwrap();
        let mut end = None;
        while let Some(told) = slow_told.recv().await {
            end = told.end;
        }
        assert!(matches!(&end, Some(End::ForNow(why)) if why.contains("too slowly")), "{end:?}");
        quickly.await.unwrap();
    }

    /// It ended with 1, as what no second try mends.
    #[test]
    fn a_full_disk_is_told_as_what_may_pass() {
        let is_for_now = |trouble: Trouble| matches!(End::from(trouble), End::ForNow(_));
        let copy = |code| Trouble::Copy(io::Error::from_raw_os_error(code));
        assert!(is_for_now(copy(28)) && is_for_now(Trouble::Room("1 MiB is free".to_owned())));
        assert!(!is_for_now(copy(22)) && !is_for_now(Trouble::NotUnderstood));
        let told = Told { tally: Tally::default(), waits: false, end: Some(copy(28).into()) };
        assert!(matches!(outcome(told), Err(ServiceError::HandedInPart { is_temporary: true, .. })));
    }

    /// It failed as a whole where a daemon ran, and was taken in where none did.
    #[test]
    fn of_a_file_that_is_written_to_while_it_is_sent_as_much_is_sent_as_there_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        for (length, sent) in [(9, 7), (7, 7), (5, 5)] {
            std::fs::write(&path, "seven b").unwrap();
            let job = Job::of_given(path.clone(), FileKind::Regular, None, ArticleTimes::Recent);
            let (bytes, file) = open(&job).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
            let mut stream = Vec::new();
            assert_eq!((bytes, send_bytes(file, &mut stream).unwrap()), (7, None));
            assert_eq!(stream.len(), 5 + sent);
        }
        let job = Job::of_given("/proc/version".into(), FileKind::Regular, None, ArticleTimes::Recent);
        let (bytes, mut file) = open(&job).unwrap();
        assert_eq!(
            io::copy(&mut file, &mut io::sink()).unwrap(),
            bytes,
            "it has no length before it is read"
        );
        assert!(bytes > 0);
    }
}
