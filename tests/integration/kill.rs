//! SIGKILL at any moment: afterwards every file that was dropped is in exactly one place, and nothing is counted twice.

use crate::{
    answers::{Files, Record},
    audit::clean,
    corpus::{MANY, Reporter},
    daemon::{Daemon, settled},
    place::{Place, Running, drop_whole, names_in},
    scale::{scale, seed},
    wait::{PATIENCE, pause, within},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};
use wirefold::{
    journal::{Position, Replay},
    model::{Digest, Event},
};

const LINES_A_FILE: usize = 40;

/// Everything that was dropped: how often each article, and which files hold none.
#[derive(Clone, Default)]
pub struct Dropped {
    pub files: u64,
    sightings: BTreeMap<String, u64>,
    junk: Vec<String>,
    stories: Vec<String>,
    lines: Vec<String>,
    contents: BTreeMap<String, Vec<u8>>,
}

impl Dropped {
    /// Makes up the next file.
    pub fn next(&mut self, reporter: &mut Reporter, random: &mut fastrand::Rng) -> (String, Vec<u8>) {
        let number = self.files;
        self.files += 1;
        let earlier = (!self.stories.is_empty()).then(|| random.choice(&self.stories).unwrap().clone());
        let text = match (random.u32(..30), earlier) {
            (0, _) => return (format!("{number:05}.jsonl"), self.many_lines(reporter, random)),
            (1, _) => return self.junk_file(number, [0xff, 0, 1, 2, 0xfe, 0, 0, 3].repeat(40)),
            (2, _) => return self.junk_file(number, b" \n".to_vec()),
            (3..=6, Some(earlier)) => reporter.retouched(&earlier),
            (7..=9, Some(earlier)) => earlier,
            _ => reporter.story(),
        };
        self.count(text.as_bytes());
        self.stories.push(text.clone());
        (format!("{number:05}.txt"), text.into_bytes())
    }

    fn junk_file(&mut self, number: u64, bytes: Vec<u8>) -> (String, Vec<u8>) {
        let name = format!("{number:05}.junk");
        self.junk.push(name.clone());
        (name, bytes)
    }

    /// One line in eight has been in a file before.
    fn many_lines(&mut self, reporter: &mut Reporter, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut file = Vec::new();
        for _ in 0..LINES_A_FILE {
            let again = (random.u32(..8) == 0).then(|| random.choice(&self.lines)).flatten().cloned();
            let line = again.unwrap_or_else(|| reporter.line());
            self.count(line.as_bytes());
            file.extend_from_slice(line.as_bytes());
            file.push(b'\n');
            self.lines.push(line);
        }
        file
    }

    /// Counts an article that was dropped.
    pub fn count(&mut self, article: &[u8]) {
        *self.sightings.entry(Digest::of(article).to_string()).or_default() += 1;
    }
}

/// Drops files until it is told to stop.
fn deliver(inbox: &Path, seed: u64, stop: &AtomicBool) -> Dropped {
    let (mut reporter, mut random) = (Reporter::new(seed), fastrand::Rng::with_seed(seed));
    let mut dropped = Dropped::default();
    while !stop.load(Ordering::Relaxed) {
        let (name, bytes) = dropped.next(&mut reporter, &mut random);
        drop_whole(&inbox.join(&name), &bytes);
        dropped.contents.insert(name, bytes);
        pause(Duration::from_millis(random.u64(..50)));
    }
    dropped
}

fn sightings(records: &[Record]) -> BTreeMap<String, u64> {
    records.iter().flat_map(|r| &r.articles).map(|a| (a.id.clone(), a.sightings)).collect()
}

#[test]
fn kills_lose_nothing_and_count_nothing_twice() {
    let (place, kills) = (Place::brisk(), scale("KILLS", 30));
    fs::create_dir_all(place.inbox()).unwrap();
    let (seed, stop) = (seed(), AtomicBool::new(false));
    let mut random = fastrand::Rng::with_seed(!seed);
    let dropped = thread::scope(|scope| {
        let delivering = scope.spawn(|| deliver(&place.inbox(), seed, &stop));
        for kill in 0..kills {
            let mut daemon = Daemon::launch(&place);
            // Some are killed while they start, most while they work.
            if kill % 5 != 0 {
                daemon.wait_ready();
            }
            let ended = daemon.has_ended_within(Duration::from_millis(random.u64(..500)));
            assert!(!ended, "it ended by itself; its log:\n{}", daemon.log());
            daemon.kill();
            if random.bool() {
                // Somebody asks before the next start, which brings the view up to the journal.
                println!(
                    "kill {kill}: {:?}",
                    place.data().join("journal").exists().then(|| place.status().files)
                );
            }
        }
        stop.store(true, Ordering::Relaxed);
        delivering.join().unwrap()
    });
    let finished = place.status().files.accepted;
    assert!(finished > kills, "it was always killed before it had done anything");
    let daemon = Daemon::start(&place);
    settled(&place, dropped.files);
    daemon.stop_well();
    check_all_there(&place, &dropped);
    check_replayed(&place, &dropped);
}

