//! What only a running daemon knows: how it stands, for `status`, for metrics and health, and for systemd.

use super::daemon::room;
use crate::{
    config::Config,
    control::Health,
    inbox::{InboxState, Inboxes, RootState, Watching, display_path},
    metrics::{Labels, Page},
    model::Time,
    pipeline::{CommitPart, Places, Progress, StageName, paused},
    query::{DiskUse, InboxStatus, Library, QueryError, Rates, Status},
    store::Store,
};
use std::{
    iter::once,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// What is known of a daemon while it runs.
pub(super) struct Known {
    pub config: Config,
    /// The inboxes of the configuration in force, which a reload may change.
    pub inboxes: watch::Receiver<Arc<Inboxes>>,
    pub store: Arc<Store>,
    pub state: watch::Receiver<InboxState>,
    pub progress: Arc<Progress>,
    pub since: Time,
    pub standing: Arc<Standing>,
    /// How long a stage may be at one piece of work.
    pub patience: Duration,
    pub disk: Disk,
}

/// What the data takes on disk, as it was added up last.
#[derive(Debug, Default)]
pub(super) struct Disk(Mutex<Option<(Instant, DiskUse)>>);

/// How long what was added up is told again: ten thousand files take tens of milliseconds, and nobody needs it newer.
const DISK_EVERY: Duration = Duration::from_secs(3);

impl Disk {
    /// One adds it up at a time, and the others wait for that.
    fn of(&self, library: &Library<'_>) -> Result<DiskUse, QueryError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((at, used)) if at.elapsed() < DISK_EVERY => Ok(used),
            _ => {
                let used = library.disk_use()?;
                *last = Some((Instant::now(), used));
                Ok(used)
            }
        }
    }
}

/// What becomes of a daemon while it runs, apart from its work.
#[derive(Debug, Default)]
pub(super) struct Standing {
    is_stopping: AtomicBool,
    reloads: [AtomicU64; 2],
    /// What the last reload left to be said.
    notices: Mutex<Vec<String>>,
}

impl Standing {
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Notes how a reload ended, and what there is to say of it until the next.
    pub fn reloaded(&self, is_done: bool, notices: Vec<String>) {
        let [done, refused] = &self.reloads;
        if is_done { done } else { refused }.fetch_add(1, Ordering::Relaxed);
        *self.notices.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }

    fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Known {
    /// The answer to `status`.
    pub fn status(&self) -> Result<Status, QueryError> {
        let library = Library::new(&self.store, &self.config.data_dir, self.config.detect_settings());
        let mut status = library.status(self.disk.of(&library)?)?;
        let state = self.state.borrow().clone();
        let claimed = state.roots.iter().flat_map(|root| root.claims.iter().copied());
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
        let waits = self.pauses().into_iter().chain(self.put_off());
        status.notices = self.stuck().into_iter().chain(waits).chain(self.standing.notices()).collect();
        Ok(status)
    }

    /// Where files were set aside, and where they go back to: the inboxes in force, of which nothing is told while they are
    /// being changed, and which of them are known not to answer.
    pub fn places(&self) -> Places {
        let inboxes = Arc::clone(&self.inboxes.borrow());
        let (roots, mut silent) = inboxes.roots();
        let state = self.state.borrow();
        let told = state.roots.iter().filter(|root| root.silent_since.is_some());
        silent.extend(told.map(|root| root.path.clone()));
        Places { failed: self.config.failed_dir(), inboxes: roots, silent, patience: inboxes.patience() }
    }

    /// Why it should be started anew, and why it would not take in what is dropped.
    pub fn health(&self) -> Health {
        let mut health = Health { not_alive: self.stuck(), not_ready: Vec::new() };
        let state = self.state.borrow();
        if self.standing.is_stopping.load(Ordering::Relaxed) {
            health.not_ready.push("it is stopping".to_owned());
        }
        if !state.is_ready {
            health.not_ready.push("the inboxes have not been looked through yet".to_owned());
        }
        health.not_ready.extend(state.roots.iter().filter_map(not_served));
        health.not_ready.extend(self.pauses());
        health.not_ready.extend(health.not_alive.iter().cloned());
        health
    }

    /// Why nothing is made durable for now, as sentences: also where nothing has come yet that there would be no room for.
    pub fn pauses(&self) -> Vec<String> {
        let said = self.progress.pauses();
        let lacks = || room(&self.config).lacks(0).map(|what| paused(&what)).into_iter().collect();
        if said.is_empty() { lacks() } else { said }
    }

    /// The stage that does not get on, as a sentence.
    fn stuck(&self) -> Vec<String> {
        let sentence = |(stage, time): (StageName, Duration)| {
            let (name, seconds) = (stage.name(), time.as_secs());
            format!("the stage '{name}' has been at one piece of work for {seconds} s")
        };
        self.progress.stuck(self.patience).map(sentence).into_iter().collect()
    }

    /// Files that cannot be had for now, as sentences.
    fn put_off(&self) -> impl Iterator<Item = String> {
        let stages = [
            (StageName::Read, "claimed file", "cannot be read for now"),
            (StageName::Commit, "large file", "cannot be kept for now"),
            (StageName::Dispose, "finished file", "cannot be taken out of the inbox for now"),
        ];
        stages.into_iter().filter_map(|(stage, thing, cannot)| {
            let (files, first) = self.progress.files_put_off(stage);
            let files = counted(files as u64, thing);
            Some(format!("{cannot}, and tried again: {files}; {}", first?))
        })
    }

    /// How it stands, in a line.
    pub fn sentence(&self) -> String {
        let waiting: u64 = self.state.borrow().roots.iter().map(|root| root.pending).sum();
        let counts = self.store.view().counts().unwrap_or_default();
        let (articles, records) =
            (counted(counts.articles(), "article"), counted(counts.canonical, "record"));
        let Health { not_ready, .. } = self.health();
        let state = if not_ready.is_empty() { "ready".to_owned() } else { not_ready.join("; ") };
        let notices = self.standing.notices();
        once(format!("{state}; {articles} in {records}; {} waiting", counted(waiting, "file")))
            .chain(notices)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// All figures, as Prometheus reads them.
    pub fn metrics(&self) -> String {
        let mut page = Page::default();
        self.of_the_process(&mut page);
        self.of_the_work(&mut page);
        self.of_the_inboxes(&mut page);
        match self.of_the_store(&mut page) {
            Ok(()) => {}
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the store's figures cannot be read"
            ),
        }
        page.into_text()
    }

    fn of_the_process(&self, page: &mut Page) {
        let version = Labels::of("version", env!("CARGO_PKG_VERSION"));
        page.gauge("wirefold_build_info", "The version that runs; always 1.", [(version, 1)]);
        let since = [(Labels::none(), seconds_of(self.since))];
        page.gauge("wirefold_start_time_seconds", "When it was started, in seconds since 1970.", since);
        let health = self.health();
        let ready = [(Labels::none(), u8::from(health.not_ready.is_empty()))];
        page.gauge("wirefold_ready", "Whether what is dropped is taken in: 1 where /readyz says ok.", ready);
        let [done, refused] = &self.standing.reloads;
        let reloads = [("done", done), ("refused", refused)];
        let reloads = reloads.map(|(name, n)| (Labels::of("outcome", name), n.load(Ordering::Relaxed)));
        page.counter("wirefold_reloads_total", "Reloads of the configuration.", reloads);
        let busy = StageName::ALL.map(|stage| {
            let busy = self.progress.stage(stage).busy_for().unwrap_or_default();
            (Labels::of("stage", stage.name()), busy.as_secs_f64())
        });
        page.gauge(
            "wirefold_stage_busy_seconds",
            "How long a stage has been at its present piece of work.",
            busy,
        );
    }

    fn of_the_work(&self, page: &mut Page) {
        let progress = &self.progress;
        let files = progress.files().map(|(outcome, n)| (Labels::of("outcome", outcome.name()), n));
        page.counter("wirefold_files_total", "Files finished with since the start.", files);
        let articles = progress.articles_by_relation();
        let articles = articles.into_iter().map(|(relation, n)| (Labels::of("relation", relation), n));
        page.counter(
            "wirefold_articles_total",
            "Articles made durable since the start, by what became of them.",
            articles,
        );
        let rejected = [(Labels::none(), progress.rejected())];
        page.counter(
            "wirefold_items_rejected_total",
            "Items that could not be read, since the start.",
            rejected,
        );
        let (merged, moved) = progress.merged_and_moved();
        page.counter("wirefold_merges_total", "Records merged into others.", [(Labels::none(), merged)]);
        page.counter("wirefold_moves_total", "Articles moved to other records.", [(Labels::none(), moved)]);
        let read = [(Labels::none(), progress.bytes_read())];
        page.counter("wirefold_read_bytes_total", "Bytes of items read since the start.", read);
        let alarms = [(Labels::none(), progress.alarms().len())];
        page.gauge("wirefold_alarms", "Records that grew suspiciously fast.", alarms);
        let stages = StageName::ALL.map(|s| (Labels::of("stage", s.name()), &progress.stage(s).took));
        page.histogram(
            "wirefold_stage_seconds",
            "How long a stage took for a chunk, a group or a file.",
            stages,
        );
        let parts = CommitPart::ALL.map(|p| (Labels::of("part", p.name()), progress.commit(p)));
        page.histogram(
            "wirefold_commit_seconds",
            "How long each part of a commit took, its sync included.",
            parts,
        );
        let files = [(Labels::none(), progress.file_times())];
        page.histogram("wirefold_file_seconds", "From a file's claim until it had left its inbox.", files);
    }

    fn of_the_inboxes(&self, page: &mut Page) {
        let state = self.state.borrow();
        let label = |root: &RootState| Labels::of("inbox", &display_path(&root.path));
        let gauge = |page: &mut Page, name, help, value: &dyn Fn(&RootState) -> f64| {
            page.gauge(name, help, state.roots.iter().map(|root| (label(root), value(root))));
        };
        let now = crate::clock::now();
        let age =
            |root: &RootState| root.oldest_since.map_or(0., |since| seconds_of(now) - seconds_of(since));
        gauge(page, "wirefold_inbox_up", "Whether the inbox can be read and answers.", &|root| {
            f64::from(u8::from(root.watching != Watching::Starting && not_served(root).is_none()))
        });
        gauge(
            page,
            "wirefold_inbox_by_events",
            "Whether events tell what arrives, not scans alone.",
            &|root| f64::from(u8::from(root.watching == Watching::Events)),
        );
        gauge(page, "wirefold_inbox_waiting_files", "Files that wait.", &|root| as_number(root.pending));
        gauge(page, "wirefold_inbox_oldest_waiting_seconds", "How long the oldest of them has waited.", &age);
        gauge(page, "wirefold_inbox_unsettled_files", "Files that keep changing.", &|root| {
            as_number(root.unsettled.0)
        });
        gauge(
            page,
            "wirefold_inbox_refused_files",
            "Files that could not be claimed; they are tried again.",
            &|root| as_number(root.refused.0),
        );
        gauge(page, "wirefold_inbox_unmarked_files", "Files that wait for their done-markers.", &|root| {
            as_number(root.unmarked)
        });
        gauge(page, "wirefold_inbox_lone_markers", "Done-markers that have had no file for long.", &|root| {
            as_number(root.lone_markers.0)
        });
        let by_scan = state.roots.iter().map(|root| (label(root), root.found_by_scan));
        page.counter(
            "wirefold_inbox_found_by_scan_total",
            "Files that no event told of and a scan found.",
            by_scan,
        );
        let losses = [(Labels::none(), state.losses)];
        page.counter(
            "wirefold_hints_lost_total",
            "How often events were lost and a scan made up for them.",
            losses,
        );
    }

    fn of_the_store(&self, page: &mut Page) -> Result<(), QueryError> {
        let status = self.status()?;
        let one = |value: u64| [(Labels::none(), value)];
        page.gauge(
            "wirefold_backlog_files",
            "Files that came in and are not finished with.",
            one(status.backlog),
        );
        let a = status.articles;
        page.gauge("wirefold_store_records", "Records in the store.", one(a.canonical));
        page.gauge("wirefold_store_articles", "Articles in the store.", one(a.canonical + a.variants));
        let live = [(Labels::none(), self.progress.live())];
        page.gauge(
            "wirefold_index_articles",
            "Articles in the windows, which new ones are compared with.",
            live,
        );
        let variants = status.relations.iter().map(|(r, n)| (Labels::of("relation", r.name()), *n));
        page.gauge("wirefold_store_variants", "Variants in the store, by relation.", variants);
        let disk = [
            ("journal", status.journal_bytes),
            ("originals", status.originals_bytes),
            ("view", status.view_bytes),
        ];
        let disk = disk.map(|(part, bytes)| (Labels::of("part", part), bytes));
        page.gauge("wirefold_disk_bytes", "What each part of the data takes on disk.", disk);
        let free = status.free_bytes.map(|bytes| (Labels::none(), bytes));
        page.gauge("wirefold_disk_free_bytes", "What is free where the data lies.", free);
        let memory = status.memory_bytes.map(|bytes| (Labels::none(), bytes));
        page.gauge("wirefold_memory_bytes", "What the daemon takes of memory.", memory);
        let last = status.last_commit.map(|time| (Labels::none(), seconds_of(time)));
        page.gauge("wirefold_last_commit_timestamp_seconds", "When something was last made durable.", last);
        Ok(())
    }
}

/// Why what is dropped there is not taken in, as a sentence. To start the daemon anew would not bring a mount back.
fn not_served(root: &RootState) -> Option<String> {
    let inbox = display_path(&root.path);
    match (root.silent_since, &root.watching) {
        (Some(since), _) => Some(format!("the inbox {inbox} has not answered since {since}")),
        (None, Watching::Unreachable(why)) => Some(format!("the inbox {inbox} cannot be read: {why}")),
        (None, _) if root.is_closed => {
            let why = root.trouble.as_deref().unwrap_or_default();
            Some(format!("nothing can be taken out of the inbox {inbox}: {why}"))
        }
        (None, _) => None,
    }
}

/// A number of things.
pub fn counted(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[expect(clippy::cast_precision_loss, reason = "a count of files is far below 2^52")]
fn as_number(count: u64) -> f64 {
    count as f64
}

/// Seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "a time in milliseconds is far below 2^52")]
fn seconds_of(time: Time) -> f64 {
    time.millis() as f64 / 1000.
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
        Watching::Scans => "watched by scans, as configured".to_owned(),
        Watching::Polling(why) => format!("watched by scans only: {why}"),
        Watching::Unreachable(why) => format!("cannot be watched: {why}"),
    };
    let watched = root.silent_since.map_or(watched, |since| format!("has not answered since {since}"));
    InboxStatus {
        path: display_path(&root.path),
        watched,
        silent_since: root.silent_since,
        waiting: root.pending,
        oldest: root.oldest_since,
        unsettled: root.unsettled.0,
        refused: root.refused.0,
        refused_paths: root.refused.1.iter().map(|path| display_path(path)).collect(),
        found_by_scan: root.found_by_scan,
        trouble: root.trouble.clone(),
        unmarked: root.unmarked,
        lone_markers: root.lone_markers.0,
        lone_marker: root.lone_markers.1.as_deref().map(display_path),
    }
}
