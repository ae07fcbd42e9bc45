//! `wirefold requeue`.

use super::{
    CliError, Exit, Out,
    args::RequeueArgs,
    ask::{Reached, reach},
    page::Page,
    render::{columns, one_line, printable, to_the_minute},
    runtime,
    table::Table,
};
use crate::{
    config::Config,
    control::{self, RequeueOrder},
    inbox,
    model::{ends_alike, place_of},
    pipeline::{self, Kept, Listed, Places, Requeued, Unread, Which},
    query::QueryError,
    service::{ServiceError, counted},
    store::DataLock,
};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Lists what could not be read, or puts files of it back into their inboxes: the daemon where one runs, else this process.
pub(super) fn run(config: &Config, args: &RequeueArgs) -> Result<Exit, CliError> {
    let mut out = Out::new();
    if args.names.is_empty() && args.reason.is_none() && !args.all {
        let (unread, silent) = unread(config)?;
        out.line(&listed(&unread, &silent, columns().into()))?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    let order = RequeueOrder { names: args.names.clone(), reason: args.reason.clone(), list: false };
    let files: Vec<Requeued> = ordered(config, &order, |lock, files| in_store(config, lock, &order, files))?;
    for Requeued { path, back, why } in &files {
        let said = match (back, why) {
            (Some(back), _) => format!("{path}: back at {back}"),
            (None, why) => {
                format!("{path}: stays, because {}", why.as_deref().unwrap_or("it cannot be moved"))
            }
        };
        out.line(&printable(&said))?;
    }
    let back = files.iter().filter(|file| file.back.is_some()).count();
    let stay = files.len() - back;
    let rest = if stay > 0 { format!(", {stay} left where it was") } else { String::new() };
    let said = match (back, stay) {
        (0, 0) => none_meant(args, &unread(config)?.0),
        _ => format!("{} put back{rest}", counted(back as u64, "file")),
    };
    let mut page = Page::new(columns().into());
    page.wrapped("", &said, 0);
    out.line(&page.lines.join("\n"))?;
    out.flush()?;
    let is_done = stay == 0 && (back > 0 || args.all);
    Ok(if is_done { Exit::Done } else { Exit::Failed })
}

/// All that could not be read, and the inboxes that do not answer.
fn unread(config: &Config) -> Result<(Vec<Unread>, Vec<String>), CliError> {
    let order = RequeueOrder { list: true, ..RequeueOrder::default() };
    let listed = ordered(config, &order, |lock, found| {
        // Whoever has held the lock must have left a view that can be trusted.
        let opened = pipeline::open_to_read(&config.data_dir, config.detect_settings(), &lock);
        let store = opened.map_err(ServiceError::from)?;
        pipeline::unread(places(config), store.view(), &mut |listed| {
            found.push(listed);
            true
        });
        store.sync().map_err(QueryError::from)?;
        drop(store);
        Ok(lock.release_clean().map_err(ServiceError::from)?)
    })?;
    let (mut unread, mut silent) = (Vec::new(), Vec::new());
    for line in listed {
        match line {
            Listed::Unread(one) => unread.push(one),
            Listed::Silent { silent: inbox } => silent.push(inbox),
        }
    }
    Ok((unread, silent))
}

/// What is answered to an order, by the daemon or by `here`.
fn ordered<A: DeserializeOwned>(
    config: &Config,
    order: &RequeueOrder,
    here: impl FnOnce(DataLock, &mut Vec<A>) -> Result<(), CliError>,
) -> Result<Vec<A>, CliError> {
    let (runtime, mut answers) = (runtime()?, Vec::new());
    let mut hear = |line: &[u8]| serde_json::from_slice(line).map(|answer| answers.push(answer)).is_ok();
    if let Reached::Store(lock) =
        reach(config, |socket| runtime.block_on(control::requeue(socket, order, &mut hear)))?
    {
        here(lock, &mut answers)?;
    }
    Ok(answers)
}

/// What could not be read, each with its reason, and how it is tried again.
fn listed(unread: &[Unread], silent: &[String], width: usize) -> String {
    let mut page = Page::new(width);
    let mut table = Table::new(["CAME", "REASON", "FILE, AND WHY"]).sparing(&[0]);
    let inboxes: BTreeSet<_> = unread.iter().filter_map(|one| one.inbox.as_ref()).collect();
    for Unread { path, item, inbox, at, code, message, kept, .. } in unread {
        let what = match kept {
            Kept::File => "",
            Kept::Part => " (a part of it)",
            Kept::Nothing => " (left where it was given)",
            Kept::Gone => " (no longer there)",
        };
        let file = one_line(&place_of(path, item.as_deref()));
        let from = inbox.as_ref().filter(|_| inboxes.len() > 1);
        let from = from.map_or_else(String::new, |inbox| format!(" from {}", one_line(inbox)));
        table.add([to_the_minute(*at), one_line(code), format!("{file}{from}{what}\n{}", one_line(message))]);
    }
    if unread.is_empty() && silent.is_empty() {
        page.wrapped("", "nothing that came in could not be read", 0);
    } else if !unread.is_empty() {
        page.lines.extend(table.folded(width));
    }
    let count = |kept| unread.iter().map(|one| u64::from(one.kept == kept)).sum::<u64>();
    if count(Kept::File) > 0 {
        page.wrapped("", "once the cause is gone: 'wirefold requeue NAME', or --reason REASON, or --all", 0);
    }
    if count(Kept::Part) + count(Kept::Nothing) > 0 {
        page.wrapped("", "a part, or what was left where it was given: drop or ingest that file again", 0);
    }
    for inbox in silent {
        let said =
            format!("the inbox {} does not answer; what was set aside there is not listed", one_line(inbox));
        page.wrapped("", &said, 0);
    }
    page.lines.join("\n")
}

/// Why no file was put back, and what could have been asked for.
fn none_meant(args: &RequeueArgs, unread: &[Unread]) -> String {
    let mut codes = BTreeMap::<&str, u64>::new();
    for one in unread.iter().filter(|one| one.kept == Kept::File) {
        *codes.entry(&one.code).or_default() += 1;
    }
    let codes: Vec<_> = codes.iter().map(|(code, count)| format!("{} ({count})", one_line(code))).collect();
    let is_meant = |one: &&Unread| {
        let place = place_of(&one.path, one.item.as_deref());
        args.reason.as_ref().is_some_and(|code| *code == one.code)
            || args
                .names
                .iter()
                .any(|name| *name == place || ends_alike(&one.path, name) || ends_alike(name, &one.called))
    };
    if let Some(one) = unread.iter().find(|one| is_meant(one)) {
        let what = match one.kept {
            Kept::Part => "a part of its file; the rest of it was taken in",
            Kept::Gone => "no longer where it was set aside",
            _ => "no more than told of; it stayed where it was given",
        };
        let place = one_line(&place_of(&one.path, one.item.as_deref()));
        return format!("'{place}' cannot be put back, as it is {what}: drop or ingest that file again");
    }
    match (&args.reason, codes.as_slice()) {
        (_, []) => "no file is set aside, so there is none to put back".to_owned(),
        (Some(code), codes) if args.names.is_empty() => {
            format!(
                "no file was set aside for the reason '{}'; there are: {}",
                one_line(code),
                codes.join(", ")
            )
        }
        _ => {
            let names: Vec<_> = args.names.iter().map(|name| format!("'{}'", one_line(name))).collect();
            format!(
                "no file that was set aside is called {}; 'wirefold requeue' lists them",
                names.join(" or ")
            )
        }
    }
}

fn places(config: &Config) -> Places {
    let inbox::Settings { inboxes, patience, .. } = config.inbox_settings();
    Places { failed: config.failed_dir(), inboxes, silent: Vec::new(), patience }
}

fn in_store(
    config: &Config,
    lock: DataLock,
    order: &RequeueOrder,
    files: &mut Vec<Requeued>,
) -> Result<(), CliError> {
    let opened = pipeline::open(&config.data_dir, config.detect_settings(), &lock);
    let mut opened = opened.map_err(ServiceError::from)?;
    let which = Which { names: order.names.clone(), reason: order.reason.clone() };
    let mut said = Ok(());
    let mut say = |events: Vec<_>| {
        said = opened.say(&events);
        said.is_ok()
    };
    pipeline::requeue(&which, places(config), &mut say, &mut |file| {
        files.push(file);
        true
    });
    said.map_err(ServiceError::from)?;
    opened.store.sync().map_err(QueryError::from)?;
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    Ok(())
}
