//! What a start finds in flight, one state after another: each as a crash between two steps leaves it.

use crate::{
    answers::{Files, Status},
    corpus::fixture,
    daemon::{Daemon, settled},
    place::{Place, names_in},
};
use std::{fs, path::PathBuf};

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
