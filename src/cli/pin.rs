//! `wirefold pin` and `wirefold unpin`.

use super::{CliError, Exit, Out, args::PinArgs};
use crate::{
    clock,
    config::Config,
    model::PinEvent,
    pipeline,
    query::{Library, QueryError},
    service::{LOCK_PATIENCE, ServiceError},
    store::DataLock,
};

/// Writes a person's word on an article into the journal. The daemon cannot be told yet, so none may run.
pub(super) fn run(config: &Config, args: &PinArgs, pinned: bool) -> Result<Exit, CliError> {
    if !config.data_dir.join("journal").is_dir() {
        return Err(CliError::NoData(config.data_dir.display().to_string()));
    }
    let lock = DataLock::take(&config.data_dir, LOCK_PATIENCE).map_err(ServiceError::from)?;
    let opened = pipeline::open(&config.data_dir, config.detect_settings(), &lock);
    let mut opened = opened.map_err(ServiceError::from)?;
    let id = Library::new(&opened.store, &config.data_dir, config.detect_settings()).article_id(&args.id)?;
    opened.pin(PinEvent { id, pinned, at: clock::now() }).map_err(ServiceError::from)?;
    opened.store.sync().map_err(QueryError::from)?;
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    let mut out = Out::new();
    let done = if pinned { "stays in its record" } else { "may move again" };
    out.line(&format!("article {id} {done}"))?;
    out.flush()?;
    Ok(Exit::Done)
}
