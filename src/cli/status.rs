//! `wirefold status`.

use super::{
    CliError, Exit, Out,
    args::StatusArgs,
    ask::ask_one,
    page::{INDENT, Page},
    paint::{Hue, Paint},
    render::{columns, to_the_minute},
};
use crate::{
    clock,
    config::Config,
    model::Time,
    query::{InboxStatus, Question, Status},
    service::counted,
};
use indicatif::{DecimalBytes, HumanDuration};
use std::time::Duration;

/// Tells how things stand.
pub(super) fn run(config: &Config, args: &StatusArgs) -> Result<Exit, CliError> {
    if args.json {
        return super::export::stream(config, &Question::Status);
    }
    let status = status(config)?;
    let mut out = Out::new();
    out.line(&told(&status, clock::now(), columns().into(), Paint::of_stdout()))?;
    out.flush()?;
    Ok(Exit::Done)
}

/// How things stand.
pub(super) fn status(config: &Config) -> Result<Status, CliError> {
    ask_one(config, &Question::Status)
}

/// How things stand, with both laws written out.
fn told(status: &Status, now: Time, columns: usize, paint: Paint) -> String {
    let mut page = Page::new(columns);
    let hue = if status.state == "running" { Hue::Green } else { Hue::Yellow };
    let since = status.since.map_or_else(String::new, |since| format!(" for {}", span(since, now)));
    let process = status.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    page.wrapped("", &format!("wirefold {} {}{since}{process}", status.version, status.state), 0);
    if let Some(first) = page.lines.first_mut() {
        *first = first.replacen(&status.state, &paint.on(hue, &status.state), 1);
    }
    let mut line = |label: &str, text: &str| page.wrapped(label, text, INDENT);
    line("data", &status.data_dir);
    line("files", &files(status));
    line("articles", &articles(status));
    let variants: Vec<String> =
        status.relations.iter().filter(|(_, n)| **n > 0).map(|(r, n)| format!("{n} {}", r.name())).collect();
    if !variants.is_empty() {
        line("variants", &variants.join(", "));
    }
    if status.articles.rejected > 0 {
        let rejected = status.articles.rejected;
        line("items", &format!("{rejected} could not be read; they are in failed/, each with its reason"));
    }
    let oldest = status.inboxes.iter().filter_map(|inbox| inbox.oldest).min();
    let oldest = oldest.map_or_else(String::new, |at| format!(", the oldest for {}", span(at, now)));
    line("backlog", &format!("{} waiting or under way{oldest}", counted(status.backlog, "file")));
    if let Some(rates) = status.rates {
        // What came before its start is not counted, and must not read as nothing.
        let runs = status.since.map_or(i64::MAX, |since| now.millis() - since.millis());
        let lately =
            |millis: i64, span: &'static str| if runs < millis { "since the daemon started" } else { span };
        let minute = lately(60_000, "in the last minute");
        let hour = lately(3_600_000, "in the last hour");
        let hour = if minute == hour { String::new() } else { format!(", {} {hour}", rates.last_hour) };
        line("rate", &format!("{} {minute}{hour}", counted(rates.last_minute, "article")));
    }
    let last = status.last_commit.map(|at| format!("{}, {} ago", to_the_minute(at), span(at, now)));
    line("commit", &last.unwrap_or_else(|| "nothing yet".to_owned()));
    if let Some(live) = status.index_articles {
        line("index", &format!("{} in the windows", counted(live as u64, "article")));
    }
    if let Some(memory) = status.memory_bytes {
        line("memory", &DecimalBytes(memory).to_string());
    }
    line("disk", &disk(status));
    for inbox in &status.inboxes {
        of_inbox(&mut page, inbox, now);
    }
    if !status.alarms.is_empty() {
        let records: Vec<String> = status.alarms.iter().map(ToString::to_string).collect();
        page.wrapped("alarm", &format!("grow suspiciously fast: {}", records.join(", ")), INDENT);
    }
    for notice in &status.notices {
        for (line, label) in notice.lines().zip(std::iter::once("notice").chain(std::iter::repeat(""))) {
            page.wrapped(label, line, INDENT);
        }
    }
    page.lines.join("\n")
}

fn files(status: &Status) -> String {
    let f = &status.files;
    format!(
        "{} received = {} accepted + {} partly + {} duplicate + {} failed + {} pending{}",
        f.received,
        f.accepted,
        f.partly,
        f.duplicate,
        f.failed,
        f.pending,
        law(f.add_up())
    )
}

