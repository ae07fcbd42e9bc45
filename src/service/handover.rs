//! Files that a person has and the daemon, which runs as another user, cannot read: their bytes go over the control socket.
//!
//! ```text
//! file  'f', a heading as JSON: the path as typed, the folder it lay in, what it is, which time counts
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
    control::Tell,
    inbox::{Arrivals, FileKind},
    pipeline::{ArticleTimes, Handed, Job, Origin, Tally},
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::timeout,
};

/// The longest of what follows a letter. A heading is a path and its first folder, each byte of them up to four digits long.
const PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// How often it is told how far it has come.
const TELL_EVERY: Duration = Duration::from_millis(100);
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
}

/// What the daemon says meanwhile and at the end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    /// What is durable by now.
    pub tally: Tally,
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
    let heading = Heading { path: job.path().into(), folder, kind, times };
    put(to, FILE, &serde_json::to_vec(&heading)?)?;
    // What is no file is named and not opened: a pipe has no end.
    let broke_off = if kind == FileKind::Regular { send_bytes(job, to)? } else { None };
    put(to, END, &serde_json::to_vec(&broke_off)?)
}

/// Sends a file's bytes, and returns the number of the error that reading it ended with.
fn send_bytes(job: &Job, to: &mut impl Write) -> io::Result<Option<i32>> {
    let number = |error: &io::Error| Some(error.raw_os_error().unwrap_or(UNNUMBERED));
    let mut file = match job.open() {
        Ok((_, file)) => file,
        Err(error) => return Ok(number(&error)),
    };
    let mut block = vec![0; PAYLOAD_BYTES_MAX];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(None),
            Ok(count) => put(to, BYTES, block.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(number(&error)),
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
}

impl Receiver {
    /// Takes files in under the next arrivals, with a copy of each in the folder `copies`.
    pub fn new(jobs: &mpsc::Sender<Job>, arrivals: &Arc<Arrivals>, copies: &Path) -> Self {
        let (jobs, arrivals) = (jobs.downgrade(), Arc::clone(arrivals));
        Self { runtime: Handle::current(), jobs, arrivals, copies: copies.to_owned() }
    }

    /// Takes in what is streamed until its end, and tells of it. Blocks the thread.
    pub fn receive(&self, upload: &mut (impl Read + Send), tell: &mut Tell<'_>) {
        let (tally, mut tallied) = watch::channel(Tally::default());
        let ended = thread::scope(|scope| {
            let receiving = scope.spawn(move || self.files(upload, &tally));
            follow(&mut tallied, &self.runtime, tell);
            receiving.join()
        });
        let tally = tallied.borrow().clone();
        let end = match ended {
            Ok((files, End::Whole)) if tally.files() < files => End::Stopping,
            Ok((_, end)) => end,
            Err(_) => End::Failed("taking the files over brought a defect of wirefold to light".to_owned()),
        };
        tracing::info!(files = tally.files(), articles = tally.articles, ?end, "files were handed over");
        say(&Told { tally, end: Some(end) }, tell);
    }

    /// Takes in one file after another. Returns how many went on their way, and why there are no more.
    fn files(&self, upload: &mut impl Read, tally: &watch::Sender<Tally>) -> (u64, End) {
        let (mut files, mut payload) = (0, Vec::new());
        loop {
            match self.file(upload, &mut payload, tally) {
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
        tally: &watch::Sender<Tally>,
    ) -> Result<bool, Trouble> {
        let Some(letter) = take(upload, payload)? else { return Ok(false) };
        if letter != FILE {
            return Err(Trouble::NotUnderstood);
        }
        let heading: Heading = serde_json::from_slice(payload).map_err(|_| Trouble::NotUnderstood)?;
        let mut copy = Handed::copy_in(&self.copies);
        let broke_off = loop {
            match take(upload, payload)? {
                Some(BYTES) => copy.write_all(payload).map_err(Trouble::Copy)?,
                Some(END) => break serde_json::from_slice(payload).map_err(|_| Trouble::NotUnderstood)?,
                _ => return Err(Trouble::NotUnderstood),
            }
        };
        let Heading { path, folder, kind, times } = heading;
        let job = Job::of_given(path.into(), kind, folder, times);
        let path = job.path().to_owned();
        let origin = Origin::Given { path, handed: Some(Handed::new(copy, broke_off)) };
        self.pass_on(Job { origin, tally: Some(tally.clone()), ..job })?;
        Ok(true)
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
fn follow(tallied: &mut watch::Receiver<Tally>, runtime: &Handle, tell: &mut Tell<'_>) {
    let (mut last, mut is_heard) = (None, true);
    loop {
        let tally = tallied.borrow_and_update().clone();
        if is_heard && last.as_ref() != Some(&tally) {
            is_heard = say(&Told { tally: tally.clone(), end: None }, tell);
        }
        last = Some(tally);
        let ended = async { while tallied.changed().await.is_ok() {} };
        if runtime.block_on(async { timeout(TELL_EVERY, ended).await }).is_ok() {
            return;
        }
    }
}

fn say(told: &Told, tell: &mut Tell<'_>) -> bool {
    serde_json::to_string(told).is_ok_and(tell)
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
