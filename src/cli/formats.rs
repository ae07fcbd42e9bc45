//! `wirefold formats`.

use super::{CliError, Exit, Out, args::FormatsArgs, render};
use crate::format::{FORMATS, names};

/// Tells what is read, how it is recognized, and what metadata comes out.
pub(super) fn run(args: &FormatsArgs) -> Result<Exit, CliError> {
    let mut out = Out::new();
    if args.json {
        for listed in FORMATS {
            out.line(&serde_json::to_string(&listed)?)?;
        }
    } else {
        out.line(&render::formats(&FORMATS))?;
        out.line("\nThe metadata in `show --json`, under `meta`, whatever the format calls it:\n")?;
        out.line(&render::names(names()))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
