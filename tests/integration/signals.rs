//! SIGTERM and SIGINT: what is under way is finished, the rest stays in the inbox, and the end is a good one.

use crate::{
    answers::Record,
    corpus::{MANY, Reporter},
    daemon::{Daemon, settled},
    place::{Place, drop_whole, names_in},
    wait::{PATIENCE, pause, within},
};
use rustix::{
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::json;
use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::net::UnixStream,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

#[test]
fn sigterm_while_files_arrive_loses_nothing() {
    check_stop(Signal::TERM);
}

#[test]
fn sigint_while_files_arrive_loses_nothing() {
    check_stop(Signal::INT);
}

fn check_stop(signal: Signal) {
    let place = Place::brisk();
    let (under_way, stop) = (Barrier::new(2), AtomicBool::new(false));
    let mut daemon = Daemon::start(&place);
    let mut dropped = 0_u64;
    thread::scope(|scope| {
        let delivering = scope.spawn(|| {
            let mut reporter = Reporter::new(3);
            for number in 0_u64.. {
                if stop.load(Ordering::Relaxed) {
                    return number;
                }
                drop_whole(&place.inbox().join(format!("{number:04}.txt")), reporter.story().as_bytes());
                if number == 30 {
                    under_way.wait();
                }
                pause(Duration::from_millis(2));
            }
            0
        });
        under_way.wait();
        daemon.signal(signal);
        assert!(daemon.has_ended_within(PATIENCE), "it does not stop; its log:\n{}", daemon.log());
        stop.store(true, Ordering::Relaxed);
        dropped = delivering.join().unwrap();
    });
    let log = daemon.log();
    assert_eq!(daemon.stop(Signal::KILL).code(), Some(0), "its log:\n{log}");
    assert_eq!(place.claims(), [""; 0], "what was claimed was finished");
    let waiting = names_in(&place.inbox()).len() as u64 - 1;
    let status = place.status();
    assert_eq!(status.files.accepted + waiting, dropped, "{waiting} wait: {status:?}");
    assert_eq!((status.files.pending, status.backlog, status.state.as_str()), (0, waiting, "stopped"));
    let daemon = Daemon::start(&place);
    let status = settled(&place, dropped);
    assert_eq!((status.files.accepted, status.articles.sightings), (dropped, dropped), "{status:?}");
    daemon.stop_well();
}

/// A daemon that reads a file of many lines.
fn busy(place: &Place) -> (Daemon, usize) {
    let mut reporter = Reporter::new(4);
    let lines: Vec<_> = (0..MANY).map(|_| reporter.line()).collect();
    fs::create_dir_all(place.inbox()).unwrap();
    drop_whole(&place.inbox().join("many.jsonl"), lines.join("\n").as_bytes());
    let daemon = Daemon::start(place);
    within(PATIENCE, "the file being read", || (place.status().articles.sightings > 0).then_some(()));
    (daemon, lines.len())
}

#[test]
fn a_second_signal_aborts_and_what_was_under_way_is_finished_later() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\ngroup_articles_max = 1\n");
    let (mut daemon, lines) = busy(&place);
    daemon.signal(Signal::TERM);
    within(PATIENCE, "the first signal heeded", || daemon.log().contains("stopping").then_some(()));
    daemon.signal(Signal::TERM);
    let began = Instant::now();
    assert!(daemon.has_ended_within(PATIENCE), "it does not stop; its log:\n{}", daemon.log());
    let (took, log) = (began.elapsed(), daemon.log());
    assert_eq!(daemon.stop(Signal::KILL).code(), Some(1), "not a good end; its log:\n{log}");
    assert!(took < Duration::from_secs(2), "it took {took:?} to stop at once");
    assert!(log.contains("second signal") && log.contains("still in the inbox"), "{log}");
    assert!(place.status().articles.sightings < lines as u64, "it was not aborted but finished");
    let daemon = Daemon::start(&place);
    let status = settled(&place, 1);
    assert_eq!((status.files.accepted, status.articles.sightings), (1, lines as u64), "{status:?}");
    daemon.stop_well();
}

/// An answer longer than all buffers on its way, asked for and not read: a pager that nobody scrolls.
fn unread_answer(place: &Place) -> (Daemon, UnixStream) {
    let mut reporter = Reporter::new(6);
    let line = |n: usize| {
        let id = format!("{n:04}{}", "-long-id".repeat(280));
        json!({ "id": id, "title": "One", "text": reporter.story() }).to_string()
    };
    let lines: Vec<_> = (0..300).map(line).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    place.ingest(["many.jsonl"]);
    let daemon = Daemon::start(place);
    assert!(place.export_text().len() > 700_000);
    let mut reader = UnixStream::connect(place.data().join("wirefold.sock")).unwrap();
    let question = json!({ "ask": "export" }).to_string();
    let length = question.len();
    let head = "POST /ask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    write!(reader, "{head}content-length: {length}\r\n\r\n{question}").unwrap();
    let mut first = [0; 17];
    reader.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK\r\n");
    (daemon, reader)
}

#[test]
fn a_reader_that_does_not_read_does_not_keep_a_daemon_from_stopping() {
    let place = Place::brisk();
    let (mut daemon, _reader) = unread_answer(&place);
    assert_eq!(Record::read_all(&place.export_text()).len(), 300, "others are answered meanwhile");
    daemon.signal(Signal::TERM);
    assert!(daemon.has_ended_within(Duration::from_secs(15)), "it waits for the reader:\n{}", daemon.log());
    let log = daemon.log();
    assert_eq!(daemon.stop(Signal::KILL).code(), Some(0), "{log}");
}

#[test]
fn a_second_signal_aborts_whatever_is_waited_for() {
    let place = Place::brisk();
    let (mut daemon, _reader) = unread_answer(&place);
    daemon.signal(Signal::TERM);
    within(PATIENCE, "the first signal heeded", || daemon.log().contains("stopping").then_some(()));
    if daemon.has_ended_within(Duration::from_secs(1)) {
        return;
    }
    daemon.signal(Signal::TERM);
    assert!(
        daemon.has_ended_within(Duration::from_secs(5)),
        "the second signal is not heeded:\n{}",
        daemon.log()
    );
}

/// What a person who presses Ctrl-C on a pager's behalf does: the reader goes away in the middle.
#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let place = Place::brisk();
    let mut reporter = Reporter::new(7);
    let lines: Vec<_> = (0..100).map(|_| reporter.line()).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    place.ingest(["many.jsonl"]);
    for is_running in [false, true] {
        let daemon = is_running.then(|| Daemon::start(&place));
        let mut export = place.command(["export"]);
        let mut child = export.stdout(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "a closed pipe is the end of the work");
        assert_eq!(place.export().len(), lines.len());
        if let Some(daemon) = daemon {
            daemon.stop_well();
        }
    }
}

/// It outlived its terminal, for a hang-up had it only read its configuration again.
#[test]
fn a_daemon_in_a_terminal_ends_with_it() {
    let place = Place::brisk();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let mut command = place.command(["run"]);
    command.stdin(File::open(path).unwrap());
    let mut daemon = Daemon::launch_as(&place, command);
    daemon.wait_ready();
    daemon.signal(Signal::HUP);
    assert!(daemon.has_ended_within(PATIENCE), "{}", daemon.log());
    let log = daemon.log();
    daemon.stop_well();
    assert!(log.contains("stopped") && !log.contains("reloaded"), "{log}");
}
