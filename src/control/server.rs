//! The daemon's end of the socket.

use super::{ASK, ControlError};
use crate::{
    query::{Library, QueryError, Question, Status},
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
use http_body_util::channel::{Channel, Sender};
use std::{
    fs,
    future::Future,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{net::UnixListener, runtime::Handle, task::spawn_blocking};

/// Blocks of an answer that may wait to be sent, and how long a block is.
const BLOCKS_WAITING: usize = 4;
const BLOCK_BYTES: usize = 64 << 10;
/// Owner and group may connect.
const SOCKET_MODE: u32 = 0o660;

type LiveStatus = Box<dyn Fn() -> Result<Status, QueryError> + Send + Sync>;

/// What is needed to answer.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    data_dir: PathBuf,
    status: LiveStatus,
}

impl Control {
    /// Answers from this store; how the daemon stands it is told by `status`.
    pub fn new(store: Arc<Store>, data_dir: PathBuf, status: LiveStatus) -> Self {
        Self(Arc::new(Inner { store, data_dir, status }))
    }

    fn answer(&self, question: &Question, line: &mut dyn FnMut(String) -> bool) -> Result<(), QueryError> {
        if *question == Question::Status {
            line(serde_json::to_string(&(self.0.status)()?)?);
            return Ok(());
        }
        Library::new(&self.0.store, &self.0.data_dir).answer(question, line)
    }
}

/// Listens at a path. What a dead daemon left there is removed; the lock on the data directory says it is dead.
pub fn listen(path: &Path) -> Result<UnixListener, ControlError> {
    let failed = |action| move |source| ControlError::Socket { action, path: path.to_owned(), source };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("remove the old")(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed("make"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE)).map_err(failed("set the mode of"))?;
    Ok(listener)
}

/// Removes the socket at the end; that it may be gone already is fine.
pub fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "the control socket could not be removed");
    }
}

/// Answers until `stop` ends, and then what has been asked.
pub async fn serve(
    listener: UnixListener,
    control: Control,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ControlError> {
    let router = Router::new().route(ASK, post(ask)).with_state(control);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
        .map_err(|e| ControlError::Broken(e.to_string()))
}

/// Answers one question. What goes wrong before the first block is a status; after it the answer breaks off.
async fn ask(State(control): State<Control>, Json(question): Json<Question>) -> Response {
    let (sender, body) = Channel::<Bytes, io::Error>::new(BLOCKS_WAITING);
    let (started, begun) = tokio::sync::oneshot::channel();
    let answering = spawn_blocking(move || answer(&control, &question, sender, started));
    match begun.await {
        Ok(()) => ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(body)).into_response(),
        Err(_) => match answering.await {
            Ok(Err(error)) => refusal(&error),
            Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
            Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
        },
    }
}

fn refusal(error: &QueryError) -> Response {
    let status = match error {
        QueryError::NoId { .. } | QueryError::Ambiguous { .. } => StatusCode::BAD_REQUEST,
        QueryError::NotFound { .. } => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let causes = std::iter::successors(std::error::Error::source(error), |e| e.source());
    let said = causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"));
    (status, said).into_response()
}

/// Sends an answer in blocks of whole lines.
fn answer(
    control: &Control,
    question: &Question,
    sender: Sender<Bytes, io::Error>,
    started: tokio::sync::oneshot::Sender<()>,
) -> Result<(), QueryError> {
    let (runtime, mut started, mut sender) = (Handle::current(), Some(started), Some(sender));
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let mut send = |block: &mut Vec<u8>| {
        if let Some(started) = started.take() {
            started.send(()).ok();
        }
        let bytes = Bytes::from(std::mem::take(block));
        sender.as_mut().is_some_and(|sender| runtime.block_on(sender.send_data(bytes)).is_ok())
    };
    let answered = control.answer(question, &mut |line| {
        block.extend_from_slice(line.as_bytes());
        block.push(b'\n');
        block.len() < BLOCK_BYTES || send(&mut block)
    });
    match answered {
        Ok(()) => {
            send(&mut block);
            Ok(())
        }
        Err(error) => {
            if started.is_none()
                && let Some(sender) = sender.take()
            {
                tracing::error!(error = &error as &dyn std::error::Error, "an answer broke off");
                sender.abort(io::Error::other(error.to_string()));
            }
            Err(error)
        }
    }
}
