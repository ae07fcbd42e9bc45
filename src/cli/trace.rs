//! `wirefold trace`.

use super::{
    CliError, Exit, Out,
    args::TraceArgs,
    ask::{ask_each, ask_one},
    page::Page,
    paint::{Hue, Paint},
    render::{columns, one_line, short_id},
};
use crate::{
    config::Config,
    inbox::{Lying, Reach, answered, display_path, set_aside_in, shown_path, waiting_as, what_keeps},
    model::Outcome,
    query::{QueryError, Question, Status, StepName, TraceAnswer, TraceStep},
    service::{ServiceError, counted},
    store::user_name,
};
use indicatif::DecimalBytes;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where what is said of a time begins.
const INDENT: usize = 22;
/// The same below its label.
const INDENT_BELOW: usize = 4;
/// Of the articles of one file so many are told; `--json` tells all.
const ITEMS_SHOWN: usize = 20;

/// Tells the stories of the files that are meant.
pub(super) fn run(config: &Config, args: &TraceArgs) -> Result<Exit, CliError> {
    let mut stories = Vec::<TraceAnswer>::new();
    let question = Question::Trace { what: args.what.clone() };
    match ask_each(config, &question, |story| stories.push(story)) {
        // A file may wait where nothing has been taken in yet.
        Ok(()) | Err(CliError::NoData(_)) => {}
        Err(error) => return Err(error),
    }
    let unseen = look_around(config, &args.what, &mut stories);
    if stories.iter().any(|story| story.outcome.is_none()) {
        // Where there is no data yet, no daemon has been there either.
        let status = ask_one::<Status>(config, &Question::Status).ok().filter(|status| status.pid.is_some());
        for story in stories.iter_mut().filter(|story| story.outcome.is_none()) {
            story.waits_for = Some(waits_for(config, status.as_ref(), story)?);
        }
    }
    if stories.is_empty() {
        return Err(QueryError::NoStory { what: args.what.clone(), unseen }.into());
    }
    let mut out = Out::new();
    for (at, story) in stories.iter().enumerate() {
        let text = if args.json {
            serde_json::to_string(story)?
        } else {
            told(story, columns().into(), Paint::of_stdout())
        };
        let parted = if args.json || at == 0 { "" } else { "\n" };
        if !out.line(&format!("{parted}{text}"))? {
            break;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Adds where each file lies now, and those files that the journal knows nothing of yet. Returns what could not be looked at,
/// each as a sentence. An inbox is gone through whole only where nothing is known of such a file yet.
fn look_around(config: &Config, what: &str, stories: &mut Vec<TraceAnswer>) -> Vec<String> {
    let (mut failed, mut unseen) = (set_aside_in(&config.failed_dir()), Vec::new());
    let reach = if stories.is_empty() { Reach::Everywhere } else { Reach::Path };
    let settings = config.inbox_settings();
    for root in settings.inboxes {
        let inbox = display_path(&root.path);
        let asked = shown_path(what);
        let looked = answered(settings.patience, move |goes_on| {
            let around = waiting_as(&root.path, &asked, reach, goes_on);
            (around, set_aside_in(&root.path.join(".wirefold/failed")))
        });
        let Ok(Some((around, near))) = looked else {
            unseen.push(format!("the inbox {inbox} does not answer"));
            continue;
        };
        let cannot =
            |(path, why): (PathBuf, _)| format!("{} cannot be looked into: {why}", display_path(&path));
        unseen.extend(around.unseen.into_iter().map(cannot));
        for Lying { arrival, name, path, bytes } in around.found {
            let known = stories.iter_mut().find(|story| story.arrival.is_some() && story.arrival == arrival);
            let lies_at = display_path(&path);
            match known {
                Some(story) => story.lies_at.push(lies_at),
                None => stories.push(TraceAnswer {
                    arrival,
                    path: display_path(&name),
                    inbox: Some(inbox.clone()),
                    bytes,
                    lies_at: vec![lies_at],
                    ..TraceAnswer::default()
                }),
            }
        }
        failed.extend(near);
    }
    for story in stories {
        let aside = failed.iter().filter(|aside| Some(aside.arrival) == story.arrival);
        story.lies_at.extend(aside.map(|aside| display_path(&aside.path)));
        if let Some(original) = &story.original {
            let pack = config.data_dir.join("originals").join(&original.pack);
            let is_there = pack.try_exists();
            story.original_gone = matches!(is_there, Ok(false));
            story.lies_at.extend(is_there.is_ok_and(|there| there).then(|| display_path(&pack)));
        }
    }
    unseen
}

/// What a file that has not ended waits for: what the daemon says of it comes before what can be seen from here.
fn waits_for(config: &Config, daemon: Option<&Status>, story: &TraceAnswer) -> Result<String, CliError> {
    let is_of_it = |said: &&String| story.lies_at.iter().any(|path| names(said, path));
    if let Some(notice) = daemon.and_then(|status| status.notices.iter().find(is_of_it)) {
        return Ok(notice.clone());
    }
    if story.arrival.is_some() {
        return Ok(under_way(daemon));
    }
    let inbox =
        daemon.and_then(|status| status.inboxes.iter().find(|told| Some(&told.path) == story.inbox.as_ref()));
    if let Some(told) = inbox {
        if told.silent_since.is_some() || told.watched.starts_with("cannot") {
            return Ok(format!("it waits in its inbox, which {}", told.watched));
        }
        if let Some(trouble) = told.trouble.as_ref().filter(is_of_it) {
            return Ok(format!(
                "it waits in its inbox, and is tried again: {trouble}{}",
                rights(daemon, story)
            ));
        }
        if told.refused_paths.contains(&story.path) {
            let said = "it waits in its inbox, and is tried again: the daemon could not take it";
            return Ok(format!("{said}{}", rights(daemon, story)));
        }
    }
    let root = config
        .inbox_settings()
        .inboxes
        .into_iter()
        .find(|root| Some(display_path(&root.path)) == story.inbox);
    let kept = root.map(|root| what_keeps(&root, &shown_path(&story.path))).transpose();
    let kept = kept.map_err(ServiceError::from)?.flatten();
    Ok(match (kept, daemon) {
        (Some(kept), _) => format!("it stays in its inbox: {kept}"),
        (None, Some(_)) => "it waits in its inbox and is taken once it is still".to_owned(),
        (None, None) => "it waits in its inbox for a daemon that takes it".to_owned(),
    })
}

/// Whose a file is that the daemon may not read or move, and what mends that; nothing where its rights are not at fault.
fn rights(daemon: Option<&Status>, story: &TraceAnswer) -> String {
    let told = || {
        let path = Path::new(story.lies_at.first()?);
        let runs_as = fs::metadata(format!("/proc/{}", daemon?.pid?)).ok()?.uid();
        let (file, folder) = (fs::symlink_metadata(path).ok()?, path.parent()?);
        let is_own = |found: &fs::Metadata| found.uid() == runs_as;
        let lacks = |found: &fs::Metadata, rights: u32| {
            let rights = if is_own(found) { rights << 6 } else { rights };
            found.mode() & rights != rights
        };
        let (what, about, at, rights) = if lacks(&file, 0o4) {
            ("it", file, path, "r")
        } else {
            let about = fs::metadata(folder).ok().filter(|about| lacks(about, 0o3))?;
            ("its folder", about, folder, "wx")
        };
        let (owner, mode, user) = (user_name(about.uid()), about.mode() & 0o7777, user_name(runs_as));
        let (who, whose_group) = if is_own(&about) {
            ("u", "")
        } else {
            ("g", " where its group is one of the daemon's, else chgrp it first")
        };
        let mend = format!("'chmod {who}+{rights} {}'{whose_group}", display_path(at));
        Some(format!("; {what} belongs to {owner}, mode {mode:04o}, and the daemon runs as {user}: {mend}"))
    };
    told().unwrap_or_default()
}

/// What is said of a file that is claimed and has not ended.
fn under_way(daemon: Option<&Status>) -> String {
    let Some(status) = daemon else { return "under way; a daemon that starts goes on with it".to_owned() };
    let paused = status.notices.iter().find(|said| said.contains("is paused"));
    paused.map_or_else(|| "under way".to_owned(), |why| format!("under way; {why}"))
}

/// Whether a sentence names a path, whole: not one that goes on behind it.
fn names(said: &str, path: &str) -> bool {
    said.match_indices(path).any(|(at, _)| {
        let behind = said.get(at + path.len()..).unwrap_or_default();
        behind.is_empty() || behind.starts_with(['\'', '"', ':', ';', ',', ' ', ')'])
    })
}

/// One file's story as lines.
fn told(story: &TraceAnswer, width: usize, paint: Paint) -> String {
    let mut page = Page::new(width);
    page.lines.push(paint.on(Hue::Name, one_line(&story.path)));
    let mut file = DecimalBytes(story.bytes).to_string();
    if let Some(digest) = story.digest {
        file = format!("{file}, SHA-256 {}", digest.to_string().chars().take(16).collect::<String>());
    }
    say(&mut page, "file", &file);
    let items = story.steps.iter().filter(|step| is_of_an_item(step)).count();
    let mut shown = 0;
    for step in &story.steps {
        shown += usize::from(is_of_an_item(step));
        if shown <= ITEMS_SHOWN || !is_of_an_item(step) {
            say(&mut page, &step.at.to_string(), &sentence(story, step));
        }
        if shown == ITEMS_SHOWN + 1 && is_of_an_item(step) {
            let more = items - ITEMS_SHOWN;
            say(&mut page, "", &format!("and {more} more of its articles; --json tells all"));
        }
    }
    if let Some(waits_for) = &story.waits_for {
        say(&mut page, "now", waits_for);
    }
    for now in story.now.iter().take(ITEMS_SHOWN) {
        let place = if now.is_canonical { "the canonical article" } else { "a variant" };
        let said = format!(
            "article {}{} is {place} of {}",
            short_id(&now.article),
            of_item(now.item.as_deref()),
            now.record
        );
        say(&mut page, "now", &said);
    }
    if let Some(original) = &story.original {
        let said = format!("originals/{} at byte {}", original.pack, original.offset);
        if story.original_gone {
            say(&mut page, "its bytes were in", &format!("{said}, and that is not there any more"));
        } else {
            say(&mut page, "its bytes are in", &said);
        }
    }
    for path in story.lies_at.iter().filter(|path| !is_pack(story, path)) {
        say(&mut page, "it lies at", path);
    }
    if story.gaps > 0 {
        let said = format!(
            "the journal has {} here; what was told there is missing",
            counted(story.gaps, "damaged part")
        );
        say(&mut page, "notice", &said);
    }
    page.lines.join("\n")
}

/// A label and what is said of it: beside it, or where the terminal is too narrow for that, below.
fn say(page: &mut Page, label: &str, text: &str) {
    if page.width >= 3 * INDENT {
        return page.wrapped(label, text, INDENT);
    }
    page.lines.extend((!label.is_empty()).then(|| label.to_owned()));
    page.wrapped("", text, INDENT_BELOW);
}

fn is_pack(story: &TraceAnswer, path: &str) -> bool {
    story.original.as_ref().is_some_and(|original| path.ends_with(&original.pack))
}

fn is_of_an_item(step: &TraceStep) -> bool {
    step.article.is_some() || step.step == StepName::Unreadable
}

fn of_item(item: Option<&str>) -> String {
    item.map_or_else(String::new, |item| format!(" (item {item})"))
}

/// What happened, as a sentence.
fn sentence(story: &TraceAnswer, step: &TraceStep) -> String {
    let item = of_item(step.item.as_deref());
    let article = step.article.map_or_else(String::new, |id| format!("article {}{item}", short_id(&id)));
    let record = step.record.map_or_else(String::new, |record| record.to_string());
    let from = step.from.map_or_else(String::new, |record| record.to_string());
    let with = match (step.relation, step.matched) {
        (Some(relation), Some(matched)) => format!(" as {} of {}", relation.name(), short_id(&matched)),
        _ => String::new(),
    };
    let score = step.score.map_or_else(String::new, |score| format!(", {score}"));
    match step.step {
        StepName::Written => "last written to".to_owned(),
        StepName::Claimed => match (&story.inbox, story.arrival) {
            (Some(inbox), Some(arrival)) => format!("claimed from {inbox} as arrival {}", arrival.0),
            (_, arrival) => format!("given to 'ingest' as arrival {}", arrival.unwrap_or_default().0),
        },
        StepName::Founded => format!("{article} founded {record}"),
        StepName::Joined => format!("{article} joined {record}{with}{score}"),
        StepName::Repeated => format!("{article} had been received before, byte for byte"),
        StepName::Unreadable => {
            format!("item {} could not be read: {}", step.item.as_deref().unwrap_or("?"), reason(step))
        }
        StepName::Merged => format!("{article}: its record {from} went over into {record}{score}"),
        StepName::Moved => format!("{article} went from {from} to {record}{with}{score}"),
        StepName::Pinned => format!("{article} was pinned"),
        StepName::Unpinned => format!("{article} was let go"),
        StepName::Requeued => "put back into its inbox by 'requeue'".to_owned(),
        StepName::Ended => ended(story.outcome, step),
    }
}

fn ended(outcome: Option<Outcome>, step: &TraceStep) -> String {
    let outcome = outcome.map_or("ended", Outcome::name);
    let [new, repeats, rejected, passed_over] = step.counts.unwrap_or_default();
    let counts = [
        (new, "new"),
        (repeats, "received before"),
        (rejected, "not readable"),
        (passed_over, "without an article passed over"),
    ];
    let counts: Vec<_> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let why = step.reason.as_ref().map_or_else(String::new, |reason| format!("; {}", reason.message));
    format!("{outcome}{counts}{why}; durable")
}

fn reason(step: &TraceStep) -> &str {
    step.reason.as_ref().map_or("", |reason| reason.message.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RecordId, Time};

    /// A record's id was cut in two beside a time of 22 columns, and an id that is cut cannot be used.
    #[test]
    fn a_narrow_terminal_has_what_is_said_below_its_time() {
        let record = Some(RecordId(0x136b_449e_4063_2f0b));
        let step = TraceStep { at: Time::default(), step: StepName::Founded, record, ..TraceStep::default() };
        let story = TraceAnswer { path: "a.txt".to_owned(), steps: vec![step], ..TraceAnswer::default() };
        let narrow = told(&story, 40, Paint(false));
        assert!(
            narrow.contains("1970-01-01T00:00:00Z\n") && narrow.contains("wf-136b449e40632f0b"),
            "{narrow}"
        );
        assert!(told(&story, 80, Paint(false)).contains("1970-01-01T00:00:00Z  founded"), "beside it");
    }

    /// It seemed to be at work, and waited for a disk that somebody had to make room on.
    #[test]
    fn a_file_that_waits_as_all_is_paused_says_why() {
        let notices = vec!["another matter".to_owned(), "the intake is paused: 3 MiB are free".to_owned()];
        let status = Status { notices, ..Status::default() };
        assert_eq!(under_way(Some(&status)), "under way; the intake is paused: 3 MiB are free");
        assert_eq!(under_way(Some(&Status::default())), "under way");
        assert!(under_way(None).contains("a daemon that starts"));
    }

    /// A notice on `data.txt` was told of `a.txt`, and the one on a claim of `sub/a.txt` of nobody.
    #[test]
    fn a_notice_is_of_the_file_whose_whole_path_it_names() {
        let said = "cannot claim '/in/.wirefold/0000000000000007-sub%2fa.txt': denied";
        assert!(names(said, "/in/.wirefold/0000000000000007-sub%2fa.txt"));
        assert!(!names(said, "/in/a.txt") && !names("cannot read '/in/a.txt.bak'", "/in/a.txt"));
        assert!(names("/in/a.txt: denied", "/in/a.txt"));
    }
}
