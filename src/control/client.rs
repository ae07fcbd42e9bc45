//! The asking end of the socket.

use super::{ASK, ControlError};
use crate::query::Question;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use std::{io, path::Path};
use tokio::net::UnixStream;

/// Asks the daemon at `socket`, and gives the answer on line by line, until `line` says that nobody listens.
pub async fn ask(
    socket: &Path,
    question: &Question,
    line: &mut dyn FnMut(String) -> bool,
) -> Result<(), ControlError> {
    let broken = |e: &dyn std::error::Error| ControlError::Broken(e.to_string());
    let stream = connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
    let talk = async {
        let body = serde_json::to_vec(question).map_err(|e| broken(&e))?;
        let request = Request::post(ASK)
            .header(header::HOST, "wirefold")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| broken(&e))?;
        let mut response = sender.send_request(request).await.map_err(|e| broken(&e))?;
        if response.status() != StatusCode::OK {
            let not_found = response.status().is_client_error();
            let said = response.into_body().collect().await.map_err(|e| broken(&e))?.to_bytes();
            return Err(ControlError::Refused {
                not_found,
                message: String::from_utf8_lossy(&said).into_owned(),
            });
        }
        let mut rest = Vec::new();
        while let Some(frame) = response.frame().await {
            let Ok(block) = frame.map_err(|e| broken(&e))?.into_data() else { continue };
            rest.extend_from_slice(&block);
            if !give_lines(&mut rest, line)? {
                break;
            }
        }
        Ok(())
    };
    // The connection drives the talk; when the talk has ended it may go on alone no longer.
    tokio::select! {
        outcome = talk => outcome,
        ended = connection => ended.map_err(|e| broken(&e)).and(Err(ControlError::Broken("it hung up".to_owned()))),
    }
}

async fn connect(socket: &Path) -> Result<UnixStream, ControlError> {
    UnixStream::connect(socket).await.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ControlError::NotRunning { path: socket.to_owned() }
        }
        _ => ControlError::Socket { action: "connect to", path: socket.to_owned(), source },
    })
}

/// Gives on the whole lines of what has come so far, and keeps the rest.
fn give_lines(rest: &mut Vec<u8>, line: &mut dyn FnMut(String) -> bool) -> Result<bool, ControlError> {
    let Some(end) = rest.iter().rposition(|b| *b == b'\n') else { return Ok(true) };
    let after = rest.split_off(end + 1);
    let whole = std::mem::replace(rest, after);
    for text in whole.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let text = String::from_utf8(text.to_vec()).map_err(|e| ControlError::Broken(e.to_string()))?;
        if !line(text) {
            return Ok(false);
        }
    }
    Ok(true)
}