fn articles(status: &Status) -> String {
    let a = &status.articles;
    let (variants, repeats) = (counted(a.variants, "variant"), counted(a.repeats, "repeat"));
    let sum = format!("{} canonical + {variants} + {repeats}", a.canonical);
    format!("{} = {sum}{}", counted(a.sightings, "sighting"), law(a.add_up()))
}

/// A law that does not hold is a defect that must be seen.
fn law(holds: bool) -> &'static str {
    if holds { "" } else { "  (DOES NOT ADD UP)" }
}

fn disk(status: &Status) -> String {
    let [journal, originals, view] =
        [status.journal_bytes, status.originals_bytes, status.view_bytes].map(DecimalBytes);
    let free = status.free_bytes.map_or_else(String::new, |free| format!("; {} free", DecimalBytes(free)));
    format!("journal {journal}, originals {originals}, view {view}{free}")
}

fn of_inbox(page: &mut Page, inbox: &InboxStatus, now: Time) {
    page.wrapped("inbox", &inbox.path, INDENT);
    let oldest = inbox.oldest.map_or_else(String::new, |at| format!(", the oldest for {}", span(at, now)));
    let lone = inbox.lone_marker.as_ref().map_or_else(String::new, |first| format!(", as {first}"));
    let counts = [
        (inbox.unmarked, "waits for its done-marker", "wait for their done-markers"),
        (
            inbox.lone_markers,
            &*format!("done-marker has had no file for long{lone}"),
            &format!("done-markers have had no file for long{lone}"),
        ),
        (inbox.unsettled, "keeps changing and is not read yet", "keep changing and are not read yet"),
        (
            inbox.refused,
            "could not be claimed and is tried again",
            "could not be claimed and are tried again",
        ),
        (inbox.found_by_scan, "was found by a scan alone", "were found by a scan alone"),
    ];
    let waiting = format!("{}; {} waiting{oldest}", inbox.watched, inbox.waiting);
    let said = counts.iter().filter(|(count, ..)| *count > 0);
    let said = said.fold(waiting, |said, (count, one, many)| {
        format!("{said}; {count} {}", if *count == 1 { one } else { many })
    });
    page.wrapped("", &said, INDENT);
    if !inbox.refused_paths.is_empty() {
        let more = inbox.refused.saturating_sub(inbox.refused_paths.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        page.wrapped("", &format!("not claimed: {}{more}", inbox.refused_paths.join(", ")), INDENT);
    }
    if let Some(trouble) = &inbox.trouble {
        page.wrapped("", &format!("trouble: {trouble}"), INDENT);
    }
}

/// How long it is from one moment to another, to its largest unit.
fn span(from: Time, to: Time) -> HumanDuration {
    HumanDuration(Duration::from_millis(u64::try_from(to.millis() - from.millis()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Rates;

    fn shown(status: &Status) -> String {
        told(status, Time::from_millis(7_200_000), 80, Paint(false))
    }

    /// A path comes escaped; to escape it once more doubles the backslash.
    #[test]
    fn an_inbox_is_shown_as_it_was_answered() {
        let inbox = InboxStatus { path: "/in/\\xff".to_owned(), ..InboxStatus::default() };
        let shown = shown(&Status { inboxes: vec![inbox], ..Status::default() });
        assert!(shown.contains("inbox     /in/\\xff\n"), "{shown}");
    }

    #[test]
    fn trouble_is_seen() {
        let inbox = InboxStatus {
            watched: "watched by scans only: no watches left".to_owned(),
            waiting: 3,
            oldest: Some(Time::from_millis(3_600_000)),
            unsettled: 2,
            unmarked: 1,
            refused: 40,
            refused_paths: vec!["a".to_owned(), "sub/b".to_owned()],
            found_by_scan: 4,
            trouble: Some("a: denied".to_owned()),
            ..InboxStatus::default()
        };
        let mut status = Status {
            state: "running".to_owned(),
            since: Some(Time::default()),
            inboxes: vec![inbox],
            rates: Some(Rates { last_minute: 1, last_hour: 2 }),
            ..Status::default()
        };
        status.files.received = 1;
        let shown = shown(&status);
        for said in [
            "running for 2 hours",
            "(DOES NOT ADD UP)",
            "waiting or under way, the oldest for 60 minutes",
            "1 article in the last minute, 2 in the last hour",
            "watched by scans only: no watches left; 3 waiting, the oldest for 60 minutes",
            "1 waits for its done-marker; 2 keep changing",
            "40 could not be claimed and are tried again",
            "not claimed: a, sub/b and 38 more",
            "4 were found by a scan alone",
            "trouble: a: denied",
        ] {
            let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(said), "{said} is not in\n{shown}");
        }
    }
}
