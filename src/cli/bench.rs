//! `wirefold bench`.

use super::{
    CliError, Exit, Out,
    args::BenchArgs,
    paint::{Hue, Paint},
    runtime,
};
use crate::bench::{self, BenchError, Figure, Plan, Target};
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
    let plan = Plan { files: args.files, articles: args.articles, dropped: args.dropped };
    let scratch = bench::scratch(args.place.as_deref().unwrap_or_else(|| Path::new(".")))?;
    let (runtime, mut out) = (runtime()?, Out::new());
    if !args.json {
        out.line(&Paint::of_stdout().on(Hue::Faint, head()))?;
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

fn head() -> String {
    columns(["WHAT", "ARTICLES", "FIGURE", "", "REQUIRED", "AIM", "MET"])
}

/// A figure on one line, in another colour where it is not what it must be.
fn row(figure: &Figure, paint: Paint) -> String {
    let (required, aim) = match figure.target {
        Some(Target { required, aim, .. }) => {
            let side = if aim < required { "<=" } else { ">=" };
            (format!("{side} {}", number(required)), number(aim))
        }
        None => Default::default(),
    };
    let (articles, value) = (figure.articles.to_string(), number(figure.value));
    // With fewer articles than it is asked for at, what is met tells little; what is missed is missed all the same.
    let met = match figure.is_met() {
        None => "",
        Some(false) => "no",
        Some(true) if figure.target.is_some_and(|target| figure.articles < target.at) => "-",
        Some(true) => "yes",
    };
    let line = columns([figure.what, &articles, &value, figure.unit, &required, &aim, met]);
    if figure.is_met() == Some(false) { paint.on(Hue::Red, &line) } else { line }
}

fn columns([what, articles, value, unit, required, aim, met]: [&str; 7]) -> String {
    format!("{what:<36} {articles:>8} {value:>6} {unit:<8} {required:>8} {aim:>5} {met:<3}")
        .trim_end()
        .to_owned()
}

/// What must be known to read the figures.
fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = vec![
        String::new(),
        "start and show are asked for with 1000000 articles; '-' stands where that many were not there"
            .to_owned(),
    ];
    let usual = Plan::default();
    if plan.files < usual.files || plan.articles < usual.articles || plan.dropped < usual.dropped {
        notes.push(format!(
            "these numbers are small: the start of each process is part of its speed, and the first articles cost more\nthan the last; the usual are --files {} --articles {} --dropped {}",
            usual.files, usual.articles, usual.dropped
        ));
    }
    notes
}

/// With as many places as tell anything.
fn number(value: f64) -> String {
    let places = usize::from(value < 100. && value.fract() != 0.);
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_fits_the_narrowest_terminal() {
        let target = Some(Target { required: 10_000., aim: 15_000., at: 0 });
        let figure = Figure {
            what: "articles of JSON Lines taken in",
            articles: 1_000_000,
            value: 9_876.54,
            unit: "a second",
            target,
        };
        assert_eq!(
            row(&figure, Paint(false)),
            "articles of JSON Lines taken in       1000000   9877 a second >= 10000 15000 no"
        );
        let of = |articles, value| {
            let target = Some(Target { required: 5., aim: 1., at: 1_000_000 });
            row(&Figure { what: "start", articles, value, unit: "s", target }, Paint(false))
        };
        assert!(
            of(1_000, 2.).ends_with(" -")
                && of(1_000, 9.).ends_with(" no")
                && of(1_000_000, 2.).ends_with(" yes")
        );
        assert!(
            notes(&Plan::default()).len() == 2 && notes(&Plan { files: 9, ..Plan::default() }).len() == 3
        );
        assert!(head().len() <= 80);
        assert_eq!([0.25, 9.96, 120.4, 5.].map(number), ["0.2", "10.0", "120", "5"]);
    }
}
