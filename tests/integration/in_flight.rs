//! What a start finds in flight, one state after another: each as a crash between two steps leaves it.

use crate::{
    answers::{Files, Status},
    corpus::fixture,
    daemon::{Daemon, settled},
    place::{NOBODY, Place, drop_whole, names_in},
    wait::{PATIENCE, within},
};
use rustix::process::{Signal, geteuid};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

/// A daemon that has taken in one file and was stopped. The second path is another name of that same file, so that
/// it can be put back as it was.
fn after_one_file(bytes: &[u8]) -> (Place, PathBuf) {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let kept = place.path("kept.txt");
    fs::write(&kept, bytes).unwrap();
    fs::hard_link(&kept, place.inbox().join("a.txt")).unwrap();
    settled(&place, 1);
    daemon.stop_well();
    (place, kept)
}

fn claim(place: &Place, number: u64, name: &str) -> PathBuf {
    place.inbox().join(format!(".wirefold/{number:016}-{name}"))
}

fn after_a_start(place: &Place, files: u64) -> Status {
    let daemon = Daemon::start(place);
    let status = settled(place, files);
    daemon.stop_well();
    assert_eq!(place.claims(), [""; 0]);
    assert_eq!(names_in(&place.inbox()), [".wirefold"]);
    status
}

fn story() -> Vec<u8> {
    fs::read(fixture("stories/05-lake-fish.txt")).unwrap()
}

#[test]
fn a_file_that_is_durable_and_still_there_is_only_removed() {
    let (place, kept) = after_one_file(&story());
    let before = place.export_text();
    fs::hard_link(kept, claim(&place, 1, "a.txt")).unwrap();
    let status = after_a_start(&place, 1);
    assert_eq!(status.files, Files { received: 1, accepted: 1, ..Files::default() });
    assert_eq!(place.export_text(), before);
}

#[test]
fn a_failed_file_that_is_durable_and_still_there_is_set_aside() {
    let (place, _) = after_one_file(b" \n");
    let failed = place.failed().join("0000000000000001-a.txt");
    let reason = place.failed().join("0000000000000001-a.txt.reason.json");
    let said = fs::read(&reason).unwrap();
    fs::rename(&failed, claim(&place, 1, "a.txt")).unwrap();
    fs::remove_file(&reason).unwrap();
    let status = after_a_start(&place, 1);
    assert_eq!(status.files, Files { received: 1, failed: 1, ..Files::default() });
    assert!(failed.exists(), "{:?}", names_in(&place.failed()));
    assert_eq!(fs::read(&reason).unwrap().len(), said.len());
}

/// The journal said that it had been sent back, and it was set aside once more.
#[test]
fn a_failed_file_that_was_on_its_way_back_goes_back() {
    let (place, _) = after_one_file(b" \n");
    place.done(["requeue", "--all"]);
    fs::rename(place.inbox().join("a.txt"), claim(&place, 1, "a.txt")).unwrap();
    let status = after_a_start(&place, 2);
    assert_eq!(status.files, Files { received: 2, failed: 2, ..Files::default() });
    assert!(place.failed().join("0000000000000002-a.txt").exists(), "{:?}", names_in(&place.failed()));
}

#[test]
fn a_file_that_was_claimed_and_no_more_is_taken_in() {
    let (place, _) = after_one_file(&story());
    fs::copy(fixture("stories/06-cable-results.txt"), claim(&place, 7, "agency%2fb.txt")).unwrap();
    let status = after_a_start(&place, 2);
    assert_eq!(status.files, Files { received: 2, accepted: 2, ..Files::default() });
    let records = place.export();
    assert_eq!(records[1].articles[0].path, "agency/b.txt");
    assert_eq!(records[1].articles[0].source.as_deref(), Some("agency"));
}

/// A number may stand for another file where a backup was put back, or an inbox was used with two data directories.
#[test]
fn another_file_under_a_known_number_is_not_taken_for_the_known_one() {
    let (place, _) = after_one_file(&story());
    fs::copy(fixture("stories/06-cable-results.txt"), claim(&place, 1, "a.txt")).unwrap();
    let status = after_a_start(&place, 2);
    assert_eq!(status.files, Files { received: 2, accepted: 2, ..Files::default() });
    assert_eq!(status.articles.canonical, 2, "nothing is lost");
}

/// What lies in the folder of claims can be taken out of it by its owner alone, as where that has been made sticky.
fn set_sticky(work: &Path, is_sticky: bool) {
    let mode = if is_sticky { 0o1777 } else { 0o777 };
    fs::set_permissions(work, fs::Permissions::from_mode(mode)).unwrap();
}

