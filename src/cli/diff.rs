//! `wirefold diff`.

use super::{CliError, Exit, Out, args::DiffArgs, ask::ask_one, diffed, paint::Paint, render::columns};
use crate::{
    config::Config,
    query::{DiffAnswer, Question},
};
use std::io::{self, IsTerminal};

/// From so many columns on, two texts have room beside each other: each has the 60 to 75 that are read with ease.
const SIDE_BY_SIDE: u16 = 130;

/// Shows what one article adds to another and what it drops of it.
pub(super) fn run(config: &Config, args: &DiffArgs) -> Result<Exit, CliError> {
    let question = Question::Diff { id: args.id.clone(), other: args.other.clone() };
    if args.json {
        return super::export::stream(config, &question);
    }
    let answer: DiffAnswer = ask_one(config, &question)?;
    let columns = columns();
    let look = diffed::Look {
        columns: columns.into(),
        paint: Paint::of_stdout(),
        side_by_side: columns >= SIDE_BY_SIDE && io::stdout().is_terminal(),
    };
    let mut out = Out::new();
    out.line(&diffed::diffed(&answer, look))?;
    out.flush()?;
    Ok(Exit::Done)
}
