//! `wirefold check`.

use super::{Args, CliError, Exit, Out, args::CheckArgs, render::printable};
use crate::{
    config::{Config, DEFAULTS},
    service,
};
use std::path::Path;

/// Says that the configuration can be used, and what it sets. One that cannot be used was an error before this.
pub(super) fn run(config: &Config, args: &Args, what: &CheckArgs) -> Result<Exit, CliError> {
    config.socket()?;
    service::encoder(config)?;
    let file = what.file.as_ref().or(args.config.as_ref());
    let of = file.map_or_else(|| "the built-in configuration".to_owned(), |path| path.display().to_string());
    let mut out = Out::new();
    out.line(&printable(&format!("{of} can be used")))?;
    let said = config.said();
    for said in &said {
        out.line(&printable(&format!("  {} = {}  ({})", said.key, said.value, said.place)))?;
    }
    let rest = if said.is_empty() { "everything" } else { "everything else" };
    out.line(&format!("{rest} is as built in; 'wirefold check --keys' tells of every key"))?;
    let is_missing = |path: &&Path| !path.is_dir();
    for inbox in config.inbox.iter().map(|inbox| inbox.path.as_path()).filter(is_missing) {
        let what =
            format!("but there is no folder {}: no start and no reload would take it", inbox.display());
        out.line(&printable(&what))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Prints the file that is at once the defaults, the example and the reference.
pub(super) fn keys() -> Result<Exit, CliError> {
    let mut out = Out::new();
    out.line(DEFAULTS.trim_end())?;
    out.flush()?;
    Ok(Exit::Done)
}
