//! What systemd is told, where it listens: that the daemon is ready, reloads or stops, how it stands, and that it lives.
//!
//! The sign of life is tied to the work: it is left out while any stage, the writer too, has been at one piece of work
//! for longer than it may, so that systemd ends a process that hangs and starts it again. Nothing is lost by that.

use super::{ServiceError, known::Known};
use sd_notify::NotifyState;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    select,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, timeout},
};

/// How often systemd is told how things stand, where it asks for no sign of life more often.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a stage may be at one piece of work where systemd sets no other measure: a disk that stalls recovers
/// sooner, and what takes long by its nature shows that it goes on.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a message may wait to be taken in.
const TELLING_PATIENCE: Duration = Duration::from_secs(2);

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
            tell(vec![status(&sentence)]).await;
            told = sentence;
        }
        if known.health().not_alive.is_empty() {
            tell(vec!["WATCHDOG=1".to_owned()]).await;
        }
    }
}

/// The inboxes are armed and the socket listens; after a reload, again.
pub(super) async fn ready(known: &Known) {
    tell(vec!["READY=1".to_owned(), status(&known.sentence())]).await;
}

/// The configuration is read again. systemd wants to know by its own clock since when, in the same message.
pub(super) async fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(NotifyState::MonotonicUsec(now)) => {
            let states = ["RELOADING=1".to_owned(), format!("MONOTONIC_USEC={now}")];
            tell(states.into_iter().chain([status("reading the configuration again")]).collect()).await;
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "systemd cannot be told of a reload"),
    }
}

/// What is under way is finished, and then it ends.
pub(super) async fn stopping() {
    tell(vec!["STOPPING=1".to_owned(), status("stopping; what is under way is finished first")]).await;
}

/// How things stand. A line end would end the message.
fn status(sentence: &str) -> String {
    format!("STATUS={}", sentence.lines().map(str::trim).collect::<Vec<_>>().join("; "))
}

/// Says all of this in one message. Who listens may be slow to read, which must hold up nothing but what is said next.
async fn tell(states: Vec<String>) {
    let telling = spawn_blocking(move || {
        let states: Vec<_> = states.iter().map(|state| NotifyState::Custom(state)).collect();
        sd_notify::notify(&states)
    });
    match timeout(TELLING_PATIENCE, telling).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "systemd cannot be told how things stand"),
        Ok(Err(_)) | Err(_) => tracing::warn!("systemd does not take in how things stand"),
    }
}
