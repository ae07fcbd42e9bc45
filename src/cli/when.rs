//! Moments as people type them: a date, a time, or a span before now. All are UTC, as everything that is printed.

use crate::model::Time;
use jiff::{Span, Timestamp, Zoned, civil, tz::TimeZone};

const FORMS: &str = "give a date (2026-11-22), a time (2026-11-22T09:30, 09:30) or a span (45m, 2h, 3d, 1w)";

/// The moment from which on; a date means its beginning.
pub(super) fn since(typed: &str, now: Time) -> Result<Time, String> {
    let typed = typed.trim();
    if let Ok(stamp) = typed.parse::<Timestamp>() {
        return Ok(Time::from_millis(stamp.as_millisecond()));
    }
    if let Ok(date) = typed.parse::<civil::DateTime>() {
        return at(date);
    }
    let now = Timestamp::from_millisecond(now.millis()).map_err(|e| e.to_string())?.to_zoned(TimeZone::UTC);
    if let Ok(time) = typed.parse::<civil::Time>() {
        return at(now.date().to_datetime(time));
    }
    let before = typed.parse::<Span>().ok().filter(|span| span.is_positive());
    let moment = before.and_then(|span| now.checked_sub(span).ok());
    moment.as_ref().map(of_zoned).ok_or_else(|| FORMS.to_owned())
}

/// The moment up to which; a date means its end.
pub(super) fn until(typed: &str, now: Time) -> Result<Time, String> {
    match typed.trim().parse::<civil::Date>() {
        Ok(day) if !typed.contains(':') => {
            at(day.tomorrow().map_err(|e| e.to_string())?.to_datetime(civil::Time::midnight()))
        }
        _ => since(typed, now),
    }
}

fn at(moment: civil::DateTime) -> Result<Time, String> {
    moment.to_zoned(TimeZone::UTC).map(|moment| of_zoned(&moment)).map_err(|e| e.to_string())
}

fn of_zoned(moment: &Zoned) -> Time {
    Time::from_millis(moment.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(typed: &str) -> String {
        let now = Time::from_millis(1_795_255_200_000);
        assert_eq!(now.to_string(), "2026-11-21T10:00:00Z");
        let [since, until] = [since(typed, now), until(typed, now)];
        let [since, until] = [since, until].map(|told| told.map_or_else(|why| why, |time| time.to_string()));
        if since == until { since } else { format!("{since} to {until}") }
    }

    #[test]
    fn moments_are_read_as_people_type_them() {
        assert_eq!(told("2h"), "2026-11-21T08:00:00Z");
        assert_eq!(told("90m"), "2026-11-21T08:30:00Z");
        assert_eq!(told("3d"), "2026-11-18T10:00:00Z");
        assert_eq!(told("1w 2h"), "2026-11-14T08:00:00Z");
        assert_eq!(told("2026-11-20"), "2026-11-20T00:00:00Z to 2026-11-21T00:00:00Z");
        assert_eq!(told("2026-11-20T09:30"), "2026-11-20T09:30:00Z");
        assert_eq!(told("2026-11-20 09:30:05"), "2026-11-20T09:30:05Z");
        assert_eq!(told("2026-11-20T09:30:00+02:00"), "2026-11-20T07:30:00Z");
        assert_eq!(told("09:30"), "2026-11-21T09:30:00Z");
        for wrong in ["", "soon", "2", "-2h", "2026-13-01", "5 parsecs"] {
            assert_eq!(told(wrong), FORMS, "{wrong}");
        }
    }
}
