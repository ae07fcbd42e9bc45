//! `ingest` while a daemon runs: the bytes go over its socket, and all is as if they had been taken in directly; a killed
//! client, a killed daemon or one that stops in the middle loses nothing and doubles nothing.

use crate::{
    answers::{Files, Record},
    corpus::{MANY, Reporter, fixture},
    daemon::{Daemon, settled},
    place::{Place, Ran, Running, drop_whole, names_in, run},
    trace::traced,
    wait::{PATIENCE, within},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
};

/// What it said without how long it took.
fn timeless(ran: &Ran) -> (i32, Vec<&str>, &str) {
    let lines = ran.out.lines().map(|line| line.split_once(" s: ").map_or(line, |(_, rest)| rest));
    (ran.code(), lines.collect(), &ran.err)
}

/// The records without when they were seen.
fn undated(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        record.first_seen.clear();
        record.last_seen.clear();
    }
    records
}

/// So many stories in files of their own, in folders of fifty.
fn put_many(folder: &Path, seed: u64, files: usize) {
    let mut reporter = Reporter::new(seed);
    for number in 0..files {
        let folder = folder.join(format!("source-{:03}", number / 50));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number:05}.txt")), reporter.story()).unwrap();
    }
}

#[test]
fn a_daemon_takes_in_what_ingest_would_have() {
    // Two editions of one story, half a year apart.
    let story = Reporter::new(4).story();
    let edition =
        |id: &str, text: &str, at: &str| json!({ "id": id, "text": text, "published": at }).to_string();
    let first = edition("o-1", &story, "2020-02-03T08:00:00Z");
    let old = first + "\n" + &edition("o-2", &(story + "More to come.\n"), "2020-08-03T08:00:00Z");
    for args in [&["ingest"][..], &["ingest", "--archive"]] {
        let places = [Place::brisk(), Place::brisk()];
        let daemon = Daemon::start(&places[1]);
        let rans = places.each_ref().map(|place| {
            fs::create_dir(place.path("given")).unwrap();
            fs::write(place.path("given/old.jsonl"), &old).unwrap();
            // Too large to be held in memory.
            let story = Reporter::new(5).story();
            fs::write(place.path("given/large.txt"), story.clone() + &" ".repeat(9 << 20) + &story).unwrap();
            std::os::unix::fs::symlink(fixture("copies"), place.path("copies")).unwrap();
            std::os::unix::fs::symlink(fixture("jsonl"), place.path("jsonl")).unwrap();
            place.run(args.iter().chain(&["given", "copies", "nowhere", "jsonl/broken.jsonl", "jsonl"]))
        });
        assert_eq!(rans[0].code(), 65, "{:?}", rans[0]);
        assert_eq!(timeless(&rans[1]), timeless(&rans[0]));
        let [direct, handed] = places.each_ref().map(|place| undated(place.export()));
        assert_eq!(handed, direct, "the same records from the same paths in the same order");
        let [direct, handed] = places.each_ref().map(Place::status);
        assert_eq!((handed.files, handed.articles), (direct.files, direct.articles));
        let records = places[1].export();
        let editions = records.iter().filter(|r| r.articles.iter().any(|a| a.path == "given/old.jsonl"));
        assert_eq!(editions.count(), args.len(), "an archive's articles have their own times");
        let kept = places.each_ref().map(|place| names_in(&place.data().join("originals")).len());
        assert_eq!(kept[0], kept[1], "the large one has a pack of its own");
        daemon.stop_well();
        places[1].done(["rebuild"]);
        assert_eq!(undated(places[1].export()), undated(places[0].export()), "the journal has it all");
    }
}

/// The reason for all this: a daemon has a user of its own.
#[test]
fn a_daemon_need_not_be_able_to_read_the_files() {
    let Some(place) = Place::of_ordinary_user() else { return };
    if !rustix::process::geteuid().is_root() {
        println!("skipped: this needs two users");
        return;
    }
    let mut daemon = Daemon::launch(&place);
    daemon.wait_ready();
    let secret = place.path("home/secret");
    fs::create_dir(&secret).unwrap();
    fs::copy(fixture("stories/01-harbour-fire.txt"), secret.join("mine.txt")).unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o700)).unwrap();
    let as_nobody = place.command(["ingest", "home/secret/mine.txt"]);
    let ran = run(place.command_as_tester(["ingest", "home/secret/mine.txt"]));
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(place.export()[0].articles[0].path, "home/secret/mine.txt");
    let ran = run(as_nobody);
    assert_eq!(ran.code(), 65, "{ran:?}");
    assert!(ran.out.contains("the user who gives it has no right to read it"), "{ran:?}");
    daemon.stop_well();
}

