//! `trace`: one file's whole story, across restarts, the same with a daemon and without.

use crate::{
    assembly::{TO_MERGE, ingest},
    corpus::fixture,
    daemon::{Daemon, settled},
    place::{Place, drop_whole},
    wait::{PATIENCE, within},
};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
};
use wirefold::model::Digest;

/// The stories that are told of what is asked for.
pub fn traced(place: &Place, what: &str) -> Vec<Value> {
    let ran = place.done(["trace", what, "--json"]);
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn steps(story: &Value) -> Vec<&str> {
    story["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[test]
fn a_file_is_traced_by_path_digest_and_id_whether_a_daemon_runs_or_not() {
    let place = Place::brisk();
    fs::create_dir_all(place.inbox().join("wire")).unwrap();
    let text = fs::read(fixture("stories/01-harbour-fire.txt")).unwrap();
    let daemon = Daemon::start(&place);
    drop_whole(&place.inbox().join("wire/fire.txt"), &text);
    settled(&place, 1);
    daemon.stop_well();
    let daemon = Daemon::start(&place);
    drop_whole(&place.inbox().join("again.txt"), &text);
    drop_whole(&place.inbox().join("junk.txt"), &[0xff, 0, 1, 2].repeat(40));
    settled(&place, 3);
    let digest = Digest::of(&text).to_string();
    let (name, absolute) = ("fire.txt", place.inbox().join("wire/fire.txt"));
    let running: Vec<_> =
        [name, absolute.to_str().unwrap(), &digest, &digest[..8]].map(|what| traced(&place, what)).into();
    daemon.stop_well();
    let record = place.export()[0].record.clone();
    let [story] = &running[0][..] else { panic!("one file has that name: {running:?}") };
    assert_eq!(steps(story), ["written", "claimed", "founded", "ended"]);
    assert_eq!((story["arrival"].as_u64(), story["outcome"].as_str()), (Some(1), Some("accepted")));
    assert_eq!(story["digest"], digest.as_str());
    assert_eq!(story["steps"][2]["record"], record.as_str());
    assert_eq!(story["now"][0]["is_canonical"], true);
    let pack = place.data().join("originals").join(story["original"]["pack"].as_str().unwrap());
    assert_eq!(story["lies_at"][0].as_str(), pack.to_str());
    assert_eq!(running[1], running[0], "by its whole path");
    let by_digest = &running[2];
    assert_eq!((by_digest.len(), &by_digest[0]), (2, story), "the same bytes came twice");
    assert_eq!(steps(&by_digest[1]), ["written", "claimed", "repeated", "ended"]);
    assert_eq!((&running[3], &traced(&place, &record)), (by_digest, by_digest), "shortened; by its record");
    assert_eq!(traced(&place, name), running[0], "without a daemon");
    assert_eq!(traced(&place, &digest), *by_digest, "without a daemon");
}

#[test]
fn what_failed_or_waits_is_traced_too() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    drop_whole(&place.inbox().join("junk.txt"), &[0xff, 0, 1, 2].repeat(40));
    settled(&place, 1);
    let [story] = &traced(&place, "junk.txt")[..] else { panic!("one file") };
    assert_eq!(steps(story), ["written", "claimed", "ended"]);
    assert!(story["steps"][2]["reason"]["code"].is_string(), "{story}");
    let kept = story["lies_at"][0].as_str().unwrap();
    assert!(kept.contains("/failed/") && fs::exists(kept).unwrap(), "{story}");
    assert_eq!(&traced(&place, kept)[0], story, "by where it was set aside");
    daemon.stop_well();
    drop_whole(&place.inbox().join("later.txt"), b"Nobody has read this yet.\n");
    let [story] = &traced(&place, "later.txt")[..] else { panic!("one file") };
    assert_eq!((story["arrival"].as_u64(), steps(story).len()), (None, 0));
    assert_eq!(story["lies_at"][0].as_str(), place.inbox().join("later.txt").to_str());
    assert_eq!(place.run(["trace", "nothing.txt"]).code(), 1);
}

/// What befalls an article through others is part of its story: here its record went over into an older one.
#[test]
fn a_merge_that_came_later_is_told() {
    let place = Place::configured("[match]\nmerge = 0.3\n");
    ingest(&place, 0, &TO_MERGE[..2]);
    let before = place.export();
    ingest(&place, 2, &TO_MERGE[2..]);
    let [story] = &traced(&place, "1.txt")[..] else { panic!("one file") };
    assert_eq!(steps(story), ["claimed", "founded", "ended", "merged"]);
    let (merged, older, younger) = (&story["steps"][3], &before[0].record, &before[1].record);
    assert_eq!((&merged["from"], &merged["record"]), (&younger.as_str().into(), &older.as_str().into()));
    assert_eq!(
        (&story["now"][0]["record"], &story["now"][0]["is_canonical"]),
        (&merged["record"], &false.into())
    );
    assert_eq!(steps(&traced(&place, "0.txt")[0]), ["claimed", "founded", "ended"]);
}

/// Asked for by one of its articles, a file of many tells of that one alone.
#[test]
fn of_a_file_of_many_articles_one_can_be_asked_for() {
    let place = Place::new();
    place.run(["ingest".into(), fixture("jsonl/broken.jsonl")]);
    let whole = &traced(&place, "broken.jsonl")[0];
    let articles = whole["steps"].as_array().unwrap().iter().filter_map(|step| step["article"].as_str());
    let articles: Vec<_> = articles.collect();
    assert!(articles.len() > 1 && steps(whole).contains(&"unreadable"), "{whole}");
    let one = &traced(&place, articles[1])[0];
    assert_eq!((steps(one).len(), one["now"].as_array().unwrap().len()), (3, 1), "{one}");
}

/// It read the whole journal, which took as long as all that had ever come in: 160 ms with 10,000 articles. A frame that
/// cannot be read shows which are needed.
#[test]
fn only_what_the_journal_says_of_the_file_is_read() {
    let place = Place::configured("[match]\nmerge = 0.3\n");
    ingest(&place, 0, &TO_MERGE[..1]);
    let first = fs::metadata(place.data().join("journal/00000001.jsonl.zst")).unwrap().len();
    ingest(&place, 1, &TO_MERGE[1..2]);
    let article = place.export()[1].articles[0].id.clone();
    ingest(&place, 2, &TO_MERGE[2..]);
    for word in ["pin", "unpin"] {
        place.done([word, &*article]);
    }
    let whole = ["claimed", "founded", "ended", "merged", "pinned", "unpinned"];
    for what in ["1.txt", &*article] {
        assert_eq!(steps(&traced(&place, what)[0]), whole, "{what}");
    }
    let path = place.data().join("journal/00000001.jsonl.zst");
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(first / 2).unwrap()] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let [sound] = &traced(&place, "1.txt")[..] else { panic!("one file") };
    assert_eq!((steps(sound), &sound["gaps"]), (whole.into(), &0.into()));
    let [damaged] = &traced(&place, "0.txt")[..] else { panic!("one file") };
    assert_eq!((steps(damaged).len(), &damaged["gaps"]), (0, &1.into()), "{damaged}");
    assert_eq!(damaged["outcome"], "accepted", "the view knows");
}

/// One damaged frame ended the whole question, asked by the id of an article or of its record.
#[test]
fn an_article_in_a_damaged_frame_is_traced_by_its_id() {
    let place = Place::new();
    ingest(&place, 0, &TO_MERGE[..1]);
    let export = place.export();
    let path = place.data().join("journal/00000001.jsonl.zst");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    for id in [&export[0].record, &export[0].articles[0].id] {
        let [story] = &traced(&place, id)[..] else { panic!("one file: {id}") };
        assert!(story["path"].as_str().unwrap().ends_with("/0.txt"), "{story}");
        assert_eq!(story["outcome"], "accepted", "{story}");
        assert!(story["gaps"].as_u64().unwrap() > 0, "{story}");
        assert_eq!(story["now"][0]["record"], export[0].record.as_str(), "the view knows");
    }
}

/// A file in a folder of the inbox was found by its whole path alone, one whose name is no text by none, and of a done-marker a
/// marker was told that nobody makes.
#[test]
fn what_waits_is_found_by_its_name_wherever_it_lies() {
    let mut place = Place::new();
    let inbox = place.path("in");
    place.configure(&format!("[[inbox]]\npath = '{}'\ndone = '.ok'\n", inbox.display()));
    let name = OsStr::from_bytes(b"bad\xff.txt");
    fs::create_dir_all(inbox.join("wire/de")).unwrap();
    for path in [inbox.join("wire/de/late.txt"), inbox.join("wire").join(name), inbox.join("x.txt.ok")] {
        fs::write(path, "text").unwrap();
    }
    let lies_at = |what: &OsStr| {
        let told = place.done([OsStr::new("trace"), what, OsStr::new("--json")]).out;
        let story: Value = serde_json::from_str(&told).unwrap();
        (story["lies_at"][0].as_str().unwrap().to_owned(), story["waits_for"].as_str().unwrap().to_owned())
    };
    for what in ["late.txt", "de/late.txt", "wire/de/late.txt", "./late.txt"] {
        let (path, waits_for) = lies_at(what.as_ref());
        assert_eq!(path, inbox.join("wire/de/late.txt").display().to_string());
        assert!(waits_for.contains("late.txt.ok"), "{waits_for}");
    }
    assert!(lies_at(name).0.ends_with(r"/wire/bad\xff.txt"));
    assert_eq!(lies_at(OsStr::new(r"bad\xff.txt")), lies_at(name), "as it is shown");
    let marker = lies_at("x.txt.ok".as_ref()).1;
    assert!(marker.contains("it is the done-marker of") && !marker.contains(".ok.ok"), "{marker}");
}

/// Every path ends as an empty one does: all that waited was told.
#[test]
fn nothing_and_an_inbox_itself_mean_no_file() {
    let place = Place::new();
    fs::create_dir_all(place.inbox()).unwrap();
    fs::write(place.inbox().join("a.txt"), "text").unwrap();
    for what in [OsStr::new(""), place.inbox().as_os_str()] {
        let ran = place.run([OsStr::new("trace"), what]);
        assert!(ran.code() == 1 && ran.err.contains("nothing is known of"), "{ran:?}");
    }
}

/// Who is known needs no look through the inbox; a new file under its very path is told beside it.
#[test]
fn a_file_that_waits_under_the_path_of_one_that_came_in_is_told_too() {
    let place = Place::new();
    fs::create_dir_all(place.inbox()).unwrap();
    ingest(&place, 0, &TO_MERGE[..1]);
    fs::write(place.inbox().join("0.txt"), "text").unwrap();
    let told = traced(&place, "0.txt");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0]["arrival"].is_u64() && told[1]["waits_for"].is_string(), "{told:?}");
}