/// What was received, taken in once more in the order in which the journal has it and by a run that nobody disturbs, comes
/// out the same but for the times.
fn check_replayed(place: &Place, dropped: &Dropped) {
    let (undisturbed, mut names) = (Place::brisk(), Vec::new());
    let mut replay = Replay::from(&place.data().join("journal"), Position::default()).unwrap();
    while let Some(frame) = replay.next_frame().unwrap() {
        let first = frame.events.iter().filter_map(|event| match event {
            Event::Arrival(arrival) => Some(arrival.path.clone()),
            _ => None,
        });
        names.extend(first);
    }
    assert_eq!(names.len(), dropped.contents.len(), "every file is taken up once");
    for name in &names {
        fs::write(undisturbed.path(name), &dropped.contents[name]).unwrap();
    }
    let ingest = undisturbed.command(std::iter::once("ingest".to_owned()).chain(names));
    // Some thousand files after many kills.
    assert_eq!(Running::start(ingest).end_within(8 * PATIENCE).code(), 65, "some of them are junk");
    let timeless = |place: &Place| {
        let mut records = place.export();
        for record in &mut records {
            (record.first_seen, record.last_seen) = Default::default();
        }
        records
    };
    assert!(timeless(place) == timeless(&undisturbed), "an undisturbed run gives another export");
}

/// Every file is where it belongs, and every article is counted as often as it was dropped.
pub fn check_all_there(place: &Place, dropped: &Dropped) {
    println!("{} files, {} of them junk", dropped.files, dropped.junk.len());
    assert_eq!(place.claims(), [""; 0], "in flight");
    assert_eq!(names_in(&place.inbox()), [".wirefold"], "in the inbox");
    let mut failed = names_in(&place.failed());
    failed.retain(|name| !name.ends_with(".reason.json"));
    let mut failed_names: Vec<_> = failed.iter().map(|name| name.split_once('-').unwrap().1).collect();
    failed_names.sort_unstable();
    assert_eq!(failed_names, dropped.junk, "set aside");
    for name in &failed {
        assert!(place.failed().join(format!("{name}.reason.json")).exists(), "{name} has no reason");
    }
    let before = place.export_text();
    let found = sightings(&Record::read_all(&before));
    for (id, expected) in &dropped.sightings {
        assert_eq!(found.get(id), Some(expected), "sightings of the article {id}");
    }
    assert_eq!(found.len(), dropped.sightings.len(), "articles that nobody dropped");
    let status = place.status();
    assert_eq!(status.files.received, dropped.files, "{status:?}");
    assert_eq!(status.files.failed, dropped.junk.len() as u64, "{status:?}");
    assert_eq!((status.files.partly, status.files.pending, status.backlog), (0, 0, 0), "{status:?}");
    assert_eq!(status.articles.sightings, dropped.sightings.values().sum::<u64>(), "{status:?}");
    assert_eq!(status.articles.canonical + status.articles.variants, dropped.sightings.len() as u64);
    clean(place);
    place.done(["rebuild"]);
    assert!(place.export_text() == before, "a rebuild gives another export");
}

/// A file of many articles is committed in parts. One that was read to the middle is read on from there.
#[test]
fn a_file_that_was_half_read_is_finished_and_not_counted_twice() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\ngroup_articles_max = 1\n");
    let mut reporter = Reporter::new(5);
    let lines: Vec<_> = (0..MANY).map(|_| reporter.line()).collect();
    fs::create_dir_all(place.inbox()).unwrap();
    drop_whole(&place.inbox().join("many.jsonl"), lines.join("\n").as_bytes());
    let mut seen = 0;
    for _ in 0..3 {
        let daemon = Daemon::start(&place);
        within(PATIENCE, "more of the file committed", || {
            (place.status().articles.sightings > seen).then_some(())
        });
        daemon.kill();
        let status = place.status();
        assert!(status.articles.sightings > seen && status.articles.repeats == 0, "{status:?}");
        assert_eq!((status.files.received, status.backlog), (1, status.files.pending), "{status:?}");
        seen = status.articles.sightings;
    }
    println!("{seen} of {} lines were read when it was killed for the last time", lines.len());
    assert!(seen < lines.len() as u64, "the file was not half read but whole: make it longer");
    let daemon = Daemon::start(&place);
    let status = settled(&place, 1);
    daemon.stop_well();
    assert_eq!((status.files.received, status.files.accepted), (1, 1), "{status:?}");
    assert_eq!((status.articles.sightings, status.articles.repeats), (lines.len() as u64, 0), "{status:?}");
    let found = sightings(&place.export());
    assert!(lines.iter().all(|line| found.get(&Digest::of(line.as_bytes()).to_string()) == Some(&1)));
    assert_eq!((names_in(&place.inbox()), place.claims()), (vec![".wirefold".to_owned()], Vec::new()));
}

