//! `wirefold ingest`.

use super::{CliError, Exit, Out, advance, args::IngestArgs, bar, render::printable, runtime};
use crate::{
    config::Config,
    model::Outcome,
    pipeline::ArticleTimes,
    service::{self, Ingest, Summary},
};
use std::time::Instant;

/// The progress bar; where standard error is no terminal there is none.
const BAR: &str = "{bar:30} {bytes}/{total_bytes}, {msg}, {elapsed} (about {eta} left)";

/// Ingests, shows progress on a terminal, and sums up.
pub(super) fn run(config: Config, args: &IngestArgs) -> Result<Exit, CliError> {
    let started = Instant::now();
    let bar = bar(BAR);
    let times = if args.archive { ArticleTimes::Published } else { ArticleTimes::Recent };
    let what = Ingest { paths: args.paths.clone(), times };
    let summary = runtime()?.block_on(service::ingest(config, what, |pace| {
        advance(&bar, pace);
        bar.set_message(format!("{} files durable", pace.files));
    }))?;
    bar.finish_and_clear();
    sum_up(&summary, started.elapsed().as_secs_f64())?;
    Ok(if summary.is_whole() { Exit::Done } else { Exit::SomeUnread })
}

fn sum_up(summary: &Summary, seconds: f64) -> Result<(), CliError> {
    let mut out = Out::new();
    let files: u64 = summary.files.iter().map(|(_, n)| n).sum();
    let by_outcome: Vec<String> = summary
        .files
        .iter()
        .filter(|(outcome, n)| *n > 0 || *outcome == Outcome::Accepted)
        .map(|(outcome, n)| format!("{n} {}", outcome.name()))
        .collect();
    out.line(&format!("{} files in {seconds:.1} s: {}", files, by_outcome.join(", ")))?;
    let rejected = if summary.rejected > 0 {
        format!(", {} items not readable", summary.rejected)
    } else {
        String::new()
    };
    out.line(&format!("{} articles{rejected}", summary.articles))?;
    for (path, why) in &summary.unreadable {
        out.line(&printable(&format!("  {path}: {why}")))?;
    }
    let skipped = &summary.skipped;
    if skipped.count > 0 {
        out.line(&format!("{} paths could not be reached:", skipped.count))?;
    }
    for (path, why) in &skipped.first {
        out.line(&printable(&format!("  {path}: {why}")))?;
    }
    if !summary.unreadable.is_empty() {
        out.line("the reasons are kept in the data directory under failed/")?;
    }
    out.flush()?;
    Ok(())
}
