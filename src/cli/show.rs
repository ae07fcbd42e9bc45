//! `wirefold show`.

use super::{CliError, Exit, Out, args::ShowArgs, ask::ask, render};
use crate::{
    config::Config,
    query::{Question, RecordAnswer},
};

/// Shows one record.
pub(super) fn run(config: &Config, args: &ShowArgs) -> Result<Exit, CliError> {
    let question = Question::Show { id: args.id.clone() };
    if args.json {
        return super::export::stream(config, &question);
    }
    let mut answer = String::new();
    ask(config, &question, &mut |line| {
        answer = line;
        true
    })?;
    let record: RecordAnswer = serde_json::from_str(&answer)?;
    let mut out = Out::new();
    out.line(&render::record(&record))?;
    out.flush()?;
    Ok(Exit::Done)
}
