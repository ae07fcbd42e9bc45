//! The first stage: a file into the raw bytes of its items, a chunk at a time, in order of arrival.

use super::{
    CHUNKS_WAITING, Progress, StageName,
    job::{Bytes, Chunk, Cut, FileEnd, Job, Origin, OriginalBytes, Prepared, Refused, Resume},
    large::Large,
    patience::Room,
    prepare,
    put_off::PutOff,
    word::Work,
};
use crate::{
    encode::Encoder,
    format::{self, BadItem, RawItem, Settings},
    inbox::{FileKind, is_transient},
    model::{Digest, Reason},
};
use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom},
    mem::take,
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
};

/// A chunk is closed at this many bytes or items: large enough to be worth a hand-over, small enough that one
/// file of many articles keeps all cores busy.
const CHUNK_BYTES: usize = 128 << 10;
const CHUNK_ITEMS: usize = 64;
/// With a sentence encoder an article takes a hundred times as long, and what waits is finished before a stop: so many
/// in each of the chunks that wait are some 15 s of CPU, a quarter of what a stop may take.
const CHUNK_ITEMS_ENCODED: usize = 8;
/// A file up to this size is read whole and held until it is in its pack; of a larger one what is to be kept is written as
/// it is read.
const HELD_BYTES_MAX: u64 = 8 << 20;
/// A file that is still being written is read again this often before it is taken as it is.
const READINGS_MAX: usize = 5;

const _: () = assert!(CHUNKS_WAITING >= 2, "one chunk is prepared while another is decided on");

/// Chunks under way, in their order.
pub(super) type Preparing = JoinHandle<Vec<Prepared>>;

/// Reads files.
pub(super) struct Reader {
    pub settings: Arc<format::Settings>,
    pub progress: Arc<Progress>,
    /// Set when the run is to stop: a claimed file is then left where it is, to be read on at the next start, and one
    /// that was handed over is let go of, to be handed over again.
    pub stop: Arc<AtomicBool>,
    /// For the pieces of `prepare`.
    pub encoder: Option<Arc<Encoder>>,
    /// Where originals are kept, and what must be left free there.
    pub originals: PathBuf,
    pub room: Room,
}

/// Chunks that are handed over in one go, as each time one or two threads are woken: small files that were given, for as long
/// as there is another to be read at once.
#[derive(Default)]
struct Together {
    chunks: Vec<Chunk>,
    bytes: usize,
}

impl Together {
    fn add(&mut self, chunk: Chunk, bytes: usize) {
        self.chunks.push(chunk);
        self.bytes += bytes;
    }
}

/// How far a file was read.
enum ReadTo {
    End,
    /// Nobody wants more.
    Unwanted,
    /// To where it cannot be read for now, for this reason: the job is to go on there.
    Trouble(Box<Job>, String),
}

impl Reader {
    /// Reads until the jobs end or nobody wants more.
    pub fn run(&self, jobs: mpsc::Receiver<Job>, out: &mpsc::Sender<Work>) {
        self.run_by(
            PutOff::new(StageName::Read, Arc::clone(&self.progress), Arc::clone(&self.stop)),
            jobs,
            out,
        );
    }

    fn run_by(&self, mut later: PutOff<Job>, mut jobs: mpsc::Receiver<Job>, out: &mpsc::Sender<Work>) {
        let pulse = self.progress.stage(StageName::Read);
        let mut together = Together::default();
        while let Some(job) = later.next(&mut jobs) {
            // A file of an inbox may be long in coming, and what was read before it is not to wait for that.
            let may_wait = !job.may_be_put_off();
            if !may_wait && !self.send(&mut together, out) {
                break;
            }
            pulse.begin();
            let send = |chunk: Chunk| {
                pulse.end();
                // A small file is finished; a large one is not waited for.
                if chunk.end.is_none() && self.is_cut(&chunk.job) {
                    return false;
                }
                let bytes = chunk.items.iter().map(Cut::size).sum();
                self.progress.count_read(bytes);
                chunk.job.tell(|tally| tally.bytes_read += bytes as u64);
                let is_last = chunk.end.is_some();
                together.add(chunk, bytes);
                let has_room = together.bytes < CHUNK_BYTES && together.chunks.len() < self.items_max();
                let is_wanted = is_last && may_wait && has_room || self.send(&mut together, out);
                if !is_last {
                    pulse.begin();
                }
                is_wanted
            };
            let read_to = self.file(job.clone(), send);
            pulse.rest();
            match read_to {
                ReadTo::Unwanted if !self.is_stopping() => break,
                ReadTo::Unwanted => {}
                ReadTo::End => later.done(&job),
                ReadTo::Trouble(job, why) => later.put_off((*job).clone(), &job, &why),
            }
            if !later.has_new(&jobs) && !self.send(&mut together, out) {
                break;
            }
        }
    }