/// Streams as `ingest` does, by hand.
struct ByHand(UnixStream);

impl ByHand {
    fn to(place: &Place) -> Self {
        let mut stream = UnixStream::connect(place.data().join("wirefold.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"POST /ingest HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        Self(stream)
    }

    fn put(&mut self, letter: u8, payload: &[u8]) {
        let frame = [&[letter][..], &u32::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat();
        write!(self.0, "{:x}\r\n", frame.len()).unwrap();
        self.0.write_all(&frame).unwrap();
        self.0.write_all(b"\r\n").unwrap();
    }

    fn begin(&mut self, path: &str, bytes: usize) {
        let path = json!({ "Unix": path.as_bytes() });
        let heading =
            json!({ "path": path, "folder": null, "kind": "Regular", "times": "Recent", "bytes": bytes });
        self.put(b'f', heading.to_string().as_bytes());
    }

    fn file(&mut self, path: &str, bytes: &[u8]) {
        self.begin(path, bytes.len());
        self.put(b'b', bytes);
        self.put(b'e', b"null");
    }

    /// The first of what is told that is wanted.
    fn told(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let lines = BufReader::new(self.0.try_clone().unwrap()).lines().map_while(Result::ok);
        let mut told = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        told.find(|told| told["tally"].is_object() && is_wanted(told)).expect("the daemon broke off")
    }
}

#[test]
fn a_file_that_is_half_streamed_is_not_taken_in_and_keeps_nobody_waiting() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let mut reporter = Reporter::new(11);
    let mut client = ByHand::to(&place);
    client.file("whole.txt", reporter.story().as_bytes());
    client.begin("half.txt", 1 << 16);
    client.put(b'b', reporter.story().as_bytes());
    // While it pauses in the middle of a file, others come through.
    assert_eq!(settled(&place, 1).files.accepted, 1);
    drop_whole(&place.inbox().join("dropped.txt"), reporter.story().as_bytes());
    fs::write(place.path("given.txt"), reporter.story()).unwrap();
    place.ingest(["given.txt"]);
    assert_eq!(settled(&place, 3).files.accepted, 3);
    drop(client);
    let log = "files were handed over";
    within(PATIENCE, "it sees that the client is gone", || {
        (daemon.log().matches(log).count() == 2).then_some(())
    });
    daemon.stop_well();
    let paths: Vec<_> = place.export().into_iter().flat_map(|r| r.articles).map(|a| a.path).collect();
    assert_eq!(paths.len(), 3, "{paths:?}");
    assert!(!paths.contains(&"half.txt".to_owned()), "{paths:?}");
    assert_eq!(place.status().files, Files { received: 3, accepted: 3, ..Files::default() });
    let left: Vec<_> = names_in(&place.data()).into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, [""; 0], "no copy is left behind");
}

/// A daemon that stops waits for no client that pauses, and says what is durable.
#[test]
fn a_daemon_that_stops_says_so_to_whoever_hands_over() {
    let place = Place::brisk();
    let mut daemon = Daemon::start(&place);
    let mut client = ByHand::to(&place);
    client.file("whole.txt", Reporter::new(12).story().as_bytes());
    client.begin("half.txt", 1 << 16);
    settled(&place, 1);
    daemon.signal(Signal::TERM);
    let told = client.told(|told| !told["end"].is_null());
    assert_eq!((told["end"].as_str(), told["tally"]["articles"].as_u64()), (Some("stopping"), Some(1)));
    drop(client);
    assert!(daemon.has_ended_within(PATIENCE), "{}", daemon.log());
    daemon.stop_well();
    assert_eq!(place.export().len(), 1);
}

#[test]
fn what_is_not_understood_is_refused() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    for (letter, payload) in [(b'b', &b"bytes of nothing"[..]), (b'f', b"no heading"), (b'x', b"")] {
        let mut client = ByHand::to(&place);
        client.put(letter, payload);
        let told = client.told(|told| !told["end"].is_null());
        assert!(told["end"]["failed"].as_str().unwrap().contains("does not understand"), "{told}");
    }
    daemon.stop_well();
    assert_eq!(place.status().files, Files::default());
}

