//! What cannot be read gets a clear outcome, is counted and explained, and disturbs nothing else. Once by dropping it
//! into the inbox of a daemon, once by `ingest`.

use crate::{
    answers::{Files, Record, record_of},
    corpus::fixture,
    daemon::{Daemon, settled},
    place::{Place, names_in},
    wait::{PATIENCE, within},
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

/// What is put where the wirefold of the test finds it, and how it must end: nothing for what can be read, else the
/// code of the reason.
struct Dropped {
    name: Vec<u8>,
    ends: Option<&'static str>,
}

const LATIN1: &[u8] =
    b"Le maire de Gen\xe8ve a \xe9t\xe9 r\xe9\xe9lu dimanche\n\nLe maire sortant de Gen\xe8ve a \xe9t\xe9 r\xe9\xe9lu d\xe8s le premier tour, a annonc\xe9 la chancellerie.\n";

/// Puts all of it into a folder.
fn put_all(folder: &Path, outside: &Path) -> Vec<Dropped> {
    let mut drops = Vec::new();
    let mut put = |name: &[u8], ends: Option<&'static str>, make: &dyn Fn(&Path)| {
        let path = folder.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        make(&path);
        drops.push(Dropped { name: name.to_owned(), ends });
    };
    let holding = |bytes: &[u8]| {
        let bytes = bytes.to_owned();
        move |path: &Path| fs::write(path, &bytes).unwrap()
    };
    let story = |name: &str| holding(&fs::read(fixture("stories").join(name)).unwrap());
    fs::write(outside, "This lies outside and nobody gave it.\n").unwrap();
    let mut noise = vec![0_u8; 5000];
    fastrand::Rng::with_seed(7).fill(&mut noise);
    put(b"empty.txt", Some("empty"), &holding(b""));
    put(b"blank.txt", Some("empty"), &holding(b" \n\t\r\n \n"));
    put(b"x.txt/good.txt", None, &story("01-harbour-fire.txt"));
    put(b"pipe.txt", Some("not-a-file"), &|path| {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    });
    put(b"socket.txt", Some("not-a-file"), &|path| drop(UnixListener::bind(path).unwrap()));
    put(b"link.txt", Some("not-a-file"), &|path| symlink(outside, path).unwrap());
    put(b"dangling.txt", Some("not-a-file"), &|path| symlink("/nowhere/at/all", path).unwrap());
    put(b"folder-link.txt", Some("not-a-file"), &|path| symlink(outside.parent().unwrap(), path).unwrap());
    put(b"noise.txt", Some("not-text"), &holding(&noise));
    put(b"zeros.txt", Some("not-text"), &holding(&[0; 300]));
    put(
        b"picture.txt",
        Some("not-text"),
        &holding(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0"),
    );
    put(b"legacy.txt", None, &holding(LATIN1));
    put(b"n\xffme.txt", None, &story("02-goalkeeper-cup.txt"));
    put(b"two\nlines.txt", None, &story("03-fraud-verdict.txt"));
    put(&[b'e'; 255], Some("empty"), &holding(b"\n"));
    put(b"good.txt", None, &story("12-bond-market.txt"));
    drops
}

const BROKEN: &str = "broken.jsonl";

/// The article of every readable file is in a record of its own; of the broken lines' file, its good lines are.
fn check_records(records: &[Record]) {
    for name in ["legacy.txt", "n\\xffme.txt", "two\\x0alines.txt"] {
        assert_eq!(record_of(records, name).names(), [name]);
    }
    let good: Vec<_> = records.iter().flat_map(|r| &r.articles).filter(|a| a.name() == "good.txt").collect();
    assert_eq!(good.len(), 2, "one in the folder x.txt, one beside it");
    let source = |path: &str| good.iter().find(|a| a.path.ends_with(path)).unwrap().source.as_deref();
    assert_eq!(source("x.txt/good.txt"), Some("x.txt"), "a folder named like a file is a source");
    let mut items: Vec<_> =
        records.iter().flat_map(|r| &r.articles).filter_map(|a| a.item.as_deref()).collect();
    items.sort_unstable();
    assert_eq!(items, ["br-1", "br-3", "br-7"], "the good lines are kept");
    assert_eq!(records.iter().map(|r| r.articles.len()).sum::<usize>(), 8);
}

fn check_counts(place: &Place, drops: &[Dropped]) {
    let failed = drops.iter().filter(|d| d.ends.is_some()).count() as u64;
    let accepted = drops.len() as u64 - failed;
    let files = Files { received: failed + accepted + 1, accepted, partly: 1, failed, ..Files::default() };
    let status = place.status();
    assert_eq!(status.files, files);
    assert_eq!((status.articles.sightings, status.articles.rejected), (8, 3));
}

/// The reasons in `failed/` by the path that they are about, each with the path of what it explains.
fn reasons(place: &Place) -> Vec<(PathBuf, Value)> {
    let names = fs::read_dir(place.failed()).unwrap().map(|e| e.unwrap().path());
    let suffix = b".reason.json";
    let reasons = names.filter_map(|path| {
        let about = path.as_os_str().as_bytes().strip_suffix(suffix)?.to_owned();
        let reason: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        Some((PathBuf::from(OsStr::from_bytes(&about)), reason))
    });
    reasons.collect()
}

/// Each failed file has its reason with the expected code and a sentence, and each broken line has one with its
/// number. Says where the failed files are expected to lie.
fn check_reasons<'d>(place: &Place, drops: &'d [Dropped]) -> Vec<(&'d Dropped, PathBuf)> {
    let reasons = reasons(place);
    let failed: Vec<_> = drops.iter().filter(|d| d.ends.is_some()).collect();
    assert_eq!(reasons.len(), failed.len() + 3, "{reasons:#?}");
    for (_, reason) in &reasons {
        let sentence = reason["message"].as_str().unwrap();
        assert!(sentence.len() > 10 && reason["arrival"].is_u64() && reason["at"].is_string(), "{reason}");
    }
    let mut lines: Vec<_> = reasons
        .iter()
        .filter(|(_, r)| r["path"].as_str().unwrap().ends_with(BROKEN))
        .map(|(slice, r)| {
            (r["place"].as_u64().unwrap(), r["code"].as_str().unwrap(), fs::read(slice).unwrap())
        })
        .collect();
    lines.sort_unstable();
    let text = fs::read_to_string(fixture("jsonl/broken.jsonl")).unwrap();
    let line = |n: usize| text.lines().nth(n - 1).unwrap().as_bytes().to_owned();
    assert_eq!(lines, [(2, "bad-json", line(2)), (4, "bad-json", line(4)), (5, "no-text", line(5))]);
    let mut found = Vec::new();
    for drop in failed {
        let name = String::from_utf8_lossy(&drop.name);
        let about =
            reasons.iter().find(|(_, r)| r["path"].as_str().unwrap().rsplit('/').next() == Some(&name));
        let (path, reason) = about.unwrap_or_else(|| panic!("no reason for {name}: {reasons:#?}"));
        assert_eq!(reason["code"].as_str(), drop.ends, "{reason}");
        found.push((drop, path.clone()));
    }
    found
}

