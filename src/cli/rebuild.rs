//! `wirefold rebuild`.

use super::{CliError, Exit, Out, ask::has_data};
use crate::{
    config::Config,
    pipeline,
    query::QueryError,
    service::{LOCK_PATIENCE, ServiceError, counted},
    store::{DataLock, LockError},
};

/// Makes the view anew from the journal.
pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    if !has_data(config) {
        return Err(CliError::NoData(config.data_dir.display().to_string()));
    }
    let lock = DataLock::take(&config.data_dir, LOCK_PATIENCE).map_err(|error| match error {
        LockError::Busy { .. } => CliError::BesideADaemon(error),
        error => ServiceError::from(error).into(),
    })?;
    let opened = pipeline::rebuild(&config.data_dir, config.detect_settings()).map_err(ServiceError::from)?;
    let counts = opened.store.view().counts().map_err(QueryError::from)?;
    let lost = opened.damage.iter().filter(|damage| !damage.at_the_end).count();
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    let mut out = Out::new();
    let (articles, records) = (counted(counts.articles(), "article"), counted(counts.canonical, "record"));
    out.line(&format!("the view was made anew from the journal: {articles} in {records}"))?;
    if lost > 0 {
        let parts = counted(lost as u64, "damaged part");
        out.line(&format!("the journal has {parts}, as said above; what was in there is missing"))?;
        out.line("the files they came in are kept under originals/")?;
    }
    out.flush()?;
    Ok(if lost == 0 { Exit::Done } else { Exit::Failed })
}
