//! `wirefold ingest`.

use super::{CliError, Exit, Out, args::IngestArgs, runtime};
use crate::{
    config::Config,
    model::Outcome,
    service::{self, Ingest, Summary},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// Ingests, shows progress on a terminal, and sums up.
pub(super) fn run(config: Config, args: &IngestArgs) -> Result<Exit, CliError> {
    let started = Instant::now();
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} files, {per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    let what = Ingest { paths: args.paths.clone(), is_archive: args.archive };
    let summary = runtime()?.block_on(service::ingest(config, what, |files| bar.set_position(files)))?;
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
        out.line(&format!("  {path}: {why}"))?;
    }
    for path in &summary.missing {
        out.line(&format!("  {path}: there is no such file or folder"))?;
    }
    if !summary.unreadable.is_empty() {
        out.line("the reasons are kept in the data directory under failed/")?;
    }
    out.flush()?;
    Ok(())
}