#[test]
fn a_daemon_sets_aside_what_it_cannot_read_and_goes_on() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let drops = put_all(&place.inbox(), &place.path("outside.txt"));
    fs::copy(fixture("jsonl/broken.jsonl"), place.inbox().join(BROKEN)).unwrap();
    settled(&place, drops.len() as u64 + 1);
    check_counts(&place, &drops);
    check_records(&place.export());
    for (drop, kept) in check_reasons(&place, &drops) {
        let kind =
            fs::symlink_metadata(&kept).unwrap_or_else(|e| panic!("{}: {e}", kept.display())).file_type();
        match drop.name.as_slice() {
            b"pipe.txt" => assert!(kind.is_fifo()),
            b"socket.txt" => assert!(kind.is_socket()),
            b"link.txt" | b"dangling.txt" | b"folder-link.txt" => assert!(kind.is_symlink()),
            b"empty.txt" => assert_eq!(fs::read(&kept).unwrap(), b""),
            _ => assert!(kind.is_file()),
        }
    }
    assert!(place.path("outside.txt").exists(), "what a link leads to is not touched");
    assert_eq!(names_in(&place.inbox()), [".wirefold", "x.txt"], "only folders stay");
    daemon.stop_well();
    assert_eq!(place.claims(), [""; 0]);
    check_counts(&place, &drops);
}

#[test]
fn ingest_says_what_it_cannot_read_and_goes_on() {
    check_ingest(&Place::new());
}

#[test]
fn ingest_into_a_daemon_says_what_it_cannot_read_and_goes_on() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    check_ingest(&place);
    daemon.stop_well();
}

