//! `wirefold doctor`.

use super::{
    Args, CliError, Exit, Out,
    args::DoctorArgs,
    page::Page,
    paint::{Hue, Paint},
    render::columns,
    runtime,
};
use crate::{
    config::{Config, ConfigError},
    doctor::{self, Finding, Level},
    inbox::display_path,
    service::counted,
};
use std::path::PathBuf;

/// Where what was found begins: behind the longest level and the longest name of a check.
const INDENT: usize = 24;

/// Looks at everything that wirefold needs.
pub(super) fn run(config: &Config, all: &Args, args: &DoctorArgs) -> Result<Exit, CliError> {
    tell(&runtime()?.block_on(doctor::examine(config, None, &again(all))), args)
}

/// The same by what is right of a configuration, which something is wrong with.
pub(super) fn misconfigured(error: &ConfigError, all: &Args, args: &DoctorArgs) -> Result<Exit, CliError> {
    match (Config::to_ask(&all.sources()), error) {
        (Err(_), _) | (_, ConfigError::Read { .. }) => tell(&[doctor::misconfigured(error)], args),
        (Ok(config), _) => {
            tell(&runtime()?.block_on(doctor::examine(&config, Some(error), &again(all))), args)
        }
    }
}

/// How a shell is told to ask the same.
fn again(all: &Args) -> String {
    let named = [("--config", &all.config), ("--data-dir", &all.data_dir)];
    let named = named.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)));
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let options = named.map(|(option, path)| format!(" {option} '{}'", display_path(&absolute(path))));
    format!("wirefold{} doctor", options.collect::<String>())
}

fn tell(findings: &[Finding], args: &DoctorArgs) -> Result<Exit, CliError> {
    let worst = findings.iter().map(|f| f.level).max().unwrap_or(Level::Ok);
    let mut out = Out::new();
    if args.json {
        out.line(&serde_json::json!({ "level": worst, "findings": findings }).to_string())?;
    } else {
        out.line(&told(findings, columns().into(), Paint::of_stdout()))?;
    }
    out.flush()?;
    Ok(if worst == Level::Failure { Exit::Failed } else { Exit::Done })
}

/// A finding a paragraph, and what they come to.
fn told(findings: &[Finding], columns: usize, paint: Paint) -> String {
    let mut page = Page::new(columns);
    for Finding { check, level, what, remedy } in findings {
        let (first, hue) = (page.lines.len(), hue(*level));
        let mut label = format!("{:<9}{check:<15}", level.name());
        let remedy = remedy.iter().map(|remedy| format!("remedy: {remedy}"));
        for line in what.lines().map(str::to_owned).chain(remedy) {
            page.wrapped(&std::mem::take(&mut label), &line, INDENT);
        }
        if let Some(line) = page.lines.get_mut(first) {
            *line = line.replacen(level.name(), &paint.on(hue, level.name()), 1);
        }
    }
    page.blank();
    page.lines.push(verdict(findings));
    page.lines.join("\n")
}

const fn hue(level: Level) -> Hue {
    match level {
        Level::Ok => Hue::Green,
        Level::Warning => Hue::Yellow,
        Level::Failure => Hue::Red,
    }
}

fn verdict(findings: &[Finding]) -> String {
    let count = |level| findings.iter().map(|found| u64::from(found.level == level)).sum();
    match (count(Level::Failure), count(Level::Warning)) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("it works; {}", counted(warnings, "warning")),
        (failures, 0) => counted(failures, "failure"),
        (failures, warnings) => format!("{}, {}", counted(failures, "failure"), counted(warnings, "warning")),
    }
}
