//! `wirefold list`.

use super::{CliError, Exit, Out, args::ListArgs, ask::ask, render, status::status};
use crate::{
    config::Config,
    query::{Question, RecordAnswer},
};

/// Records a person is shown without a limit of their own: a screenful or two.
const LIMIT_FOR_PEOPLE: usize = 50;

/// Lists records: a table for people, lines of JSON for programs.
pub(super) fn run(config: &Config, args: &ListArgs) -> Result<Exit, CliError> {
    let limit = args.limit.or((!args.json).then_some(LIMIT_FOR_PEOPLE));
    let question = Question::List { limit };
    if args.json {
        return super::export::stream(config, &question);
    }
    let mut records: Vec<RecordAnswer> = Vec::new();
    let mut fault = None;
    ask(config, &question, &mut |line| match serde_json::from_str(&line) {
        Ok(record) => {
            records.push(record);
            true
        }
        Err(error) => {
            fault = Some(error);
            false
        }
    })?;
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    let mut out = Out::new();
    if records.is_empty() {
        out.line(&format!("no records yet; {}", render::files(status(config)?.backlog, "waiting")))?;
    } else {
        out.line(&render::records(&records))?;
    }
    if args.limit.is_none() && records.len() == LIMIT_FOR_PEOPLE {
        out.line(&format!("the newest {LIMIT_FOR_PEOPLE}; --limit N shows more"))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
