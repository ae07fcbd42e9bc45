//! The control socket: how the other commands ask a running daemon, because sled locks its directory.
//!
//! HTTP/1.1 over a Unix socket, so that `curl --unix-socket` works too: `POST /ask` with a [`Question`] as JSON
//! answers with lines of JSON. The same lines come from the store itself when no daemon runs. `POST /pin` with a
//! [`PinOrder`] answers with a [`PinAnswer`] once that is durable. `POST /requeue` with a
//! [`RequeueOrder`] answers with a line a file. `POST /ingest` takes what is streamed to it and tells
//! in lines what becomes of it meanwhile; what either means is for `service` to know. Only the owner and the group may
//! connect. `GET` of `/metrics`, `/healthz` and `/readyz` answers those who watch over the daemon, also on an address of
//! this machine where one is configured; there nothing can be asked or ordered. Called by `service` to listen and by
//! `cli` to ask.
//!
//! [`Question`]: crate::query::Question

mod client;
mod server;
mod watching;

pub use client::{Sending, ask, connect, pin, requeue, sending, stream};
pub use server::{Control, Live, Upload, listen, point_to, remove, serve};
pub use watching::{Health, Watched, listen_at, serve_watchers};

use crate::model::ArticleId;
use serde::{Deserialize, Serialize};
use std::{io, net::SocketAddr, path::PathBuf};

/// The path of the one question.
const ASK: &str = "/ask";
/// The path of an order.
const PIN: &str = "/pin";
/// The path of the other.
const REQUEUE: &str = "/requeue";
/// The path that is streamed to.
const INGEST: &str = "/ingest";

/// That files that were set aside are to go back into their inboxes, or are to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequeueOrder {
    /// Their paths or names; all where there is none.
    pub names: Vec<String>,
    /// The code of their reason, whatever it is where there is none.
    pub reason: Option<String>,
    /// Whether it is only to be told what could not be read, all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
}

/// That an article is to stay in its record, or may move again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinOrder {
    /// The article's id; it may be shortened to what is unique.
    pub id: String,
    /// Whether it is pinned from now on.
    pub pinned: bool,
}

/// What comes of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinAnswer {
    /// The article's whole id.
    pub id: ArticleId,
    /// Whether it was so already, and nothing was written.
    pub was_so: bool,
}

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
    /// The address for metrics cannot be had.
    #[error("cannot listen for metrics at {address}")]
    Address {
        /// The address.
        address: SocketAddr,
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
    #[error("the daemon is busy with others who ask")]
    Busy,
    /// The daemon can do nothing of what was asked for now.
    #[error("{0}")]
    NotNow(String),
    /// The daemon has no answer to the question.
    #[error("{message}")]
    Refused {
        /// Whether what was asked for does not exist, or is no id.
        not_found: bool,
        /// What it said.
        message: String,
    },
}
