//! The daemon's end of the socket.

use super::{ASK, ControlError, INGEST, PIN, PinAnswer, PinOrder, REQUEUE, RequeueOrder, Watched, watching};
use crate::{
    detect::Settings,
    model::ArticleId,
    query::{Library, QueryError, Question, Status, Tell},
    store::Store,
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use http_body_util::{
    BodyExt,
    channel::{Channel, Sender},
};
use std::{
    fs,
    future::IntoFuture,
    io::{self, Read},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt, symlink},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::UnixListener,
    runtime::Handle,
    select,
    sync::{Semaphore, oneshot, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// Blocks of an answer that may wait to be sent, and how long a block is. Each must be taken within the patience, so a slow
/// reader is not given larger ones; sixteen answers hold some 20 MB of them at most.
const BLOCKS_WAITING: usize = 16;
const BLOCK_BYTES: usize = 64 << 10;
/// Answers at one time: each holds a thread and some blocks. More people seldom ask at once.
const ANSWERS_MAX: usize = 16;
/// Orders at one time. They wait for the same stage, so more would only hold threads.
const ORDERS_MAX: usize = 2;
/// Streams to the daemon at one time. Each holds two threads and a block; they wait for the same stages.
const UPLOADS_MAX: usize = 4;
/// How long the other end of a stream may be silent. A person may look something up with the ingest suspended, and a tape
/// may rewind; but one that is forgotten must not keep others out.
const UPLOAD_PATIENCE: Duration = Duration::from_mins(10);
/// How often whoever reads a stream hears that nothing comes.
const UPLOAD_LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the other end may take to hang up once it is told how it ended. To close on one that still sends would cost it
/// the last line.
const HANG_UP_PATIENCE: Duration = Duration::from_secs(2);
/// How long a reader may leave a block untaken, a question may wait for its turn, and all of them may go on once the
/// daemon stops. A pager that nobody scrolls must hold no thread for ever; a disk that stalls takes less than this.
const PATIENCE: Duration = Duration::from_secs(10);
/// Owner and group may connect.
const SOCKET_MODE: u32 = 0o660;

/// Puts files back.
pub type Requeue = dyn Fn(&RequeueOrder, &mut Tell<'_>) + Send + Sync;

/// Takes in what is streamed.
pub type Ingest = dyn Fn(&mut Upload, &mut Tell<'_>) + Send + Sync;

/// What only a running daemon can say and do.
pub struct Live {
    /// How it stands.
    pub status: Box<dyn Fn() -> Result<Status, QueryError> + Send + Sync>,
    /// Pins an article or lets it go, and waits until that is durable; false where the daemon ends first. It may block.
    pub pin: Box<dyn Fn(ArticleId, bool) -> Result<bool, QueryError> + Send + Sync>,
    /// Puts files that were set aside back into their inboxes, and tells what becomes of each. It blocks.
    pub requeue: Box<Requeue>,
    /// Takes in what is streamed, and tells meanwhile what becomes of it. It blocks.
    pub ingest: Box<Ingest>,
    /// What those who watch over it are told.
    pub watched: Watched,
}

/// What is needed to answer.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    data_dir: PathBuf,
    settings: Settings,
    live: Live,
    turns: Arc<Semaphore>,
    orders: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Control {
    /// Answers from this store, by the settings that decide, until it is stopped.
    pub fn new(
        store: Arc<Store>,
        data_dir: PathBuf,
        settings: Settings,
        live: Live,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            data_dir,
            settings,
            live,
            turns: Arc::new(Semaphore::new(ANSWERS_MAX)),
            orders: Arc::new(Semaphore::new(ORDERS_MAX)),
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            stopped,
        }))
    }

    fn answer(&self, question: &Question, line: &mut Tell<'_>) -> Result<(), QueryError> {
        if *question == Question::Status {
            line(&serde_json::to_vec(&(self.0.live.status)()?)?);
            return Ok(());
        }
        self.over_store().of_a_daemon().answer(question, line)
    }

    fn over_store(&self) -> Library<'_> {
        Library::new(&self.0.store, &self.0.data_dir, self.0.settings)
    }

    /// Pins an article or lets it go. Nothing where the daemon ended before it was durable.
    fn pin(&self, order: &PinOrder) -> Result<Option<PinAnswer>, QueryError> {
        let id = self.over_store().article_id(&order.id)?;
        if self.over_store().is_pinned(id)? == order.pinned {
            return Ok(Some(PinAnswer { id, was_so: true }));
        }
        Ok((self.0.live.pin)(id, order.pinned)?.then_some(PinAnswer { id, was_so: false }))
    }
}

