//! What systemd is told, where it listens: that the daemon is ready, reloads or stops, how it stands, and that it lives.
//!
//! The sign of life is tied to the work: it is left out while any stage, the writer too, has been at one piece of work
//! for longer than it may, so that systemd ends a process that hangs and starts it again. Nothing is lost by that.

use super::{ServiceError, known::Known};
use sd_notify::NotifyState;
use std::{
    env,
    ffi::OsStr,
    future::Future,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::Arc,
    time::Duration,
};
use tokio::{
    select,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// How often systemd is told how things stand, where it asks for no sign of life more often.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a stage may be at one piece of work where systemd sets no other measure: a disk that stalls recovers
/// sooner, and what takes long by its nature shows that it goes on.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a message may wait to be taken in, and how often it is tried.
const TELLING_PATIENCE: Duration = Duration::from_secs(2);
const TRY_EVERY: Duration = Duration::from_millis(20);

/// How often systemd is told, and how long a stage may be at one piece of work before it is no longer told that all is
/// well: half of the time that systemd waits for a sign, which is given three times in it.
pub(super) struct Rhythm {
    pub every: Duration,
    pub patience: Duration,
}

impl Rhythm {
    pub fn of_the_environment() -> Self {
        match sd_notify::watchdog_enabled() {
            Some(watchdog) => Self { every: (watchdog / 3).min(TELL_EVERY), patience: watchdog / 2 },
            None => Self { every: TELL_EVERY, patience: PATIENCE },
        }
    }
}

/// Says how things stand, and that it lives where it does, until `stop` ends.
pub(super) async fn beat(
    known: Arc<Known>,
    every: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), ServiceError> {
    let mut ticks = interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut stop, mut told) = (std::pin::pin!(stop), String::new());
    loop {
        select! {
            () = &mut stop => return Ok(()),
            _ = ticks.tick() => {}
        }
        let sentence = known.sentence();
        if sentence != told {
            tell(&[status(&sentence)]).await;
            told = sentence;
        }
        if known.health().not_alive.is_empty() {
            tell(&["WATCHDOG=1".to_owned()]).await;
        }
    }
}

/// The inboxes are armed and the socket listens; after a reload, again.
pub(super) async fn ready(known: &Known) {
    tell(&["READY=1".to_owned(), status(&known.sentence())]).await;
}

/// The configuration is read again. systemd wants to know by its own clock since when, in the same message.
pub(super) async fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(NotifyState::MonotonicUsec(now)) => {
            let said = status("reading the configuration again");
            tell(&["RELOADING=1".to_owned(), format!("MONOTONIC_USEC={now}"), said]).await;
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "systemd cannot be told of a reload"),
    }
}

/// What is under way is finished, and then it ends.
pub(super) async fn stopping() {
    tell(&["STOPPING=1".to_owned(), status("stopping; what is under way is finished first")]).await;
}

/// How things stand. A line end would end the message.
fn status(sentence: &str) -> String {
    format!("STATUS={}", sentence.lines().map(str::trim).collect::<Vec<_>>().join("; "))
}

/// Says all of this in one message, where somebody listens.
async fn tell(states: &[String]) {
    if let Some(address) = env::var_os("NOTIFY_SOCKET") {
        tell_at(&address, states).await;
    }
}

/// A message is a datagram and is sent from here, not from a thread that others may hold: a sign of life must not wait
/// behind work. Who listens may be slow to read, which holds up nothing but what is said next.
async fn tell_at(address: &OsStr, states: &[String]) {
    let message = states.join("\n");
    let told = async {
        loop {
            match send(address, message.as_bytes()) {
                Err(full) if full.kind() == io::ErrorKind::WouldBlock => sleep(TRY_EVERY).await,
                sent => return sent,
            }
        }
    };
    match timeout(TELLING_PATIENCE, told).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "systemd cannot be told how things stand"),
        Err(_) => tracing::warn!("systemd does not take in how things stand"),
    }
}

/// An address is a path, or behind an `@` a name that has none.
fn send(address: &OsStr, message: &[u8]) -> io::Result<()> {
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message, &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{runtime::Builder, task::spawn_blocking};

    /// Blocked threads held up the signs of life of a daemon that was well.
    #[test]
    fn a_sign_of_life_needs_no_thread() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let listeners = [
            (path.clone().into_os_string(), SocketAddr::from_pathname(&path).unwrap()),
            ("@wirefold-test".into(), SocketAddr::from_abstract_name("wirefold-test").unwrap()),
        ];
        let runtime = Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap();
        let (free, held) = std::sync::mpsc::channel::<()>();
        runtime.block_on(async {
            drop(spawn_blocking(move || held.recv()));
            for (address, at) in listeners {
                let socket = UnixDatagram::bind_addr(&at).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                tell_at(&address, &["WATCHDOG=1".to_owned(), "STATUS=x".to_owned()]).await;
                let mut heard = [0; 64];
                let length = socket.recv(&mut heard).unwrap();
                assert_eq!(&heard[..length], b"WATCHDOG=1\nSTATUS=x");
            }
        });
        drop(free);
    }

    /// Nobody reads: once the queue is full the message is given up, and nothing hangs.
    #[tokio::test(start_paused = true)]
    async fn who_does_not_listen_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        while send(path.as_os_str(), b"x").is_ok() {}
        tell_at(path.as_os_str(), &["x".to_owned()]).await;
    }
}