fn check_ingest(place: &Place) {
    let given = place.path("given");
    let drops = put_all(&given, &place.path("outside.txt"));
    fs::copy(fixture("jsonl/broken.jsonl"), given.join(BROKEN)).unwrap();
    let before = names_in(&given);
    let ran = place.run([OsStr::new("ingest"), given.as_os_str()]);
    assert_eq!(ran.code(), 65, "{ran:?}");
    let failed = drops.iter().filter(|d| d.ends.is_some()).count();
    let counts = format!("{} accepted, 1 partly, {failed} failed", drops.len() - failed);
    assert!(ran.out.contains(&counts) && ran.out.contains("8 articles, 3 items not readable"), "{ran:?}");
    check_counts(place, &drops);
    check_records(&place.export());
    for (drop, kept) in check_reasons(place, &drops) {
        let name = String::from_utf8_lossy(&drop.name).into_owned();
        assert!(fs::symlink_metadata(&kept).is_err(), "a given file stays where it is: {}", kept.display());
        assert!(ran.out.contains(&format!("given/{name}: ")), "{name} is not named in {}", ran.out);
    }
    assert_eq!(names_in(&given), before, "given files are left where they are");
}

#[test]
fn a_path_that_is_not_there_is_said_and_the_rest_goes_on() {
    let place = Place::new();
    let story = fixture("stories/01-harbour-fire.txt");
    let ran = place.run([OsStr::new("ingest"), OsStr::new("no/such.txt"), story.as_os_str()]);
    assert_eq!(ran.code(), 65, "{ran:?}");
    assert!(ran.out.contains("no/such.txt: there is no such file"), "{ran:?}");
    assert_eq!(place.export().len(), 1);
}

/// Such parts left no trace at all.
#[test]
fn what_holds_no_article_is_passed_over_and_told() {
    let place = Place::new();
    let mut archive = tar::Builder::new(Vec::new());
    let entries: [(&str, &[u8]); 4] = [
        ("empty.txt", b""),
        ("none.rss", b"<rss><channel><title>Port</title></channel></rss>"),
        ("none.atom", b"<feed xmlns='http://www.w3.org/2005/Atom'/>"),
        ("story.txt", b"The ferry is late.\n\nIt is the third time this week.\n"),
    ];
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    fs::write(place.path("all.tar"), archive.into_inner().unwrap()).unwrap();
    let ran = place.ingest(["all.tar"]);
    assert!(ran.out.contains("1 accepted\n1 article\n"), "{ran:?}");
    assert!(ran.out.contains("\npassed over, as they hold no article: 1 empty, 2 no-article\n"), "{ran:?}");
    let told = place.done(["trace", "all.tar"]).out;
    assert!(told.contains("accepted: 1 new, 3 without an article passed over; durable"), "{told}");
}

#[test]
fn a_link_that_is_given_by_itself_is_followed() {
    let place = Place::new();
    symlink(fixture("stories/01-harbour-fire.txt"), place.path("link.txt")).unwrap();
    place.ingest(["link.txt"]);
    assert_eq!(place.export()[0].articles[0].path, "link.txt");
}

#[test]
fn a_folder_that_is_given_is_read_without_what_inboxes_leave_alone() {
    let place = Place::new();
    fs::create_dir(place.path("given")).unwrap();
    for name in ["a.txt", "y.tmp", "z.part"] {
        fs::write(place.path("given").join(name), format!("A story that is called {name}.\n")).unwrap();
    }
    let ran = place.ingest(["given"]);
    assert!(ran.out.starts_with("1 file in "), "{ran:?}");
    let ran = place.run(["ingest", "-"]);
    assert!(ran.code() == 65 && ran.out.contains("standard input is not read"), "{ran:?}");
}

/// A feed that was fetched while it had no entries was set aside as broken each time.
#[test]
fn a_feed_that_is_empty_just_now_has_not_failed() {
    let place = Place::new();
    fs::write(place.path("feed.xml"), "<rss version='2.0'><channel><title>News</title></channel></rss>")
        .unwrap();
    let ran = place.ingest(["feed.xml"]);
    assert!(ran.out.contains("1 accepted") && ran.out.contains("1 empty-feed"), "{ran:?}");
    fs::write(place.path("page.json"), "[]").unwrap();
    assert_eq!(place.run(["ingest", "page.json"]).code(), 65, "what else holds nothing has failed");
}

#[test]
fn unfinished_and_hidden_files_are_left_alone() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let left = [".hidden", "a.tmp", "b.part", "c.filepart", "d~", ".git/e.txt"];
    fs::create_dir(place.inbox().join(".git")).unwrap();
    for name in left {
        fs::write(place.inbox().join(name), "Still being written.\n").unwrap();
    }
    fs::copy(fixture("stories/01-harbour-fire.txt"), place.inbox().join("good.txt")).unwrap();
    let status = settled(&place, 1);
    assert_eq!((status.files.received, status.files.accepted), (1, 1));
    daemon.stop_well();
    assert_eq!(place.status().backlog, 0, "what is left alone does not wait");
    assert!(left.iter().all(|name| place.inbox().join(name).exists()));
    fs::rename(place.inbox().join("a.tmp"), place.inbox().join("a.txt")).unwrap();
    assert_eq!(place.status().backlog, 1, "until it gets its name");
    let daemon = Daemon::start(&place);
    assert_eq!(settled(&place, 2).files.accepted, 2);
    daemon.stop_well();
}

