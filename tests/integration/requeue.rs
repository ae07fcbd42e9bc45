//! `requeue`: what failed goes back into its inbox and is tried again, all, by name or by reason.

use crate::{
    daemon::{Daemon, settled},
    place::{Place, drop_whole, names_in},
    trace::{steps, traced},
};
use std::{fs, path::Path};

const BRISK: &str = "[intake]\nsettle_ms = 20\n";

/// Where nothing longer than a kilobyte is read, and two files are; their names.
fn with_failed() -> (Place, [&'static str; 2]) {
    let place = Place::configured(&format!("{BRISK}[read]\narticle_bytes_max = 1024\n"));
    fs::create_dir_all(place.inbox().join("wire")).unwrap();
    let daemon = Daemon::start(&place);
    let names = ["wire/long.txt", "longer.txt"];
    for (words, name) in (300..).zip(names) {
        drop_whole(&place.inbox().join(name), "A word and one more. ".repeat(words).as_bytes());
    }
    drop_whole(&place.inbox().join("junk.txt"), &[0xff, 0, 1, 2].repeat(40));
    settled(&place, 3);
    daemon.stop_well();
    assert_eq!(place.status().files.failed, 3);
    (place, names)
}

#[test]
fn what_failed_is_put_back_and_taken_in_where_it_can_be_read_now() {
    let (mut place, [long, longer]) = with_failed();
    place.configure(BRISK);
    let ran = place.done(["requeue", long]);
    assert!(ran.out.contains("wire/long.txt: back at ") && ran.out.contains("1 file put back"), "{ran:?}");
    assert!(place.inbox().join(long).exists(), "without a daemon it waits in its inbox");
    let daemon = Daemon::start(&place);
    assert_eq!(settled(&place, 4).files.accepted, 1);
    let code = traced(&place, longer)[0]["steps"][2]["reason"]["code"].as_str().unwrap().to_owned();
    place.done(["requeue", "--reason", &code]);
    let status = settled(&place, 5);
    daemon.stop_well();
    assert_eq!((status.files.accepted, status.files.failed), (2, 3), "what failed once stays counted so");
    let stories = traced(&place, long);
    assert_eq!(stories.len(), 2, "each arrival has its story");
    assert_eq!(steps(&stories[0]), ["written", "claimed", "ended", "requeued"]);
    assert_eq!(steps(&stories[1]), ["written", "claimed", "founded", "ended"]);
    let left = names_in(&place.failed());
    assert_eq!(left.len(), 2, "only what is of another reason stays: {left:?}");
    assert!(left.iter().all(|name| name.contains("junk")), "{left:?}");
    place.done(["rebuild"]);
    assert_eq!(place.status().files, status.files, "the journal alone tells the same");
}

#[test]
fn what_was_set_aside_in_an_inbox_is_found_and_nothing_is_replaced() {
    let (mut place, [_, longer]) = with_failed();
    place.configure(BRISK);
    let near = place.inbox().join(".wirefold/failed");
    fs::create_dir_all(&near).unwrap();
    for name in names_in(&place.failed()).iter().filter(|name| name.contains("longer")) {
        fs::rename(place.failed().join(name), near.join(name)).unwrap();
    }
    fs::write(place.inbox().join(longer), "Another file of the same name.\n").unwrap();
    place.done(["requeue", longer]);
    assert_eq!(fs::read(place.inbox().join(longer)).unwrap(), b"Another file of the same name.\n");
    let beside = names_in(&place.inbox()).into_iter().find(|name| name.ends_with("-longer.txt")).unwrap();
    assert!(fs::metadata(place.inbox().join(beside)).unwrap().len() > 1024);
    assert_eq!((names_in(&near), place.claims()), (Vec::<String>::new(), Vec::new()));
}

#[test]
fn a_reason_that_leads_out_of_the_inbox_is_not_believed() {
    let (mut place, _) = with_failed();
    place.configure(BRISK);
    let of = |name: &String| place.failed().join(name);
    let reason = names_in(&place.failed())
        .iter()
        .map(of)
        .find(|path| path.ends_with("x") || path.display().to_string().contains("junk.txt.reason"))
        .unwrap();
    let text = fs::read_to_string(&reason).unwrap().replace("\"junk.txt\"", "\"../../out/junk.txt\"");
    fs::write(&reason, text).unwrap();
    place.done(["requeue", "junk.txt"]);
    assert!(place.inbox().join("out/junk.txt").exists() && !Path::new(&place.path("out")).exists());
}

#[test]
fn where_nothing_is_meant_that_is_said() {
    let (place, _) = with_failed();
    let ran = place.run(["requeue", "nothing.txt"]);
    assert_eq!(
        (ran.code(), ran.out.as_str()),
        (1, "no file that was set aside is called 'nothing.txt'; 'wirefold requeue' lists them\n")
    );
    let listed = place.done(["requeue"]).out;
    assert!(["wire/long.txt", "longer.txt", "junk.txt"].iter().all(|name| listed.contains(name)), "{listed}");
    let daemon = Daemon::start(&place);
    place.done(["requeue", "--all"]);
    settled(&place, 6);
    daemon.stop_well();
    place.done(["requeue", "--all"]);
    for name in names_in(&place.inbox()).iter().filter(|name| *name != ".wirefold") {
        let path = place.inbox().join(name);
        if path.is_file() { fs::remove_file(path) } else { fs::remove_dir_all(path) }.unwrap();
    }
    assert_eq!(place.done(["requeue", "--all"]).out, "no file is set aside, so there is none to put back\n");
}

/// Each requeue of a file whose items were all bad left what had been kept of them, and the next trial added its own.
#[test]
fn parts_of_a_file_that_goes_back_go_too() {
    let place = Place::configured(BRISK);
    let daemon = Daemon::start(&place);
    drop_whole(
        &place.inbox().join("two.jsonl"),
        b"{\"id\": \"1\", \"text\": 3}\n{\"id\": \"2\", \"text\": 4}\n",
    );
    settled(&place, 1);
    let kept = names_in(&place.failed());
    assert_eq!(kept.len(), 6, "the file and both of its items, each with its reason: {kept:?}");
    place.done(["requeue", "two.jsonl"]);
    settled(&place, 2);
    daemon.stop_well();
    let again = names_in(&place.failed());
    assert!(again.len() == 6 && again.iter().all(|name| !kept.contains(name)), "{again:?}");
}

/// It was taken for a part of a file by its name, and could not be put back.
#[test]
fn a_file_that_is_called_as_a_part_is_a_file() {
    let place = Place::configured(BRISK);
    let daemon = Daemon::start(&place);
    drop_whole(&place.inbox().join("3-news.slice"), &[0xff, 0, 1, 2].repeat(40));
    settled(&place, 1);
    daemon.stop_well();
    assert!(!place.done(["requeue"]).out.contains("a part of it"));
    let ran = place.done(["requeue", "3-news.slice"]);
    assert!(ran.out.contains("1 file put back") && place.inbox().join("3-news.slice").exists(), "{ran:?}");
}

/// It stood there twice, as the file and as its only item, and went on standing there when the file had come in.
#[test]
fn what_failed_is_listed_once_and_until_it_came_in() {
    let place = Place::configured(BRISK);
    fs::write(place.path("x.json"), b"{\"id\": \"1\", \"text\": 3}").unwrap();
    assert_eq!(place.run(["ingest", "x.json"]).code(), 65);
    let listed = place.done(["requeue"]).out;
    assert_eq!(listed.matches("x.json").count(), 1, "{listed}");
    fs::write(place.path("x.json"), b"{\"id\": \"1\", \"text\": \"The ferry was late on Monday.\"}").unwrap();
    place.done(["ingest", "x.json"]);
    assert_eq!(place.done(["requeue"]).out, "nothing that came in could not be read\n");
}

/// Only the whole path did, and not that of its reason; and the first item of a file was the second in its place and the zeroth
/// in its name.
#[test]
fn a_file_is_meant_by_whatever_it_is_called_where_it_was_set_aside() {
    let place = Place::configured(BRISK);
    let daemon = Daemon::start(&place);
    drop_whole(&place.inbox().join("junk.txt"), &[0xff, 0, 1, 2].repeat(40));
    settled(&place, 1);
    assert!(daemon.log().contains(&format!("inbox=\"{}\"", place.inbox().display())), "{}", daemon.log());
    let mut received = 1;
    for before in ["./", "failed/", ""] {
        let reason =
            names_in(&place.failed()).into_iter().find(|name| name.ends_with(".reason.json")).unwrap();
        let ran = place.done(["requeue", &format!("{before}{reason}")]);
        assert!(ran.out.contains("1 file put back"), "{ran:?}");
        received += 1;
        settled(&place, received);
    }
    drop_whole(
        &place.inbox().join("two.jsonl"),
        b"{\"id\": \"1\", \"text\": 3}\n{\"id\": \"2\", \"text\": \"Rain.\"}\n",
    );
    settled(&place, 5);
    assert!(place.done(["requeue"]).out.contains("two.jsonl#1"));
    assert!(names_in(&place.failed()).contains(&"0000000000000005-1-two.jsonl.slice".to_owned()));
    daemon.stop_well();
}
