//! `wirefold show`.

use super::{CliError, Exit, Out, args::ShowArgs, ask::ask_one, paint::Paint, render::columns, shown};
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
    let record: RecordAnswer = ask_one(config, &question)?;
    let mut out = Out::new();
    out.line(&shown::shown(&record, columns().into(), Paint::of_stdout()))?;
    out.flush()?;
    Ok(Exit::Done)
}