    /// Has what was read prepared, in its turn. False where nobody wants it.
    fn send(&self, together: &mut Together, out: &mpsc::Sender<Work>) -> bool {
        let Together { chunks, .. } = take(together);
        if chunks.is_empty() {
            return true;
        }
        let (encoder, progress) = (self.encoder.clone(), Arc::clone(&self.progress));
        let settings = Arc::clone(&self.settings);
        let prepared = spawn_blocking(move || {
            let took = &progress.stage(StageName::Prepare).took;
            let prepare = |chunk| took.time(|| prepare::prepare(chunk, &settings.fields, encoder.as_deref()));
            chunks.into_iter().map(prepare).collect()
        });
        out.blocking_send(Work::Chunks(prepared)).is_ok()
    }

    fn items_max(&self) -> usize {
        if self.encoder.is_some() { CHUNK_ITEMS_ENCODED } else { CHUNK_ITEMS }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a file is to be let go of in the middle now.
    pub fn is_cut(&self, job: &Job) -> bool {
        job.may_be_cut() && self.is_stopping()
    }

    /// Sends a file's chunks, the last with its end. Whatever is wrong with the file is in its end.
    fn file(&self, mut job: Job, mut send: impl FnMut(Chunk) -> bool) -> ReadTo {
        let input = match not_regular(job.kind) {
            Some(reason) => Err(reason),
            None => match open(&mut job) {
                Err(error) if job.may_be_put_off() && (is_transient(&error) || job.is_away()) => {
                    return ReadTo::Trouble(Box::new(job), error.to_string());
                }
                input => input.map_err(|error| unreadable(&error)),
            },
        };
        let job = Arc::new(job);
        let mut chunks = Chunks {
            job: &job,
            settings: &self.settings,
            items_max: self.items_max(),
            send: &mut send,
            cut: Vec::new(),
            bytes: 0,
            next: job.resume.items,
        };
        let last = match input {
            Err(reason) => chunks.last(Some(reason)).with_end(0, None, OriginalBytes::None),
            Ok(Input::Held(bytes)) => {
                let mut reader = Patient::new(Cursor::new(bytes.as_slice()), self.settings.patience);
                let Some(last) = chunks.all_but_last(&mut reader) else { return ReadTo::Unwanted };
                let (length, digest) = (bytes.len() as u64, Digest::of(&bytes));
                last.with_end(length, Some(digest), OriginalBytes::Held(bytes))
            }
            Ok(Input::Stream(length, file)) => {
                let (handed_over, trouble) = (Rc::new(Cell::new(Instant::now())), Rc::default());
                let notes = (Rc::clone(&handed_over), Rc::clone(&trouble));
                let large =
                    BufReader::with_capacity(CHUNK_BYTES, Large::open(file, length, self, &job, notes));
                let mut reader = Patient { handed_over, ..Patient::new(large, self.settings.patience) };
                let Some(last) = chunks.all_but_last(&mut reader) else { return ReadTo::Unwanted };
                let (bytes, digest, made) = reader.inner.into_inner().whole();
                if self.is_cut(&job) {
                    return ReadTo::Unwanted;
                }
                if job.may_be_put_off()
                    && let Some(why) = trouble.take()
                {
                    let resume = Resume { items: chunks.next, ..job.resume };
                    return ReadTo::Trouble(Box::new(Job { resume, ..(*job).clone() }), why);
                }
                last.with_end(bytes, digest, OriginalBytes::InFile(made))
            }
        };
        if send(last) { ReadTo::End } else { ReadTo::Unwanted }
    }
}

enum Input {
    Held(Vec<u8>),
    /// So many bytes, as far as is known, and where to read them.
    Stream(u64, Box<dyn Bytes>),
}

/// Opens a file and reads it whole where it is small. A claimed file that changes meanwhile is read again: a
/// rename does not detach its writer.
fn open(job: &mut Job) -> io::Result<Input> {
    for _ in 1..READINGS_MAX {
        let input = open_once(job)?;
        let Origin::Inbox(claimed) = &job.origin else { return Ok(input) };
        if matches!(input, Input::Stream(..)) || !claimed.changed()? {
            return Ok(input);
        }
        job.origin = Origin::Inbox(claimed.clone().refreshed()?);
    }
    open_once(job)
}

fn open_once(job: &Job) -> io::Result<Input> {
    let (bytes, file) = job.open()?;
    if bytes > HELD_BYTES_MAX {
        return Ok(Input::Stream(bytes, file));
    }
    let mut held = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    file.take(HELD_BYTES_MAX + 1).read_to_end(&mut held)?;
    // It may have grown since it was measured.
    if held.len() as u64 <= HELD_BYTES_MAX {
        return Ok(Input::Held(held));
    }
    let (bytes, file) = job.open()?;
    Ok(Input::Stream(bytes, file))
}

fn not_regular(kind: FileKind) -> Option<Reason> {
    let what = match kind {
        FileKind::Regular => return None,
        FileKind::Symlink => "a symbolic link, which is not followed",
        FileKind::Fifo => "a named pipe",
        FileKind::Socket => "a socket",
        FileKind::Device => "a device",
    };
    Some(Reason::new("not-a-file", format!("it is {what}, not a file; drop the file itself")))
}

fn unreadable(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Reason::new(
            "permission-denied",
            "it may not be read; give the user that wirefold runs as the right to read it, and give it again",
        ),
        io::ErrorKind::NotFound => Reason::new("vanished", "it is no longer there"),
        _ => Reason::new("unreadable", format!("it cannot be read: {error}")),
    }
}

