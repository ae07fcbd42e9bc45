//! `wirefold ingest`.

use super::{
    CliError, Exit, Out, advance,
    apart::check_given,
    args::IngestArgs,
    ask::{Reached, reach_or_make},
    bar,
    render::printable,
    runtime,
};
use crate::{
    config::Config,
    model::Outcome,
    pipeline::ArticleTimes,
    service::{self, Ingest, Pace, Summary, counted},
};
use std::{path::Path, time::Instant};

/// The progress bar; where standard error is no terminal there is none.
const BAR: &str = "{bar:30} {bytes}/{total_bytes}, {msg}, {elapsed} (about {eta} left)";

/// Ingests, or has the daemon that runs do it, shows progress on a terminal, and sums up.
pub(super) fn run(config: &Config, args: &IngestArgs) -> Result<Exit, CliError> {
    args.paths.iter().try_for_each(|given| check_given(config, given))?;
    let started = Instant::now();
    let bar = bar(BAR);
    let times = if args.archive { ArticleTimes::Published } else { ArticleTimes::Recent };
    let what = Ingest { paths: args.paths.clone(), times, ignore: config.intake.ignore.clone() };
    let tell = |pace: Pace| {
        advance(&bar, pace);
        let waits = if pace.waits { "; the daemon waits for room" } else { "" };
        bar.set_message(format!("{} files durable{waits}", pace.files));
    };
    let runtime = runtime()?;
    let daemon = |socket: &Path| Ok(runtime.block_on(service::hand_over(socket, what.clone(), tell))?);
    let mut is_of_a_daemon = false;
    let summary = match reach_or_make(config, daemon, || Ok(service::make_data_dir(config)?))? {
        Reached::Daemon(summary) => {
            is_of_a_daemon = true;
            summary
        }
        Reached::Store(lock) => runtime.block_on(service::ingest_locked(config, lock, what, tell))?,
    };
    bar.finish_and_clear();
    // A file that is being read when it is interrupted may lie where nothing answers.
    runtime.shutdown_background();
    sum_up(&summary, is_of_a_daemon, started.elapsed().as_secs_f64())?;
    Ok(match (summary.is_interrupted, summary.is_whole()) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Done,
        (false, false) => Exit::SomeUnread,
    })
}

fn sum_up(summary: &Summary, is_of_a_daemon: bool, seconds: f64) -> Result<(), CliError> {
    let mut out = Out::new();
    let Summary { tally, skipped, is_interrupted } = summary;
    let by_outcome: Vec<String> = tally
        .by_outcome()
        .filter(|(outcome, n)| *n > 0 || *outcome == Outcome::Accepted)
        .map(|(outcome, n)| format!("{n} {}", outcome.name()))
        .collect();
    out.line(&format!("{} in {seconds:.1} s: {}", counted(tally.files(), "file"), by_outcome.join(", ")))?;
    let rejected = match tally.rejected {
        0 => String::new(),
        rejected => format!(", {} not readable", counted(rejected, "item")),
    };
    out.line(&format!("{}{rejected}", counted(tally.articles, "article")))?;
    if !tally.passed_over.is_empty() {
        let whys: Vec<String> = tally.passed_over.iter().map(|(why, n)| format!("{n} {why}")).collect();
        out.line(&format!("passed over, as they hold no article: {}", whys.join(", ")))?;
    }
    for (path, why) in &tally.unreadable {
        out.line(&printable(&format!("  {path}: {why}")))?;
    }
    if skipped.count > 0 {
        out.line(&format!("{} could not be reached:", counted(skipped.count, "path")))?;
    }
    for (path, why) in &skipped.first {
        out.line(&printable(&format!("  {path}: {why}")))?;
    }
    if *is_interrupted {
        out.line(if is_of_a_daemon {
            "interrupted: that much is durable. Of the rest the daemon still takes in the files that it has whole;"
        } else {
            "interrupted: that much is durable, and of the file under way a part may be;"
        })?;
        out.line("hand everything in again, what is known is told as duplicate")?;
    }
    if !tally.unreadable.is_empty() {
        out.line("the reasons are kept in the data directory under failed/")?;
    }
    out.flush()?;
    Ok(())
}
