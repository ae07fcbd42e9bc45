//! What becomes of records after they were founded: merged ids still resolve, moves and merges can be switched off, and
//! what a person pinned stays where it is, whatever is started anew.

use crate::{
    answers::Record,
    daemon::{Daemon, settled},
    place::{Place, drop_whole},
    wait::PATIENCE,
};
use std::{fs, ops::Range};
use wirefold::{
    journal::{Position, Replay},
    model::Event,
    store::DataLock,
};

/// Sentences of words that no language has, so that nothing but the test's own design is alike.
fn sentences(range: Range<usize>) -> String {
    let syllables = ["ba", "ro", "te", "lin", "mu", "ka", "so", "ver", "dal", "pi"];
    let word = |n: usize| [n / 1000 % 10, n / 100 % 10, n / 10 % 10, n % 10].map(|d| syllables[d]).concat();
    range.map(|n| (0..8).map(|w| word(n * 8 + w)).collect::<Vec<_>>().join(" ") + ". ").collect()
}

/// Ingests texts one after the other, as files named by their place.
pub fn ingest(place: &Place, from: usize, texts: &[Range<usize>]) {
    for (n, range) in (from..).zip(texts) {
        let file = place.path(format!("{n}.txt"));
        fs::write(&file, sentences(range.clone())).unwrap();
        place.ingest([file]);
    }
}

/// The records as the numbers of their articles' files.
fn grouped(records: &[Record]) -> Vec<Vec<char>> {
    let number = |path: &str| path.rsplit('/').next().unwrap().chars().next().unwrap();
    records.iter().map(|r| r.articles.iter().map(|a| number(&a.path)).collect()).collect()
}

fn events(place: &Place) -> Vec<Event> {
    let mut replay = Replay::from(&place.data().join("journal"), Position::default()).unwrap();
    let mut events = Vec::new();
    while let Some(frame) = replay.next_frame().unwrap() {
        events.extend(frame.events);
    }
    events
}

/// Two texts that share too little to join, and a third that shares much with both.
pub const TO_MERGE: [Range<usize>; 3] = [0..20, 14..34, 6..27];
/// A text that draws the second of [`TO_MOVE`] once more.
const LATER: Range<usize> = 13..34;
/// The second joins the first, and fits the third better.
const TO_MOVE: [Range<usize>; 3] = [0..20, 11..31, 13..33];

#[test]
fn after_a_merge_the_older_id_survives_and_the_other_still_resolves() {
    let place = Place::configured("[match]\nmerge = 0.3\n");
    ingest(&place, 0, &TO_MERGE[..2]);
    let before = place.export();
    assert_eq!(grouped(&before), [['0'], ['1']]);
    ingest(&place, 2, &TO_MERGE[2..]);
    let check = || {
        let after = place.export();
        assert_eq!(grouped(&after), [['0', '1', '2']]);
        assert_eq!(after[0].record, before[0].record);
        assert_eq!(after[0].aliases, [before[1].record.clone()]);
        assert_eq!(place.show(&before[1].record)["record"], before[0].record.as_str());
    };
    check();
    place.done(["rebuild"]);
    check();
}

#[test]
fn with_merging_and_moving_switched_off_no_such_event_is_journalled() {
    let is_change = |event: &Event| matches!(event, Event::Merge(_) | Event::Move(_));
    let merging = |value| format!("[match]\nmerge = 0.3\nmerging = {value}\n");
    let moving = |value| format!("[match]\njoin = 0.62\nmerging = false\nmoving = {value}\n");
    let cases = [
        (merging("true"), TO_MERGE, 1),
        (merging("false"), TO_MERGE, 0),
        (moving("true"), TO_MOVE, 1),
        (moving("false"), TO_MOVE, 0),
    ];
    for (config, texts, changes) in cases {
        let place = Place::configured(&config);
        ingest(&place, 0, &texts);
        assert_eq!(events(&place).iter().filter(|e| is_change(e)).count(), changes, "{config}");
    }
}

