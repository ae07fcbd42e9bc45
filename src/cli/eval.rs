//! `wirefold eval`.

use super::{
    CliError, Exit, Out, advance,
    args::{Args, EvalArgs},
    bar,
    explained::explained,
    page::Page,
    render::{columns, one_line},
    runtime,
    table::{PADDING, Table},
};
use crate::{
    config::{Config, Sources},
    eval::{self, JudgedFigures, LabelledSet, Mistake, MistakeKind, Plan, SetFigures},
};
use serde::Serialize;
use std::path::Path;
use tokio::{select, signal::ctrl_c};

/// The progress bar; where standard error is no terminal there is none.
const BAR: &str = "{prefix}: {bar:30} {bytes}/{total_bytes}, {elapsed}";

/// Settings with the values that they are to have.
type Settings = Vec<(String, String)>;

/// What was measured with one setting.
#[derive(Serialize)]
struct Measured {
    /// The settings that were swept, as they were typed.
    settings: serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    figures: SetFigures,
}

/// Measures every set with every setting, and prints the figures.
pub(super) fn run(args: &Args, what: &EvalArgs) -> Result<Exit, CliError> {
    let sets = eval::sets_at(&what.path)?;
    let plan = Plan { background: what.background.clone(), shuffles: what.shuffles, errors: what.errors };
    let settings = settings(what)?;
    // Settings are checked before the first run, which may take long.
    let configs = settings
        .iter()
        .map(|given| Config::read(&Sources { given: given.clone(), ..args.sources() }))
        .collect::<Result<Vec<_>, _>>()?;
    let scratch = eval::scratch()?;
    let runtime = runtime()?;
    let measured = runtime.block_on(async {
        select! {
            measured = measure(&sets, &settings, &configs, &plan, scratch.path()) => measured,
            _ = ctrl_c() => Err(CliError::Interrupted),
        }
    });
    // What an interrupt leaves under way ends with the process; the throw-away stores go now.
    runtime.shutdown_background();
    drop(scratch);
    print(&measured?, what)?;
    Ok(Exit::Done)
}

async fn measure(
    sets: &[LabelledSet],
    settings: &[Settings],
    configs: &[Config],
    plan: &Plan,
    scratch: &Path,
) -> Result<Vec<Measured>, CliError> {
    let bar = bar(BAR);
    let mut measured = Vec::new();
    for (config, given) in configs.iter().zip(settings) {
        for set in sets {
            bar.set_prefix(set.name.clone());
            let figures = eval::evaluate(config, set, plan, scratch, |pace| {
                advance(&bar, pace);
            });
            let settings = given.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
            measured.push(Measured { settings, figures: figures.await? });
        }
    }
    bar.finish_and_clear();
    Ok(measured)
}

fn print(measured: &[Measured], what: &EvalArgs) -> Result<(), CliError> {
    let mut out = Out::new();
    if what.json {
        for one in measured {
            out.line(&serde_json::to_string(one)?)?;
        }
    } else {
        let overviews: Vec<_> = overviews(measured).iter().map(fitted).collect();
        out.line(&overviews.join("\n\n"))?;
        for part in details(measured, !what.sweep.is_empty()) {
            out.line(&part)?;
        }
        for note in notes(measured) {
            out.line(&note)?;
        }
        let mistakes: Vec<_> =
            measured.iter().flat_map(|m| m.figures.mistakes.iter().map(move |e| (m, e))).collect();
        for (run, mistake) in &mistakes {
            out.line(&format!("\n{}", told(run, mistake)))?;
        }
        if what.errors > 0 && mistakes.is_empty() {
            out.line("\nno false joins and no misses among what is labelled")?;
        }
    }
    out.flush()?;
    Ok(())
}

