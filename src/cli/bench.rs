//! `wirefold bench`.

use super::{
    CliError, Exit, Out,
    args::BenchArgs,
    paint::{Hue, Paint},
    runtime,
};
use crate::bench::{self, BenchError, Figure, Plan};
use std::{env, path::Path};
use tokio::{
    select,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    sync::mpsc,
    task::JoinError,
};

/// Measures this program on the disk of a folder, and prints each figure as soon as it is known.
pub(super) fn run(args: &BenchArgs) -> Result<Exit, CliError> {
    let program =
        env::current_exe().map_err(|source| BenchError::Program { path: "wirefold".into(), source })?;
    let plan = Plan { files: args.files, articles: args.articles, seconds: args.seconds, burst: 0 };
    let scratch = bench::scratch(args.place.as_deref().unwrap_or_else(|| Path::new(".")))?;
    let (runtime, mut out) = (runtime()?, Out::new());
    if !args.json {
        out.line(&Paint::of_stdout().on(Hue::Faint, bench::head()))?;
        out.flush()?;
    }
    let (tell, mut told) = mpsc::channel(1);
    let folder = scratch.path().to_owned();
    let measuring = {
        let plan = plan.clone();
        runtime.spawn_blocking(move || bench::measure(&program, &folder, &plan, &tell))
    };
    let heard = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(CliError::Output)?;
        loop {
            let figure = select! {
                figure = told.recv() => figure,
                _ = ctrl_c() => return Err(CliError::Interrupted),
                _ = terminated.recv() => return Err(CliError::Interrupted),
            };
            let Some(figure) = figure else { return Ok(true) };
            let line =
                if args.json { serde_json::to_string(&figure)? } else { row(&figure, Paint::of_stdout()) };
            if !out.line(&line)? || !out.flush()? {
                return Ok(false);
            }
        }
    });
    // With nobody listening it ends what it has started, and only then can the folder go.
    drop(told);
    let measured = runtime.block_on(measuring);
    drop(scratch);
    if heard? {
        let failed =
            |panic: JoinError| BenchError::Run { command: "bench".to_owned(), said: panic.to_string() };
        measured.map_err(failed)??;
        for note in notes(&plan).iter().filter(|_| !args.json) {
            out.line(note)?;
        }
        out.flush()?;
    }
    Ok(Exit::Done)
}

/// A figure on one line, in another colour where it is not what it must be.
fn row(figure: &Figure, paint: Paint) -> String {
    let line = figure.to_string();
    if figure.is_met() == Some(false) { paint.on(Hue::Red, &line) } else { line }
}

/// What must be known to read the figures.
fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = vec![
        String::new(),
        "start and show are asked for with 1000000 articles; '-' stands where that many were not there"
            .to_owned(),
    ];
    let usual = Plan::default();
    if plan.files < usual.files || plan.articles < usual.articles || plan.seconds < usual.seconds {
        notes.push(format!(
            "these numbers are small: the start of each process is part of its speed, and the first articles cost more\nthan the last; the usual are --files {} --articles {} --seconds {}",
            usual.files, usual.articles, usual.seconds
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_said_to_be_small() {
        assert!(
            notes(&Plan::default()).len() == 2 && notes(&Plan { files: 9, ..Plan::default() }).len() == 3
        );
    }
}
