//! The watch as a whole: over real folders with the real watcher, where only signals are awaited, and step by step
//! with time standing still, where the watcher is one that says nothing or fails.

use super::{
    crew::Crew,
    hint::{Hint, Sign},
    keeper::{Keeper, Step},
    watch::{Ears, run},
    *,
};
use crate::model::Arrival;
use notify::{NullWatcher, Watcher};
use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{advance, timeout},
};

const HOUR: Duration = Duration::from_hours(1);
/// Far above what anything here takes: only a test that hangs meets it.
const DEADLINE: Duration = Duration::from_secs(30);

/// Inboxes `0`, `1` .. in a folder of their own.
struct Place {
    dir: TempDir,
    inboxes: Inboxes,
    arrivals: Arc<Arrivals>,
}

impl Place {
    fn new(inboxes: usize, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = TempDir::new().unwrap();
        let mut settings =
            Settings { settle: Duration::from_millis(20), rescan: HOUR, ..Settings::default() };
        for index in 0..inboxes {
            let path = dir.path().join(index.to_string());
            fs::create_dir(&path).unwrap();
            let ignore = ["*.tmp", "*.part", "*.filepart", "*~"].map(str::to_owned);
            settings.inboxes.push(Root::new(path, ignore.into()));
        }
        change(&mut settings);
        let failed = FailedDir::open(dir.path().join("failed")).unwrap();
        let inboxes = Inboxes::open(settings, &failed).unwrap().0;
        Self { dir, inboxes, arrivals: Arc::new(Arrivals::starting_at(Arrival(1))) }
    }

    fn inbox(&self) -> PathBuf {
        self.dir.path().join("0")
    }

    fn keeper(&self, watcher: impl Watcher + Send + 'static) -> Keeper {
        Keeper::new(&self.inboxes, 0, Box::new(watcher), Arc::clone(&self.arrivals)).unwrap()
    }

    /// Runs the watch for as long as the test runs, with a queue of this length.
    async fn watched(&self, queue: usize, test: impl AsyncFnOnce(mpsc::Receiver<Claimed>, States)) {
        let (out, files) = mpsc::channel(queue);
        let (told, states) = watch::channel(InboxState::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        let watch = self.inboxes.watch(Arc::clone(&self.arrivals), out, told, until);
        let test = async {
            let mut states = States(states);
            states.until(|state| state.is_ready).await;
            test(files, states).await;
            drop(stop);
        };
        let (ended, ()) = timeout(DEADLINE, async { tokio::join!(watch, test) }).await.unwrap();
        ended.unwrap();
    }
}

struct States(watch::Receiver<InboxState>);

impl States {
    async fn until(&mut self, reached: impl Fn(&InboxState) -> bool) {
        self.0.wait_for(|state| reached(state)).await.unwrap();
    }
}

async fn take(files: &mut mpsc::Receiver<Claimed>, count: usize) -> Vec<Claimed> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.push(files.recv().await.unwrap());
    }
    taken
}

fn names(claimed: &[Claimed]) -> Vec<String> {
    let mut names: Vec<_> = claimed.iter().map(|claimed| display_path(&claimed.name)).collect();
    names.sort();
    names
}

