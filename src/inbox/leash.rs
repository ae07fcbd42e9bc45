//! How a step that works on an inbox is held: it shows that it goes on, and hears when it is to end.
//!
//! What a step asks of a mount that is dead may never be answered. So each step runs on a thread of its own, and shows
//! here after every answer that it goes on; `watch` looks whether it does, and so does whoever asks by [`answered`].

use super::InboxError;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::time::Instant;

/// What comes of asking something of an inbox; nothing where that does not go on for so long. Who asks is left waiting then,
/// and is to do nothing more that can still be left undone: `goes_on`, to be called between any two steps, says so.
pub fn answered<T: Send + 'static>(
    patience: Duration,
    ask: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> Result<Option<T>, InboxError> {
    let (answer, answers) = sync_channel(1);
    let leash = Arc::new(Leash::new());
    let held = Arc::clone(&leash);
    let asking = move || answer.send(ask(&|| held.goes_on())).ok();
    let asking = thread::Builder::new().name("asking".to_owned()).spawn(asking);
    asking.map_err(InboxError::io("start a thread for", "asking"))?;
    loop {
        let left = (leash.seen() + patience).saturating_duration_since(Instant::now());
        match answers.recv_timeout(left) {
            Ok(answer) => return Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) if leash.seen().elapsed() < patience => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                leash.pull();
                return Ok(None);
            }
        }
    }
}

/// Shared by a step and by whoever waits for it.
#[derive(Debug)]
pub(super) struct Leash {
    is_pulled: AtomicBool,
    seen: Mutex<Instant>,
}

impl Leash {
    pub(super) fn new() -> Self {
        Self { is_pulled: AtomicBool::new(false), seen: Mutex::new(Instant::now()) }
    }

    /// Shows that the step goes on; false where it is to end.
    pub(super) fn goes_on(&self) -> bool {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        !self.is_pulled()
    }

    /// When the step was last seen to go on.
    pub(super) fn seen(&self) -> Instant {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the step at its next entry.
    pub(super) fn pull(&self) {
        self.is_pulled.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_pulled(&self) -> bool {
        self.is_pulled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_go_on_is_waited_for_so_long() {
        assert_eq!(answered(Duration::from_mins(1), |_| 7).unwrap(), Some(7));
        let ((back, gone), (heard, hears)) = (sync_channel::<u8>(0), sync_channel(1));
        let ask = move |goes_on: &dyn Fn() -> bool| {
            gone.recv().ok();
            heard.send(goes_on()).ok();
        };
        assert_eq!(answered(Duration::from_millis(20), ask).unwrap(), None);
        drop(back);
        assert!(!hears.recv().unwrap(), "it hears that nobody waits any more");
    }

    /// A large file that is copied from one mount to another takes as long as it takes.
    #[test]
    fn what_goes_on_may_take_longer() {
        let patience = Duration::from_millis(40);
        let ask = move |goes_on: &dyn Fn() -> bool| {
            let began = Instant::now();
            while began.elapsed() < 4 * patience && goes_on() {
                thread::yield_now();
            }
            began.elapsed() >= 4 * patience
        };
        assert_eq!(answered(patience, ask).unwrap(), Some(true));
    }
}
