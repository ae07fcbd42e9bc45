//! `wirefold doctor`.

use super::{
    CliError, Exit, Out,
    args::DoctorArgs,
    render::{fitted, printable, table},
    runtime,
};
use crate::{
    config::{Config, ConfigError},
    doctor::{self, Finding, Level},
};
use comfy_table::Row;

/// Looks at everything that wirefold needs.
pub(super) fn run(config: &Config, args: &DoctorArgs) -> Result<Exit, CliError> {
    tell(&runtime()?.block_on(doctor::examine(config)), args)
}

/// Says the one thing that can be said without a configuration.
pub(super) fn misconfigured(error: &ConfigError, args: &DoctorArgs) -> Result<Exit, CliError> {
    tell(&[doctor::misconfigured(error)], args)
}

fn tell(findings: &[Finding], args: &DoctorArgs) -> Result<Exit, CliError> {
    let worst = findings.iter().map(|f| f.level).max().unwrap_or(Level::Ok);
    let mut out = Out::new();
    if args.json {
        out.line(&serde_json::json!({ "level": worst, "findings": findings }).to_string())?;
    } else {
        let mut rows = table(["RESULT", "CHECK", "WHAT"]);
        for Finding { check, level, what, remedy } in findings {
            let remedy = remedy.iter().map(|remedy| format!("\nremedy: {remedy}"));
            let what: String = std::iter::once(what.clone()).chain(remedy).collect();
            rows.add_row(Row::from([level.name(), check, &printable(&what)]));
        }
        out.line(&fitted(rows))?;
        out.line(&format!("\n{}", verdict(findings)))?;
    }
    out.flush()?;
    Ok(if worst == Level::Failure { Exit::Failed } else { Exit::Done })
}

fn verdict(findings: &[Finding]) -> String {
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    let of = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    match (count(Level::Failure), count(Level::Warning)) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("it works; {}", of(warnings, "warning")),
        (failures, 0) => of(failures, "failure"),
        (failures, warnings) => format!("{}, {}", of(failures, "failure"), of(warnings, "warning")),
    }
}