/// Listens at a path.
pub fn listen(path: &Path) -> Result<UnixListener, ControlError> {
    let failed = |action| move |source| ControlError::Socket { action, path: path.to_owned(), source };
    make_way(path)?;
    let listener = UnixListener::bind(path).map_err(failed("make"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE)).map_err(failed("set the mode of"))?;
    Ok(listener)
}

/// Makes a socket found also at another path, where those look who know nothing but the data directory.
pub fn point_to(socket: &Path, from: &Path) -> Result<(), ControlError> {
    make_way(from)?;
    let failed = |source| ControlError::Socket { action: "point to", path: socket.to_owned(), source };
    symlink(socket, from).map_err(failed)
}

/// The socket that a dead daemon left there, or its link to one, is removed. One that answers belongs to a daemon with
/// another data directory, and what else lies there is not ours to remove either.
fn make_way(path: &Path) -> Result<(), ControlError> {
    let failed = |action| move |source| ControlError::Socket { action, path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() && UnixStream::connect(path).is_ok() => {
            let said = "another daemon listens there; set [control] socket to another path, or stop it";
            Err(failed("make")(io::Error::new(io::ErrorKind::AddrInUse, said)))
        }
        Ok(found) if found.file_type().is_socket() || found.is_symlink() => {
            fs::remove_file(path).map_err(failed("remove the old"))
        }
        Ok(_) => {
            let said = "something that is no socket lies there; move it away, or set [control] socket";
            Err(failed("make")(io::Error::new(io::ErrorKind::AlreadyExists, said)))
        }
        Err(_) => Ok(()),
    }
}

/// Removes the socket at the end; that it may be gone already is fine.
pub fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "the control socket could not be removed");
    }
}

/// Answers until it is stopped, and then for a while what has been asked.
pub async fn serve(listener: UnixListener, control: Control) -> Result<(), ControlError> {
    let stop = stop(control.0.stopped.clone());
    let late = async {
        self::stop(control.0.stopped.clone()).await;
        sleep(PATIENCE).await;
    };
    let router = Router::new()
        .route(ASK, post(ask))
        .route(PIN, post(pin))
        .route(REQUEUE, post(requeue))
        .route(INGEST, post(ingest));
    let watchers = watching::router(control.0.live.watched.clone());
    let router = router.with_state(control.clone()).merge(watchers);
    select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(stop).into_future() => {
            ended.map_err(|e| ControlError::Broken(e.to_string()))
        }
        () = late => {
            tracing::warn!("readers of answers are waited for no longer");
            Ok(())
        }
    }
}

/// Ends when the daemon is to stop.
async fn stop(mut stopped: watch::Receiver<bool>) {
    // The sender outlives every task; were it gone, stopping would be right.
    drop(stopped.wait_for(|stop| *stop).await);
}

/// Answers one question. What goes wrong before the first block is a status; after it the answer breaks off.
async fn ask(State(control): State<Control>, Json(question): Json<Question>) -> Response {
    let turns = Arc::clone(&control.0.turns);
    in_lines(turns, move |line| control.answer(&question, line)).await
}

/// Has files put back. It waits with the other orders.
async fn requeue(State(control): State<Control>, Json(order): Json<RequeueOrder>) -> Response {
    let turns = Arc::clone(&control.0.orders);
    let work = move |line: &mut Tell<'_>| {
        (control.0.live.requeue)(&order, line);
        Ok(())
    };
    in_lines(turns, work).await
}