/// One file that could not be removed held up all others, of every inbox, and a start with one ended in an error.
#[test]
fn an_inbox_that_refuses_removal_keeps_no_other_from_its_work() {
    let Some(mut place) = Place::of_ordinary_user() else { return };
    if !geteuid().is_root() {
        println!("skipped: this needs the files of another user");
        return;
    }
    let inboxes = ["stubborn", "other"].map(|name| place.path(name));
    let mut config = vec!["[intake]\nsettle_ms = 20\n".to_owned()];
    for inbox in &inboxes {
        fs::create_dir_all(inbox.join(".wirefold")).unwrap();
        chown(inbox, Some(NOBODY), Some(NOBODY)).unwrap();
        set_sticky(&inbox.join(".wirefold"), false);
        config.push(format!("[[inbox]]\npath = '{}'\n", inbox.display()));
    }
    place.configure(&config.concat());
    fs::set_permissions(place.path("wirefold.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let [work, other] = [inboxes[0].join(".wirefold"), inboxes[1].clone()];
    set_sticky(&work, true);
    let claims = |work: &Path| names_in(work).into_iter().filter(|name| name.starts_with('0')).count();
    let told = |files: &str| {
        let told = place.done(["status"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = format!("cannot be taken out of the inbox for now, and tried again: {files}; ");
        told.contains(&said).then_some(())
    };
    let stories = crate::corpus::files_in(&fixture("stories"));
    let daemon = Daemon::start(&place);
    for (n, story) in stories[..2].iter().enumerate() {
        drop_whole(&inboxes[0].join(format!("{n}.txt")), &fs::read(story).unwrap());
    }
    within(PATIENCE, "it is told of", || told("2 finished files"));
    drop_whole(&other.join("a.txt"), &fs::read(&stories[2]).unwrap());
    let is_through = || place.status().files.accepted == 3 && claims(&other.join(".wirefold")) == 0;
    within(PATIENCE, "the other goes on", || is_through().then_some(()));
    assert_eq!(claims(&work), 2);
    daemon.stop_well();
    // Nor a start.
    let daemon = Daemon::start(&place);
    within(PATIENCE, "it is told of after a start", || told("2 finished files"));
    daemon.stop_well();
    // Nor a reload that brings the inbox: its files used to wait for the next start.
    let configure = |parts: &[&str]| fs::write(place.path("wirefold.toml"), parts.concat()).unwrap();
    configure(&[&config[0], &config[2]]);
    let daemon = Daemon::start(&place);
    configure(&[&config[0], &config[1], &config[2]]);
    daemon.signal(Signal::HUP);
    within(PATIENCE, "it is told of after a reload", || told("2 finished files"));
    set_sticky(&work, false);
    within(PATIENCE, "they are gone once they may be", || (claims(&work) == 0).then_some(()));
    within(PATIENCE, "and nothing is said any more", || told("").is_none().then_some(()));
    assert_eq!(place.status().files.accepted, 3, "and nothing twice");
    daemon.stop_well();
}

/// A mount whose server is gone: whatever is asked of it is answered so at once. Nothing, and a printed line, where none can be
/// mounted.
struct DeadMount(PathBuf);

impl DeadMount {
    fn on(path: PathBuf) -> Option<Self> {
        let mount =
            "exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$0\"";
        let ran = Command::new("sh").arg("-c").arg(mount).arg(&path).output();
        if ran.is_ok_and(|ran| ran.status.success()) {
            return Some(Self(path));
        }
        println!("skipped: this needs the right to mount a file system of FUSE");
        None
    }
}

impl Drop for DeadMount {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

/// It ended every start, with all other inboxes.
#[test]
fn an_inbox_on_a_dead_mount_joins_when_it_is_back() {
    let mut place = Place::brisk();
    let [dead, alive] = ["dead", "alive"].map(|name| place.path(name));
    for inbox in [&dead, &alive] {
        fs::create_dir_all(inbox.join(".wirefold")).unwrap();
    }
    let inboxes = [&dead, &alive].map(|inbox| format!("[[inbox]]\npath = '{}'\n", inbox.display()));
    place.configure(&format!("[intake]\nsettle_ms = 20\nrescan_s = 1\n{}", inboxes.concat()));
    let stories = crate::corpus::files_in(&fixture("stories"));
    fs::copy(&stories[0], dead.join(".wirefold/0000000000000007-claimed.txt")).unwrap();
    let Some(mount) = DeadMount::on(dead) else { return };
    let daemon = Daemon::start(&place);
    drop_whole(&alive.join("b.txt"), &fs::read(&stories[1]).unwrap());
    within(PATIENCE, "the other goes on", || (place.status().files.accepted == 1).then_some(()));
    assert!(place.done(["status"]).out.contains("has not answered since"));
    drop(mount);
    within(PATIENCE, "what was claimed there", || (place.status().files.accepted == 2).then_some(()));
    daemon.stop_well();
}
