//! `wirefold list`.

use super::{
    CliError, Exit, Out,
    args::ListArgs,
    ask::ask,
    paint::Paint,
    render::{RecordTable, columns, files},
    status::status,
};
use crate::{
    config::Config,
    query::{Question, Selection},
};

/// Records a person is shown without a limit of their own: a screenful or two.
const LIMIT_FOR_PEOPLE: usize = 50;

/// Lists records: a table for people, lines of JSON for programs.
pub(super) fn run(config: &Config, args: &ListArgs) -> Result<Exit, CliError> {
    if args.since.zip(args.until).is_some_and(|(since, until)| until <= since) {
        return Err(CliError::EmptySpan);
    }
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
    let (mut table, mut records) = (RecordTable::new(args.sort), 0);
    ask(config, &question, |line| {
        table.add(&serde_json::from_slice(line)?);
        records += 1;
        Ok(true)
    })?;
    let mut out = Out::new();
    match (records == 0, is_choosy) {
        (true, true) => out.line("no record is like that; 'wirefold list' shows them all")?,
        (true, false) => {
            out.line(&format!("no records yet; {}", files(status(config)?.backlog, "waiting or under way")))?
        }
        (false, _) => out.line(&table.shown(columns().into(), Paint::of_stdout()))?,
    };
    if args.limit.is_none() && records == LIMIT_FOR_PEOPLE {
        out.line(&format!("the first {LIMIT_FOR_PEOPLE}; --limit N shows more"))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
