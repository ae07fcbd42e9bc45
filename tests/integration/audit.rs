//! `audit`: that all that is kept agrees is proved, what does not is named, and `--repair` mends what another copy holds.

use crate::{
    answers::Record,
    corpus::{MANY, Reporter, files_in, fixture},
    daemon::{Daemon, settled},
    place::{Place, Ran, drop_whole, names_in},
};
use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};
use wirefold::{
    journal::{Packs, Place as At, Position, Replay},
    model::{Arrival, Event, Sighting, Time},
    store::{Change, DataLock, Store, Trust},
};

fn with_stories() -> Place {
    let place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    place.ingest(files_in(&fixture("copies")));
    place
}

fn audit(place: &Place) -> Ran {
    place.run(["audit"])
}

/// Everything is as it should be.
pub fn clean(place: &Place) {
    let ran = audit(place);
    assert!(ran.code() == 0 && ran.out.contains("all is as it should be"), "{ran:?}");
}

fn wrong(place: &Place, what: &str) {
    let ran = audit(place);
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(ran.code() == 1 && flat.contains(what), "{what} is not in {ran:?}");
}

fn ids(records: &[Record]) -> BTreeSet<String> {
    records.iter().flat_map(|r| &r.articles).map(|a| a.id.clone()).collect()
}

fn journal(place: &Place) -> PathBuf {
    place.data().join("journal/00000001.jsonl.zst")
}

/// Where each frame of the journal ends.
fn frames(place: &Place) -> Vec<u64> {
    let mut replay = Replay::from(&place.data().join("journal"), Position::default()).unwrap();
    std::iter::from_fn(|| replay.next_frame().unwrap()).map(|frame| frame.end.offset).collect()
}

fn flip(path: &PathBuf, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_store_is_proved_sound_whether_a_daemon_runs_or_not() {
    let place = with_stories();
    clean(&place);
    let daemon = Daemon::start(&place);
    fs::copy(fixture("jsonl/broken.jsonl"), place.inbox().join("broken.jsonl")).unwrap();
    fs::write(place.inbox().join("junk.txt"), [0xff, 0, 1, 2].repeat(40)).unwrap();
    settled(&place, 18);
    clean(&place);
    let told: serde_json::Value = serde_json::from_str(&place.done(["audit", "--json"]).out).unwrap();
    let status = place.status();
    assert_eq!(told["files"], status.files.received);
    assert_eq!(told["articles"], status.articles.canonical + status.articles.variants);
    assert_eq!(told["originals"], status.files.received - status.files.failed - status.files.duplicate);
    assert!(told["rows"].as_u64().unwrap() > 100, "{told}");
    daemon.stop_well();
    clean(&place);
    assert!(!place.data().join("db.audit").exists(), "it leaves nothing behind");
}

#[test]
fn an_original_that_is_damaged_or_cut_short_is_named() {
    let place = with_stories();
    let packs = files_in(&place.data().join("originals"));
    let whole = fs::read(&packs[0]).unwrap();
    flip(&packs[0], whole.len() as u64 / 2);
    wrong(&place, "the original of");
    fs::write(&packs[0], &whole[..whole.len() - 10]).unwrap();
    wrong(&place, "the original of");
    fs::write(&packs[0], whole).unwrap();
    clean(&place);
    fs::remove_file(&packs[0]).unwrap();
    wrong(&place, "is gone, and with it the bytes of files");
}

/// It said that all was well, and so did an audit of the backup, which held none of them either.
#[test]
fn originals_that_nobody_aged_out_are_lost() {
    let place = with_stories();
    fs::remove_dir_all(place.data().join("originals")).unwrap();
    wrong(&place, "is gone, and with it the bytes of files");
    let ran = place.run(["audit", "--repair"]);
    assert!(ran.code() == 1 && !ran.out.contains("nothing to mend"), "{ran:?}");
    let story = place.done(["trace", "01-harbour-fire.txt"]).out;
    assert!(story.contains("its bytes were in"), "{story}");
    let ran = place.run(["doctor"]);
    assert!(ran.out.contains("originals is empty"), "{ran:?}");
    place.done(["backup", "copy"]);
    let mut audit = place.bare_command();
    audit.arg("--data-dir").arg(place.path("copy")).arg("audit");
    let ran = crate::place::run(audit);
    assert!(ran.code() == 1 && ran.out.contains("is gone"), "{ran:?}");
    let daemon = Daemon::start(&place);
    assert!(daemon.log().contains("the originals are gone"), "{}", daemon.log());
    daemon.stop_well();
}

#[test]
fn what_was_removed_of_failed_files_is_told_and_not_wrong() {
    let place = with_stories();
    fs::write(place.path("junk.txt"), [0xff, 0, 1, 2].repeat(40)).unwrap();
    assert_eq!(place.run(["ingest", "junk.txt"]).code(), 65);
    let told = || serde_json::from_str::<serde_json::Value>(&place.done(["audit", "--json"]).out).unwrap();
    assert_eq!((&told()["failed"], &told()["failed_gone"]), (&1.into(), &0.into()));
    fs::remove_dir_all(place.failed()).unwrap();
    assert_eq!((&told()["failed"], &told()["failed_gone"]), (&1.into(), &1.into()));
    clean(&place);
}

#[test]
fn a_damaged_frame_is_named_and_its_articles_come_back_from_their_originals() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\ngroup_articles_max = 1\n");
    let mut reporter = Reporter::new(3);
    let lines: Vec<_> = (0..200).map(|_| reporter.line()).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    place.ingest(["many.jsonl"]);
    place.ingest(files_in(&fixture("stories")));
    let before = ids(&place.export());
    let ends = frames(&place);
    assert!(ends.len() > 6, "too few frames to hit one: {ends:?}");
    // One in the middle of the large file, and one of a small one with its receipt.
    for frame in [1, ends.len() - 3] {
        flip(&journal(&place), ends[frame - 1].midpoint(ends[frame]));
    }
    wrong(&place, "cannot be read from byte");
    wrong(&place, "that the journal does not know");
    place.run(["rebuild"]);
    let lost = ids(&place.export());
    assert!(lost.len() < before.len(), "nothing was lost");
    let ran = place.done(["audit", "--repair"]);
    assert!(ran.out.contains("taken in once more"), "{ran:?}");
    assert_eq!(ids(&place.export()), before, "every article is back");
    clean(&place);
    place.status();
}