/// The settings of each run: the first values of all keys, the second values, and so on; one run with none where
/// nothing is swept.
fn settings(what: &EvalArgs) -> Result<Vec<Settings>, CliError> {
    let Some(first) = what.sweep.first() else { return Ok(vec![Settings::new()]) };
    if let Some(other) = what.sweep.iter().find(|s| s.values.len() != first.values.len()) {
        return Err(CliError::UnevenSweep {
            first: first.key.clone(),
            first_values: first.values.len(),
            other: other.key.clone(),
            other_values: other.values.len(),
        });
    }
    let nth = |n: usize| {
        what.sweep.iter().filter_map(|s| Some((s.key.clone(), s.values.get(n)?.clone()))).collect()
    };
    Ok((0..first.values.len()).map(nth).collect())
}

/// What a column of the overview tells of a run; nothing where the set has no such labels.
type Figure = fn(&Measured) -> Option<String>;

/// The set, before the figures, and the settings, after them: what tells the rows of every overview apart.
const SET: (&str, Figure) = ("SET", |m| Some(m.figures.set.clone()));
const SETTINGS: (&str, Figure) = ("SETTINGS", |m| Some(said(&m.settings)).filter(|said| !said.is_empty()));

/// One row a run; columns that would be empty are left out. Figures that no line has room for stand in a further table.
fn overviews(measured: &[Measured]) -> Vec<Table> {
    let figures: [(&str, Figure); 11] = [
        ("ARTICLES", |m| Some(m.figures.articles.to_string())),
        ("RECORDS", |m| Some(m.figures.records.to_string())),
        ("PAIR P", |m| Some(figure(m.figures.agreement?.pair_precision))),
        ("PAIR R", |m| Some(figure(m.figures.agreement?.pair_recall))),
        ("B3 F1", |m| Some(figure(m.figures.agreement?.b3_f1))),
        ("ARI", |m| Some(figure(m.figures.agreement?.ari))),
        ("FOUND", |m| of_file(m, "pairs", true)),
        ("FALSE", |m| of_file(m, "pairs", false)),
        ("WILD FOUND", |m| of_file(m, "wild", true)),
        ("WILD FALSE", |m| of_file(m, "wild", false)),
        ("UNREAD", |m| Some(m.figures.unread.to_string()).filter(|_| m.figures.unread > 0)),
    ];
    let is_used = |(_, of): &(&str, Figure)| measured.iter().any(|m| of(m).is_some());
    let wide = |(name, of): &(&str, Figure)| {
        let cells = measured.iter().filter_map(of).map(|cell| cell.chars().count());
        cells.chain([name.len()]).max().unwrap_or(0) + PADDING
    };
    let room = usize::from(columns());
    // Settings may be long and are cut to what is left, but for their name.
    let keys = wide(&SET) + if is_used(&SETTINGS) { SETTINGS.0.len() + PADDING } else { 0 };
    let (mut tables, mut left) = (Vec::<Vec<(&str, Figure)>>::new(), 0);
    for column in figures.into_iter().filter(is_used) {
        match tables.last_mut() {
            Some(last) if wide(&column) <= left => last.push(column),
            _ => {
                tables.push(vec![column]);
                left = room.saturating_sub(keys);
            }
        }
        left = left.saturating_sub(wide(&column));
    }
    let whole = |figures: Vec<(&'static str, Figure)>| -> Vec<(&'static str, Figure)> {
        [SET].into_iter().chain(figures).chain([SETTINGS].into_iter().filter(is_used)).collect()
    };
    tables.into_iter().map(|figures| overview(measured, &whole(figures))).collect()
}

