//! `wirefold show`.

use super::{CliError, Exit, Out, args::ShowArgs, ask::ask_one, paint::Paint, render::columns, shown};
use crate::{
    config::Config,
    query::{Question, RecordAnswer},
};

/// Variants that a person is shown without a limit of their own.
const LIMIT_FOR_PEOPLE: usize = 50;

/// Shows one record.
pub(super) fn run(config: &Config, args: &ShowArgs) -> Result<Exit, CliError> {
    let limit = args.limit.or((!args.json).then_some(LIMIT_FOR_PEOPLE));
    let question = Question::Show { id: args.id.clone(), limit };
    if args.json {
        return super::export::stream(config, &question);
    }
    let record: RecordAnswer = ask_one(config, &question)?;
    let mut out = Out::new();
    out.line(&shown::shown(&record, columns().into(), Paint::of_stdout()))?;
    out.flush()?;
    Ok(Exit::Done)
}