#[test]
fn a_view_that_disagrees_is_named_and_made_anew() {
    let place = with_stories();
    let before = place.export_text();
    let row = Record::read_all(&before)[0].canonical.parse().unwrap();
    let lock = DataLock::take(&place.data(), Duration::from_secs(5)).unwrap();
    let store = Store::open(&place.data().join("db"), Trust::SameBoot).unwrap();
    let end = store.view().counts().unwrap().applied;
    let (path, at) = ("never.txt".to_owned(), Time::default());
    let sighting = Sighting { id: row, arrival: Arrival(999), index: 0, path, source: None, at };
    store.apply(&[Change::Event(&Event::Sighting(sighting), At::default(), None)], end).unwrap();
    store.sync().unwrap();
    drop(store);
    lock.release_clean().unwrap();
    wrong(&place, "the view does not agree with the journal");
    wrong(&place, "the counts do not add up: files received");
    let ran = place.done(["audit", "--repair"]);
    assert!(ran.out.contains("made anew"), "{ran:?}");
    assert_eq!(place.export_text(), before);
}

/// It was known, so it was kept nowhere: not where it had been, and not anew. So it was too where what came in between had
/// taken the name of its pack.
#[test]
fn a_file_that_comes_again_after_its_pack_is_gone_is_kept_again() {
    let place = with_stories();
    let kept = || files_in(&place.data().join("originals"));
    let backup = || place.done(["backup".into(), place.path("backup")]);
    backup();
    let pack = kept().remove(0);
    fs::rename(&pack, place.path("moved.zst")).unwrap();
    let mut reporter = Reporter::new(5);
    let large: Vec<_> = (0..200).map(|_| reporter.story()).collect();
    fs::write(place.path("large.txt"), large.join("\n")).unwrap();
    place.ingest(["large.txt"]);
    assert!(fs::metadata(&kept()[0]).unwrap().len() > fs::metadata(place.path("moved.zst")).unwrap().len());
    let bytes = || kept().iter().map(|pack| fs::metadata(pack).unwrap().len()).sum::<u64>();
    let before = bytes();
    let again = || place.ingest(["stories", "copies"].map(fixture));
    again();
    let after = bytes();
    assert!(after > before, "its bytes lie nowhere");
    again();
    assert_eq!(bytes(), after, "once");
    assert_eq!((kept().len(), pack.exists()), (1, false), "no name comes twice");
    let ran = audit(&place);
    assert_eq!(ran.code(), 0, "{ran:?}");
    backup();
    fs::rename(place.path("moved.zst"), pack).unwrap();
    clean(&place);
}

