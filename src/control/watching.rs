//! What those who watch over the daemon are answered: figures, whether it is alive, whether it is ready.
//!
//! The same on the control socket and, where it is configured, on an address of this machine. Nothing here changes or
//! tells of any article.

use super::ControlError;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{future::Future, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::spawn_blocking};

/// What Prometheus calls its text form.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is told to watchers; each part may block.
#[derive(Clone)]
pub struct Watched {
    /// The figures, as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// How it stands.
    pub health: Arc<dyn Fn() -> Health + Send + Sync>,
}

/// How the daemon stands: each list holds the reasons why it does not well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why it should be started anew; none where it works.
    pub not_alive: Vec<String>,
    /// Why what is dropped would not be taken in now; none where it would.
    pub not_ready: Vec<String>,
}

/// Listens at an address of this machine.
pub async fn listen_at(address: SocketAddr) -> Result<TcpListener, ControlError> {
    TcpListener::bind(address).await.map_err(|source| ControlError::Address { address, source })
}

/// Answers watchers until `stop` ends.
pub async fn serve_watchers(
    listener: TcpListener,
    watched: Watched,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ControlError> {
    let served = axum::serve(listener, router(watched)).with_graceful_shutdown(stop).await;
    served.map_err(|e| ControlError::Broken(e.to_string()))
}

pub(super) fn router(watched: Watched) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async |State(w): State<Watched>| health(w, |h| h.not_alive).await))
        .route("/readyz", get(async |State(w): State<Watched>| health(w, |h| h.not_ready).await))
        .with_state(watched)
}

async fn metrics(State(watched): State<Watched>) -> Response {
    match spawn_blocking(move || (watched.metrics)()).await {
        Ok(text) => ([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], text).into_response(),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
    }
}

/// `ok`, or the reasons why not, a line each.
async fn health(watched: Watched, reasons: fn(Health) -> Vec<String>) -> Response {
    match spawn_blocking(move || reasons((watched.health)())).await {
        Ok(reasons) if reasons.is_empty() => "ok\n".into_response(),
        Ok(reasons) => (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response(),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
    }
}
