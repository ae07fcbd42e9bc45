//! Waiting for what another process will do: every wait has a deadline, and says what it was for.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for a loaded machine; a test that needs it has failed.
pub const PATIENCE: Duration = Duration::from_secs(45);
/// How often something is looked at that cannot tell of itself.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something, or fails after `patience`, saying what was waited for.
pub fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "after {} s still not: {what}", patience.as_secs());
        pause(LOOK_EVERY);
    }
}

/// Lets time pass where the passing itself is what is tested.
pub fn pause(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