/// A kill between the writing of an original and that of its receipt leaves both it and the claim: that is no loss, and to
/// take the original in would count the file twice.
#[test]
fn an_original_whose_file_is_still_claimed_is_under_way() {
    let place = with_stories();
    let story = Reporter::new(7).story();
    let mut packs = Packs::open(&place.data().join("originals")).unwrap();
    packs.push(story.as_bytes(), Arrival(99), Time::default()).unwrap();
    packs.sync().unwrap();
    wrong(&place, "that the journal does not know");
    let claim = place.inbox().join(".wirefold/0000000000000099-late.txt");
    fs::create_dir_all(claim.parent().unwrap()).unwrap();
    fs::write(&claim, &story).unwrap();
    clean(&place);
    place.done(["audit", "--repair"]);
    let daemon = Daemon::start(&place);
    settled(&place, 16);
    clean(&place);
    daemon.stop_well();
    let found = place.export().into_iter().flat_map(|r| r.articles).find(|a| a.path == "late.txt");
    assert_eq!(found.unwrap().sightings, 1);
}

/// What is compared is compared in slices, between which commits go on; none of them is taken for a fault.
#[test]
fn an_audit_of_a_daemon_at_work_finds_nothing_wrong() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\ngroup_articles_max = 16\n");
    let daemon = Daemon::start(&place);
    let mut reporter = Reporter::new(13);
    let lines: Vec<_> = (0..MANY).map(|_| reporter.line()).collect();
    drop_whole(&place.inbox().join("many.jsonl"), lines.join("\n").as_bytes());
    let mut rows = Vec::new();
    while place.status().articles.sightings < lines.len() as u64 {
        let told: serde_json::Value = serde_json::from_str(&place.done(["audit", "--json"]).out).unwrap();
        rows.push(told["rows"].as_u64().unwrap());
    }
    println!("rows that were alike, from audit to audit: {rows:?}");
    daemon.stop_well();
    clean(&place);
}

#[test]
fn nothing_is_mended_behind_a_daemon_that_runs() {
    let place = with_stories();
    let ends = frames(&place);
    flip(&journal(&place), ends[0] + 20);
    let daemon = Daemon::start(&place);
    let ran = place.run(["audit", "--repair"]);
    assert!(ran.code() == 75 && ran.err.contains("in use"), "{ran:?}");
    daemon.stop_well();
}

/// A start began an empty journal, which could never be put together with the one that somebody had moved away, and what was
/// asked was answered from nothing.
#[test]
fn a_journal_that_is_gone_is_waited_for_and_begun_anew_only_on_demand() {
    let place = with_stories();
    let export = place.export_text();
    let [journal, away] = [place.data().join("journal"), place.path("away")];
    let views =
        || names_in(&place.data()).into_iter().filter(|name| name.starts_with("db")).collect::<Vec<_>>();
    let before = views();
    fs::rename(&journal, &away).unwrap();
    for is_made in [false, true] {
        if is_made {
            fs::create_dir(&journal).unwrap();
        }
        for asked in ["list", "run", "rebuild", "audit"] {
            let ran = place.run([asked]);
            assert!(ran.code() == 1 && ran.err.contains("the journal is gone"), "{asked}: {ran:?}");
            assert!(ran.err.contains("audit --repair"), "{ran:?}");
        }
        assert!(place.run(["doctor"]).out.contains("is gone, and the view was made of it"));
        assert_eq!(views(), before);
    }
    fs::remove_dir_all(&journal).unwrap();
    fs::rename(&away, &journal).unwrap();
    assert_eq!(place.export_text(), export, "put back, it is as it was");
    let known = ids(&place.export());
    fs::remove_dir_all(&journal).unwrap();
    let ran = place.run(["audit", "--repair"]);
    assert!(ran.code() == 0 && ran.out.contains("is begun anew"), "{ran:?}");
    assert_eq!(ids(&place.export()), known, "what the originals hold");
    clean(&place);
}

/// Each audit told of all that a damaged stretch had held, as an error each, though it was known and mended.
#[test]
fn what_was_mended_is_no_error_any_more() {
    let place = with_stories();
    flip(&journal(&place), frames(&place)[0] / 2);
    place.run(["audit", "--repair"]);
    let ran = audit(&place);
    assert_eq!((ran.code(), ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn a_repair_with_nothing_to_mend_says_so() {
    let place = with_stories();
    let said = place.done(["audit", "--repair"]).out;
    assert!(said.ends_with("there was nothing to mend\n"), "{said}");
    let daemon = Daemon::start(&place);
    let said = place.done(["audit", "--repair"]).out;
    assert!(said.ends_with("beside a daemon nothing could have been\n"), "{said}");
    daemon.stop_well();
}