#[test]
fn a_pinned_article_stays_through_restart_and_rebuild_until_it_is_let_go() {
    let place = Place::configured("[match]\njoin = 0.62\nmerging = false\n");
    ingest(&place, 0, &TO_MOVE[..2]);
    let id = place.export()[0].articles[1].id.clone();
    let said = place.done(["pin", &id[..12]]).out;
    assert_eq!(said, format!("article {id} stays in its record\n"));
    ingest(&place, 2, &TO_MOVE[2..]);
    let check = || {
        let records = place.export();
        assert_eq!(grouped(&records), [vec!['0', '1'], vec!['2']]);
        assert_eq!(records[0].articles.iter().map(|a| a.pinned).collect::<Vec<_>>(), [false, true]);
        let shown = place.done(["show", &records[0].record]).out;
        assert!(shown.contains(" stays in this record"), "{shown}");
    };
    check();
    place.done(["rebuild"]);
    check();
    place.done(["unpin", &id]);
    ingest(&place, 3, std::slice::from_ref(&LATER));
    assert_eq!(grouped(&place.export()), [vec!['0'], vec!['1', '2', '3']]);
}

#[test]
fn what_cannot_be_pinned_is_said() {
    let place = Place::brisk();
    assert_eq!(place.run(["pin", "0123abcd"]).code(), 1, "there is no data");
    ingest(&place, 0, &TO_MOVE[..1]);
    assert_eq!(place.run(["pin", "no-id"]).code(), 1);
    assert!(place.run(["pin", "0123abcd"]).err.contains("nothing here is called '0123abcd'"));
    check_wrong_ids(&place);
    let daemon = Daemon::start(&place);
    check_wrong_ids(&place);
    daemon.stop_well();
    let record = place.export()[0].record.clone();
    let lock = DataLock::take(&place.data(), PATIENCE).unwrap();
    let said = place.run(["unpin", &record]);
    assert!(said.code() == 1 && said.err.contains("is a record"), "the store is locked: {said:?}");
    lock.release_clean().unwrap();
}

/// The same is said with a daemon and without.
fn check_wrong_ids(place: &Place) {
    let record = place.export()[0].record.clone();
    for (id, said) in [
        ("no-id", "nothing here is called 'no-id'".to_owned()),
        ("0123abcd", "nothing here is called '0123abcd'".to_owned()),
        (&record, format!("{record} is a record; give the id of one of its articles")),
    ] {
        for command in ["pin", "unpin"] {
            let ran = place.run([command, id]);
            assert!(ran.code() == 1 && ran.err.contains(&said), "{ran:?}");
        }
    }
}

#[test]
fn a_running_daemon_pins_in_its_turn_and_its_successor_knows_of_it() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[match]\njoin = 0.62\nmerging = false\n");
    ingest(&place, 0, &TO_MOVE[..2]);
    let id = place.export()[0].articles[1].id.clone();
    let drop_in = |n: usize, range: &Range<usize>| {
        drop_whole(&place.inbox().join(format!("{n}.txt")), sentences(range.clone()).as_bytes());
    };
    let daemon = Daemon::start(&place);
    let said = place.done(["pin", &id[..12]]).out;
    assert_eq!(said, format!("article {id} stays in its record\n"));
    let explained = place.done(["explain", &id]).out;
    assert!(explained.contains("somebody pinned it"), "{explained}");
    drop_in(2, &TO_MOVE[2]);
    settled(&place, 3);
    assert_eq!(grouped(&place.export()), [vec!['0', '1'], vec!['2']]);
    daemon.kill();
    let daemon = Daemon::start(&place);
    assert_eq!(grouped(&place.export()), [vec!['0', '1'], vec!['2']]);
    assert!(place.export()[0].articles[1].pinned);
    assert_eq!(place.done(["unpin", &id]).out, format!("article {id} may move again\n"));
    drop_in(3, &LATER);
    settled(&place, 4);
    assert_eq!(grouped(&place.export()), [vec!['0'], vec!['1', '2', '3']]);
    daemon.stop_well();
    let words = events(&place).into_iter().filter_map(|event| match event {
        Event::Pin(word) => Some(word.pinned),
        _ => None,
    });
    assert_eq!(words.collect::<Vec<_>>(), [true, false]);
}
