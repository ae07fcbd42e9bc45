//! `wirefold export`, and the streaming of answers for programs.

use super::{CliError, Exit, Out, ask::ask};
use crate::{config::Config, query::Question};

/// Writes all records.
pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    stream(config, &Question::Export)
}

/// Writes the lines of an answer as they come, just as they are.
pub(super) fn stream(config: &Config, question: &Question) -> Result<Exit, CliError> {
    let (mut out, mut fault) = (Out::new(), None);
    ask(config, question, &mut |line| match out.line(&line) {
        Ok(heard) => heard,
        Err(error) => {
            fault = Some(error);
            false
        }
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    out.flush()?;
    Ok(Exit::Done)
}
