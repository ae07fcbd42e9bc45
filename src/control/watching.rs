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
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

/// Connections at one time: each holds a task, and a thread while the figures are read. More watchers than that wait.
const CONNECTIONS_MAX: usize = 16;
/// How long one may take from its first byte to the last of its answer; a page takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a request may be: a scraper sends some hundred bytes. hyper takes no less than this.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// How long to wait after a connection could not be taken, as where too many files are open.
const RETRY_AFTER: Duration = Duration::from_secs(1);

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

/// Answers watchers until `stop` ends, a request a connection. Anybody on this machine may connect, so nobody may hold a
/// place for long.
pub async fn serve_watchers(listener: TcpListener, watched: Watched, stop: impl Future<Output = ()>) {
    serve_within(PATIENCE, listener, watched, stop).await;
}

async fn serve_within(
    patience: Duration,
    listener: TcpListener,
    watched: Watched,
    stop: impl Future<Output = ()>,
) {
    let (router, places) = (router(watched), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let (mut connections, mut stop) = (JoinSet::new(), pin!(stop));
    loop {
        let (stream, place) = select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection for metrics cannot be taken");
                    sleep(RETRY_AFTER).await;
                    continue;
                }
            },
        };
        let service = TowerToHyperService::new(router.clone());
        let mut http = http1::Builder::new();
        http.keep_alive(false).max_buf_size(REQUEST_BYTES_MAX);
        let served = http.serve_connection(TokioIo::new(stream), service);
        connections.spawn(async move {
            // One that is too slow, or speaks something else, is hung up on.
            drop(timeout(patience, served).await);
            drop(place);
        });
    }
    // What is being answered has a while left; who started all this ends what has not ended then.
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    Ok((listener.accept().await?.0, place))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// What comes back on a connection until the other end hangs up.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut said = Vec::new();
        // To be hung up on in the middle of a sentence may read as an error.
        stream.read_to_end(&mut said).await.ok();
        String::from_utf8_lossy(&said).into_owned()
    }

    async fn asked(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.ok();
        answer(&mut stream).await
    }

    /// A connection that said nothing was kept for ever, and so were as many as somebody liked to make.
    #[tokio::test]
    async fn nobody_on_the_machine_can_hold_the_address() {
        let watched = Watched { metrics: Arc::new(|| "a 1\n".to_owned()), health: Arc::new(Health::default) };
        let listener = listen_at(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = serve_within(Duration::from_millis(300), listener, watched, pending());
        let asking = async {
            let mut silent = Vec::new();
            for _ in 0..CONNECTIONS_MAX {
                silent.push(TcpStream::connect(address).await.unwrap());
            }
            silent[0].write_all(b"GET /metrics HTTP/1.1\r\nhost:").await.unwrap();
            let said = asked(address, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
            assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("a 1\n"), "{said}");
            for stream in &mut silent {
                assert_eq!(answer(stream).await, "");
            }
            let long = format!(
                "GET /metrics HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
                "y".repeat(2 * REQUEST_BYTES_MAX)
            );
            let said = asked(address, &long).await;
            assert!(!said.contains("200 OK"), "{said}");
        };
        let patience = Duration::from_secs(30);
        select! {
            () = serving => panic!("it ended"),
            asked = timeout(patience, asking) => asked.unwrap(),
        }
    }
}
