//! `wirefold list`.

use super::{CliError, Exit, Out, args::ListArgs, ask::ask, paint::Paint, render, status::status};
use crate::{
    config::Config,
    query::{Question, RecordAnswer, Selection},
};

/// Records a person is shown without a limit of their own: a screenful or two.
const LIMIT_FOR_PEOPLE: usize = 50;

/// Lists records: a table for people, lines of JSON for programs.
pub(super) fn run(config: &Config, args: &ListArgs) -> Result<Exit, CliError> {
    let asked = Selection {
        since: args.since,
        until: args.until,
        source: args.source.clone(),
        lang: args.lang.clone(),
        min_variants: args.min_variants,
        relation: args.relation,
        title: args.title.clone(),
        meta: args.meta.clone(),
        sort: args.sort,
        limit: args.limit.or((!args.json).then_some(LIMIT_FOR_PEOPLE)),
    };
    let everything = Selection { sort: asked.sort, limit: asked.limit, ..Selection::default() };
    let is_choosy = asked != everything;
    let question = Question::List(asked);
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
    match (records.is_empty(), is_choosy) {
        (true, true) => out.line("no record is like that; 'wirefold list' shows them all")?,
        (true, false) => {
            out.line(&format!("no records yet; {}", render::files(status(config)?.backlog, "waiting")))?
        }
        (false, _) => out.line(&render::records(&records, args.sort, Paint::of_stdout()))?,
    };
    if args.limit.is_none() && records.len() == LIMIT_FOR_PEOPLE {
        out.line(&format!("the first {LIMIT_FOR_PEOPLE}; --limit N shows more"))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
