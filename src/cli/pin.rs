//! `wirefold pin` and `wirefold unpin`.

use super::{
    CliError, Exit, Out,
    args::PinArgs,
    ask::{Reached, reach},
    runtime,
};
use crate::{
    clock,
    config::Config,
    control::{self, PinAnswer, PinOrder},
    model::{Event, PinEvent},
    pipeline,
    query::{Library, QueryError, may_mean_an_article},
    service::ServiceError,
    store::DataLock,
};

/// Has a person's word on an article made durable: by the daemon where one runs, else in the store itself.
pub(super) fn run(config: &Config, args: &PinArgs, pinned: bool) -> Result<Exit, CliError> {
    // Nobody is to wait to be told that.
    may_mean_an_article(&args.id)?;
    let runtime = runtime()?;
    let order = PinOrder { id: args.id.clone(), pinned };
    let PinAnswer { id, was_so } =
        match reach(config, |socket| runtime.block_on(control::pin(socket, &order)))? {
            Reached::Daemon(id) => id,
            Reached::Store(lock) => in_store(config, lock, &order)?,
        };
    let mut out = Out::new();
    let done = match (pinned, was_so) {
        (true, false) => "stays in its record",
        (true, true) => "was pinned already, and stays in its record",
        (false, false) => "may move again",
        (false, true) => "was not pinned, and may move as before",
    };
    out.line(&format!("article {id} {done}"))?;
    out.flush()?;
    Ok(Exit::Done)
}

fn in_store(config: &Config, lock: DataLock, order: &PinOrder) -> Result<PinAnswer, CliError> {
    let opened = pipeline::open(&config.data_dir, config.detect_settings(), &lock);
    let mut opened = opened.map_err(ServiceError::from)?;
    let library = Library::new(&opened.store, &config.data_dir, config.detect_settings());
    let id = library.article_id(&order.id)?;
    let was_so = library.is_pinned(id)? == order.pinned;
    if !was_so {
        let event = Event::Pin(PinEvent { id, pinned: order.pinned, at: clock::now() });
        opened.say(&[event]).map_err(ServiceError::from)?;
    }
    opened.store.sync().map_err(QueryError::from)?;
    drop(opened);
    lock.release_clean().map_err(ServiceError::from)?;
    Ok(PinAnswer { id, was_so })
}
