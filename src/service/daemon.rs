//! The daemon: the inboxes into the pipeline until a signal says stop.

use super::{
    Ground, LOCK_PATIENCE, ServiceError, check_inboxes, ground,
    handover::Receiver,
    known::{Disk, Known, Standing},
    make_data_dir,
    reload::{Reload, Reloader, watch_inboxes},
    systemd::{self, Rhythm},
    tasks::{Tasks, until},
};
use crate::{
    clock,
    config::Config,
    control::{self, Control, Live, RequeueOrder, Watched},
    inbox::{Arrivals, Claimed, InboxState, Inboxes, display_path},
    model::{Event, PinEvent},
    pipeline::{self, Committed, Job, Numbers, Parts, Progress, Resume, Resumed, Room, Which, Wired, Words},
    query::{QueryError, Tell},
    store::{DataLock, LockError},
};
use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, UnixListener},
    select,
    signal::unix::{Signal, SignalKind, signal},
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
        check_inboxes(&config)?;
        make_data_dir(&config)?;
        let lock = lock(&config)?;
        Ok(Self { ground: ground(&config, lock)?, config, socket })
    }
}

/// The lock on the data directory. A daemon that has it will not let go, but a question that is being answered will.
fn lock(config: &Config) -> Result<DataLock, ServiceError> {
    match DataLock::take(&config.data_dir, Duration::ZERO) {
        Err(LockError::Busy { .. }) => {}
        taken => return Ok(taken?),
    }
    let holder = DataLock::holder(&config.data_dir);
    if UnixStream::connect(config.default_socket()).is_ok() {
        return Err(ServiceError::Running { data_dir: config.data_dir.clone(), holder });
    }
    let (holder, seconds) = (holder.unwrap_or_default(), LOCK_PATIENCE.as_secs());
    tracing::info!(holder, seconds, "another process has the data directory, and is waited for");
    Ok(DataLock::take(&config.data_dir, LOCK_PATIENCE)?)
}

/// Runs until SIGTERM or SIGINT, and then to the end of what is under way; a SIGHUP has the configuration read again, or is
/// one of them where it says that the terminal is gone.
/// `ready` is called when the inboxes are armed, have been looked through once, and the socket listens.
pub async fn run(daemon: Daemon, reload: Reload, ready: impl FnOnce(&Ready)) -> Result<(), ServiceError> {
    let Daemon { ground, config, socket } = daemon;
    let Ground { lock, mut opened, encoder, failed, inboxes, in_flight, next_arrival } = ground;
    let mut signals = Signals::new(reload.by_hangup)?;
    let doors = Doors::open(&config, &socket).await?;
    let (stop, stopped) = watch::channel(false);
    let (state, state_seen) = watch::channel(InboxState::default());
    let (mut stages, mut others) = (Tasks::default(), Tasks::default());
    let resumed = pipeline::resume(&opened.store, &config.data_dir, in_flight, Numbers::AllKnown)?;
    opened.close_interrupted(&resumed.jobs, &shown(&inboxes))?;
    let (halt, progress, standing) = <(Arc<AtomicBool>, Arc<Progress>, Arc<Standing>)>::default();
    let parts = Parts {
        opened,
        failed: failed.clone(),
        reading: config.reading(),
        group_articles_max: config.commit.group_articles_max,
        progress: Arc::clone(&progress),
        stop: Arc::clone(&halt),
        room: room(&config),
        waits: true,
        encoder,
    };
    let Wired { jobs, finished, words, stages: wired, store } = pipeline::stages(parts);
    for stage in wired {
        stages.spawn_blocking(stage.name, move || Ok((stage.run)()?));
    }
    let (claims, claimed) = mpsc::channel(CLAIMS_WAITING);
    let arrivals = Arc::new(Arrivals::starting_at(next_arrival));
    let (receiver, weak_jobs) =
        (Receiver::new(&jobs, &arrivals, &config.data_dir, room(&config)), jobs.downgrade());
    stages.spawn("intake", intake(resumed, claimed, (jobs, finished.clone())));
    let Rhythm { every, patience } = Rhythm::of_the_environment();
    let (watched, in_force) = watch::channel(Arc::new(inboxes));
    let known = Arc::new(Known {
        config: config.clone(),
        inboxes: in_force,
        store: Arc::clone(&store),
        state: state_seen.clone(),
        progress,
        since: clock::now(),
        standing: Arc::clone(&standing),
        patience,
        disk: Disk::default(),
    });
    doors.serve(&mut others, &known, (words, receiver), &stopped);
    others.spawn("systemd", systemd::beat(Arc::clone(&known), every, until(stopped.clone())));
    let (changes, changed) = mpsc::channel(1);
    let inboxes = Arc::clone(&watched.borrow());
    stages.spawn("inbox", watch_inboxes(inboxes, changed, (arrivals, claims), state, stopped));
    let mut reloader = Reloader {
        config,
        reload,
        inboxes: watched,
        changes,
        state: state_seen,
        failed,
        store,
        jobs: weak_jobs,
        finished,
        standing,
    };

    let outcome = select! {
        () = signals.first() => Ok(()),
        ended = stages.next() => unexpected(ended),
        ended = others.next() => unexpected(ended),
        never = heed_reloads(&mut reloader, &known, &socket, ready) => never,
    };
    drop(reloader);
    Running { stages, others, known, stop, halt, socket, lock }.end(outcome, &mut signals).await
}

