//! Stopping, starting, replaying: what was decided stays, whatever becomes of the view, and a run that is cut in two
//! decides as one that is not.

use crate::{
    answers::Record,
    corpus::{files_in, fixture},
    daemon::{Daemon, settled},
    place::{Place, drop_whole, names_in},
};
use serde_json::json;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};
use wirefold::{
    config::Config,
    journal::{self, Position},
    model::{Digest, Event, Link, RecordId, Score},
    query::{Library, Question},
    store::{Change, Store, Trust},
};

/// Copies, pages, lines, old encodings, and at the end the seeds, which join by the learned frequencies.
fn files() -> Vec<PathBuf> {
    let folders = ["stories", "copies", "templates", "html", "encodings", "jsonl", "seeds"];
    let files = folders.iter().flat_map(|folder| files_in(&fixture(folder)));
    files.filter(|file| !file.ends_with("broken.jsonl")).collect()
}

/// What the same arrivals in the same order must give again: all but when, and under which folder.
fn undated(records: Vec<Record>) -> Vec<Record> {
    let undated = records.into_iter().map(|mut record| {
        (record.first_seen, record.last_seen) = Default::default();
        for article in &mut record.articles {
            article.path = article.name().rsplit('@').next().unwrap().to_owned();
        }
        record
    });
    undated.collect()
}

fn ingested_in_one() -> Vec<Record> {
    let place = Place::new();
    place.ingest(files());
    place.export()
}

#[test]
fn two_ingests_decide_as_one() {
    let whole = undated(ingested_in_one());
    assert!(whole.iter().any(|r| r.articles.iter().any(|a| a.relation == "rewrite")), "{whole:#?}");
    let files = files();
    for cut in [6, 18, files.len() - 3] {
        let place = Place::new();
        let (first, second) = files.split_at(cut);
        place.ingest(first);
        place.ingest(second);
        assert_eq!(undated(place.export()), whole, "cut before file {cut}");
    }
}

#[test]
fn a_daemon_that_is_stopped_and_started_decides_as_an_ingest() {
    let whole = undated(ingested_in_one());
    let place = Place::brisk();
    let files = files();
    for (part, files) in files.chunks(files.len() / 2 + 1).enumerate() {
        let daemon = Daemon::start(&place);
        for (n, file) in files.iter().enumerate() {
            // Files of one moment are taken by name.
            let name = format!("{part}{n:03}@{}", file.file_name().unwrap().to_str().unwrap());
            drop_whole(&place.inbox().join(name), &fs::read(file).unwrap());
        }
        settled(&place, (part * (files.len() + 1) + files.len()) as u64);
        let up = place.export_text();
        daemon.stop_well();
        assert_eq!(place.export_text(), up, "the same bytes whether it runs or not");
        let daemon = Daemon::start(&place);
        assert_eq!(place.export_text(), up, "and when it runs again");
        daemon.stop_well();
    }
    assert_eq!(undated(place.export()), undated(whole));
}

#[test]
fn a_rebuild_gives_the_same_bytes() {
    let place = Place::new();
    place.ingest(files());
    // A second sighting of everything, and what cannot be read.
    let mut args = vec![PathBuf::from("ingest")];
    args.extend(files());
    args.push(fixture("jsonl/broken.jsonl"));
    assert_eq!(place.run(args).code(), 65);
    let (before, counted) = (place.export_text(), place.status());
    let said = place.done(["rebuild"]);
    assert!(said.out.contains("made anew from the journal"), "{said:?}");
    assert_eq!(place.export_text(), before);
    let after = place.status();
    assert_eq!((after.files, after.articles), (counted.files, counted.articles));
    assert_eq!(views(&place), ["db"], "the old view is gone");
}

/// The view and what was moved aside of it.
fn views(place: &Place) -> Vec<String> {
    let mut names = names_in(&place.data());
    names.retain(|name| name.starts_with("db"));
    names
}

#[test]
fn a_view_that_is_gone_is_made_anew() {
    let place = Place::new();
    place.ingest(files());
    let before = place.export_text();
    fs::remove_dir_all(place.data().join("db")).unwrap();
    assert_eq!(place.export_text(), before, "asked while no daemon runs");
    fs::remove_dir_all(place.data().join("db")).unwrap();
    let daemon = Daemon::start(&place);
    assert_eq!(place.export_text(), before, "asked of a daemon that found none");
    daemon.stop_well();
    fs::remove_dir_all(place.data().join("db")).unwrap();
    place.done(["rebuild"]);
    assert_eq!(place.export_text(), before, "after a rebuild from nothing");
}