/// A file last written so many seconds after 1970.
fn write_at(path: &Path, seconds: u64) {
    fs::write(path, "text").unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[tokio::test]
async fn a_file_renamed_in_is_ready_at_once() {
    let place = Place::new(1, |settings| settings.settle = HOUR);
    let outside = place.dir.path().join("outside");
    place
        .watched(9, async |mut files, _| {
            fs::write(&outside, "whole").unwrap();
            fs::rename(&outside, place.inbox().join("in.txt")).unwrap();
            fs::write(place.inbox().join("hidden.part"), "part").unwrap();
            fs::rename(place.inbox().join("hidden.part"), place.inbox().join("done.txt")).unwrap();
            let claimed = take(&mut files, 2).await;
            assert_eq!(names(&claimed), ["done.txt", "in.txt"]);
            let whole = claimed.iter().find(|claimed| claimed.name == Path::new("in.txt")).unwrap();
            assert_eq!(fs::read(&whole.path).unwrap(), b"whole");
            assert_eq!((whole.bytes, whole.kind, whole.source.as_deref()), (5, FileKind::Regular, None));
        })
        .await;
}

#[tokio::test]
async fn files_written_at_once_into_new_folders_are_found() {
    let place = Place::new(1, |_| {});
    place
        .watched(999, async |mut files, _| {
            for folder in 0..50 {
                let deep = place.inbox().join(format!("s{folder}/a/b"));
                fs::create_dir_all(&deep).unwrap();
                fs::write(deep.join("one"), "1").unwrap();
                fs::write(place.inbox().join(format!("s{folder}/two")), "2").unwrap();
            }
            let claimed = take(&mut files, 100).await;
            let one = claimed.iter().find(|claimed| claimed.name == Path::new("s7/a/b/one")).unwrap();
            assert_eq!(one.folder.as_deref(), Some("s7"));
        })
        .await;
}

#[tokio::test]
async fn a_folder_renamed_in_is_looked_through_and_watched_from_then_on() {
    let place = Place::new(1, |_| {});
    let outside = place.dir.path().join("outside");
    fs::create_dir_all(outside.join("sub")).unwrap();
    fs::write(outside.join("sub/early"), "1").unwrap();
    place
        .watched(9, async |mut files, _| {
            fs::rename(&outside, place.inbox().join("agency")).unwrap();
            assert_eq!(names(&take(&mut files, 1).await), ["agency/sub/early"]);
            fs::write(place.inbox().join("agency/sub/late"), "2").unwrap();
            assert_eq!(names(&take(&mut files, 1).await), ["agency/sub/late"]);
            fs::rename(place.inbox().join("agency"), place.inbox().join("wire")).unwrap();
            fs::write(place.inbox().join("wire/sub/later"), "3").unwrap();
            assert_eq!(names(&take(&mut files, 1).await), ["wire/sub/later"]);
        })
        .await;
}

#[tokio::test]
async fn each_inbox_leaves_its_own_names_alone() {
    let place = Place::new(2, |settings| settings.inboxes[1].ignore = vec!["*.lock".to_owned()]);
    place
        .watched(9, async |mut files, _| {
            for name in ["a.part", "b.lock"] {
                fs::write(place.dir.path().join("0").join(name), "text").unwrap();
                fs::write(place.dir.path().join("1").join(name), "text").unwrap();
            }
            assert_eq!(names(&take(&mut files, 2).await), ["a.part", "b.lock"]);
        })
        .await;
    assert!(place.dir.path().join("0/a.part").exists() && place.dir.path().join("1/b.lock").exists());
}

#[tokio::test]
async fn an_inbox_may_be_watched_by_scans_alone() {
    let place = Place::new(1, |settings| settings.inboxes[0].by_events = false);
    fs::write(place.inbox().join("before.txt"), "text").unwrap();
    place
        .watched(9, async |mut files, mut states| {
            assert_eq!(names(&take(&mut files, 1).await), ["before.txt"]);
            states.until(|state| state.roots[0].watching == Watching::Scans).await;
            fs::write(place.inbox().join("later.txt"), "text").unwrap();
            assert_eq!(names(&take(&mut files, 1).await), ["later.txt"]);
            // It was to be found by a scan; only what events should have told of counts as missed.
            states.until(|state| state.roots[0].found_by_scan == 0 && state.roots[0].pending == 0).await;
        })
        .await;
}

#[test]
fn the_inboxes_of_a_process_may_change() {
    let place = Place::new(2, |_| {});
    let failed = FailedDir::open(place.dir.path().join("failed")).unwrap();
    let mut settings = place.inboxes.settings.clone();
    let (first, third) = (settings.inboxes.remove(0), place.dir.path().join("third"));
    fs::create_dir_all(third.join(".wirefold")).unwrap();
    fs::write(third.join(".wirefold/0000000000000009-a"), "claimed by an earlier run").unwrap();
    settings.inboxes.push(Root::new(third, Vec::new()));
    let (changed, in_flight) = place.inboxes.changed(settings, &failed).unwrap();
    assert_eq!(changed.paths(), [place.dir.path().join("1"), place.dir.path().join("third")]);
    assert_eq!(in_flight[0].arrival, Arrival(9));
    drop(place.inboxes);
    let taken = Settings { inboxes: vec![first], ..Settings::default() };
    // A claim from it may still be under way.
    assert!(matches!(Inboxes::open(taken, &failed), Err(InboxError::InUse { .. })));
}

#[tokio::test]
async fn ignored_names_stay_where_they_are() {
    let place = Place::new(1, |_| {});
    let ignored = ["a.tmp", "b.part", "c.filepart", "d~", ".e"];
    fs::create_dir(place.inbox().join(".git")).unwrap();
    fs::write(place.inbox().join(".git/config"), "x").unwrap();
    place
        .watched(9, async |mut files, _| {
            for name in ignored.iter().chain(&["z.txt"]) {
                fs::write(place.inbox().join(name), "x").unwrap();
            }
            assert_eq!(names(&take(&mut files, 1).await), ["z.txt"]);
        })
        .await;
    assert!(ignored.iter().all(|name| place.inbox().join(name).exists()));
    assert!(place.inbox().join(".git/config").exists());
}

#[tokio::test]
async fn what_hints_do_not_tell_a_scan_finds() {
    let place = Place::new(1, |settings| settings.hints_max = 1);
    place
        .watched(999, async |mut files, mut states| {
            for file in 0..500 {
                fs::write(place.inbox().join(file.to_string()), "x").unwrap();
            }
            take(&mut files, 500).await;
            states.until(|state| state.losses > 0).await;
        })
        .await;
}

#[tokio::test]
async fn things_that_are_no_files_are_claimed_and_never_opened() {
    let place = Place::new(1, |_| {});
    let inbox = place.inbox();
    symlink("/etc/hostname", inbox.join("link")).unwrap();
    drop(UnixListener::bind(inbox.join("socket")).unwrap());
    assert!(std::process::Command::new("mkfifo").arg(inbox.join("pipe")).status().unwrap().success());
    fs::write(inbox.join(OsStr::from_bytes(b"\xff.txt")), "x").unwrap();
    symlink("/", inbox.join("loop")).unwrap();
    place
        .watched(9, async |mut files, _| {
            let mut claimed = take(&mut files, 5).await;
            claimed.sort_by(|a, b| a.name.cmp(&b.name));
            let found: Vec<_> =
                claimed.iter().map(|claimed| (display_path(&claimed.name), claimed.kind)).collect();
            let expected = [
                ("link", FileKind::Symlink),
                ("loop", FileKind::Symlink),
                ("pipe", FileKind::Fifo),
                ("socket", FileKind::Socket),
                ("\\xff.txt", FileKind::Regular),
            ];
            assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
            for claimed in &claimed {
                claimed.dispose().unwrap();
            }
        })
        .await;
    assert_eq!(recover::recover(&place.inboxes.settings.inboxes, &|| true).unwrap(), []);
}

#[tokio::test]
async fn a_full_queue_keeps_files_in_the_inbox_and_never_holds_up_a_shutdown() {
    let place = Place::new(1, |_| {});
    for file in 0..9 {
        write_at(&place.inbox().join(file.to_string()), file);
    }
    let mut received = Vec::new();
    place
        .watched(2, async |mut files, mut states| {
            received.extend(take(&mut files, 1).await);
            states.until(|state| state.roots[0].pending <= 6).await;
            // Nothing more fits, and the watch still hears what happens.
            fs::write(place.inbox().join("late"), "x").unwrap();
            states.until(|state| state.roots[0].pending >= 7).await;
            files.close();
            while let Some(claimed) = files.recv().await {
                received.push(claimed);
            }
        })
        .await;
    let waiting = fs::read_dir(place.inbox()).unwrap().count() - 1;
    assert_eq!((names(&received), waiting), (vec!["0".into(), "1".into(), "2".into()], 7));
}

#[tokio::test]
async fn a_shutdown_comes_through_while_nobody_receives() {
    let place = Place::new(1, |_| {});
    for file in 0..9 {
        write_at(&place.inbox().join(file.to_string()), file);
    }
    let mut kept = None;
    place
        .watched(2, async |files, mut states| {
            states.until(|state| state.roots[0].pending <= 7).await;
            kept = Some(files);
        })
        .await;
    let sent: Vec<_> = std::iter::from_fn(|| kept.as_mut().unwrap().try_recv().ok()).collect();
    assert_eq!(
        recover::recover(&place.inboxes.settings.inboxes, &|| true).unwrap().len(),
        sent.len(),
        "what was claimed was sent"
    );
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn two_inboxes_are_served_in_one_order() {
    let place = Place::new(2, |settings| settings.inboxes[1].source = Some("agency".to_owned()));
    for file in 0..8 {
        fs::create_dir_all(place.dir.path().join("0/sub")).unwrap();
        let inbox = if file % 2 == 0 { "0/sub" } else { "1" };
        write_at(&place.dir.path().join(inbox).join(file.to_string()), file);
    }
    place
        .watched(99, async |mut files, _| {
            let claimed = take(&mut files, 8).await;
            for (at, claimed) in claimed.iter().enumerate() {
                assert_eq!(claimed.arrival, Arrival(at as u64 + 1));
                assert!(claimed.inbox.ends_with((at % 2).to_string()));
                let delivered = claimed.source.as_deref().or(claimed.folder.as_deref());
                assert_eq!(delivered, Some(["sub", "agency"][at % 2]));
            }
        })
        .await;
}

/// A turn after so many milliseconds, and what can be claimed then.
async fn turn_after(keeper: &mut Keeper, millis: u64) -> (RootState, Vec<Claimed>) {
    advance(Duration::from_millis(millis)).await;
    let state = keeper.take(Step::Turn).state.unwrap();
    (state, keeper.take(Step::Claim(99, None)).claimed)
}

fn settle_500(settings: &mut Settings) {
    settings.settle = Duration::from_millis(500);
}

#[tokio::test(start_paused = true)]
async fn a_growing_file_is_claimed_only_once_it_is_still() {
    let place = Place::new(1, settle_500);
    let file = place.inbox().join("grows");
    fs::write(&file, "a").unwrap();
    let mut keeper = place.keeper(NullWatcher);
    keeper.take(Step::Turn);
    for text in ["ab", "abc", "abcd"] {
        assert_eq!(turn_after(&mut keeper, 499).await.1, []);
        fs::write(&file, text).unwrap();
        keeper.take(Step::Heed(vec![Hint { sign: Sign::Touched, path: file.clone() }]));
    }
    assert_eq!(turn_after(&mut keeper, 499).await.1, []);
    let (_, claimed) = turn_after(&mut keeper, 1).await;
    assert_eq!(claimed[0].bytes, 4);
}

#[tokio::test(start_paused = true)]
async fn a_file_written_to_while_it_waits_to_be_claimed_settles_again() {
    let place = Place::new(1, settle_500);
    fs::write(place.inbox().join("a"), "a").unwrap();
    let mut keeper = place.keeper(NullWatcher);
    keeper.take(Step::Turn);
    advance(Duration::from_millis(500)).await;
    keeper.take(Step::Turn);
    assert!(keeper.first_ready().is_some());
    fs::write(place.inbox().join("a"), "more").unwrap();
    assert_eq!(keeper.take(Step::Claim(1, None)).claimed, []);
    assert_eq!(turn_after(&mut keeper, 500).await.1[0].bytes, 4);
}

#[tokio::test(start_paused = true)]
async fn what_never_settles_is_shown_and_kept() {
    let place = Place::new(1, settle_500);
    let mut keeper = place.keeper(NullWatcher);
    let mut last = None;
    for round in 0..25 {
        fs::write(place.inbox().join("restless"), "x".repeat(round)).unwrap();
        let (state, claimed) = turn_after(&mut keeper, 500).await;
        assert_eq!(claimed, []);
        last = Some(state);
    }
    assert_eq!(last.unwrap().unsettled, (1, vec![PathBuf::from("restless")]));
    assert_eq!(turn_after(&mut keeper, 500).await.1.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn more_files_than_are_kept_in_mind_come_all_and_in_order() {
    let place = Place::new(1, |settings| {
        settle_500(settings);
        settings.pending_max = 3;
    });
    for file in 0..20 {
        write_at(&place.inbox().join(format!("{:02}", 19 - file)), file / 2);
    }
    let mut keeper = place.keeper(NullWatcher);
    let mut all = Vec::new();
    let (state, _) = turn_after(&mut keeper, 0).await;
    assert_eq!(state.pending, 20);
    while all.len() < 20 {
        let (state, claimed) = turn_after(&mut keeper, 500).await;
        assert_eq!(state.found_by_scan, 0);
        all.extend(claimed);
    }
    let order: Vec<_> = all.iter().map(|claimed| claimed.name.to_str().unwrap()).collect();
    let expected: Vec<_> =
        (0..10).rev().flat_map(|at| [format!("{:02}", at * 2), format!("{:02}", at * 2 + 1)]).collect();
    assert_eq!(order, expected);
}

#[tokio::test(start_paused = true)]
async fn what_no_event_tells_the_timer_finds_and_counts() {
    let place = Place::new(1, |settings| settings.rescan = Duration::from_secs(30));
    let mut keeper = place.keeper(NullWatcher);
    turn_after(&mut keeper, 0).await;
    keeper.take(touched(&place, CANARY));
    fs::write(place.inbox().join("silent"), "x").unwrap();
    assert_eq!(turn_after(&mut keeper, 29_000).await.0.pending, 0);
    assert_eq!(turn_after(&mut keeper, 1_001).await.0.found_by_scan, 1);
    assert_eq!(turn_after(&mut keeper, 1_000).await.1.len(), 1);
}

/// A watcher that tells nothing, and notes what it is to watch, as far as it is allowed to.
#[derive(Clone, Default)]
struct Silent {
    armed: Arc<Mutex<Vec<PathBuf>>>,
    is_exhausted: bool,
    /// The name of a folder that may not be looked into.
    closed: Option<&'static str>,
}

impl Watcher for Silent {
    fn new<F: notify::EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
        Ok(Self::default())
    }

    fn watch(&mut self, path: &Path, _: notify::RecursiveMode) -> notify::Result<()> {
        if self.is_exhausted {
            return Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch));
        }
        if self.closed.is_some_and(|closed| path.ends_with(closed)) {
            return Err(notify::Error::io(std::io::ErrorKind::PermissionDenied.into()));
        }
        self.armed.lock().unwrap().push(path.to_owned());
        Ok(())
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.armed.lock().unwrap().retain(|armed| armed != path);
        Ok(())
    }

    fn kind() -> notify::WatcherKind {
        notify::WatcherKind::NullWatcher
    }
}

#[tokio::test(start_paused = true)]
async fn an_inbox_removed_and_made_again_is_watched_again() {
    let place = Place::new(1, settle_500);
    let watcher = Silent::default();
    let armed = Arc::clone(&watcher.armed);
    fs::create_dir_all(place.inbox().join("a/b")).unwrap();
    let mut keeper = place.keeper(watcher);
    turn_after(&mut keeper, 0).await;
    assert_eq!(armed.lock().unwrap().len(), 4, "with its own folder, for the canary");
    keeper.take(touched(&place, CANARY));
    assert_eq!(armed.lock().unwrap().len(), 3);
    fs::remove_dir_all(place.inbox()).unwrap();
    let (state, _) = turn_after(&mut keeper, 2_001).await;
    assert!(matches!(state.watching, Watching::Unreachable(_)));
    assert_eq!(armed.lock().unwrap().len(), 0);
    fs::create_dir(place.inbox()).unwrap();
    fs::write(place.inbox().join("after"), "x").unwrap();
    assert_eq!(turn_after(&mut keeper, 2_001).await.0.watching, Watching::Events);
    assert_eq!(*armed.lock().unwrap(), [place.inbox()]);
    assert_eq!(turn_after(&mut keeper, 501).await.1.len(), 1, "its work folder is made again too");
    keeper.make_up();
    turn_after(&mut keeper, 1).await;
    keeper.take(touched(&place, CANARY));

    // At once made again, before anybody looked.
    fs::rename(place.inbox(), place.dir.path().join("away")).unwrap();
    fs::create_dir(place.inbox()).unwrap();
    fs::write(place.inbox().join("later"), "x").unwrap();
    assert_eq!(turn_after(&mut keeper, 2_001).await.0.pending, 1);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_cannot_be_watched_is_polled_and_says_why() {
    let place = Place::new(1, settle_500);
    let mut keeper = place.keeper(Silent { is_exhausted: true, ..Silent::default() });
    let (state, _) = turn_after(&mut keeper, 0).await;
    let Watching::Polling(why) = &state.watching else { panic!("{state:?}") };
    assert!(why.contains("fs.inotify.max_user_watches"), "{why}");
    fs::create_dir(place.inbox().join("sub")).unwrap();
    fs::write(place.inbox().join("sub/a"), "x").unwrap();
    assert_eq!(turn_after(&mut keeper, 2_100).await.0.pending, 1);
    assert_eq!(turn_after(&mut keeper, 500).await.1.len(), 1);
}

/// One folder that somebody had closed put all of its inbox on scans.
#[tokio::test(start_paused = true)]
async fn a_closed_folder_keeps_no_other_from_being_watched() {
    let place = Place::new(1, settle_500);
    for folder in ["a", "closed", "z"] {
        fs::create_dir(place.inbox().join(folder)).unwrap();
    }
    let watcher = Silent { closed: Some("closed"), ..Silent::default() };
    let armed = Arc::clone(&watcher.armed);
    let (state, _) = turn_after(&mut place.keeper(watcher), 0).await;
    let armed = armed.lock().unwrap();
    let folders = armed.iter().filter(|folder| !folder.ends_with(".wirefold")).count();
    assert_eq!((state.watching, folders), (Watching::Events, 3));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_claimed_is_shown_and_tried_again_under_the_same_number() {
    let place = Place::new(1, settle_500);
    fs::write(place.inbox().join("a"), "x").unwrap();
    let work = place.inbox().join(".wirefold");
    fs::remove_dir_all(&work).unwrap();
    fs::write(&work, "in the way").unwrap();
    let mut keeper = place.keeper(NullWatcher);
    turn_after(&mut keeper, 0).await;
    assert_eq!(turn_after(&mut keeper, 500).await.1, []);
    let (state, claimed) = turn_after(&mut keeper, 999).await;
    assert_eq!((state.refused.0, claimed.len()), (1, 0));
    assert!(state.trouble.as_ref().unwrap().contains("cannot claim"), "{state:?}");
    assert!(state.is_closed, "it is the inbox that does not let it go, so it is not ready");
    fs::remove_file(&work).unwrap();
    assert_eq!(turn_after(&mut keeper, 1).await.1[0].arrival, Arrival(1));
}

/// A watcher of a folder on a mount whose server is gone: who asks it waits until somebody says that it is back.
struct Gone {
    asked: mpsc::Sender<()>,
    back: std::sync::mpsc::Receiver<()>,
}

impl Watcher for Gone {
    fn new<F: notify::EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
        Err(notify::Error::generic("made by hand alone"))
    }

    fn watch(&mut self, _: &Path, _: notify::RecursiveMode) -> notify::Result<()> {
        self.asked.blocking_send(()).ok();
        self.back.recv().ok();
        Ok(())
    }

    fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
        Ok(())
    }

    fn kind() -> notify::WatcherKind {
        notify::WatcherKind::NullWatcher
    }
}

/// One hung mount stopped the intake of all, and nobody was told.
#[tokio::test]
async fn an_inbox_that_does_not_answer_keeps_no_other_from_its_work() {
    let mut place = Place::new(2, |_| {});
    // Only now: on a busy machine the opening itself takes longer, and then counts as not answered.
    place.inboxes.settings.patience = Duration::from_millis(30);
    for inbox in ["0", "1"] {
        write_at(&place.dir.path().join(inbox).join(inbox), 7);
    }
    let (asked, mut asks) = mpsc::channel(1);
    let (answer, back) = std::sync::mpsc::channel();
    let ears = Ears::new(9);
    let speaker = ears.speaker.clone();
    let watchers: [Box<dyn Watcher + Send>; 2] = [Box::new(Gone { asked, back }), Box::new(NullWatcher)];
    let keepers = watchers.into_iter().enumerate().filter_map(|(index, watcher)| {
        Keeper::new(&place.inboxes, index, watcher, Arc::clone(&place.arrivals))
    });
    let crew = Crew::new(keepers.collect(), &[], &place.inboxes.settings);
    let (out, mut files) = mpsc::channel(9);
    let (told, states) = watch::channel(InboxState::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let watch = run(crew, ears, out, told, async { drop(stopped.await) });
    let test = async {
        let mut states = States(states);
        asks.recv().await.unwrap();
        states.until(|state| state.is_ready && state.roots[0].silent_since.is_some()).await;
        assert_eq!(names(&take(&mut files, 1).await), ["1"]);
        answer.send(()).unwrap();
        // Its own folder is watched too, for the canary.
        asks.recv().await.unwrap();
        answer.send(()).unwrap();
        states.until(|state| state.roots[0].silent_since.is_none()).await;
        assert_eq!(names(&take(&mut files, 1).await), ["0"]);
        // It is gone once more, and nobody waits for it at a stop.
        let path = place.inbox().join("new");
        fs::create_dir(&path).unwrap();
        speaker.send((0, Hint { sign: Sign::FolderMade, path })).await.unwrap();
        asks.recv().await.unwrap();
        drop(stop);
    };
    let (ended, ()) = timeout(DEADLINE, async { tokio::join!(watch, test) }).await.unwrap();
    ended.unwrap();
    drop(answer);
}

/// To start anew does not bring a mount back, and must not stop the others either.
#[tokio::test(start_paused = true)]
async fn an_inbox_that_does_not_even_answer_at_the_start_is_told_and_looked_for() {
    let mut place = Place::new(2, |_| {});
    let root = place.inboxes.settings.inboxes.remove(0);
    place.inboxes.ignored.remove(0);
    place.inboxes.silent.push(root);
    let (out, _files) = mpsc::channel(9);
    let (told, states) = watch::channel(InboxState::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let watch = place.inboxes.watch(Arc::clone(&place.arrivals), out, told, async { drop(stopped.await) });
    let test = async {
        let mut states = States(states);
        states.until(|state| state.is_ready).await;
        states
            .until(|state| state.roots[1].silent_since.is_some() && state.roots[1].path == place.inbox())
            .await;
        place.inboxes.one_answers().await;
        fs::rename(place.inbox(), place.dir.path().join("away")).unwrap();
        assert!(timeout(10 * HOUR, place.inboxes.one_answers()).await.is_err());
        drop(stop);
    };
    timeout(99 * HOUR, async { tokio::join!(watch, test) }).await.unwrap().0.unwrap();
    place.inboxes.silent.clear();
    assert!(timeout(HOUR, place.inboxes.one_answers()).await.is_err(), "nobody is waited for");
}

#[tokio::test]
async fn what_is_claimed_too_late_to_be_wanted_goes_back() {
    let place = Place::new(1, |_| {});
    write_at(&place.inbox().join("a"), 7);
    let mut keeper = place.keeper(NullWatcher);
    while keeper.first_ready().is_none() {
        keeper.take(Step::Turn);
    }
    let (mut crew, results) = Crew::new(vec![keeper], &[], &place.inboxes.settings);
    drop(results);
    crew.claim(1);
    assert!(timeout(DEADLINE, crew.failure()).await.unwrap().is_none());
    assert!(place.inbox().join("a").exists());
    assert_eq!(recover::recover(&place.inboxes.settings.inboxes, &|| true).unwrap(), []);
}

#[tokio::test]
async fn a_claim_left_by_an_earlier_run_is_never_covered() {
    let place = Place::new(1, |_| {});
    fs::write(place.inbox().join(".wirefold/0000000000000001-a"), "earlier").unwrap();
    fs::write(place.inbox().join("a"), "later").unwrap();
    place.watched(9, async |mut files, _| assert_eq!(take(&mut files, 1).await[0].arrival, Arrival(2))).await;
    assert_eq!(recover::recover(&place.inboxes.settings.inboxes, &|| true).unwrap().len(), 2);
}

#[test]
fn an_inbox_belongs_to_one_process() {
    let place = Place::new(1, |_| {});
    let failed = FailedDir::open(place.dir.path().join("failed")).unwrap();
    let settings = place.inboxes.settings.clone();
    assert!(matches!(Inboxes::open(settings.clone(), &failed), Err(InboxError::InUse { .. })));
    drop(place.inboxes);
    Inboxes::open(settings, &failed).unwrap();
}

#[test]
fn an_inbox_that_cannot_work_is_refused_at_start() {
    let dir = TempDir::new().unwrap();
    let failed = FailedDir::open(dir.path().join("in/failed")).unwrap();
    let open = |paths: &[&str]| {
        let inboxes = paths.iter().map(|path| Root::new(dir.path().join(path), Vec::new())).collect();
        Inboxes::open(Settings { inboxes, ..Settings::default() }, &failed).unwrap_err()
    };
    fs::create_dir_all(dir.path().join("other/within")).unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    fs::create_dir(dir.path().join("blocked")).unwrap();
    fs::write(dir.path().join("blocked/.wirefold"), "x").unwrap();
    assert!(matches!(open(&["none"]), InboxError::Missing { .. }));
    assert!(matches!(open(&["file"]), InboxError::NotAFolder { .. }));
    assert!(matches!(open(&["blocked"]), InboxError::NotWritable { .. }));
    assert!(matches!(open(&["in"]), InboxError::Overlap { .. }), "what is set aside would be taken again");
    assert!(matches!(open(&["other", "other/within"]), InboxError::Overlap { .. }));
    assert!(matches!(open(&["other", "other"]), InboxError::Overlap { .. }));
}

/// A file that was told of many times used to be taken many times elsewhere, and then not to be found.
#[tokio::test(start_paused = true)]
async fn a_file_is_claimed_once_however_often_it_is_told_and_one_that_vanishes_is_no_trouble() {
    let place = Place::new(1, settle_500);
    let mut keeper = place.keeper(NullWatcher);
    turn_after(&mut keeper, 0).await;
    for name in ["stays", "goes"] {
        fs::write(place.inbox().join(name), "x").unwrap();
        for sign in [Sign::Touched, Sign::Arrived, Sign::Touched, Sign::Arrived] {
            keeper.take(Step::Heed(vec![Hint { sign, path: place.inbox().join(name) }]));
        }
    }
    keeper.make_up();
    fs::remove_file(place.inbox().join("goes")).unwrap();
    let claimed = keeper.take(Step::Claim(99, None)).claimed;
    assert_eq!((names(&claimed), claimed[0].arrival), (vec!["stays".to_owned()], Arrival(1)));
    let (state, again) = turn_after(&mut keeper, 9_000).await;
    assert_eq!((state.pending, state.trouble, again), (0, None, Vec::new()));
}

/// Inbox `0` with done-markers.
fn marked() -> Place {
    Place::new(1, |settings| {
        settings.settle = Duration::from_millis(500);
        settings.inboxes[0].marker = Some(Marker::new(".done".to_owned()));
    })
}

fn touched(place: &Place, name: &str) -> Step {
    Step::Heed(vec![Hint { sign: Sign::Touched, path: place.inbox().join(name) }])
}

fn waits(state: &RootState) -> (u64, u64) {
    (state.pending, state.unmarked)
}

#[tokio::test(start_paused = true)]
async fn a_file_counts_once_its_marker_is_there_in_whatever_order_they_come() {
    let place = marked();
    let mut keeper = place.keeper(NullWatcher);
    turn_after(&mut keeper, 0).await;
    for first in ["a.xml", "b.xml.done"] {
        fs::write(place.inbox().join(first), "x").unwrap();
        keeper.take(touched(&place, first));
    }
    assert_eq!(
        waits(&turn_after(&mut keeper, 9_000).await.0),
        (0, 1),
        "one file, and a marker, which is none"
    );
    assert_eq!(turn_after(&mut keeper, 9_000).await.1, []);
    for second in ["a.xml.done", "b.xml"] {
        fs::write(place.inbox().join(second), "x").unwrap();
        keeper.take(touched(&place, second));
    }
    let (state, claimed) = turn_after(&mut keeper, 499).await;
    assert_eq!((waits(&state), claimed.len()), ((2, 0), 0), "with its marker it must still be still");
    let (_, claimed) = turn_after(&mut keeper, 1).await;
    assert_eq!(names(&claimed), ["a.xml", "b.xml"]);
    assert_eq!(fs::read_dir(place.inbox()).unwrap().count(), 1, "the markers go with their files");
}

#[tokio::test(start_paused = true)]
async fn a_scan_brings_files_and_markers_together_and_tells_which_lie_alone() {
    let place = marked();
    fs::create_dir(place.inbox().join("sub")).unwrap();
    for name in ["sub/a.xml", "sub/a.xml.done", "b.xml"] {
        fs::write(place.inbox().join(name), "x").unwrap();
    }
    write_at(&place.inbox().join("gone.xml.done"), 7);
    let mut keeper = place.keeper(NullWatcher);
    let (state, _) = turn_after(&mut keeper, 0).await;
    assert_eq!((waits(&state), state.lone_markers), ((1, 1), (1, Some("gone.xml.done".into()))));
    let (_, claimed) = turn_after(&mut keeper, 500).await;
    assert_eq!(names(&claimed), ["sub/a.xml"]);
    // What goes back goes back with its marker, also beside what has taken its name.
    fs::write(place.inbox().join("sub/a.xml"), "newer, and not whole yet").unwrap();
    let back = claimed[0].give_back().unwrap();
    let beside = back.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(beside, "0000000000000001-a.xml");
    assert!(place.inbox().join(format!("sub/{beside}.done")).exists());
    assert!(!place.inbox().join("sub/a.xml.done").exists());
    keeper.make_up();
    turn_after(&mut keeper, 1).await;
    assert_eq!(names(&turn_after(&mut keeper, 500).await.1), [format!("sub/{beside}")]);
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_is_taken_away_again_stops_its_file() {
    let place = marked();
    for name in ["a.xml", "a.xml.done"] {
        fs::write(place.inbox().join(name), "x").unwrap();
    }
    let mut keeper = place.keeper(NullWatcher);
    turn_after(&mut keeper, 0).await;
    fs::remove_file(place.inbox().join("a.xml.done")).unwrap();
    assert_eq!(turn_after(&mut keeper, 500).await.1, []);
    assert_eq!(waits(&turn_after(&mut keeper, 1).await.0), (0, 1));
}

/// It would have let the next file of that name count before its own marker came.
#[test]
fn a_marker_that_a_crash_left_is_removed_at_the_next_start() {
    let place = marked();
    let claim = |number: u64, name: &str| {
        fs::write(place.inbox().join(format!(".wirefold/{number:016}-{name}")), "x").unwrap();
    };
    let marker = |name: &str| fs::write(place.inbox().join(format!("{name}.done")), "").unwrap();
    marker("left.xml");
    marker("next.xml");
    fs::write(place.inbox().join("next.xml"), "the next of its name").unwrap();
    claim(1, "left.xml");
    claim(2, "next.xml");
    assert_eq!(recover::recover(&place.inboxes.settings.inboxes, &|| true).unwrap().len(), 2);
    assert!(!place.inbox().join("left.xml.done").exists() && place.inbox().join("next.xml.done").exists());
}

const CANARY: &str = ".wirefold/canary";

/// A watcher that could not be started, or a mount that tells nothing, looked like one on which nothing happens.
#[tokio::test(start_paused = true)]
async fn an_inbox_where_no_event_tells_of_the_canary_is_polled_until_one_does() {
    let place = Place::new(1, settle_500);
    let mut keeper = place.keeper(NullWatcher);
    assert_eq!(turn_after(&mut keeper, 0).await.0.watching, Watching::Events);
    assert!(place.inbox().join(CANARY).exists());
    assert_eq!(turn_after(&mut keeper, 1_999).await.0.watching, Watching::Events);
    let (state, _) = turn_after(&mut keeper, 1).await;
    assert!(matches!(&state.watching, Watching::Polling(why) if why.contains("no event")), "{state:?}");
    assert!(!place.inbox().join(CANARY).exists());
    fs::write(place.inbox().join("a"), "x").unwrap();
    let (state, _) = turn_after(&mut keeper, 2_001).await;
    assert_eq!(
        (state.pending, state.found_by_scan),
        (1, 0),
        "it is scanned often, and no event was to tell of it"
    );
    // It is tried again, and nothing else is said until it is heard.
    let (state, _) = turn_after(&mut keeper, 600_000).await;
    assert!(
        place.inbox().join(CANARY).exists() && matches!(state.watching, Watching::Polling(_)),
        "{state:?}"
    );
    keeper.take(touched(&place, CANARY));
    let (state, _) = turn_after(&mut keeper, 9_000).await;
    assert_eq!(state.watching, Watching::Events);
    assert!(!place.inbox().join(CANARY).exists());
}

#[tokio::test]
async fn where_events_tell_of_the_canary_they_are_trusted() {
    let place = Place::new(1, |_| {});
    place
        .watched(9, async |_, mut states| {
            states.until(|state| state.roots[0].watching == Watching::Events).await;
            // It goes once it was heard.
            let mut looks = tokio::time::interval(Duration::from_millis(5));
            while place.inbox().join(CANARY).exists() {
                looks.tick().await;
            }
        })
        .await;
}
