//! The one place that reads the wall clock. Everything else is handed a [`Time`], so that what is decided
//! depends on what arrived and not on when a function happened to run.

use crate::model::Time;

/// The time now, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "this is the one clock that the others are told to use")]
pub fn now() -> Time {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