fn too_slow(patience: Duration) -> Reason {
    let said = format!("it took more than {} seconds to its next article", patience.as_secs());
    Reason::new("too-slow", said)
}

/// Cuts one file into chunks.
struct Chunks<'c, S> {
    job: &'c Arc<Job>,
    settings: &'c Settings,
    items_max: usize,
    send: &'c mut S,
    cut: Vec<Cut>,
    bytes: usize,
    /// The index of the first item that was not sent.
    next: u32,
}

impl<S: FnMut(Chunk) -> bool> Chunks<'_, S> {
    /// Sends all chunks but the last, which is returned for its end to be added; nothing when nobody wants more.
    fn all_but_last<R: BufRead + Seek>(&mut self, reader: &mut Patient<R>) -> Option<LastChunk> {
        let settings = self.settings;
        let handed_over = Rc::clone(&reader.handed_over);
        let ended = format::cut(reader, settings, &mut |item| {
            let is_wanted = self.item(item);
            handed_over.set(Instant::now());
            is_wanted
        });
        let failure = match ended.end {
            Ok(true) => None,
            Ok(false) => return None,
            Err(_) if reader.is_given_up.get() => Some(too_slow(reader.patience)),
            Err(error) => Some(error.reason()),
        };
        let passed_over = ended.passed_over.into_iter().map(|(why, count)| (why.to_owned(), count)).collect();
        Some(LastChunk { passed_over, ..self.last(failure) })
    }

    fn item(&mut self, item: Result<RawItem, BadItem>) -> bool {
        let (index, item) = match item {
            Ok(item) => (item.index, Cut::Item(item)),
            Err(BadItem { index, place, head, error }) => {
                (index, Cut::Bad(Refused { index, place, bytes: head, reason: error.reason() }))
            }
        };
        if index < self.job.resume.items {
            return true;
        }
        let size = item.size();
        let is_full =
            !self.cut.is_empty() && (self.bytes + size > CHUNK_BYTES || self.cut.len() == self.items_max);
        let is_wanted = !is_full || {
            self.next = index;
            let chunk = self.chunk();
            (self.send)(chunk)
        };
        self.bytes += size;
        self.cut.push(item);
        is_wanted
    }

    fn chunk(&mut self) -> Chunk {
        self.bytes = 0;
        Chunk { job: Arc::clone(self.job), items: take(&mut self.cut), end: None }
    }

    fn last(&mut self, failure: Option<Reason>) -> LastChunk {
        LastChunk { chunk: self.chunk(), failure, passed_over: BTreeMap::new() }
    }
}

/// A file that is given up where it takes too long to its next article. What is made of one meanwhile does not count.
struct Patient<R> {
    inner: R,
    patience: Duration,
    handed_over: Rc<Cell<Instant>>,
    is_given_up: Cell<bool>,
}

impl<R> Patient<R> {
    fn new(inner: R, patience: Duration) -> Self {
        Self {
            inner,
            patience,
            handed_over: Rc::new(Cell::new(Instant::now())),
            is_given_up: Cell::new(false),
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.handed_over.get().elapsed() < self.patience {
            return Ok(());
        }
        self.is_given_up.set(true);
        Err(io::Error::from(io::ErrorKind::TimedOut))
    }
}

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.read(into)
    }
}

impl<R: BufRead> BufRead for Patient<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.inner.consume(bytes);
    }
}

impl<R: Seek> Seek for Patient<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }

    fn seek_relative(&mut self, offset: i64) -> io::Result<()> {
        self.inner.seek_relative(offset)
    }
}

/// The last chunk of a file, before its end is known.
struct LastChunk {
    chunk: Chunk,
    failure: Option<Reason>,
    passed_over: BTreeMap<String, u64>,
}

impl LastChunk {
    fn with_end(self, bytes: u64, digest: Option<Digest>, original: OriginalBytes) -> Chunk {
        let Self { failure, passed_over, .. } = self;
        let end = FileEnd { bytes, digest, original, failure, passed_over };
        Chunk { end: Some(end), ..self.chunk }
    }
}

