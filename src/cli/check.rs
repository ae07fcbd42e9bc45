//! `wirefold check`.

use super::{Args, CliError, Exit, Out, args::CheckArgs, render::printable};
use crate::config::Config;

/// Says that the configuration can be used, and what it sets. One that cannot be used was an error before this.
pub(super) fn run(config: &Config, args: &Args, what: &CheckArgs) -> Result<Exit, CliError> {
    config.socket()?;
    let file = what.file.as_ref().or(args.config.as_ref());
    let of = file.map_or_else(|| "the built-in configuration".to_owned(), |path| path.display().to_string());
    let mut out = Out::new();
    out.line(&printable(&format!("{of} can be used")))?;
    for said in config.said() {
        out.line(&printable(&format!("  {} = {}  ({})", said.key, said.value, said.place)))?;
    }
    out.line("everything else is as in config/wirefold.toml")?;
    out.flush()?;
    Ok(Exit::Done)
}
