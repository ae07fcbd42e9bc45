//! The ways in which publishers write a time, read to a [`Time`]. Called by the formats.

use crate::model::Time;
use jiff::{Timestamp, civil, fmt::rfc2822, tz::TimeZone};

/// From 1973 on, so many seconds have nine digits or more; a number of fewer digits is no time.
const UNIX_DIGITS_MIN: usize = 9;
/// Seconds have no more digits than this until the year 5138; a longer number counts milliseconds.
const UNIX_DIGITS_MAX: usize = 11;

/// Reads a time: RFC 3339, ISO 8601 with or without a zone, a date alone, RFC 2822, Unix seconds or milliseconds,
/// and the newswires' `26-FEB-1987 15:02:20.00`.
///
/// Without a zone it is taken for UTC. A date alone is noon UTC, which is within half a day of the truth everywhere.
/// It is cut to its whole second: the journal keeps no more, and a replay must decide on the same time.
pub fn parse_time(text: &str) -> Option<Time> {
    let text = text.trim();
    let stamp = unix(text)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| text.replacen(" +", "+", 1).replacen(" -", "-", 1).parse::<Timestamp>().ok())
        .or_else(|| zoneless(text))
        .or_else(|| rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok())
        .or_else(|| newswire(text))?;
    Some(Time::from_millis(stamp.as_millisecond()).whole_second())
}

fn unix(text: &str) -> Option<Timestamp> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if whole.len() < UNIX_DIGITS_MIN || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = whole.parse().ok()?;
    match whole.len() {
        ..=UNIX_DIGITS_MAX => Timestamp::from_second(number).ok(),
        // Fourteen digits from 19 or 20 on are a date and a time, not a year beyond 2600 in milliseconds.
        14 if whole.starts_with("19") || whole.starts_with("20") => {
            civil::DateTime::strptime("%Y%m%d%H%M%S", whole).ok().and_then(utc)
        }
        _ => Timestamp::from_millisecond(number).ok(),
    }
}

fn zoneless(text: &str) -> Option<Timestamp> {
    let text = ["UTC", "GMT"].iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(text).trim_end();
    if text.len() <= "2026-11-22".len()
        && let Ok(date) = text.parse::<civil::Date>()
    {
        return utc(date.at(12, 0, 0, 0));
    }
    text.parse::<civil::DateTime>().ok().and_then(utc)
}

fn newswire(text: &str) -> Option<Timestamp> {
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    civil::DateTime::strptime("%d-%b-%Y %H:%M:%S", text).ok().and_then(utc)
}

/// Reads the time of a text wire's trailer: day, hour and minute, month and year, as in `220930 GMT Nov 26`; or month, day
/// and year, hour and minute, as in `HN-PT-11-22-26 0930GMT<`.
pub(super) fn parse_wire_time(trailer: &str) -> Option<Time> {
    let trailer = trailer.lines().map(str::trim).find(|line| !line.is_empty())?.trim_end_matches('<');
    let european = || civil::DateTime::strptime("%d%H%M GMT %b %y", trailer).ok();
    let american = || {
        let numbers: Vec<&str> = trailer.trim_end_matches("GMT").rsplitn(4, '-').collect();
        let [year_and_time, day, month, _] = numbers.as_slice() else { return None };
        civil::DateTime::strptime("%m-%d-%y %H%M", format!("{month}-{day}-{year_and_time}")).ok()
    };
    let at = european().or_else(american).and_then(utc)?;
    Some(Time::from_millis(at.as_millisecond()))
}

fn utc(at: civil::DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse_time(text).map(|t| t.to_string())
    }

    #[test]
    fn reads_what_publishers_write() {
        for (text, time) in [
            ("2026-11-22T01:02:03Z", "2026-11-22T01:02:03Z"),
            (" 2026-11-22T01:02:03.250+02:00 ", "2026-11-21T23:02:03Z"),
            ("2026-11-22 01:02:03+0200", "2026-11-21T23:02:03Z"),
            ("2026-11-22T01:02:03", "2026-11-22T01:02:03Z"),
            ("2026-11-22 01:02", "2026-11-22T01:02:00Z"),
            ("2026-11-22 01:02:03 UTC", "2026-11-22T01:02:03Z"),
            ("2026-11-22", "2026-11-22T12:00:00Z"),
            ("20261122", "2026-11-22T12:00:00Z"),
            ("20261122T010203Z", "2026-11-22T01:02:03Z"),
            ("20261122010203", "2026-11-22T01:02:03Z"),
            ("Sun, 22 Nov 2026 01:02:03 +0100", "2026-11-22T00:02:03Z"),
            ("Mon, 22 Nov 2026 01:02:03 GMT", "2026-11-22T01:02:03Z"),
            ("20261122T010203+0000", "2026-11-22T01:02:03Z"),
            ("20261122T010203+0100", "2026-11-22T00:02:03Z"),
            ("2026-11-22T01:02+01:00", "2026-11-22T00:02:00Z"),
            ("2026-11-22T01:02:03 +0100", "2026-11-22T00:02:03Z"),
            ("22 Nov 2026 01:02:03 EST", "2026-11-22T06:02:03Z"),
            ("Sun, 22 Nov 26 01:02 GMT", "2026-11-22T01:02:00Z"),
            ("26-FEB-1987 15:02:20.00", "1987-02-26T15:02:20Z"),
            (" 1-APR-1987 01:15:39.19", "1987-04-01T01:15:39Z"),
            ("1795309323", "2026-11-22T01:02:03Z"),
            ("1795309323000", "2026-11-22T01:02:03Z"),
            ("1795309323.5", "2026-11-22T01:02:03Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn the_trailers_of_text_wires_are_read() {
        let read = |text| parse_wire_time(text).map(|t| t.to_string());
        for trailer in ["220930 GMT Nov 26", "HN-PT-11-22-26 0930GMT<", "\nHN-11-22-26 0930GMT\nend"] {
            assert_eq!(read(trailer).as_deref(), Some("2026-11-22T09:30:00Z"), "{trailer}");
        }
        assert_eq!((read(""), read("990930 GMT Nov 26"), read("a-b-c")), (None, None, None));
    }

    #[test]
    fn a_time_is_what_the_journal_keeps_of_it() {
        for text in ["2026-11-22T01:02:03.999Z", "1795309323999", "2026-11-22 01:02:03.25"] {
            let time = parse_time(text).unwrap();
            let kept: Time = serde_json::from_str(&serde_json::to_string(&time).unwrap()).unwrap();
            assert_eq!(time, kept, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2026",
            "12:30",
            "2026-13-01",
            "99999999999999999999",
            "32-FEB-1987 15:02:20.00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
