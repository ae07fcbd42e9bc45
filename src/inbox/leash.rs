//! How a step that works on an inbox is held: it shows that it goes on, and hears when it is to end.
//!
//! What a step asks of a mount that is dead may never be answered. So each step runs on a thread of its own, and shows
//! here after every answer that it goes on; `watch` looks whether it does.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::time::Instant;

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