/// Only so many at one time, and whoever comes too late hears that, not silence.
#[test]
fn more_than_the_daemon_takes_at_once_are_told_to_come_again() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let mut clients: Vec<_> = (0..4).map(|_| ByHand::to(&place)).collect();
    for client in &clients {
        client.told(|_| true);
    }
    fs::write(place.path("given.txt"), Reporter::new(14).story()).unwrap();
    let ran = place.run(["ingest", "given.txt"]);
    assert_eq!(ran.code(), 75, "{ran:?}");
    assert!(ran.err.contains("busy") && ran.err.contains("try again"), "{ran:?}");
    assert_eq!(place.export().len(), 0, "questions are answered meanwhile");
    clients.pop();
    within(PATIENCE, "a place is free", || (place.run(["ingest", "given.txt"]).code() == 0).then_some(()));
    drop(clients);
    daemon.stop_well();
}

/// The last of many files, and so large that handing it over takes longer than whatever is done meanwhile. It is full of
/// holes, so it takes no room where it lies.
const LARGE: &str = "many/zz-large.txt";
const LARGE_BYTES: u64 = 1 << 28;

/// Starts handing over many files, and returns when the first of them are in the journal.
fn under_way(place: &Place) -> Running {
    put_many(&place.path("many"), 21, MANY);
    fs::File::create(place.path(LARGE)).unwrap().set_len(LARGE_BYTES).unwrap();
    let client = Running::start(place.command(["ingest", "many"]));
    first_durable(place);
    client
}

fn first_durable(place: &Place) {
    let first = place.data().join("journal/00000001.jsonl.zst");
    within(PATIENCE, "something is durable", || fs::metadata(&first).ok().filter(|f| f.len() > 0));
}

/// How many files a client that was not done says are durable.
fn said_durable(ran: &Ran) -> u64 {
    let files = ran.err.split("; ").nth(1).unwrap().split(' ').next().unwrap();
    if files == "no" { 0 } else { files.parse().unwrap() }
}

/// After whatever happened, once more from the start: everything is there, and as often as it came.
fn check_again(place: &Place) {
    let before = place.status();
    assert!(before.files.received <= MANY as u64, "nothing was interrupted: {before:?}");
    fs::remove_file(place.path(LARGE)).unwrap();
    let ran = place.run(["ingest", "many"]);
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert!(ran.out.starts_with(&format!("{MANY} files in ")), "{ran:?}");
    let status = place.status();
    assert_eq!(status.files.received, before.files.received + MANY as u64);
    assert_eq!(status.articles.canonical + status.articles.variants, MANY as u64, "{status:?}");
    assert_eq!(status.articles.sightings, before.articles.sightings + MANY as u64, "{status:?}");
}

#[test]
fn a_client_that_is_killed_or_interrupted_loses_and_doubles_nothing() {
    for signal in [Signal::KILL, Signal::INT] {
        let place = Place::brisk();
        let daemon = Daemon::start(&place);
        let client = under_way(&place);
        kill_process(Pid::from_child(&client.child), signal).unwrap();
        let ran = client.end();
        if signal == Signal::INT {
            assert_eq!(ran.code(), 1, "{ran:?}");
            assert!(ran.out.contains("interrupted: that much is durable"), "{ran:?}");
            let durable: u64 = ran.out.split(' ').next().unwrap().parse().unwrap();
            assert!(durable <= place.status().files.accepted, "{ran:?}");
        }
        // What is whole goes its way; then nothing more comes of it.
        let log = "files were handed over";
        within(PATIENCE, "the daemon sees that it is gone", || daemon.log().contains(log).then_some(()));
        let status = place.status();
        assert_eq!((status.files.received, status.files.pending), (status.files.accepted, 0), "{status:?}");
        check_again(&place);
        daemon.stop_well();
    }
}

#[test]
fn a_daemon_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let client = under_way(&place);
    daemon.kill();
    let ran = client.end();
    assert_eq!((ran.code(), ran.out.as_str()), (75, ""), "{ran:?}");
    assert!(ran.err.contains("the daemon ended in the middle; ") && ran.err.contains("try again"), "{ran:?}");
    assert!(said_durable(&ran) <= place.status().files.accepted, "what was said to be durable is: {ran:?}");
    let daemon = Daemon::start(&place);
    check_again(&place);
    daemon.stop_well();
    assert_eq!(place.status().files.pending, 0);
}