#[test]
fn a_file_that_may_not_be_read_waits_in_its_inbox_until_it_may() {
    let Some(place) = Place::of_ordinary_user() else { return };
    let mut daemon = Daemon::launch(&place);
    daemon.wait_ready();
    put_forbidden(&place.inbox());
    let told = within(PATIENCE, "it is told of", || {
        let told = place.done(["status"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
        (place.status().files.accepted == 1 && told.contains("1 could not be claimed")).then_some(told)
    });
    assert!(told.contains("trouble: "), "{told}");
    let traced = place.done(["trace", "secret.txt"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        traced.contains("and is tried again: cannot read") && traced.contains("Permission denied"),
        "{traced}"
    );
    assert_eq!((reasons(&place).len(), place.status().files.failed), (0, 0), "it is not given up");
    fs::set_permissions(place.inbox().join("secret.txt"), fs::Permissions::from_mode(0o644)).unwrap();
    let status = within(PATIENCE, "it is taken", || Some(place.status()).filter(|s| s.files.accepted == 2));
    assert_eq!(status.files.failed, 0);
    assert!(place.inbox().join("locked/inner.txt").exists(), "it cannot be seen, so it stays");
    within(PATIENCE, "an unreadable folder is told of", || {
        let told = place.done(["status"]).out;
        (told.contains("watched by events") && told.contains("locked")).then_some(())
    });
    daemon.stop_well();
}

/// The log named the first alone, and who reads it thought that there was no other.
#[test]
fn each_file_that_may_not_be_read_is_in_the_log() {
    let Some(place) = Place::of_ordinary_user() else { return };
    let mut daemon = Daemon::launch(&place);
    daemon.wait_ready();
    for name in ["one.txt", "two.txt", "three.txt"] {
        let hidden = place.inbox().join(format!(".{name}"));
        fs::write(&hidden, "Nobody but its owner may read this.\n").unwrap();
        fs::set_permissions(&hidden, fs::Permissions::from_mode(0o000)).unwrap();
        fs::rename(hidden, place.inbox().join(name)).unwrap();
    }
    within(PATIENCE, "all are refused", || {
        let told = place.done(["status"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
        told.contains("3 could not be claimed").then_some(())
    });
    let log = daemon.log();
    assert!(["one.txt", "two.txt", "three.txt"].iter().all(|name| log.contains(name)), "{log}");
    daemon.stop_well();
}

#[test]
fn a_file_that_may_not_be_read_is_told_by_ingest() {
    let Some(place) = Place::of_ordinary_user() else { return };
    let given = place.path("given");
    fs::create_dir(&given).unwrap();
    put_forbidden(&given);
    let ran = place.run(["ingest", "given/good.txt", "given/secret.txt"]);
    assert_eq!(ran.code(), 65, "{ran:?}");
    assert!(
        ran.out.contains("1 file in ") && ran.out.contains("secret.txt: the user who gives it has no right"),
        "{ran:?}"
    );
    let files = place.status().files;
    assert_eq!((files.received, files.failed), (1, 0), "what its giver may not read has not come in");
}

#[test]
fn a_folder_that_may_not_be_read_is_told_by_ingest() {
    let Some(place) = Place::of_ordinary_user() else { return };
    let given = place.path("given");
    fs::create_dir(&given).unwrap();
    put_forbidden(&given);
    fs::remove_file(given.join("secret.txt")).unwrap();
    let ran = place.run(["ingest", "given"]);
    assert!(ran.out.contains("1 accepted"), "{ran:?}");
    assert_eq!(ran.code(), 65, "what is in the locked folder was not taken in: {ran:?}");
    assert!(ran.out.contains("locked: the user who gives it has no right"), "{ran:?}");
}

/// A good file, one that may not be read, and a folder that may not be entered.
fn put_forbidden(folder: &Path) {
    // Hidden until nobody may see what is in it.
    let locked = folder.join(".locked");
    fs::create_dir(&locked).unwrap();
    fs::copy(fixture("stories/02-goalkeeper-cup.txt"), locked.join("inner.txt")).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    fs::rename(locked, folder.join("locked")).unwrap();
    let secret = folder.join(".secret");
    fs::write(&secret, "Nobody but its owner may read this.\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    fs::rename(secret, folder.join("secret.txt")).unwrap();
    fs::copy(fixture("stories/01-harbour-fire.txt"), folder.join("good.txt")).unwrap();
}
