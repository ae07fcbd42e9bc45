//! A disk that is full at one stage alone, as each of its folders is a small file system of its own: nothing is lost, and
//! whatever met it goes on when there is room.

use crate::{
    audit::clean,
    corpus::{Reporter, files_in, fixture},
    daemon::{Daemon, settled},
    full_disk::{Mounted, fill},
    place::{Place, Running, drop_whole, names_in},
    wait::{PATIENCE, within},
};
use std::{fs, path::Path, process::Command};

/// Stories, a file of which one item is broken, and one that is no article: every stage has something to write.
fn put_files(inbox: &Path, from: u64) -> u64 {
    let mut reporter = Reporter::new(from);
    drop_whole(&inbox.join(format!("{from}-junk.txt")), &[0xff, 0, 1, 2].repeat(40));
    let broken = format!("{}\n{{\"text\": 7\n{}\n", reporter.line(), reporter.line());
    drop_whole(&inbox.join(format!("{from}-broken.jsonl")), broken.as_bytes());
    for n in 0..10 {
        drop_whole(&inbox.join(format!("{from}-{n}.txt")), reporter.story().as_bytes());
    }
    12
}

/// The daemon meets a full disk under this folder of its data, in the middle of its work.
fn check_full(folder: &str, size: &str) {
    let mut place = Place::new();
    let feed = place.path("feed");
    place.make_own(&feed);
    let inbox = format!("[[inbox]]\npath = '{}'\n", feed.display());
    place.configure(&format!("[intake]\nsettle_ms = 20\n[commit]\nfree_min_mb = 0\n{inbox}"));
    let Some(_mounted) = Mounted::on(place.data().join(folder), size) else { return };
    let mut daemon = Daemon::start(&place);
    let mut files = put_files(&feed, 1);
    settled(&place, files);
    let ballast = place.data().join(folder).join("ballast");
    fill(&ballast, 0);
    files += put_files(&feed, 2);
    // It waits and says so, or it has ended: either way it is still there to be told of.
    let mut log = within(PATIENCE, "the full disk is met", || {
        let log = daemon.log();
        let is_met = log.contains("No space left") || daemon.has_ended_within(std::time::Duration::ZERO);
        is_met.then_some(log)
    });
    fs::remove_file(ballast).unwrap();
    if daemon.has_ended_within(std::time::Duration::from_secs(1)) {
        log = daemon.log();
        assert!(!log.contains("panicked"), "{folder}: {log}");
        println!("{folder}: it ended, and its next start goes on");
        daemon = Daemon::start(&place);
    }
    let status = settled(&place, files);
    assert_eq!((status.files.received, status.files.failed), (24, 2), "{folder}: {status:?}\n{log}");
    assert_eq!(status.articles.sightings, 24, "{folder}: {status:?}");
    daemon.stop_well();
    clean(&place);
    let failed = names_in(&place.failed());
    let aside = |end: &str| failed.iter().filter(|name| name.ends_with(end)).count();
    assert_eq!(
        (aside("junk.txt"), aside(".slice"), aside(".reason.json")),
        (2, 2, 4),
        "{folder}: {failed:?}"
    );
}

#[test]
fn a_full_disk_under_the_journal_is_waited_for() {
    check_full("journal", "size=1m");
}

#[test]
fn a_full_disk_under_the_originals_is_waited_for() {
    check_full("originals", "size=1m");
}

#[test]
fn a_full_disk_under_what_failed_is_waited_for() {
    check_full("failed", "size=1m");
}

#[test]
fn too_few_inodes_under_what_failed_are_waited_for() {
    check_full("failed", "size=1m,nr_inodes=80");
}

#[test]
fn a_full_disk_under_the_view_loses_nothing() {
    check_full("db", "size=24m");
}

