//! `wirefold check`.

use super::{Args, CliError, Exit, Out, args::CheckArgs, page::Page, render::columns};
use crate::{
    config::{Config, DEFAULTS},
    inbox::{InboxError, would_open},
    service,
};
use std::{error::Error, os::unix::net::UnixStream};

/// Says that the configuration can be used, and what it sets. One that cannot be used was an error before this; where it is
/// right and a start would still fail, as an inbox is missing or may not be written to, that is a failure of another kind.
pub(super) fn run(config: &Config, args: &Args, what: &CheckArgs) -> Result<Exit, CliError> {
    config.socket()?;
    service::encoder(config)?;
    let file = what.file.as_ref().or(args.config.as_ref());
    let of = file.map_or_else(|| "the built-in configuration".to_owned(), |path| path.display().to_string());
    let mut page = Page::new(columns().into());
    page.wrapped("", &format!("{of} can be used"), 0);
    let said = config.said();
    for said in &said {
        page.wrapped("", &format!("{} = {} ({})", said.key, said.value, said.place), 2);
    }
    let rest = if said.is_empty() { "everything" } else { "everything else" };
    page.wrapped("", &format!("{rest} is as built in; 'wirefold check --keys' tells of every key"), 0);
    // The default inbox is made by the first start. What is locked is this configuration's own where its daemon runs.
    let inboxes = config.inbox_settings();
    let mut against = would_open(&inboxes, &config.failed_dir());
    let runs = UnixStream::connect(config.asked_socket()?).is_ok();
    let is_own = |error: &InboxError| runs && matches!(error, InboxError::InUse { .. });
    against.retain(|error| !config.inbox.is_empty() && !is_own(error));
    for error in &against {
        let why = error.source().map_or_else(String::new, |source| format!(" ({source})"));
        page.wrapped("", &format!("but no start and no reload would take it: {error}{why}"), 0);
    }
    let mut out = Out::new();
    out.line(&page.lines.join("\n"))?;
    out.flush()?;
    Ok(if against.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Prints the file that is at once the defaults, the example and the reference.
pub(super) fn keys() -> Result<Exit, CliError> {
    let mut out = Out::new();
    out.line(DEFAULTS.trim_end())?;
    out.flush()?;
    Ok(Exit::Done)
}