#[test]
fn a_daemon_that_is_stopped_in_the_middle_loses_and_doubles_nothing() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let client = under_way(&place);
    daemon.stop_well();
    let ran = client.end();
    assert_eq!((ran.code(), ran.out.as_str()), (75, ""), "{ran:?}");
    assert!(ran.err.contains("the daemon is stopping; "), "{ran:?}");
    assert_eq!(said_durable(&ran), place.status().files.accepted, "{ran:?}");
    let daemon = Daemon::start(&place);
    check_again(&place);
    daemon.stop_well();
}

/// A large file is not finished first: its owner has it still, and what was read of it is told as it is.
#[test]
fn a_daemon_that_is_stopped_lets_go_of_a_large_file() {
    let place = Place::brisk();
    let mut reporter = Reporter::new(41);
    // More than the queues between the stages hold.
    let lines: Vec<_> = (0..MANY * 4).map(|_| reporter.line()).collect();
    fs::write(place.path("large.jsonl"), lines.join("\n")).unwrap();
    let daemon = Daemon::start(&place);
    let client = Running::start(place.command(["ingest", "large.jsonl"]));
    first_durable(&place);
    daemon.stop_well();
    let ran = client.end();
    assert_eq!((ran.code(), said_durable(&ran)), (75, 0), "{ran:?}");
    assert!(ran.err.contains("a part may be"), "much of it was: {ran:?}");
    let daemon = Daemon::start(&place);
    let before = place.status();
    assert_eq!(before.files, Files { received: 1, partly: 1, ..Files::default() }, "it was closed");
    assert!(before.articles.sightings < lines.len() as u64, "{before:?}");
    assert_eq!(traced(&place, "large.jsonl")[0]["bytes"], lines.join("\n").len(), "it was told as empty");
    place.ingest(["large.jsonl"]);
    let status = place.status();
    assert_eq!(status.articles.canonical + status.articles.variants, lines.len() as u64, "{status:?}");
    assert_eq!(status.articles.repeats, before.articles.sightings, "{status:?}");
    daemon.stop_well();
}

/// The socket of a configuration led to another daemon than that of the data directory which was typed.
#[test]
fn a_data_directory_that_is_named_leads_to_its_own_daemon() {
    let (mut one, other) = (Place::new(), Place::brisk());
    one.configure(&format!("[control]\nsocket = '{}'\n", one.path("s").display()));
    let (daemon, of_other) = (Daemon::start(&one), Daemon::start(&other));
    fs::write(other.path("given.txt"), Reporter::new(51).story()).unwrap();
    let mut command = other.bare_command();
    command.arg("--config").arg(one.path("wirefold.toml")).arg("--data-dir").arg(other.data());
    let ran = run({
        command.args(["ingest", "given.txt"]);
        command
    });
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!((one.export().len(), other.export().len()), (0, 1));
    daemon.stop_well();
    of_other.stop_well();
}

/// The intake of inboxes is paused then; a person would wait without a word.
#[test]
fn where_there_is_no_room_a_small_file_is_refused_at_once() {
    let place = Place::configured("[commit]\nfree_min_mb = 1000000\n");
    fs::write(place.path("given.txt"), Reporter::new(33).story()).unwrap();
    let daemon = Daemon::start(&place);
    let ran = place.run(["ingest", "given.txt"]);
    assert_eq!((ran.code(), ran.out.as_str()), (75, ""), "{ran:?}");
    assert!(ran.err.contains("MiB are free at") && ran.err.contains("try again"), "{ran:?}");
    daemon.stop_well();
    assert_eq!(place.status().files, Files::default());
}

/// While it starts it has the store and does not listen yet.
#[test]
fn a_daemon_that_starts_is_waited_for() {
    let place = Place::brisk();
    fs::write(place.path("given.txt"), Reporter::new(31).story()).unwrap();
    let mut daemon = Daemon::launch(&place);
    let ran = place.run(["ingest", "given.txt"]);
    daemon.wait_ready();
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert_eq!(place.export().len(), 1);
    daemon.stop_well();
}

/// One that has the store and never listens is not waited for for ever.
#[test]
fn a_store_that_stays_taken_is_told_as_busy() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    fs::remove_file(place.data().join("wirefold.sock")).unwrap();
    fs::write(place.path("given.txt"), Reporter::new(32).story()).unwrap();
    let ran = place.run(["ingest", "given.txt"]);
    assert_eq!((ran.code(), ran.out.as_str()), (75, ""), "{ran:?}");
    assert!(ran.err.contains(&format!("process {}", daemon.pid())), "{ran:?}");
    daemon.stop_well();
}