/// It was said that none waits, by one who could not look.
#[test]
fn a_folder_that_may_not_be_looked_into_is_named() {
    let Some(place) = Place::of_ordinary_user() else { return };
    let closed = place.inbox().join("closed");
    fs::create_dir_all(&closed).unwrap();
    fs::write(closed.join("a.txt"), "text").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let ran = place.run(["trace", "a.txt"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ran.code(), 1);
    assert!(
        ran.err.contains(&format!("but {} cannot be looked into: Permission denied", closed.display())),
        "{ran:?}"
    );
}

/// One of them was told why, behind `trouble:`, and the others that they had only to be still; and of none what to do.
#[test]
fn every_file_that_cannot_be_taken_is_told_with_what_mends_it() {
    let Some(place) = Place::of_ordinary_user() else { return };
    place.make_own(&place.inbox());
    let daemon = Daemon::start(&place);
    for name in ["one.txt", "two.txt"] {
        drop_whole(&place.inbox().join(name), b"Nobody may read this.\n");
        fs::set_permissions(place.inbox().join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    within(PATIENCE, "both refused", || {
        let status: Value = serde_json::from_str(&place.done(["status", "--json"]).out).unwrap();
        (status["inboxes"][0]["refused"] == 2).then_some(())
    });
    for name in ["one.txt", "two.txt"] {
        let [story] = &traced(&place, name)[..] else { panic!("one file") };
        let said = story["waits_for"].as_str().unwrap();
        assert!(said.contains("mode 0000, and the daemon runs as ") && said.contains("+r "), "{said}");
    }
    daemon.stop_well();
}
