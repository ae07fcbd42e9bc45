//! `wirefold audit`.

use super::{
    CliError, Exit, Out,
    args::AuditArgs,
    ask::ask_one,
    page::{INDENT, Page},
    paint::{Hue, Paint},
    render::columns,
    runtime,
};
use crate::{
    backup, clock,
    config::Config,
    inbox::{claimed_files, open_regular},
    journal::{copy_original, digest_of},
    model::{Event, MendedEvent},
    pipeline::{self, ArticleTimes, OpenError},
    query::{AuditAnswer, Finding, Mend, QueryError, Question, audit},
    service::{self, Ingest, LOCK_PATIENCE, ServiceError, counted},
    store::DataLock,
};
use std::{
    collections::HashSet,
    error::Error,
    fs, io,
    os::unix::{fs::DirBuilderExt, net::UnixStream},
};

/// Audits, mends where that is asked for, and audits again.
pub(super) fn run(config: &Config, args: &AuditArgs) -> Result<Exit, CliError> {
    let mut mended = Vec::new();
    let mut answer = match audited(config) {
        Err(CliError::Service(ServiceError::Open(OpenError::Gone { .. }))) if args.repair => {
            begin_anew(config)?;
            mended.push("the journal was gone and is begun anew; the old view is kept".to_owned());
            audited(config)?
        }
        audited => audited?,
    };
    if args.repair && answer.findings.iter().any(|finding| finding.mend.is_some()) {
        mended.extend(mend(config, &answer.findings)?);
        answer = audited(config)?;
    }
    let mut out = Out::new();
    if args.json {
        out.line(&serde_json::to_string(&answer)?)?;
    } else {
        let mut page = told(&answer, &mended, columns().into(), Paint::of_stdout());
        if args.repair && mended.is_empty() && answer.findings.is_empty() {
            let socket = config.asked_socket()?;
            let beside = UnixStream::connect(socket).is_ok();
            page.push_str("\nthere was nothing to mend");
            page.push_str(if beside { ", and beside a daemon nothing could have been" } else { "" });
        }
        out.line(&page)?;
    }
    out.flush()?;
    Ok(if answer.findings.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Where the journal is gone, what originals hold can be taken in once there is one again.
fn begin_anew(config: &Config) -> Result<(), CliError> {
    let lock = DataLock::take(&config.data_dir, LOCK_PATIENCE).map_err(ServiceError::from)?;
    pipeline::begin_anew(&config.data_dir, config.detect_settings(), &lock).map_err(ServiceError::from)?;
    Ok(lock.release_clean().map_err(ServiceError::from)?)
}

fn audited(config: &Config) -> Result<AuditAnswer, CliError> {
    let mut answer: AuditAnswer = if let Some(lacks) = backup::lacks(&config.data_dir)? {
        // A backup has no view, and none is made in it.
        let mut last = Vec::new();
        audit(&config.data_dir, None, false, &mut |line| {
            last = line.to_vec();
            true
        })?;
        let mut answer: AuditAnswer = serde_json::from_slice(&last)?;
        answer.findings.extend(lacks.into_iter().map(|what| Finding { what, mend: None }));
        answer
    } else {
        ask_one(config, &Question::Audit)?
    };
    let is_lost = |finding: &Finding| matches!(finding.mend, Some(Mend::Original { .. }));
    if answer.findings.iter().any(is_lost) {
        leave_what_is_under_way(config, &mut answer);
    }
    Ok(answer)
}

/// What was kept of a file just before the journal could speak of it still lies in its claim, and is taken in from there.
fn leave_what_is_under_way(config: &Config, answer: &mut AuditAnswer) {
    let inboxes = config.inbox_settings().inboxes;
    let claimed = inboxes.iter().flat_map(|root| claimed_files(&root.path));
    let claimed: HashSet<_> = claimed.filter_map(|file| digest_of(open_regular(&file).ok()?).ok()).collect();
    answer.findings.retain(|finding| match &finding.mend {
        Some(Mend::Original { digest, .. }) => !claimed.contains(digest),
        _ => true,
    });
}

/// Mends what can be, and says what was done.
fn mend(config: &Config, findings: &[Finding]) -> Result<Vec<String>, CliError> {
    let lock = || DataLock::take(&config.data_dir, LOCK_PATIENCE).map_err(ServiceError::from);
    let mends = || findings.iter().filter_map(|finding| finding.mend.as_ref());
    let mut done = Vec::new();
    let held = lock()?;
    if mends().any(|mend| *mend == Mend::Rebuild) {
        drop(pipeline::rebuild(&config.data_dir, config.detect_settings()).map_err(ServiceError::from)?);
        done.push("the view was made anew from the journal".to_owned());
    }
    held.release_clean().map_err(ServiceError::from)?;
    let taken_in = take_in_again(config, mends())?;
    if taken_in > 0 {
        let files = counted(taken_in as u64, "file");
        done.push(format!("what was taken in once more from its originals: {files}"));
    }
    let held = lock()?;
    let opened = pipeline::open(&config.data_dir, config.detect_settings(), &held);
    let mut opened = opened.map_err(ServiceError::from)?;
    let at = clock::now().whole_second();
    let notes = mends().filter_map(|mend| match mend {
        Mend::Note { segment, from, to } => {
            Some(Event::Mended(MendedEvent { segment: *segment, from: *from, to: *to, at }))
        }
        _ => None,
    });
    let notes: Vec<_> = notes.collect();
    if !notes.is_empty() {
        opened.say(&notes).map_err(ServiceError::from)?;
        let parts = counted(notes.len() as u64, "damaged part");
        done.push(format!("noted in the journal: {parts}; what was there and in no original is lost"));
    }
    opened.store.sync().map_err(QueryError::from)?;
    drop(opened);
    held.release_clean().map_err(ServiceError::from)?;
    Ok(done)
}

/// Takes in originals as files under new numbers. What of them is known is a repeat; what was lost is new.
fn take_in_again<'m>(config: &Config, mends: impl Iterator<Item = &'m Mend>) -> Result<usize, CliError> {
    let folder = config.data_dir.join("recovered");
    let failed = |source| ServiceError::Io { action: "write to", path: folder.clone(), source };
    let originals = config.data_dir.join("originals");
    let mut paths = Vec::new();
    for mend in mends {
        let Mend::Original { original, path, .. } = mend else { continue };
        fs::DirBuilder::new().recursive(true).mode(0o750).create(&folder).map_err(failed)?;
        let name = path.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or("file");
        let place = folder.join(format!("{}-{}-{name}", original.pack, original.offset));
        match copy_original(&originals, original, &place) {
            Ok(()) => paths.push(place),
            // It is damaged itself, and the audit that follows says so; the others are still to be had.
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "an original cannot be taken in again");
            }
        }
    }
    let files = paths.len();
    if files > 0 {
        let what = Ingest { paths, times: ArticleTimes::Published, ignore: Vec::new() };
        runtime()?.block_on(service::ingest(config.clone(), what, |_| ()))?;
    }
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error).into()),
        _ => Ok(files),
    }
}

