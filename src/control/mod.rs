//! The control socket: how the other commands ask a running daemon, because sled locks its directory.
//!
//! HTTP/1.1 over a Unix socket, so that `curl --unix-socket` works too: `POST /ask` with a [`Question`] as JSON
//! answers with lines of JSON. The same lines come from the store itself when no daemon runs. Only the owner and
//! the group may connect. Called by `service` to listen and by `cli` to ask.
//!
//! [`Question`]: crate::query::Question

mod client;
mod server;

pub use client::ask;
pub use server::{Control, listen, remove, serve};

use std::{io, path::PathBuf};

/// The path of the one question.
const ASK: &str = "/ask";

/// Why the daemon cannot be asked, or cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens there.
    #[error("no daemon listens at {path}")]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// The socket cannot be made or reached.
    #[error("cannot {action} the control socket {path}")]
    Socket {
        /// What was tried.
        action: &'static str,
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It listens and does not answer.
    #[error("the daemon does not answer; it may be stopped or stuck")]
    Silent,
    /// The conversation broke off.
    #[error("the daemon broke off its answer: {0}")]
    Broken(String),
    /// The daemon answers as many as it can.
    #[error("the daemon is busy with other questions")]
    Busy,
    /// The daemon has no answer to the question.
    #[error("{message}")]
    Refused {
        /// Whether what was asked for does not exist, or is no id.
        not_found: bool,
        /// What it said.
        message: String,
    },
}