fn overview(measured: &[Measured], used: &[(&'static str, Figure)]) -> Table {
    let mut table = Table::new(used.iter().map(|(name, _)| *name)).with_figures(1..used.len());
    for one in measured {
        table.add(used.iter().map(|(_, of)| of(one).unwrap_or_default()));
    }
    table
}

fn fitted(table: &Table) -> String {
    table.cut(columns().into()).join("\n")
}

fn wrapped(text: &str) -> String {
    let mut page = Page::new(columns().into());
    page.wrapped("", text, 0);
    page.lines.join("\n")
}

fn said(settings: &serde_json::Map<String, serde_json::Value>) -> String {
    let one =
        |(key, value): (&String, &serde_json::Value)| format!("{key}={}", value.as_str().unwrap_or_default());
    settings.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn of_file(measured: &Measured, file: &str, same: bool) -> Option<String> {
    let all = |j: &&JudgedFigures| j.file == file && j.same == same && j.kind.is_none();
    measured.figures.judged.iter().find(all).map(|j| figure(j.share))
}

/// What the overview has no room for: kinds of pairs, relations, other orders. Of a sweep only the last.
fn details(measured: &[Measured], is_sweep: bool) -> Vec<String> {
    let figures: Vec<&SetFigures> = measured.iter().map(|m| &m.figures).filter(|_| !is_sweep).collect();
    [
        ("judged pairs by kind", kinds(&figures)),
        (
            "variants by how they stand to what they were matched with, right where both are of one cluster",
            relations(&figures),
        ),
        ("the same articles in other orders", orders(measured)),
    ]
    .into_iter()
    .filter(|(_, table)| !table.is_empty())
    .map(|(title, table)| format!("\n{}\n{}", wrapped(title), fitted(&table)))
    .collect()
}

/// What must be known besides, once for all runs of a set.
fn notes(measured: &[Measured]) -> Vec<String> {
    let mut told = Vec::new();
    for figures in measured.iter().map(|m| &m.figures) {
        for note in &figures.notes {
            let said = format!("\n{}", wrapped(&format!("note, {}: {note}", figures.set)));
            if !told.contains(&said) {
                told.push(said);
            }
        }
    }
    told
}

fn kinds(figures: &[&SetFigures]) -> Table {
    let mut table = Table::new(["SET", "FILE", "BELONG", "PAIRS", "JOINED", "SHARE", "KIND"]);
    for f in figures {
        for j in &f.judged {
            // Where no pair has a kind, the overview says all.
            let has_kinds =
                f.judged.iter().any(|k| k.file == j.file && k.kind.as_ref().is_some_and(|k| !k.is_empty()));
            let Some(kind) = j.kind.as_ref().filter(|_| has_kinds) else { continue };
            let kind = if kind.is_empty() { "(none)" } else { kind };
            let belong = if j.same { "together" } else { "apart" };
            let counts = [j.pairs.to_string(), j.joined.to_string(), figure(j.share), one_line(kind)];
            table.add([f.set.clone(), j.file.clone(), belong.to_owned()].into_iter().chain(counts));
        }
    }
    table
}

fn relations(figures: &[&SetFigures]) -> Table {
    let mut table = Table::new(["SET", "RELATION", "VARIANTS", "LABELLED", "RIGHT"]);
    for f in figures {
        for r in &f.relations {
            let counts = [r.variants, r.labelled, r.right].map(|n| n.to_string());
            table.add([f.set.clone(), r.relation.name().to_owned()].into_iter().chain(counts));
        }
    }
    table
}

fn orders(measured: &[Measured]) -> Table {
    let mut table = Table::new(["SET", "ORDERS", "ARI BETWEEN TWO", "ARI", "LOWEST", "PAIR P", "SETTINGS"]);
    for m in measured {
        let Some(s) = &m.figures.shuffles else { continue };
        let known = [s.ari, s.ari_min, s.pair_precision].map(|x| x.map(figure).unwrap_or_default());
        let own = [m.figures.set.clone(), s.runs.to_string(), figure(s.ari_between)];
        table.add(own.into_iter().chain(known).chain([said(&m.settings)]));
    }
    table
}

/// One mistake with its evidence.
fn told(run: &Measured, mistake: &Mistake) -> String {
    let (one, other) = (one_line(&mistake.articles.0), one_line(&mistake.articles.1));
    let what = match mistake.kind {
        MistakeKind::FalseJoin => "false join",
        MistakeKind::Miss => "miss",
    };
    let of = [run.figures.set.clone(), said(&run.settings)].join(" ");
    format!("== {what}, {}: {one} and {other}\n{}", of.trim(), explained(&mistake.explanation))
}

fn figure(share: f64) -> String {
    format!("{share:.3}")
}
