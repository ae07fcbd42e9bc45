//! A full disk pauses the intake, keeps everything, shows itself, and the intake goes on by itself when there is room.

use crate::{
    audit::clean,
    corpus::{files_in, fixture},
    daemon::{Daemon, settled},
    place::{Place, names_in},
    service::get,
    wait::{PATIENCE, within},
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system of so many bytes on the data directory of a place; nothing, and a printed line, where none can be mounted.
pub struct Mounted(pub PathBuf);

impl Mounted {
    pub fn on(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let options = format!("{size},mode=0750");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path);
        if mount.output().is_ok_and(|ran| ran.status.success()) {
            return Some(Self(path));
        }
        println!("skipped: this needs the right to mount a file system");
        None
    }

    /// Gives it so many bytes more than are used of it, which is as if others had taken the rest.
    pub fn leave(&self, bytes: u64) {
        let fs = rustix::fs::statvfs(&self.0).unwrap();
        self.resize((fs.f_blocks - fs.f_bfree) * fs.f_frsize + bytes);
    }

    pub fn resize(&self, bytes: u64) {
        let options = format!("remount,size={bytes}");
        let done = Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

/// Writes until nothing more can be written, or until only so many bytes are free.
pub fn fill(path: &Path, leave: u64) {
    let folder = path.parent().unwrap();
    let free = || rustix::fs::statvfs(folder).map(|fs| fs.f_bavail * fs.f_frsize).unwrap();
    let mut ballast = fs::File::create(path).unwrap();
    let block = vec![7; 1 << 16];
    while free() > leave && ballast.write_all(&block).is_ok() {}
    if leave == 0 {
        while ballast.write_all(&[7; 512]).is_ok() {}
    }
}

fn notices(place: &Place) -> String {
    let status: serde_json::Value = serde_json::from_str(&place.done(["status", "--json"]).out).unwrap();
    status["notices"].to_string()
}

fn put_stories(inbox: &Path) -> u64 {
    let stories = files_in(&fixture("stories"));
    for story in &stories {
        fs::copy(story, inbox.join(story.file_name().unwrap())).unwrap();
    }
    stories.len() as u64
}

/// The same process takes everything in once there is room.
fn check_pause(free_min_mb: u32, leave: u64) {
    let mut place = Place::new();
    let feed = place.path("feed");
    fs::create_dir(&feed).unwrap();
    place.configure(&format!(
        "[intake]\nsettle_ms = 20\n[commit]\nfree_min_mb = {free_min_mb}\n[[inbox]]\npath = '{}'\n",
        feed.display()
    ));
    let Some(_mounted) = Mounted::on(place.data(), "size=200m") else { return };
    let daemon = Daemon::start(&place);
    let ballast = place.data().join("ballast");
    fill(&ballast, leave);
    let files = put_stories(&feed);
    let told = within(PATIENCE, "the pause is told", || {
        Some(notices(&place)).filter(|told| told.contains("the intake is paused"))
    });
    println!("{told}");
    let status = place.status();
    assert_eq!((status.files.accepted, status.pid), (0, Some(daemon.pid())), "{status:?}");
    let waiting = names_in(&feed).len() - 1 + names_in(&feed.join(".wirefold")).len() - 1;
    assert_eq!(waiting as u64, files, "every file lies in its inbox or its claim");
    fs::remove_file(ballast).unwrap();
    let status = settled(&place, files);
    assert_eq!((status.files.accepted, status.pid), (files, Some(daemon.pid())), "it goes on by itself");
    assert_eq!(notices(&place), "null", "and the notice goes");
    daemon.stop_well();
    let before = place.export_text();
    place.done(["rebuild"]);
    assert!(place.export_text() == before, "a rebuild gives another export");
}

#[test]
fn too_little_room_pauses_the_intake_until_there_is_more() {
    check_pause(128, 100 << 20);
}

/// Whoever sets the reserve to nothing meets the full disk itself.
#[test]
fn a_disk_that_is_full_in_the_middle_of_a_commit_pauses_it() {
    check_pause(0, 0);
}

#[test]
fn a_daemon_that_is_paused_stops_well_and_the_next_start_goes_on() {
    let mut place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\nfree_min_mb = 1000000\n");
    let daemon = Daemon::start(&place);
    let files = put_stories(&place.inbox());
    within(PATIENCE, "the pause is told", || notices(&place).contains("the intake is paused").then_some(()));
    within(PATIENCE, "and logged", || daemon.log().contains("the intake is paused").then_some(()));
    daemon.stop_well();
    place.configure("[intake]\nsettle_ms = 20\n");
    assert_eq!(place.status().backlog, files, "nothing is lost");
    let daemon = Daemon::start(&place);
    assert_eq!(settled(&place, files).files.accepted, files);
    daemon.stop_well();
}

/// A few inodes are as little room as a few bytes, and `df` shows none of it.
#[test]
fn too_few_inodes_pause_the_intake_until_there_are_more() {
    let mut place = Place::new();
    let feed = place.path("feed");
    fs::create_dir(&feed).unwrap();
    let inbox = format!("[intake]\nsettle_ms = 20\n[[inbox]]\npath = '{}'\n", feed.display());
    place.configure(&inbox);
    let Some(_mounted) = Mounted::on(place.data(), "size=400m,nr_inodes=300") else { return };
    let daemon = Daemon::start(&place);
    let mut ballast = (0..).map(|n| place.data().join(format!("ballast-{n}")));
    let took: Vec<_> = ballast.by_ref().take_while(|path| fs::File::create(path).is_ok()).collect();
    let files = put_stories(&feed);
    within(PATIENCE, "the pause is told", || notices(&place).contains("inodes are free at").then_some(()));
    assert_eq!(place.status().files.accepted, 0);
    for path in took {
        fs::remove_file(path).unwrap();
    }
    let status = settled(&place, files);
    assert_eq!((status.files.accepted, status.pid), (files, Some(daemon.pid())), "it goes on by itself");
    daemon.stop_well();
    clean(&place);
}

/// Each attempt had written the originals once more.
#[test]
fn a_journal_that_keeps_failing_does_not_swell_the_packs() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\nfree_min_mb = 0\n");
    let once = Place::brisk();
    once.ingest(files_in(&fixture("stories")));
    let Some(_mounted) = Mounted::on(place.data().join("journal"), "size=2m") else { return };
    let daemon = Daemon::start(&place);
    let ballast = place.data().join("journal/ballast");
    fill(&ballast, 0);
    let files = put_stories(&place.inbox());
    let tried = "wirefold_commit_seconds_count{part=\"journal\"} ";
    let often = || {
        let metrics = get(&place, "/metrics").1;
        let count = metrics.lines().find_map(|line| line.strip_prefix(tried))?;
        (count.parse::<u32>().unwrap() >= 4).then_some(())
    };
    within(PATIENCE, "the journal is tried again and again", often);
    fs::remove_file(ballast).unwrap();
    assert_eq!(settled(&place, files).files.accepted, files);
    daemon.stop_well();
    let packs = |place: &Place| -> u64 {
        files_in(&place.data().join("originals")).iter().map(|pack| fs::metadata(pack).unwrap().len()).sum()
    };
    assert_eq!(packs(&place), packs(&once));
    clean(&place);
}

/// A second view beside the first would take what the intake needs.
#[test]
fn an_audit_that_would_fill_the_disk_is_refused() {
    let place = Place::brisk();
    let Some(_mounted) = Mounted::on(place.data(), "size=200m") else { return };
    place.ingest(files_in(&fixture("stories")));
    let ran = place.run(["audit"]);
    assert!(ran.code() == 1 && ran.err.contains("MiB are free at"), "{ran:?}");
    assert!(!place.data().join("db.audit").exists());
}

/// Without a daemon the least that is to be free was not asked for, and the disk could be filled to its end.
#[test]
fn too_little_room_refuses_also_an_ingest_without_a_daemon() {
    let place = Place::configured("[commit]\nfree_min_mb = 1000000\n");
    let ran = place.run(["ingest".into(), fixture("stories")]);
    assert_eq!(ran.code(), 75, "{ran:?}");
    assert!(ran.err.contains("1000000 are asked for; nothing was taken in"), "{ran:?}");
    assert_eq!(place.status().files.received, 0);
}

/// `/readyz` was well until the first file came, and a pin was waited for in vain and done later all the same.
#[test]
fn too_little_room_is_told_from_the_start_and_no_pin_waits_for_it() {
    let mut place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    let article = place.export()[0].articles[0].id.clone();
    place.configure("[commit]\nfree_min_mb = 1000000\n");
    let daemon = Daemon::start(&place);
    let (code, why) = get(&place, "/readyz");
    assert!(code == 503 && why.contains("the intake is paused"), "{code} {why}");
    assert!(notices(&place).contains("are asked for"), "{}", notices(&place));
    let ran = place.run(["pin", &article]);
    assert!(ran.code() == 75 && ran.err.contains("the intake is paused"), "{ran:?}");
    assert!(ran.err.contains("Nothing was changed"), "{ran:?}");
    daemon.stop_well();
}