/// What was found, with what was counted.
fn told(answer: &AuditAnswer, mended: &[String], width: usize, paint: Paint) -> String {
    let mut page = Page::new(width);
    let of = |what: &str| answer.findings.iter().filter(|finding| finding.what.contains(what)).count();
    page.wrapped("journal", &counted(answer.events, "event"), INDENT);
    let laws = if of("do not add up") == 0 { "both laws of counting hold" } else { "they do not add up" };
    let (files, articles) = (counted(answer.files, "file"), counted(answer.articles, "article"));
    page.wrapped("counts", &format!("{files}, {articles}; {laws}"), INDENT);
    let gone = match answer.originals_gone {
        0 => String::new(),
        gone => format!("; of {gone} more the pack is of a day that is not kept any longer"),
    };
    page.wrapped("originals", &format!("{} there, each with its digest{gone}", answer.originals), INDENT);
    if answer.failed > 0 {
        let gone = match answer.failed_gone {
            0 => String::new(),
            gone => format!("; of {gone} of them nothing lies in failed/ any more, or it lies in an inbox"),
        };
        page.wrapped(
            "failed",
            &format!("{} with something that could not be read{gone}", counted(answer.failed, "file")),
            INDENT,
        );
    }
    page.wrapped(
        "view",
        &answer.rows.map_or_else(
            || "none, as it is a backup".to_owned(),
            |rows| format!("{rows} rows are what the journal makes of them"),
        ),
        INDENT,
    );
    for known in &answer.mended {
        page.wrapped("known", &format!("{known} (mended as far as it could be)"), INDENT);
    }
    for done in mended {
        page.wrapped("mended", done, INDENT);
    }
    for finding in &answer.findings {
        page.wrapped("wrong", &finding.what, INDENT);
    }
    let can_be_mended = answer.findings.iter().filter(|finding| finding.mend.is_some()).count();
    page.lines.push(match (answer.findings.len(), can_be_mended) {
        // A folder that was emptied looks the same.
        (0, _) if answer.frames == 0 => {
            "there is nothing to audit: nothing has come in here yet, or its journal is gone".to_owned()
        }
        (0, _) => paint.on(Hue::Green, "all is as it should be"),
        (wrong, 0) => paint.on(Hue::Red, format!("{wrong} wrong; a backup may hold what is damaged here")),
        (wrong, can) => paint.on(
            Hue::Red,
            format!(
                "{wrong} wrong, of which 'wirefold audit --repair' mends {can} once the daemon is stopped"
            ),
        ),
    });
    page.lines.join("\n")
}
