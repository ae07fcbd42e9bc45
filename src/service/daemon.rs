//! The daemon: the inboxes into the pipeline until a signal says stop.

use super::{Ground, ServiceError, ground, tasks::Tasks};
use crate::{
    clock,
    config::Config,
    control::{self, Control, Live},
    inbox::{Arrivals, Claimed, InboxState, RootState, Watching, display_path},
    model::{Arrival, PinEvent, Time},
    pipeline::{self, Job, Parts, Pins, Progress, Resume, Wired},
    query::{InboxStatus, Library, Rates, Status},
    store::Store,
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

/// Claimed files that may wait for the pipeline.
const CLAIMS_WAITING: usize = 64;
/// How long readers may take at the end.
const READERS_PATIENCE: Duration = Duration::from_secs(2);
/// How long what is under way may take at the end. systemd's own patience is 90 s.
const DRAIN_PATIENCE: Duration = Duration::from_mins(1);

/// What a person who starts a daemon wants to know once it is ready.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where to drop files.
    pub inboxes: Vec<PathBuf>,
    /// Where it listens.
    pub socket: PathBuf,
    /// Articles in the store.
    pub articles: u64,
    /// Records in the store.
    pub records: u64,
}

/// A daemon that is ready to run.
pub struct Daemon {
    ground: Ground,
    config: Config,
    socket: PathBuf,
}

impl Daemon {
    /// Locks and opens everything. Whatever would keep it from running is said here.
    pub fn open(config: Config) -> Result<Self, ServiceError> {
        let socket = config.socket()?;
        Ok(Self { ground: ground(&config)?, config, socket })
    }
}

/// Runs until SIGTERM or SIGINT, and then to the end of what is under way. `ready` is called when the inboxes
/// are armed, have been looked through once, and the socket listens.
pub async fn run(daemon: Daemon, ready: impl FnOnce(&Ready)) -> Result<(), ServiceError> {
    let Daemon { ground, config, socket } = daemon;
    let Ground { lock, mut opened, encoder, failed, inboxes: inbox, in_flight, next_arrival } = ground;
    let mut signals = Signals::new()?;
    let (stop, stopped) = watch::channel(false);
    let (state, mut state_seen) = watch::channel(InboxState::default());
    let (mut stages, mut others) = (Tasks::default(), Tasks::default());
    let inboxes = inbox.paths();
    let shown: Vec<String> = inboxes.iter().map(|path| display_path(path)).collect();
    let counts = opened.store.view().counts().map_err(pipeline::PipelineError::from)?;
    let resumed = opened.resume(in_flight, &shown, &failed)?;
    opened.close_interrupted(&resumed, &shown)?;
    let halt = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(Progress::default());
    let parts = Parts {
        opened,
        failed,
        article_bytes_max: config.read.article_bytes_max,
        group_articles_max: config.commit.group_articles_max,
        progress: Arc::clone(&progress),
        stop: Arc::clone(&halt),
        encoder,
    };
    let Wired { jobs, pins, stages: wired, store } = pipeline::stages(parts);
    for stage in wired {
        stages.spawn_blocking(stage.name, move || Ok((stage.run)()?));
    }
    let (claims, claimed) = mpsc::channel(CLAIMS_WAITING);
    stages.spawn("intake", intake(resumed, claimed, jobs, shown));
    let known = Known {
        config: config.clone(),
        store: Arc::clone(&store),
        state: state_seen.clone(),
        progress,
        since: clock::now(),
    };
    let listener = control::listen(&socket)?;
    let live = live(known, pins);
    let control = Control::new(Arc::clone(&store), config.data_dir.clone(), config.detect_settings(), live);
    others.spawn("control", serve(listener, control, stopped.clone()));
    let arrivals = Arc::new(Arrivals::starting_at(next_arrival));
    stages.spawn("inbox", async move { Ok(inbox.watch(arrivals, claims, state, wait(stopped)).await?) });

    let outcome = select! {
        () = signals.first() => Ok(()),
        ended = stages.next() => unexpected(ended),
        ended = others.next() => unexpected(ended),
        never = announce(&mut state_seen, || {
            ready(&Ready { inboxes, socket: socket.clone(), articles: counts.articles(), records: counts.canonical });
        }) => never,
    };
    tracing::info!("stopping: what is under way is finished first");
    notify(&[sd_notify::NotifyState::Stopping]);
    halt.store(true, Ordering::Relaxed);
    stop.send_replace(true);
    let drained = select! {
        drained = stages.drain(DRAIN_PATIENCE) => drained,
        () = signals.first() => Err(ServiceError::Aborted),
    };
    if let Err(error) = outcome.and(drained) {
        // A stage may still be writing: the lock goes only with the process.
        std::mem::forget(lock);
        return Err(error);
    }
    // A reader that does not read must not keep the daemon from ending.
    others.end_soon(READERS_PATIENCE).await;
    control::remove(&socket);
    drop(store);
    lock.release_clean()?;
    tracing::info!("stopped");
    Ok(())
}