#[test]
fn a_view_of_junk_is_moved_aside_and_made_anew() {
    let place = Place::new();
    place.ingest(files());
    let before = place.export_text();
    let db = place.data().join("db");
    let mut random = fastrand::Rng::with_seed(11);
    let mut junk = |file: &Path| {
        let mut bytes = vec![0; usize::try_from(fs::metadata(file).unwrap().len()).unwrap().min(1 << 20)];
        random.fill(&mut bytes);
        fs::write(file, bytes).unwrap();
    };
    files_in(&db).iter().filter(|path| path.is_file()).for_each(|path| junk(path));
    let ran = place.done(["export"]);
    assert!(ran.out == before, "another export after junk; it said {}", ran.err);
    assert!(
        ran.err.contains("made anew from the journal") && ran.err.contains("the old one is kept"),
        "{}",
        ran.err
    );
    assert_eq!(views(&place), ["db", "db.damaged-1"]);
    let again = place.done(["export"]);
    assert_eq!((again.out == before, again.err.as_str()), (true, ""), "the new view is sound");
    fs::remove_dir_all(&db).unwrap();
    fs::create_dir(&db).unwrap();
    fs::write(db.join("conf"), "not a configuration").unwrap();
    fs::write(db.join("db"), "not a database").unwrap();
    assert!(place.done(["export"]).out == before);
    assert_eq!(views(&place), ["db", "db.damaged-1", "db.damaged-2"]);
    fs::remove_dir_all(&db).unwrap();
    fs::write(&db, "not even a folder").unwrap();
    assert!(place.done(["export"]).out == before);
}