/// Does what has lines for its answer, in its turn.
async fn in_lines(
    turns: Arc<Semaphore>,
    work: impl FnOnce(&mut Tell<'_>) -> Result<(), QueryError> + Send + 'static,
) -> Response {
    let Ok(Ok(turn)) = timeout(PATIENCE, turns.acquire_owned()).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let (sender, body) = Channel::<Bytes, io::Error>::new(BLOCKS_WAITING);
    let (started, begun) = oneshot::channel();
    let blocks = Blocks {
        sender: Some(sender),
        started: Some(started),
        runtime: Handle::current(),
        patience: PATIENCE,
    };
    let answering = spawn_blocking(move || {
        let answered = answer(work, blocks);
        drop(turn);
        answered
    });
    match begun.await {
        Ok(()) => ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(body)).into_response(),
        Err(_) => match answering.await {
            Ok(Err(error)) => refusal(&error),
            Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
            Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
        },
    }
}

/// Does what one order says. It waits behind what was read before it, so a busy daemon may be asked again later: to say
/// the same twice does no harm.
async fn pin(State(control): State<Control>, Json(order): Json<PinOrder>) -> Response {
    let pinning = async move {
        // Orders wait among themselves: one that is slow must not keep a question from its answer.
        let turn = Arc::clone(&control.0.orders).acquire_owned().await.ok()?;
        let pinned = spawn_blocking(move || {
            let pinned = control.pin(&order);
            drop(turn);
            pinned
        });
        Some(pinned.await)
    };
    match timeout(PATIENCE, pinning).await {
        // As everywhere here, an answer is a line.
        Ok(Some(Ok(Ok(Some(answer))))) => match serde_json::to_string(&answer) {
            Ok(line) => (StatusCode::OK, line + "\n").into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        },
        Ok(Some(Ok(Err(error)))) => refusal(&error),
        Ok(Some(Err(panic))) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
        Ok(Some(Ok(Ok(None))) | None) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Has what is streamed taken in, and streams back what becomes of it.
async fn ingest(State(control): State<Control>, body: Body) -> Response {
    let turn = Arc::clone(&control.0.uploads).try_acquire_owned();
    let status = if turn.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (sender, answer) = Channel::<Bytes, io::Error>::new(BLOCKS_WAITING);
    let runtime = Handle::current();
    let mut blocks =
        Blocks { sender: Some(sender), started: None, runtime: runtime.clone(), patience: PATIENCE };
    let stopped = control.0.stopped.clone();
    let mut upload = Upload { body, silent: Duration::ZERO, block: Bytes::new(), stopped, runtime };
    spawn_blocking(move || {
        if turn.is_ok() {
            let ingest = &control.0.live.ingest;
            ingest(&mut upload, &mut |line| blocks.send([line, b"\n"].concat()));
        }
        blocks.end();
        upload.hang_up();
        drop(turn);
    });
    (status, [(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(answer)).into_response()
}

/// What is streamed to the daemon, to be read on a thread that may block. A daemon that is to stop reads no further: that is
/// an error of the kind [`io::ErrorKind::ConnectionAborted`]. While nothing comes it is interrupted now and then, so that who
/// reads may think better of it.
pub struct Upload {
    body: Body,
    /// How long nothing has come.
    silent: Duration,
    /// What has come and has not been read.
    block: Bytes,
    stopped: watch::Receiver<bool>,
    runtime: Handle,
}

impl Upload {
    /// The next bytes that come; none at the end.
    fn next_block(&mut self) -> io::Result<Bytes> {
        let runtime = self.runtime.clone();
        loop {
            let next = runtime.block_on(async {
                select! {
                    biased;
                    () = stop(self.stopped.clone()) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                    frame = timeout(UPLOAD_LOOK_EVERY, self.body.frame()) => Ok(frame.ok()),
                }
            })?;
            let Some(next) = next else {
                self.silent += UPLOAD_LOOK_EVERY;
                let is_patient = self.silent < UPLOAD_PATIENCE;
                let what = if is_patient { io::ErrorKind::Interrupted } else { io::ErrorKind::TimedOut };
                return Err(what.into());
            };
            self.silent = Duration::ZERO;
            let Some(frame) = next else { return Ok(Bytes::new()) };
            match frame.map_err(io::Error::other)?.into_data() {
                Ok(block) if !block.is_empty() => return Ok(block),
                _ => {}
            }
        }
    }

    /// Waits a little for the other end to hang up.
    fn hang_up(mut self) {
        let rest = async { while let Some(Ok(_)) = self.body.frame().await {} };
        self.runtime.block_on(timeout(HANG_UP_PATIENCE, rest)).ok();
    }
}

impl Read for Upload {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            self.block = self.next_block()?;
        }
        self.block.as_ref().read(into).inspect(|count| drop(self.block.split_to(*count)))
    }
}

fn refusal(error: &QueryError) -> Response {
    let status = match error {
        QueryError::Ambiguous { .. }
        | QueryError::NoVariant { .. }
        | QueryError::Variants { .. }
        | QueryError::NotAnArticle { .. }
        | QueryError::FileOfSeveral { .. }
        | QueryError::Same { .. } => StatusCode::BAD_REQUEST,
        QueryError::NotFound { .. } | QueryError::NoArticle { .. } => StatusCode::NOT_FOUND,
        QueryError::Paused { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let causes = std::iter::successors(std::error::Error::source(error), |e| e.source());
    let said = causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"));
    (status, said).into_response()
}

/// Sends an answer in blocks of whole lines.
fn answer(
    work: impl FnOnce(&mut Tell<'_>) -> Result<(), QueryError>,
    mut blocks: Blocks,
) -> Result<(), QueryError> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let answered = work(&mut |line| {
        block.extend_from_slice(line);
        block.push(b'\n');
        // An empty line says that it goes on, to one who waits for the first.
        (block.len() < BLOCK_BYTES && !line.is_empty())
            || blocks.send(std::mem::replace(&mut block, Vec::with_capacity(BLOCK_BYTES)))
    });
    match answered {
        Ok(()) => {
            if blocks.send(block) {
                blocks.end();
            }
            Ok(())
        }
        Err(error) => {
            if blocks.started.is_none() {
                tracing::error!(error = &error as &dyn std::error::Error, "an answer broke off");
            }
            Err(error)
        }
    }
}

/// The way of an answer to its reader. One that is dropped before its end, whatever the cause, reads as broken off
/// and never as whole.
struct Blocks {
    sender: Option<Sender<Bytes, io::Error>>,
    /// Told of the first block.
    started: Option<oneshot::Sender<()>>,
    runtime: Handle,
    patience: Duration,
}

impl Blocks {
    /// Sends a block; false when nobody reads any more, or not for a long time. Blocks the thread.
    fn send(&mut self, block: Vec<u8>) -> bool {
        if let Some(started) = self.started.take() {
            started.send(()).ok();
        }
        let Some(sender) = &mut self.sender else { return false };
        let sending = async { timeout(self.patience, sender.send_data(block.into())).await };
        if let Ok(sent) = self.runtime.block_on(sending) {
            return sent.is_ok();
        }
        tracing::warn!(seconds = self.patience.as_secs(), "an answer broke off: nobody read on");
        self.abort("nobody read on");
        false
    }

    /// The answer is whole.
    fn end(mut self) {
        self.sender = None;
    }

    fn abort(&mut self, why: &str) {
        if let Some(sender) = self.sender.take() {
            sender.abort(io::Error::other(why));
        }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.abort("the answer broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tempfile::TempDir;

    fn blocks(patience: Duration) -> (Blocks, Channel<Bytes, io::Error>) {
        let (sender, body) = Channel::new(1);
        (Blocks { sender: Some(sender), started: None, runtime: Handle::current(), patience }, body)
    }

    #[tokio::test]
    async fn a_reader_that_pauses_holds_no_thread_and_sees_that_the_answer_broke_off() {
        let (mut blocks, mut body) = blocks(Duration::from_millis(20));
        let sending =
            spawn_blocking(move || [b"a\n", b"b\n", b"c\n"].map(|block| blocks.send(block.to_vec())));
        assert_eq!(sending.await.unwrap(), [true, false, false]);
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a\n");
        assert!(body.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn only_an_answer_that_was_ended_reads_as_whole() {
        for is_ended in [true, false] {
            let (mut blocks, body) = blocks(PATIENCE);
            let sending = spawn_blocking(move || {
                assert!(blocks.send(b"a\n".to_vec()));
                if is_ended {
                    blocks.end();
                }
            });
            assert_eq!(body.collect().await.is_ok(), is_ended);
            sending.await.unwrap();
        }
    }

    #[tokio::test]
    async fn only_an_old_socket_is_removed() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("s");
        drop(listen(&path).unwrap());
        assert!(path.exists());
        drop(listen(&path).unwrap());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "notes").unwrap();
        assert!(listen(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"notes");
    }
}
