//! `wirefold requeue`.

use super::{
    CliError, Exit, Out,
    args::RequeueArgs,
    ask::{Reached, reach},
    render::printable,
    runtime,
};
use crate::{
    config::Config,
    control::{self, RequeueOrder},
    inbox,
    pipeline::{self, Places, Requeued, Which},
    query::QueryError,
    service::ServiceError,
    store::DataLock,
};

/// Puts files back into their inboxes: the daemon where one runs, else this process.
pub(super) fn run(config: &Config, args: &RequeueArgs) -> Result<Exit, CliError> {
    let order = RequeueOrder { names: args.names.clone(), reason: args.reason.clone() };
    let (runtime, mut files) = (runtime()?, Vec::<Requeued>::new());
    let mut hear = |line: &[u8]| serde_json::from_slice(line).map(|file| files.push(file)).is_ok();
    let reached = reach(config, |socket| runtime.block_on(control::requeue(socket, &order, &mut hear)))?;
    if let Reached::Store(lock) = reached {
        in_store(config, lock, order, &mut files)?;
    }
    let mut out = Out::new();
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
    out.line(&match (back, stay) {
        (0, 0) => "no file that was set aside is meant".to_owned(),
        (1, _) => format!("1 file put back{rest}"),
        _ => format!("{back} files put back{rest}"),
    })?;
    out.flush()?;
    let is_done = stay == 0 && (back > 0 || args.all);
    Ok(if is_done { Exit::Done } else { Exit::Failed })
}

fn in_store(
    config: &Config,
    lock: DataLock,
    order: RequeueOrder,
    files: &mut Vec<Requeued>,
) -> Result<(), CliError> {
    let opened = pipeline::open(&config.data_dir, config.detect_settings(), &lock);
    let mut opened = opened.map_err(ServiceError::from)?;
    let inbox::Settings { inboxes, patience, .. } = config.inbox_settings();
    let places = Places { failed: config.failed_dir(), inboxes, silent: Vec::new(), patience };
    let which = Which { names: order.names, reason: order.reason };
    let mut said = Ok(());
    let mut say = |events: Vec<_>| {
        said = opened.say(&events);
        said.is_ok()
    };
    pipeline::requeue(&which, places, &mut say, &mut |file| {
        files.push(file);
        true
    });
    said.map_err(ServiceError::from)?;
    opened.store.sync().map_err(QueryError::from)?;
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    Ok(())
}
