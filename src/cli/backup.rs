//! `wirefold backup` and `wirefold restore`.

use super::{CliError, Exit, Out, apart::check_backup, args::BackupArgs};
use crate::{
    backup::{self, Copied, Near},
    config::Config,
    inbox::{self, display_path},
    pipeline,
    query::QueryError,
    service::{self, LOCK_PATIENCE, ServiceError, counted},
    store::DataLock,
};
use indicatif::DecimalBytes;

/// Copies what cannot be made anew, or adds to an earlier copy what came since.
pub(super) fn backup(config: &Config, args: &BackupArgs) -> Result<Exit, CliError> {
    check_backup(config, &args.folder)?;
    let inbox::Settings { inboxes, patience, .. } = config.inbox_settings();
    let folders = inboxes.iter().map(|root| root.path.join(".wirefold/failed")).collect();
    let copied = backup::backup(&config.data_dir, &Near { folders, patience }, &args.folder)?;
    let mut out = Out::new();
    let Copied { files, bytes, copied: new, damage, missing, .. } = copied;
    let (bytes, new) = (DecimalBytes(bytes), DecimalBytes(new));
    let files = counted(files, "file");
    out.line(&format!("{files} of {bytes}; {new} copied this time"))?;
    if !damage.is_empty() {
        let parts = counted(damage.len() as u64, "damaged part");
        out.line(&format!("the journal has {parts}, copied as is; see 'wirefold audit'"))?;
    }
    for path in &missing {
        out.line(&format!("{} cannot be read, and is not in it", display_path(path)))?;
    }
    out.flush()?;
    Ok(if damage.is_empty() && missing.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Brings a backup back and makes its view.
pub(super) fn restore(config: &Config, args: &BackupArgs) -> Result<Exit, CliError> {
    backup::check_restore(&args.folder, &config.data_dir)?;
    service::make_data_dir(config)?;
    let lock = DataLock::take(&config.data_dir, LOCK_PATIENCE).map_err(ServiceError::from)?;
    let copied = backup::restore(&args.folder, &config.data_dir)?;
    let opened =
        pipeline::open(&config.data_dir, config.detect_settings(), &lock).map_err(ServiceError::from)?;
    let counts = opened.store.view().counts().map_err(QueryError::from)?;
    let lost = opened.damage.iter().filter(|damage| !damage.at_the_end).count();
    opened.store.sync().map_err(QueryError::from)?;
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    let mut out = Out::new();
    let (articles, records) = (counted(counts.articles(), "article"), counted(counts.canonical, "record"));
    let (files, bytes) = (counted(copied.files, "file"), DecimalBytes(copied.bytes));
    let verb = if counts.articles() == 1 { "is" } else { "are" };
    out.line(&format!("{articles} in {records} {verb} back, from {files} of {bytes}"))?;
    if lost > 0 {
        let parts = counted(lost as u64, "damaged part");
        out.line(&format!(
            "its journal has {parts}; 'wirefold audit --repair' brings back what originals hold"
        ))?;
    }
    out.flush()?;
    Ok(if lost == 0 { Exit::Done } else { Exit::Failed })
}
