//! `wirefold explain`.

use super::{CliError, Exit, Out, args::ExplainArgs, ask::ask_one, explained};
use crate::{
    config::Config,
    query::{ExplainAnswer, Question},
};

/// Says why an article is where it is, or how near two are.
pub(super) fn run(config: &Config, args: &ExplainArgs) -> Result<Exit, CliError> {
    let question = Question::Explain { id: args.id.clone(), other: args.other.clone() };
    if args.json {
        return super::export::stream(config, &question);
    }
    let answer: ExplainAnswer = ask_one(config, &question)?;
    let mut out = Out::new();
    out.line(&explained::explained(&answer))?;
    out.flush()?;
    Ok(Exit::Done)
}