#[cfg(test)]
impl Reader {
    /// One that takes articles of less than a kilobyte.
    pub fn of_short_articles(originals: &std::path::Path) -> Self {
        let limits = format::Limits { article_bytes_max: 999, nesting_max: 1, entries_max: 9, ratio_max: 9 };
        let patience = Duration::from_secs(9);
        let fields = format::Fields::default();
        Self {
            settings: Arc::new(format::Settings { limits, patience, fields }),
            progress: Arc::default(),
            stop: Arc::default(),
            encoder: None,
            originals: originals.to_owned(),
            room: Room { folders: vec![originals.to_owned()], free_min_bytes: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::{FailedDir, Inboxes, Root, Settings as InboxSettings};
    use std::{fs, os::unix::fs::symlink, path::Path};

    /// Jobs of two claimed files, `a` and `b`.
    fn claimed(dir: &Path) -> Vec<Job> {
        let inbox = dir.join("in");
        fs::create_dir_all(inbox.join(".wirefold")).unwrap();
        for name in ["0000000000000001-a.txt", "0000000000000002-b.txt"] {
            fs::write(inbox.join(".wirefold").join(name), "A story of some words.\n").unwrap();
        }
        let failed = FailedDir::open(dir.join("failed")).unwrap();
        let settings =
            InboxSettings { inboxes: vec![Root::new(inbox, Vec::new())], ..InboxSettings::default() };
        let claimed = Inboxes::open(settings, &failed).unwrap().1;
        claimed.into_iter().map(|claimed| Job::of_claim(claimed, Resume::default())).collect()
    }

    /// The first file cannot be read, as on a disk or a share with an error (`/proc/self/mem` gives EIO at its beginning),
    /// until the second has been. It used to be set aside for good.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_with_an_error_that_may_pass_is_read_later_and_holds_up_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut jobs = claimed(dir.path());
        let folder = dir.path().join("share");
        symlink("/proc/self", &folder).unwrap();
        let Origin::Inbox(first) = &mut jobs[0].origin else { panic!("of an inbox") };
        let real = std::mem::replace(&mut first.path, folder.join("mem"));
        let reader = Reader::of_short_articles(dir.path());
        let progress = Arc::clone(&reader.progress);
        let later = PutOff::new(StageName::Read, Arc::clone(&progress), Arc::default());
        let later = later.with_wait(Duration::from_millis(5));
        let (send, receive) = mpsc::channel(4);
        let (out, mut read) = mpsc::channel(4);
        let reading = spawn_blocking(move || reader.run_by(later, receive, &out));
        for job in jobs {
            send.send(job).await.unwrap();
        }
        let mut next = async || match read.recv().await {
            Some(Work::Chunks(chunks)) => chunks.await.unwrap().remove(0),
            _ => panic!("no chunk"),
        };
        assert_eq!(next().await.job.shown, "b.txt");
        let (files, why) = progress.files_put_off(StageName::Read);
        assert!(files == 1 && why.as_ref().is_some_and(|why| why.contains("Input/output error")), "{why:?}");
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::rename(real, folder.join("mem")).unwrap();
        let first = next().await;
        assert_eq!((first.job.shown.as_str(), first.items.len()), ("a.txt", 1));
        drop(send);
        reading.await.unwrap();
        assert_eq!(progress.files_put_off(StageName::Read), (0, None));
    }

    /// One that is let go of in the middle was set aside as broken off there.
    #[test]
    fn a_large_file_comes_with_what_is_kept_of_it_and_where_the_run_is_to_stop_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let originals = dir.path().join("originals");
        fs::create_dir(&originals).unwrap();
        let job = claimed(dir.path()).remove(0);
        let mut bytes = fs::read(job.path()).unwrap();
        bytes.resize(usize::try_from(HELD_BYTES_MAX).unwrap() + 1, b'\n');
        fs::write(job.path(), &bytes).unwrap();
        let reader = Reader::of_short_articles(&originals);
        let mut ends = Vec::new();
        let mut read = || {
            reader.file(job.clone(), |chunk| {
                ends.extend(chunk.end);
                true
            })
        };
        assert!(matches!(read(), ReadTo::End));
        reader.stop.store(true, Ordering::Relaxed);
        assert!(matches!(read(), ReadTo::Unwanted));
        let [FileEnd { digest, original: OriginalBytes::InFile(Some(_)), .. }] = ends.as_slice() else {
            panic!("{ends:?}")
        };
        assert_eq!(*digest, Some(Digest::of(&bytes)));
        assert_eq!(fs::read_dir(originals).unwrap().count(), 1, "what was begun when it was to stop is gone");
    }
}