/// What the control socket asks the daemon itself.
fn live(known: Known, pins: Pins) -> Live {
    Live {
        status: Box::new(move || known.status()),
        pin: Box::new(move |id, pinned| pins.pin(PinEvent { id, pinned, at: clock::now() })),
    }
}

/// Waits until the inboxes are ready, says so once, and then never ends.
async fn announce(state: &mut watch::Receiver<InboxState>, ready: impl FnOnce()) -> Result<(), ServiceError> {
    if state.wait_for(|s| s.is_ready).await.is_ok() {
        notify(&[sd_notify::NotifyState::Ready]);
        tracing::info!("ready");
        ready();
    }
    std::future::pending().await
}

/// Hands on first what an earlier run left in flight, then what is claimed.
async fn intake(
    resumed: Vec<Job>,
    mut claimed: mpsc::Receiver<Claimed>,
    jobs: mpsc::Sender<Job>,
    inboxes: Vec<String>,
) -> Result<(), ServiceError> {
    if !resumed.is_empty() {
        tracing::info!(
            files = resumed.len(),
            "going on with files that were in flight when the last run ended"
        );
    }
    for job in resumed {
        if jobs.send(job).await.is_err() {
            return Ok(());
        }
    }
    while let Some(claim) = claimed.recv().await {
        let inbox = inboxes.get(claim.root).cloned();
        if jobs.send(Job::of_claim(claim, inbox, Resume::default())).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn serve(
    listener: tokio::net::UnixListener,
    control: Control,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServiceError> {
    Ok(control::serve(listener, control, wait(stopped)).await?)
}

/// Ends when the run is to stop.
async fn wait(mut stopped: watch::Receiver<bool>) {
    // The sender outlives every task; were it gone, stopping would be right.
    drop(stopped.wait_for(|stop| *stop).await);
}

fn unexpected(ended: Option<Result<&'static str, ServiceError>>) -> Result<(), ServiceError> {
    match ended {
        Some(Err(error)) => Err(error),
        Some(Ok(name)) => Err(ServiceError::Task { name, what: "it had nothing more to do".to_owned() }),
        None => Err(ServiceError::Task { name: "all", what: "nothing runs any more".to_owned() }),
    }
}

/// Tells systemd, where it listens.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told how things stand");
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, ServiceError> {
        let listen = |kind| {
            let path = PathBuf::from("signals");
            signal(kind).map_err(|source| ServiceError::Io { action: "listen for", path, source })
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Ends with the next of them.
    async fn first(&mut self) {
        select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What only a running daemon knows.
struct Known {
    config: Config,
    store: Arc<Store>,
    state: watch::Receiver<InboxState>,
    progress: Arc<Progress>,
    since: Time,
}

impl Known {
    fn status(&self) -> Result<Status, crate::query::QueryError> {
        let library = Library::new(&self.store, &self.config.data_dir, self.config.detect_settings());
        let mut status = library.status()?;
        let state = self.state.borrow().clone();
        let claimed: Vec<Arrival> =
            state.roots.iter().flat_map(|r| crate::inbox::claims_in(&r.path)).collect();
        status.add_live(library.unknown_arrivals(claimed)?, state.roots.iter().map(inbox_status).collect());
        let word = if state.is_ready { "running" } else { "starting" };
        word.clone_into(&mut status.state);
        status.alarms = self.progress.alarms();
        status.pid = Some(std::process::id());
        status.since = Some(self.since);
        let (last_minute, last_hour) = self.progress.rates();
        status.rates = Some(Rates { last_minute, last_hour });
        status.index_articles = Some(self.progress.live());
        status.memory_bytes = memory_bytes();
        Ok(status)
    }
}

/// What this process takes of memory, as the system tells it.
fn memory_bytes() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

fn inbox_status(root: &RootState) -> InboxStatus {
    let watched = match &root.watching {
        Watching::Starting => "not looked through yet".to_owned(),
        Watching::Events => "watched by events and scans".to_owned(),
        Watching::Polling(why) => format!("watched by scans only: {why}"),
        Watching::Unreachable(why) => format!("cannot be watched: {why}"),
    };
    InboxStatus {
        path: display_path(&root.path),
        watched,
        waiting: root.pending,
        oldest: root.oldest_since,
        unsettled: root.unsettled.0,
        refused: root.refused,
        found_by_scan: root.found_by_scan,
        trouble: root.trouble.clone(),
    }
}