/// sled can miss rows of a damaged file without a word, so after a power cut the whole view is checked.
#[test]
fn a_view_that_lost_a_few_bytes_in_a_power_cut_gives_the_same_export() {
    let place = Place::new();
    place.ingest(files());
    let before = place.export_text();
    let (db, kept) = (place.data().join("db"), place.path("kept"));
    copy_folder(&db, &kept);
    let mut random = fastrand::Rng::with_seed(23);
    for round in 0..9 {
        fs::remove_dir_all(&db).unwrap();
        copy_folder(&kept, &db);
        let file = db.join("db");
        let mut bytes = fs::read(&file).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let at = random.usize(..used.saturating_sub(64));
        match round % 3 {
            0 => bytes[at] ^= 1 << random.u32(..8),
            1 => bytes[at..at + 64].fill(0),
            _ => bytes.truncate(at),
        }
        fs::write(&file, bytes).unwrap();
        fs::write(place.data().join("lock"), r#"{"pid":1,"boot":"another","ended_clean":false}"#).unwrap();
        let ran = place.run(["export"]);
        assert!(
            ran.code() == 0 && ran.out == before,
            "round {round}, at byte {at}: {}\n{}",
            ran.code(),
            ran.err
        );
    }
}

#[test]
fn a_view_that_lags_behind_the_journal_catches_up() {
    let place = Place::new();
    let files = files();
    let (first, second) = files.split_at(15);
    place.ingest(first);
    let (db, old) = (place.data().join("db"), place.path("old"));
    copy_folder(&db, &old);
    place.ingest(second);
    let before = place.export_text();
    fs::remove_dir_all(&db).unwrap();
    fs::rename(&old, &db).unwrap();
    assert_eq!(place.export_text(), before);
    assert_eq!(views(&place), ["db"]);
}

#[test]
fn a_torn_end_of_the_journal_loses_only_the_last_frame() {
    check_torn_journal(false);
}

/// The view has seen a frame that is gone: it may not answer from it, nor may the next frame be written behind a gap.
#[test]
fn a_view_that_is_ahead_of_a_torn_journal_is_made_anew() {
    check_torn_journal(true);
}

fn check_torn_journal(with_view: bool) {
    let place = Place::new();
    place.ingest(files_in(&fixture("stories")));
    let (before, counted) = (place.export_text(), place.status());
    let journal = place.data().join("journal/00000001.jsonl.zst");
    let whole_before = fs::metadata(&journal).unwrap().len();
    let last = fixture("copies/02-padded.txt");
    place.ingest([&last]);
    let after = undated(place.export());
    let whole = fs::metadata(&journal).unwrap().len();
    let (data, kept) = (place.data(), place.path("kept"));
    copy_folder(&data, &kept);
    let frame = whole - whole_before;
    for torn in [1, 3, frame / 2, frame - 1, frame] {
        fs::remove_dir_all(&data).unwrap();
        copy_folder(&kept, &data);
        if !with_view {
            fs::remove_dir_all(data.join("db")).unwrap();
        }
        File::options().write(true).open(&journal).unwrap().set_len(whole - torn).unwrap();
        let what = format!("torn by {torn} of {frame} bytes");
        let ran = place.run(["export"]);
        assert_eq!(ran.code(), 0, "{what}: {}", ran.err);
        assert!(ran.out == before, "{what}: another export; it said {}", ran.err);
        // A frame that is gone to its last byte leaves no trace but in a view that had seen it.
        assert!(ran.err.contains("journal") || (torn == frame && !with_view), "{what}: {}", ran.err);
        let now = place.status();
        assert_eq!((now.files, now.articles), (counted.files, counted.articles), "{what}");
        place.ingest([&last]);
        assert_eq!(undated(place.export()), after, "{what}: what was lost is taken in again");
        let (export, rebuilt) = (place.export_text(), place.done(["rebuild"]));
        assert_eq!(rebuilt.err, "", "{what}: the journal is whole again");
        assert_eq!(place.export_text(), export, "{what}: after a rebuild");
    }
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A rebuild once put related records in another order: the view knew their scores to six decimals and the journal to
/// four. They stand in the order of what is printed, which both know.
#[test]
fn related_records_stand_in_the_order_that_the_journal_knows() {
    let related = |scores: [(usize, f64); 2]| {
        scores
            .map(|(founder, share)| Link { record: record(founder), score: Score::from_share(share) })
            .to_vec()
    };
    let live =
        [event(0, Vec::new()), event(1, Vec::new()), event(2, related([(0, 0.307_051), (1, 0.307_149)]))];
    let kept = live.iter().map(|event| serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap());
    let kept: Vec<Event> = kept.collect();
    assert_ne!(live.as_slice(), kept.as_slice(), "the journal rounds");
    assert_eq!(exported(&live), exported(&kept));
}

fn record(founder: usize) -> RecordId {
    RecordId::founded_by(Digest::of(&[u8::try_from(founder).unwrap()]))
}

/// The founding of a record.
fn event(no: usize, related: Vec<Link>) -> Event {
    let id = Digest::of(&[u8::try_from(no).unwrap()]);
    let founding = json!({
        "event": "article", "no": no, "id": id, "text_digest": id, "arrival": no + 1, "index": 0, "path": "a",
        "item": null, "at": "2026-11-21T20:15:03Z", "time": "2026-11-21T20:15:03Z", "source": null, "title": null,
        "published": null, "url": null, "lang": null, "words": 9, "verdict": { "record": record(no) }, "text": "a",
    });
    let mut event: Event = serde_json::from_value(founding).unwrap();
    let Event::Article(article) = &mut event else { panic!("no article") };
    article.verdict.related = related;
    event
}

fn exported(events: &[Event]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("db"), Trust::Nothing).unwrap();
    let changes: Vec<_> =
        events.iter().map(|event| Change::Event(event, journal::Place::default(), None)).collect();
    store.apply(&changes, Position::default()).unwrap();
    let settings = Config::load(None, Some(Path::new("/nowhere"))).unwrap().detect_settings();
    let mut lines = Vec::new();
    let library = Library::new(&store, dir.path(), settings);
    library
        .answer(&Question::Export, &mut |line| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            true
        })
        .unwrap();
    lines
}

/// The next start knew nothing of it.
#[test]
fn an_alarm_on_a_record_that_grew_fast_outlives_the_daemon() {
    let place = Place::configured("[match]\nalarm_articles = 2\n");
    place.ingest(files_in(&fixture("stories")).into_iter().chain(files_in(&fixture("copies"))));
    let daemon = Daemon::start(&place);
    let status: serde_json::Value = serde_json::from_str(&place.done(["status", "--json"]).out).unwrap();
    assert!(status["alarms"].as_array().is_some_and(|alarms| !alarms.is_empty()), "{status}");
    daemon.stop_well();
}