/// A claim is a rename, which needs room where its folder has to grow, and a folder of its own where the name is long.
#[test]
fn a_full_disk_under_an_inbox_holds_no_file_up_for_good() {
    let mut place = Place::new();
    let (image, feed) = (place.path("image"), place.path("feed"));
    let make = |program: &str, args: &[&str]| Command::new(program).args(args).output();
    fs::create_dir(&feed).unwrap();
    let (from, to) = (image.to_str().unwrap(), feed.to_str().unwrap());
    fs::File::create(&image).unwrap().set_len(2 << 20).unwrap();
    let made = make("mkfs.ext4", &["-q", "-F", "-b", "1024", "-N", "400", from]);
    let mounted = made.and_then(|_| make("mount", &["-o", "loop", from, to]));
    if !mounted.is_ok_and(|ran| ran.status.success()) {
        println!("skipped: this needs mkfs.ext4 and the right to mount what it makes");
        return;
    }
    let _mounted = Mounted(feed.clone());
    let inbox = format!("[[inbox]]\npath = '{}'\n", feed.display());
    place.configure(&format!("[intake]\nsettle_ms = 20\n{inbox}"));
    fs::remove_dir(feed.join("lost+found")).unwrap();
    let mut reporter = Reporter::new(4);
    // So many long names that the folder of claims must grow, and some that make it a folder each.
    for n in 0..120 {
        fs::write(
            feed.join(format!("{n:03}-{}", "n".repeat(if n % 8 == 0 { 240 } else { 150 }))),
            reporter.story(),
        )
        .unwrap();
    }
    fs::create_dir(feed.join(".wirefold")).unwrap();
    fs::File::create(feed.join(".wirefold/lock")).unwrap();
    let ballast = feed.join(".ballast");
    fill(&ballast, 0);
    let daemon = Daemon::start(&place);
    let refused = "something in the inbox cannot be taken, and is tried again";
    let told = within(PATIENCE, "some are taken or refused", || {
        let is_refused = daemon.log().contains(refused);
        (is_refused || place.status().files.received == 120).then_some(is_refused)
    });
    println!("a claim was refused for want of room: {told}");
    fs::remove_file(ballast).unwrap();
    assert_eq!(settled(&place, 120).files.accepted, 120);
    daemon.stop_well();
    clean(&place);
}

#[test]
fn a_backup_to_a_full_disk_says_so_and_is_gone_on_with() {
    let place = Place::new();
    place.ingest(files_in(&fixture("stories")));
    let Some(_mounted) = Mounted::on(place.path("disk"), "size=1m") else { return };
    let ballast = place.path("disk/ballast");
    fill(&ballast, 0);
    let ran = place.run(["backup", "disk/copy"]);
    assert!(ran.code() == 1 && ran.err.contains("No space left"), "{ran:?}");
    fs::remove_file(ballast).unwrap();
    place.done(["backup", "disk/copy"]);
    let mut audit = place.bare_command();
    audit.arg("--data-dir").arg(place.path("disk/copy")).arg("audit");
    let ran = crate::place::run(audit);
    assert!(ran.code() == 0 && ran.out.contains("all is as it should be"), "{ran:?}");
}

/// What is handed over is copied to the daemon's disk first.
#[test]
fn a_file_that_is_handed_over_to_a_full_disk_is_waited_with_or_refused_and_never_half_there() {
    let place = Place::configured("[commit]\nfree_min_mb = 0\n");
    let Some(_mounted) = Mounted::on(place.data(), "size=400m") else { return };
    let mut reporter = Reporter::new(9);
    let lines: Vec<_> = (0..300).map(|_| reporter.line()).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    let daemon = Daemon::start(&place);
    let ballast = place.data().join("ballast");
    fill(&ballast, 64 << 10);
    let ingest = Running::start(place.command(["ingest", "many.jsonl"]));
    assert_eq!(place.status().articles.sightings, 0);
    fs::remove_file(ballast).unwrap();
    let ran = ingest.end();
    if ran.code() != 0 {
        println!("refused: {ran:?}");
        place.ingest(["many.jsonl"]);
    }
    assert_eq!(settled(&place, 1).articles.sightings, 300);
    daemon.stop_well();
}

/// It said neither where nor what to do, and ended as if something were broken.
#[test]
fn a_question_that_a_full_disk_leaves_unanswered_says_where_and_comes_again() {
    let place = Place::new();
    let Some(mounted) = Mounted::on(place.data(), "size=200m") else { return };
    place.ingest(files_in(&fixture("stories")));
    let ballast = mounted.0.join("ballast");
    fill(&ballast, 0);
    for asked in ["status", "run"] {
        let ran = place.run([asked]);
        let is_told = ran.err.contains(&mounted.0.display().to_string()) && ran.err.contains("make room");
        assert!(ran.code() == 75 && is_told, "{ran:?}");
    }
    fs::remove_file(ballast).unwrap();
    assert!(place.status().files.accepted > 0);
}