#[test]
fn an_ingest_that_is_killed_and_run_again_is_as_one_that_was_not() {
    let (seed, undisturbed) = (seed(), Place::new());
    let given = undisturbed.path("given");
    let dropped = write_files(&given, seed);
    assert_eq!(undisturbed.run([Path::new("ingest"), &given]).code(), 65);
    let expected = shape(undisturbed.export());
    let mut random = fastrand::Rng::with_seed(!seed);
    let place = Place::new();
    let ingest = || Running::start(place.command([Path::new("ingest"), &given]));
    let mut cut_short = 0;
    for _ in 0..4 {
        let mut running = ingest();
        pause(Duration::from_millis(150 + random.u64(..500)));
        running.child.kill().unwrap();
        cut_short += u32::from(running.end().code() != 65);
        if place.data().join("journal").exists() {
            let (status, records) = (place.status(), place.export());
            let seen = sightings(&records);
            assert!(seen.keys().all(|id| dropped.sightings.contains_key(id)));
            assert_eq!(status.articles.sightings, seen.values().sum::<u64>());
        }
    }
    println!("{cut_short} of 4 were cut short");
    let last = ingest().end();
    assert_eq!(last.code(), 65, "{last:?}");
    assert_eq!(shape(place.export()), expected);
    assert_eq!(sightings(&place.export()).len(), dropped.sightings.len());
    let before = place.export_text();
    place.done(["rebuild"]);
    assert!(place.export_text() == before, "a rebuild gives another export");
}

/// What an ingest leaves half read nobody will finish: the next one closes it, and says so.
#[test]
fn a_file_that_an_ingest_left_half_read_is_closed_with_a_reason() {
    let place = Place::configured("[commit]\ngroup_articles_max = 1\n");
    let mut reporter = Reporter::new(8);
    let lines: Vec<_> = (0..MANY).map(|_| reporter.line()).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    let mut running = Running::start(place.command(["ingest", "many.jsonl"]));
    let journal = place.data().join("journal/00000001.jsonl.zst");
    // What is seen first may be the half of a write that the kill would cut short; that it grows says that one is whole.
    let mut seen = 0;
    within(PATIENCE, "a part of it committed", || {
        let before = std::mem::replace(&mut seen, fs::metadata(&journal).map_or(0, |m| m.len()));
        (0 < before && before < seen).then_some(())
    });
    running.child.kill().unwrap();
    assert_eq!(running.end().code(), -1);
    let status = place.status();
    let (read, all) = (status.articles.sightings, lines.len() as u64);
    assert!(0 < read && read < all, "{status:?}");
    assert_eq!((status.files.received, status.files.pending), (1, 1), "{status:?}");
    let again = place.ingest(["many.jsonl"]);
    assert!(again.err.contains("not read to its end") && again.err.contains("many.jsonl"), "{again:?}");
    let status = place.status();
    let files = Files { received: 2, accepted: 1, partly: 1, ..Files::default() };
    assert_eq!((status.files, status.articles.repeats, status.articles.sightings), (files, read, all + read));
    assert_eq!(sightings(&place.export()).len() as u64, all);
}

/// It ended without a word.
#[test]
fn an_ingest_that_is_interrupted_says_what_is_durable() {
    let place = Place::configured("[commit]\ngroup_articles_max = 1\n");
    let mut reporter = Reporter::new(9);
    let lines: Vec<_> = (0..MANY).map(|_| reporter.line()).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    let running = Running::start(place.command(["ingest", "many.jsonl"]));
    let journal = place.data().join("journal/00000001.jsonl.zst");
    within(PATIENCE, "a part of it committed", || fs::metadata(&journal).ok().filter(|m| m.len() > 0));
    kill_process(Pid::from_child(&running.child), Signal::INT).unwrap();
    let ran = running.end();
    assert_eq!(ran.code(), 1, "{ran:?}");
    assert!(ran.out.starts_with("0 files in ") && ran.out.contains("a part may be"), "{ran:?}");
    place.ingest(["many.jsonl"]);
    assert_eq!(sightings(&place.export()).len(), lines.len());
}

fn write_files(given: &Path, seed: u64) -> Dropped {
    fs::create_dir(given).unwrap();
    let (mut reporter, mut random) = (Reporter::new(seed), fastrand::Rng::with_seed(seed));
    let mut dropped = Dropped::default();
    for _ in 0..130 {
        let (name, bytes) = dropped.next(&mut reporter, &mut random);
        fs::write(given.join(name), bytes).unwrap();
    }
    dropped
}

/// What does not depend on how often an article was read: the records, and how their articles stand to each other.
fn shape(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        (record.first_seen, record.last_seen) = Default::default();
        record.articles.iter_mut().for_each(|article| article.sightings = 1);
    }
    records
}
