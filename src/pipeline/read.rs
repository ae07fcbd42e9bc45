//! The first stage: a file into the raw bytes of its items, a chunk at a time, in order of arrival.

use super::{
    CHUNKS_WAITING, Progress, StageName,
    job::{Chunk, Cut, FileEnd, Job, Origin, OriginalBytes, Prepared, Refused},
    pin::Work,
    prepare,
};
use crate::{
    encode::Encoder,
    format::{self, Form, ItemError, Items},
    inbox::FileKind,
    metrics::Pulse,
    model::{Digest, Reason},
};
use sha2::Digest as _;
use std::{
    io::{self, BufRead, BufReader, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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
/// A file up to this size is read whole and held until it is in its pack; a larger one is read again for that.
const HELD_BYTES_MAX: u64 = 8 << 20;
/// How much of a file is looked at to tell its form.
const HEAD_BYTES: usize = format::SNIFF_BYTES_MAX;
/// A file that is still being written is read again this often before it is taken as it is.
const READINGS_MAX: usize = 5;

const _: () = assert!(CHUNKS_WAITING >= 2, "one chunk is prepared while another is decided on");

/// A piece of work under way.
pub(super) type Preparing = JoinHandle<Prepared>;

/// Reads files.
pub(super) struct Reader {
    pub article_bytes_max: usize,
    pub progress: Arc<Progress>,
    /// Set when the run is to stop: a claimed file is then left where it is, to be read on at the next start, and one
    /// that was handed over is let go of, to be handed over again.
    pub stop: Arc<AtomicBool>,
    /// For the pieces of `prepare`.
    pub encoder: Option<Arc<Encoder>>,
}

impl Reader {
    /// Reads until the jobs end or nobody wants more.
    pub fn run(&self, mut jobs: mpsc::Receiver<Job>, out: &mpsc::Sender<Work>) {
        let pulse = self.progress.stage(StageName::Read);
        while let Some(job) = jobs.blocking_recv() {
            pulse.begin();
            let may_be_cut = job.may_be_cut();
            let send = |chunk: Chunk| {
                pulse.end();
                // A small file is finished; a large one is not waited for.
                if may_be_cut && chunk.end.is_none() && self.is_stopping() {
                    return false;
                }
                let bytes = chunk.items.iter().map(Cut::size).sum();
                self.progress.count_read(bytes);
                chunk.job.tell(|tally| tally.bytes_read += bytes as u64);
                let (encoder, progress) = (self.encoder.clone(), Arc::clone(&self.progress));
                let is_last = chunk.end.is_some();
                let prepared = spawn_blocking(move || {
                    let took = &progress.stage(StageName::Prepare).took;
                    took.time(|| prepare::prepare(chunk, encoder.as_deref()))
                });
                let is_wanted = out.blocking_send(Work::Chunk(prepared)).is_ok();
                if !is_last {
                    pulse.begin();
                }
                is_wanted
            };
            let is_read = self.file(job, send);
            pulse.rest();
            if !is_read && !self.is_stopping() {
                break;
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends a file's chunks, the last with its end. Whatever is wrong with the file is in its end.
    fn file(&self, mut job: Job, mut send: impl FnMut(Chunk) -> bool) -> bool {
        let input = match not_regular(job.kind) {
            Some(reason) => Err(reason),
            None => open(&mut job).map_err(|error| unreadable(&error)),
        };
        let job = Arc::new(job);
        let items_max = if self.encoder.is_some() { CHUNK_ITEMS_ENCODED } else { CHUNK_ITEMS };
        let article_bytes_max = self.article_bytes_max;
        let mut chunks = Chunks { job: &job, article_bytes_max, items_max, send: &mut send };
        let last = match input {
            Err(reason) => {
                let nothing = chunks.last(Form::Text, Vec::new(), Some(reason));
                nothing.with_end(0, None, OriginalBytes::None)
            }
            Ok(Input::Held(bytes)) => {
                let Some(last) = chunks.all_but_last(&mut bytes.as_slice()) else { return false };
                let (length, digest) = (bytes.len() as u64, Digest::of(&bytes));
                last.with_end(length, Some(digest), OriginalBytes::Held(bytes))
            }
            Ok(Input::Stream(file)) => {
                let pulse = self.progress.stage(StageName::Read);
                let hashing = Hashing { inner: file, hash: sha2::Sha256::new(), bytes: 0, pulse };
                let mut reader = BufReader::with_capacity(CHUNK_BYTES, hashing);
                let Some(last) = chunks.all_but_last(&mut reader) else { return false };
                // What nobody wanted is read too, so that the digest is that of the whole file.
                let whole = io::copy(&mut reader, &mut io::sink());
                let Hashing { hash, bytes, .. } = reader.into_inner();
                let digest = whole.is_ok().then(|| Digest(hash.finalize().into()));
                last.with_end(bytes, digest, OriginalBytes::InFile)
            }
        };
        send(last)
    }
}

enum Input {
    Held(Vec<u8>),
    Stream(Box<dyn Read>),
}

/// Opens a file and reads it whole where it is small. A claimed file that changes meanwhile is read again: a
/// rename does not detach its writer.
fn open(job: &mut Job) -> io::Result<Input> {
    for _ in 1..READINGS_MAX {
        let input = open_once(job)?;
        let Origin::Inbox(claimed) = &job.origin else { return Ok(input) };
        if matches!(input, Input::Stream(_)) || !claimed.changed()? {
            return Ok(input);
        }
        job.origin = Origin::Inbox(claimed.clone().refreshed()?);
    }
    open_once(job)
}

fn open_once(job: &Job) -> io::Result<Input> {
    let (bytes, file) = job.open()?;
    if bytes > HELD_BYTES_MAX {
        return Ok(Input::Stream(file));
    }
    let mut held = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    file.take(HELD_BYTES_MAX + 1).read_to_end(&mut held)?;
    // It may have grown since it was measured.
    let fits = held.len() as u64 <= HELD_BYTES_MAX;
    Ok(if fits { Input::Held(held) } else { Input::Stream(job.open()?.1) })
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
            "it may not be read; give the user that wirefold runs as the right to read it and drop it again",
        ),
        io::ErrorKind::NotFound => Reason::new("vanished", "it is no longer there"),
        _ => Reason::new("unreadable", format!("it cannot be read: {error}")),
    }
}

/// Cuts one file into chunks.
struct Chunks<'c, S> {
    job: &'c Arc<Job>,
    article_bytes_max: usize,
    items_max: usize,
    send: &'c mut S,
}

impl<S: FnMut(Chunk) -> bool> Chunks<'_, S> {
    /// Sends all chunks but the last, which is returned for its end to be added; nothing when nobody wants more.
    fn all_but_last(&mut self, reader: &mut impl BufRead) -> Option<LastChunk> {
        let (mut head, mut failure) = (Vec::new(), None);
        if let Err(error) = reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head) {
            failure = Some(unreadable(&error));
        }
        let form = match format::sniff(&head) {
            Ok(form) if failure.is_none() => form,
            Ok(_) => return Some(self.last(Form::Text, Vec::new(), failure)),
            Err(error) => return Some(self.last(Form::Text, Vec::new(), failure.or(Some(error.reason())))),
        };
        let (mut cut, mut bytes) = (Vec::new(), 0);
        for item in Items::new(head.as_slice().chain(reader), form, self.article_bytes_max) {
            let (index, item) = match item {
                Ok(item) => (item.index, Cut::Item(item)),
                Err(ItemError::Bad(bad)) => {
                    let reason = bad.error.reason();
                    let refused = Refused { index: bad.index, place: bad.place, bytes: bad.head, reason };
                    (bad.index, Cut::Bad(refused))
                }
                Err(error @ ItemError::Io(_)) => {
                    failure = Some(error.reason());
                    break;
                }
            };
            if index < self.job.resume.items {
                continue;
            }
            let size = item.size();
            if !cut.is_empty() && (bytes + size > CHUNK_BYTES || cut.len() == self.items_max) {
                let items = std::mem::take(&mut cut);
                bytes = 0;
                if !(self.send)(Chunk { job: Arc::clone(self.job), form, items, end: None }) {
                    return None;
                }
            }
            bytes += size;
            cut.push(item);
        }
        Some(self.last(form, cut, failure))
    }

    fn last(&self, form: Form, items: Vec<Cut>, failure: Option<Reason>) -> LastChunk {
        LastChunk { chunk: Chunk { job: Arc::clone(self.job), form, items, end: None }, failure }
    }
}

/// The last chunk of a file, before its end is known.
struct LastChunk {
    chunk: Chunk,
    failure: Option<Reason>,
}

impl LastChunk {
    fn with_end(self, bytes: u64, digest: Option<Digest>, original: OriginalBytes) -> Chunk {
        let end = FileEnd { bytes, digest, original, failure: self.failure };
        Chunk { end: Some(end), ..self.chunk }
    }
}

/// Hashes and counts what is read through it.
struct Hashing<'p, R> {
    inner: R,
    hash: sha2::Sha256,
    bytes: u64,
    /// Told of every block: what nobody wants of a large file is read too.
    pulse: &'p Pulse,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.pulse.go_on();
        let count = self.inner.read(into)?;
        self.hash.update(into.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }
}
