//! What the watcher says, cut down to hints. The only file that reads notify's events.
//!
//! A hint is where to look, never what to believe. The watcher's thread must not wait: what does not fit into the
//! queue, and every error, becomes one wish for a scan. `watch` reads the hints.

use super::names::Ignore;
use notify::{
    Event,
    event::{CreateKind, EventKind, ModifyKind, RemoveKind, RenameMode},
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Notify, mpsc};

/// A place to look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) sign: Sign,
    pub(super) path: PathBuf,
}

/// What may have happened there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Something was made, written or changed.
    Touched,
    /// Something was renamed to this path.
    Arrived,
    /// A folder was made.
    FolderMade,
    /// Something was renamed away, or a folder was removed.
    Left,
}

/// The callback of an inbox's watcher: passes hints on, each with the inbox's index, and asks for a scan where it cannot.
pub(super) fn listener(
    inbox: usize,
    ignore: Arc<Ignore>,
    hints: mpsc::Sender<(usize, Hint)>,
    lost: Arc<Notify>,
) -> impl FnMut(notify::Result<Event>) + Send + 'static {
    let has_failed = AtomicBool::new(false);
    move |told| match told {
        Ok(event) if event.need_rescan() => lost.notify_one(),
        Ok(event) => {
            let fits = hint_of(event, &ignore).is_none_or(|hint| hints.try_send((inbox, hint)).is_ok());
            if !fits {
                lost.notify_one();
            }
        }
        Err(error) => {
            if !has_failed.swap(true, Ordering::Relaxed) {
                tracing::warn!(%error, "the watcher reports errors; scans make up for what it misses");
            }
            lost.notify_one();
        }
    }
}

/// The hint in an event, if it gives one. Closing and opening change nothing, a removed file is missed by nobody, and
/// an ignored name is not worth a look.
fn hint_of(event: Event, ignore: &Ignore) -> Option<Hint> {
    let sign = match event.kind {
        EventKind::Access(_)
        | EventKind::Remove(RemoveKind::File)
        | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return None,
        EventKind::Create(CreateKind::Folder) => Sign::FolderMade,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Sign::Left,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Sign::Arrived,
        _ => Sign::Touched,
    };
    let path = event.paths.into_iter().next()?;
    // A folder that leaves may be an inbox itself, whatever its name.
    (sign == Sign::Left || path.file_name().is_some_and(|name| !ignore.name(name)))
        .then_some(Hint { sign, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, Flag};

    type Hints = mpsc::Receiver<(usize, Hint)>;

    fn parts(hints_max: usize) -> (impl FnMut(notify::Result<Event>), Hints, Arc<Notify>) {
        let (sender, hints) = mpsc::channel(hints_max);
        let lost = Arc::new(Notify::new());
        let ignore = Arc::new(Ignore::new(&["*.part".to_owned()]).unwrap());
        (listener(7, ignore, sender, Arc::clone(&lost)), hints, lost)
    }

    fn made(path: &str) -> Event {
        Event::new(EventKind::Create(CreateKind::File)).add_path(path.into())
    }

    #[tokio::test]
    async fn what_does_not_fit_becomes_one_wish_for_a_scan() {
        let (mut listen, mut hints, lost) = parts(1);
        listen(Ok(made("/in/a")));
        listen(Ok(made("/in/b")));
        listen(Ok(made("/in/c")));
        lost.notified().await;
        let (inbox, hint) = hints.recv().await.unwrap();
        assert_eq!((inbox, hint.path), (7, PathBuf::from("/in/a")));
        assert!(hints.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_loss_without_a_path_and_an_error_ask_for_a_scan() {
        let (mut listen, _hints, lost) = parts(1);
        listen(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        lost.notified().await;
        listen(Err(notify::Error::generic("broken")));
        lost.notified().await;
    }

    #[test]
    fn noise_is_no_hint() {
        let (mut listen, mut hints, _lost) = parts(9);
        listen(Ok(made("/in/a.part")));
        listen(Ok(Event::new(EventKind::Access(AccessKind::Any)).add_path("/in/a".into())));
        assert!(hints.try_recv().is_err());
    }
}
