//! Two at once: one process has the data directory, the others say who has it, or ask it.

use crate::{
    answers::Record,
    corpus::{files_in, fixture},
    daemon::{Daemon, settled},
    place::{Place, Running, names_in},
};
use std::fs;

fn with_stories() -> Place {
    let place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    place.ingest(files_in(&fixture("copies")));
    place
}

#[test]
fn a_second_writer_is_told_who_was_first() {
    let place = with_stories();
    let daemon = Daemon::start(&place);
    let before = place.export_text();
    // All at once: each waits for a while, as a short command may only be reading.
    let seconds = [place.command(["run"]), place.command(["rebuild"])].map(Running::start);
    for second in seconds {
        let ran = second.end();
        assert_eq!((ran.code(), ran.out.as_str()), (75, ""), "{ran:?}");
        let holder = format!("process {}", daemon.pid());
        let data = place.data().display().to_string();
        assert!(ran.err.starts_with("wirefold: ") && ran.err.contains(&holder), "{}", ran.err);
        let is_told = ["in use", "a daemon runs there already"].iter().any(|what| ran.err.contains(what));
        assert!(ran.err.contains(&data) && is_told, "{}", ran.err);
    }
    assert_eq!(place.status().pid, Some(daemon.pid()), "the first one goes on");
    assert_eq!(place.export_text(), before);
    fs::copy(fixture("stories/01-harbour-fire.txt"), place.inbox().join("again.txt")).unwrap();
    assert_eq!(settled(&place, 17).files.duplicate, 1);
    daemon.stop_well();
}

#[test]
fn two_daemons_cannot_share_an_inbox() {
    let (mut one, mut other) = (Place::new(), Place::new());
    let feeds = one.path("feeds");
    fs::create_dir(&feeds).unwrap();
    let config = format!("[[inbox]]\npath = '{}'\n", feeds.display());
    one.configure(&config);
    other.configure(&config);
    let first = Daemon::start(&one);
    let ran = other.run(["run"]);
    assert!(ran.code() == 75 || ran.code() == 78, "{ran:?}");
    assert!(ran.err.contains(&feeds.display().to_string()), "{}", ran.err);
    first.stop_well();
    Daemon::start(&other).stop_well();
}

#[test]
fn the_answers_are_the_same_bytes_whether_a_daemon_runs_or_not() {
    let place = with_stories();
    let records = place.export();
    let (record, article) = (&records[2].record, &records[0].articles[1].id);
    let asked = [
        &["export"][..],
        &["list"],
        &["list", "--limit", "3"],
        &["list", "--json"],
        &["list", "--json", "--limit", "3"],
        &["list", "--title", "warehouses", "--sort", "variants"],
        &["list", "--json", "--relation", "excerpt", "--since", "2000-01-01"],
        &["diff", "01-cut.txt"],
        &["diff", "01-cut.txt", "02-padded.txt", "--json"],
        &["explain", "copies/01-cut.txt"],
        &["show", record],
        &["show", record, "--json"],
        &["show", article, "--json"],
    ];
    let answers = || asked.map(|args| place.done(args).out);
    let refused = || {
        let unknown =
            [&["show", "wf-0000000000000000"][..], &["show", "nonsense"], &["diff", "wf-12", "--json"]];
        unknown.map(|args| place.run(args)).map(|ran| (ran.code(), ran.out, ran.err))
    };
    let (down, refused_down) = (answers(), refused());
    assert_eq!(place.status().state, "stopped");
    let daemon = Daemon::start(&place);
    assert_eq!(place.status().state, "running");
    for ((args, up), down) in asked.iter().zip(answers()).zip(&down) {
        assert_eq!(&up, down, "{args:?}");
    }
    assert_eq!(refused(), refused_down);
    for (code, out, err) in refused_down {
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.starts_with("wirefold: "), "{err}");
    }
    daemon.stop_well();
    assert_eq!(answers(), down);
    assert_eq!(Record::read_all(&down[4]).len(), 3);
}

#[test]
fn readers_do_not_keep_each_other_or_a_daemon_from_starting() {
    let place = with_stories();
    let before = place.export_text();
    let readers: Vec<_> = (0..6).map(|_| Running::start(place.command(["export"]))).collect();
    let mut daemon = Daemon::launch(&place);
    let more: Vec<_> = (0..4).map(|_| Running::start(place.command(["export"]))).collect();
    for reader in readers.into_iter().chain(more) {
        let ran = reader.end();
        assert_eq!((ran.code(), ran.out == before), (0, true), "{}", ran.err);
    }
    daemon.wait_ready();
    daemon.stop_well();
    assert!(!names_in(&place.data()).contains(&"wirefold.sock".to_owned()), "the socket is gone with it");
}

/// A daemon that was killed leaves its socket behind; nobody may mistake it for a living one.
#[test]
fn a_dead_daemons_socket_is_in_nobodys_way() {
    let place = with_stories();
    let before = place.export_text();
    Daemon::start(&place).kill();
    assert!(names_in(&place.data()).contains(&"wirefold.sock".to_owned()));
    assert_eq!(place.export_text(), before);
    let daemon = Daemon::start(&place);
    assert_eq!(place.export_text(), before);
    daemon.stop_well();
}