/// The paths of inboxes as the journal has them.
fn shown(inboxes: &Inboxes) -> Vec<String> {
    inboxes.paths().iter().map(|path| display_path(path)).collect()
}

/// What runs, and what it runs with.
struct Running {
    stages: Tasks,
    others: Tasks,
    known: Arc<Known>,
    stop: watch::Sender<bool>,
    halt: Arc<AtomicBool>,
    socket: PathBuf,
    lock: DataLock,
}

impl Running {
    /// Ends in order: intake, the stages from the first on, the sockets, the lock. A signal meanwhile ends at once.
    async fn end(
        mut self,
        outcome: Result<(), ServiceError>,
        signals: &mut Signals,
    ) -> Result<(), ServiceError> {
        tracing::info!("stopping: what is under way is finished first");
        systemd::stopping().await;
        self.known.standing.stop();
        self.halt.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        let drained = select! {
            drained = self.stages.drain(DRAIN_PATIENCE) => drained,
            () = signals.first() => Err(ServiceError::Aborted),
        };
        let ended = match (outcome, drained) {
            // A stage that has nothing more to do because another failed may be the first to be joined.
            (Err(ServiceError::Task { .. }), Err(cause)) => Err(cause),
            (outcome, drained) => outcome.and(drained),
        };
        if let Err(error) = ended {
            // A stage may still be writing: the lock goes only with the process.
            std::mem::forget(self.lock);
            return Err(error);
        }
        // A reader that does not read must not keep the daemon from ending.
        self.others.end_soon(READERS_PATIENCE).await;
        control::remove(&self.socket);
        control::remove(&self.known.config.default_socket());
        drop(self.known);
        self.lock.release_clean()?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Where the daemon can be asked.
struct Doors {
    socket: UnixListener,
    address: Option<TcpListener>,
}

impl Doors {
    async fn open(config: &Config, socket: &Path) -> Result<Self, ServiceError> {
        let address = match config.metrics_address() {
            Some(address) => Some(control::listen_at(address).await?),
            None => None,
        };
        if let Some(Ok(address)) = address.as_ref().map(TcpListener::local_addr) {
            // Where the port was left to the system, this is how it is learned.
            tracing::info!(%address, "metrics are served");
        }
        let listener = control::listen(socket)?;
        let beside = config.default_socket();
        if beside != socket {
            control::point_to(socket, &beside)?;
        }
        Ok(Self { socket: listener, address })
    }

    /// Answers questions on the socket, and those who watch over the daemon on both.
    fn serve(
        self,
        others: &mut Tasks,
        known: &Arc<Known>,
        (words, receiver): (Words, Receiver),
        stopped: &watch::Receiver<bool>,
    ) {
        let (asked, measured, felt) = (Arc::clone(known), Arc::clone(known), Arc::clone(known));
        let watched = Watched {
            metrics: Arc::new(move || measured.metrics()),
            health: Arc::new(move || felt.health()),
        };
        if let Some(listener) = self.address {
            let serving = control::serve_watchers(listener, watched.clone(), until(stopped.clone()));
            others.spawn("metrics", async move {
                serving.await;
                Ok(())
            });
        }
        let (pinning, seen, paused) = (words.clone(), Arc::clone(known), Arc::clone(known));
        let live = Live {
            status: Box::new(move || asked.status()),
            pin: Box::new(move |id, pinned| match paused.pauses().into_iter().next() {
                Some(why) => Err(QueryError::Paused { why }),
                None => Ok(pinning.say(vec![Event::Pin(PinEvent { id, pinned, at: clock::now() })])),
            }),
            requeue: Box::new(move |order, tell| requeue(&seen, &words, order, tell)),
            ingest: Box::new(move |upload, tell| receiver.receive(upload, tell)),
            watched,
        };
        let (data_dir, settings) = (known.config.data_dir.clone(), known.config.detect_settings());
        let control = Control::new(Arc::clone(&known.store), data_dir, settings, live, stopped.clone());
        let serving = control::serve(self.socket, control);
        others.spawn("control", async move { Ok(serving.await?) });
    }
}

/// Waits until the inboxes are ready, says so, and from then on reads the configuration again whenever it is told to.
/// Ends with an error alone.
async fn heed_reloads(
    reloader: &mut Reloader,
    known: &Known,
    socket: &Path,
    ready: impl FnOnce(&Ready),
) -> Result<(), ServiceError> {
    let mut hangups = reloader.reload.by_hangup.then(|| listen_for(SignalKind::hangup())).transpose()?;
    if reloader.state.wait_for(|s| s.is_ready).await.is_ok() {
        let counts = known.store.view().counts().map_err(pipeline::PipelineError::from)?;
        systemd::ready(known).await;
        let (articles, records) = (counts.articles(), counts.canonical);
        tracing::info!(articles, records, socket = %socket.display(), "ready");
        ready(&Ready {
            inboxes: reloader.inboxes.borrow().paths(),
            socket: socket.to_owned(),
            articles,
            records,
        });
    }
    loop {
        let inboxes = Arc::clone(&reloader.inboxes.borrow());
        select! {
            () = next(&mut hangups) => reloader.run().await?,
            () = inboxes.one_answers() => reloader.rejoin().await?,
        }
        systemd::ready(known).await;
    }
}

/// What must be free for the intake to go on, where a commit writes and where copies lie of what is handed over.
pub(super) fn room(config: &Config) -> Room {
    let folders = ["journal", "originals", "db", ""].map(|folder| config.data_dir.join(folder)).into();
    Room { folders, free_min_bytes: config.commit.free_min_mb << 20 }
}

/// Tells what could not be read; or has files of it put back into their inboxes, and tells what becomes of each.
fn requeue(known: &Known, words: &Words, order: &RequeueOrder, tell: &mut Tell<'_>) {
    if order.list {
        return pipeline::unread(known.places(), known.store.view(), &mut |listed| {
            serde_json::to_vec(&listed).is_ok_and(|line| tell(&line))
        });
    }
    let which = Which { names: order.names.clone(), reason: order.reason.clone() };
    let mut say = |events| words.say(events);
    pipeline::requeue(&which, known.places(), &mut say, &mut |requeued| {
        serde_json::to_vec(&requeued).is_ok_and(|line| tell(&line))
    });
}

/// Hands on first what an earlier run left in flight, then what is claimed.
async fn intake(
    resumed: Resumed,
    mut claimed: mpsc::Receiver<Claimed>,
    (jobs, finished): (mpsc::Sender<Job>, mpsc::WeakSender<Committed>),
) -> Result<(), ServiceError> {
    if !resumed.jobs.is_empty() {
        tracing::info!(
            files = resumed.jobs.len(),
            "going on with files that were in flight when the last run ended"
        );
    }
    hand_on(resumed, &jobs, &finished).await;
    while let Some(claim) = claimed.recv().await {
        if jobs.send(Job::of_claim(claim, Resume::default())).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Hands on what was in flight. What is to leave an inbox that lets nothing go keeps nothing from being read, and where nobody
/// receives, as at a stop, the next start finds it again.
pub(super) async fn hand_on(
    resumed: Resumed,
    jobs: &mpsc::Sender<Job>,
    finished: &mpsc::WeakSender<Committed>,
) {
    let reading = async {
        for job in resumed.jobs {
            jobs.send(job).await.ok();
        }
    };
    let leaving = async {
        for done in resumed.done {
            let Some(finished) = finished.upgrade() else { break };
            finished.send(done).await.ok();
        }
    };
    tokio::join!(reading, leaving);
}

fn unexpected(ended: Option<Result<&'static str, ServiceError>>) -> Result<(), ServiceError> {
    match ended {
        Some(Err(error)) => Err(error),
        Some(Ok(name)) => Err(ServiceError::Task { name, what: "it had nothing more to do".to_owned() }),
        None => Err(ServiceError::Task { name: "all", what: "nothing runs any more".to_owned() }),
    }
}

/// Those that end it: SIGTERM, SIGINT, and SIGHUP where that asks for no reload.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    fn new(reloads_by_hangup: bool) -> Result<Self, ServiceError> {
        let hangup = (!reloads_by_hangup).then(|| listen_for(SignalKind::hangup())).transpose()?;
        let (terminate, interrupt) =
            (listen_for(SignalKind::terminate())?, listen_for(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, hangup })
    }

    /// Ends with the next of them.
    async fn first(&mut self) {
        select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = next(&mut self.hangup) => {}
        }
    }
}

/// Ends with the next of these signals; never where they are not listened for.
async fn next(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}

fn listen_for(kind: SignalKind) -> Result<Signal, ServiceError> {
    let path = PathBuf::from("signals");
    signal(kind).map_err(|source| ServiceError::Io { action: "listen for", path, source })
}
