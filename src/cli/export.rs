//! `wirefold export`, and the streaming of answers for programs.

use super::{CliError, Exit, Out, ask::ask};
use crate::{config::Config, query::Question};

/// Writes all records.
pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    stream(config, &Question::Export)
}

/// Writes the lines of an answer as they come, just as they are.
pub(super) fn stream(config: &Config, question: &Question) -> Result<Exit, CliError> {
    let mut out = Out::new();
    ask(config, question, |line| out.line_of_bytes(line))?;
    out.flush()?;
    Ok(Exit::Done)
}
