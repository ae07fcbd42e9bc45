//! The asking end of the socket.

use super::{ASK, ControlError, INGEST, PIN, PinAnswer, PinOrder, REQUEUE, RequeueOrder};
use crate::query::{Question, Tell};
use http_body_util::{BodyExt, Full, channel};
use hyper::{
    Request, StatusCode,
    body::{Body, Bytes},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};
use tokio::{net::UnixStream, runtime::Handle, time::timeout};

/// How long a daemon may take to begin an answer. One that is stopped or stuck never does.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
/// Blocks of what is streamed that may wait to be sent: enough that reading and sending go side by side.
const BLOCKS_WAITING: usize = 4;

/// Asks the daemon at `socket`, and gives the answer on line by line, until `line` says that nobody listens.
pub async fn ask(socket: &Path, question: &Question, line: &mut Tell<'_>) -> Result<(), ControlError> {
    post(connect(socket).await?, ASK, as_json(question)?, line).await
}

/// Has the daemon at `socket` pin an article or let it go, and returns what came of it once that is durable.
pub async fn pin(socket: &Path, order: &PinOrder) -> Result<PinAnswer, ControlError> {
    let mut answer = Vec::new();
    let mut line = |text: &[u8]| {
        answer = text.to_vec();
        true
    };
    post(connect(socket).await?, PIN, as_json(order)?, &mut line).await?;
    serde_json::from_slice(&answer).map_err(|e| ControlError::Broken(e.to_string()))
}

/// Has the daemon at `socket` put files back into their inboxes, and gives on line by line what becomes of each.
pub async fn requeue(socket: &Path, order: &RequeueOrder, line: &mut Tell<'_>) -> Result<(), ControlError> {
    post(connect(socket).await?, REQUEUE, as_json(order)?, line).await
}

/// Streams to the daemon at the other end what is written to the sending end of `body`, and gives on meanwhile what is
/// answered, line by line.
pub async fn stream(
    connection: UnixStream,
    body: channel::Channel<Bytes, io::Error>,
    line: &mut (impl FnMut(&[u8]) -> bool + Send),
) -> Result<(), ControlError> {
    post(connection, INGEST, body, line).await
}

/// Where to write what is streamed, and the body that it becomes.
pub fn sending() -> (Sending, channel::Channel<Bytes, io::Error>) {
    let (blocks, body) = channel::Channel::new(BLOCKS_WAITING);
    (Sending { blocks, runtime: Handle::current() }, body)
}

/// Each write becomes a block, and waits for room. Blocks the thread. Dropping it ends the stream as whole.
pub struct Sending {
    blocks: channel::Sender<Bytes, io::Error>,
    runtime: Handle,
}

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sending = self.blocks.send_data(Bytes::copy_from_slice(bytes));
        self.runtime.block_on(sending).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn as_json(asked: &impl serde::Serialize) -> Result<Full<Bytes>, ControlError> {
    let text = serde_json::to_vec(asked).map_err(|e| ControlError::Broken(e.to_string()))?;
    Ok(Full::new(Bytes::from(text)))
}

/// Sends a body, and gives what is answered on line by line.
async fn post<B>(
    stream: UnixStream,
    path: &str,
    body: B,
    line: &mut (impl FnMut(&[u8]) -> bool + ?Sized),
) -> Result<(), ControlError>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let broken = |e: &dyn std::error::Error| ControlError::Broken(e.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
    let talk = async {
        let request = Request::post(path)
            .header(header::HOST, "wirefold")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|e| broken(&e))?;
        let asked = timeout(ANSWER_PATIENCE, sender.send_request(request)).await;
        let mut response = asked.map_err(|_| ControlError::Silent)?.map_err(|e| broken(&e))?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let not_found = status.is_client_error();
            let said = response.into_body().collect().await.map_err(|e| broken(&e))?.to_bytes();
            let message = if said.is_empty() { OTHER_VERSION.into() } else { String::from_utf8_lossy(&said) };
            let message = message.into_owned();
            return Err(match status {
                StatusCode::SERVICE_UNAVAILABLE if said.is_empty() => ControlError::Busy,
                StatusCode::SERVICE_UNAVAILABLE => ControlError::NotNow(message),
                _ => ControlError::Refused { not_found, message },
            });
        }
        let mut rest = Vec::new();
        while let Some(frame) = response.frame().await {
            let Ok(block) = frame.map_err(|e| broken(&e))?.into_data() else { continue };
            rest.extend_from_slice(&block);
            if !give_lines(&mut rest, line) {
                break;
            }
        }
        Ok(())
    };
    let mut talk = std::pin::pin!(talk);
    // The connection drives the talk. It may end first, with the last blocks read and not yet given on, so only the
    // talk knows whether the answer was whole; with the connection gone it comes to an end by itself.
    tokio::select! {
        outcome = &mut talk => return outcome,
        _ended = connection => {}
    }
    talk.await
}

/// What is said where the daemon has no word for what it was asked, as one of another version.
const OTHER_VERSION: &str =
    "the daemon that runs does not understand this; start it again where wirefold was updated since";

/// Connects to the daemon at `socket`.
pub async fn connect(socket: &Path) -> Result<UnixStream, ControlError> {
    UnixStream::connect(socket).await.map_err(|source| match source.kind() {
        // Who connects while a daemon dies, as by a kill, is let go of.
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
            ControlError::NotRunning { path: socket.to_owned() }
        }
        _ => ControlError::Socket { action: "connect to", path: socket.to_owned(), source },
    })
}

/// Gives on the whole lines of what has come so far, and keeps the rest.
fn give_lines(rest: &mut Vec<u8>, line: &mut (impl FnMut(&[u8]) -> bool + ?Sized)) -> bool {
    let Some(end) = rest.iter().rposition(|b| *b == b'\n') else { return true };
    let after = rest.split_off(end + 1);
    let whole = std::mem::replace(rest, after);
    whole.split(|b| *b == b'\n').filter(|text| !text.is_empty()).all(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixListener,
    };

    /// What comes of an answer that a daemon writes at once, to hang up then.
    async fn answered(said: &str) -> (Result<(), ControlError>, Vec<String>) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let daemon = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut heard, end) = (Vec::new(), serde_json::to_vec(&Question::Status).unwrap());
            while !heard.ends_with(&end) {
                stream.read_buf(&mut heard).await.unwrap();
            }
            stream.write_all(said.as_bytes()).await.unwrap();
        };
        let mut lines = Vec::new();
        let mut line = |text: &[u8]| {
            lines.push(String::from_utf8(text.to_vec()).unwrap());
            true
        };
        let (outcome, ()) = tokio::join!(ask(&path, &Question::Status, &mut line), daemon);
        (outcome, lines)
    }

    const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    /// Whether the end of the connection or the last block was seen first was left to chance.
    #[tokio::test]
    async fn a_whole_answer_is_one_whoever_hangs_up_first() {
        for _ in 0..50 {
            let (outcome, lines) = answered(&format!("{HEAD}3\r\n{{}}\n\r\n3\r\n[]\n\r\n0\r\n\r\n")).await;
            assert!(outcome.is_ok(), "{outcome:?}");
            assert_eq!(lines, ["{}", "[]"]);
        }
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_an_error() {
        for said in [format!("{HEAD}3\r\n{{}}\n\r\n"), HEAD.to_owned(), String::new()] {
            let (outcome, _) = answered(&said).await;
            assert!(matches!(outcome, Err(ControlError::Broken(_))), "{said}: {outcome:?}");
        }
    }
}
