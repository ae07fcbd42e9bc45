//! `wirefold rebuild`.

use super::{CliError, Exit, Out};
use crate::{
    config::Config,
    pipeline,
    query::QueryError,
    service::{LOCK_PATIENCE, ServiceError},
    store::DataLock,
};

/// Makes the view anew from the journal.
pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    if !config.data_dir.join("journal").is_dir() {
        return Err(CliError::NoData(config.data_dir.display().to_string()));
    }
    let lock = DataLock::take(&config.data_dir, LOCK_PATIENCE).map_err(ServiceError::from)?;
    let opened =
        pipeline::rebuild(&config.data_dir, config.detect_settings(), &lock).map_err(ServiceError::from)?;
    let counts = opened.store.view().counts().map_err(QueryError::from)?;
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    let mut out = Out::new();
    out.line(&format!(
        "the view was made anew from the journal: {} articles in {} records",
        counts.articles(),
        counts.canonical
    ))?;
    out.flush()?;
    Ok(Exit::Done)
}
