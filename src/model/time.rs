//! A moment in time: milliseconds since 1970, UTC, written as RFC 3339 to the second.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A moment, to the millisecond. On disk and in answers it is RFC 3339 in UTC with whole seconds, so a
/// time that has been through the journal has lost its milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This moment cut to its whole second, which is what the journal keeps.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// This moment moved back by a number of whole days.
    #[must_use]
    pub const fn days_before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(MILLIS_PER_DAY.saturating_mul(days as i64)))
    }

    /// The distance to another moment in days, never negative.
    #[expect(clippy::cast_precision_loss, reason = "a distance in milliseconds is far below 2^52")]
    pub fn days_apart(self, other: Self) -> f64 {
        self.0.abs_diff(other.0) as f64 / MILLIS_PER_DAY as f64
    }

    /// The calendar day in UTC, as `2026-11-22`.
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0.div_euclid(1000)) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => f.write_str("(time out of range)"),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { to.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return i64::deserialize(from).map(Self);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let stamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(stamp.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_to_the_second() {
        let time = Time::from_millis(1_795_305_600_999);
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-11-22T00:00:00Z\"");
        let back: Time = serde_json::from_str("\"2026-11-22T00:00:00Z\"").unwrap();
        assert_eq!(back, time.whole_second());
        assert_eq!(time.day(), "2026-11-22");
    }

    #[test]
    fn days_are_a_distance() {
        let late = Time::from_millis(3 * MILLIS_PER_DAY / 2);
        assert!((Time::from_millis(0).days_apart(late) - 1.5).abs() < 1e-12);
        assert!((late.days_apart(Time::from_millis(0)) - 1.5).abs() < 1e-12);
    }
}
