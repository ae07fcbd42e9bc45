//! `wirefold status`.

use super::{CliError, Exit, Out, args::StatusArgs, ask::ask_one, render};
use crate::{
    config::Config,
    query::{Question, Status},
};

/// Tells how things stand.
pub(super) fn run(config: &Config, args: &StatusArgs) -> Result<Exit, CliError> {
    if args.json {
        return super::export::stream(config, &Question::Status);
    }
    let status = status(config)?;
    let mut out = Out::new();
    out.line(&render::status(&status))?;
    out.flush()?;
    Ok(Exit::Done)
}

/// How things stand.
pub(super) fn status(config: &Config) -> Result<Status, CliError> {
    ask_one(config, &Question::Status)
}
