//! The power goes at any moment: what was fsynced is there afterwards, and of all else anything. No file is lost, and none is
//! counted twice.

use crate::{
    corpus::Reporter,
    daemon::{Daemon, settled},
    kill::{Dropped, check_all_there},
    place::Place,
    recording::Recording,
    scale::{scale, seed},
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// More than is held in memory, so that it is kept in a pack of its own.
const LARGE_BYTES: usize = 9 << 20;

/// A daemon takes in what there is, with every step recorded.
fn record_run(place: &Place, recording: &mut Recording, files: u64) {
    let traces = place.path("traces");
    let mut daemon = Daemon::launch_as(place, Recording::watched(&place.command(["run"]), &traces));
    daemon.wait_ready();
    let pid = settled(place, files).pid.unwrap();
    // The signal is for the daemon, not for strace.
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::TERM).unwrap();
    assert!(daemon.has_ended_within(crate::wait::PATIENCE), "its log:\n{}", daemon.log());
    drop(daemon);
    recording.heed(&traces);
}

/// One line, and then nothing for a long time.
fn large_file(dropped: &mut Dropped, reporter: &mut Reporter) -> Vec<u8> {
    let line = reporter.line();
    dropped.files += 1;
    dropped.count(line.as_bytes());
    let mut bytes = line.into_bytes();
    bytes.resize(LARGE_BYTES, b'\n');
    bytes
}

/// The machine has been started anew: nothing of this boot is left but what is on the disk.
fn forget_boot(place: &Place) {
    let path = place.data().join("lock");
    let Ok(mut lock) = serde_json::from_slice::<serde_json::Value>(&fs::read(&path).unwrap_or_default())
    else {
        return;
    };
    lock["boot"] = "another".into();
    fs::write(path, lock.to_string()).unwrap();
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_and_counts_nothing_twice() {
    if !Recording::is_possible() {
        println!("skipped: this needs strace, to record what is written and what is synced");
        return;
    }
    let place = Place::configured("[intake]\nsettle_ms = 20\n[commit]\ngroup_articles_max = 4\n");
    let seed = seed();
    let (mut reporter, mut random) = (Reporter::new(seed), fastrand::Rng::with_seed(seed));
    let mut first = Dropped::default();
    fs::create_dir_all(place.inbox()).unwrap();
    for _ in 0..30 {
        let (name, bytes) = first.next(&mut reporter, &mut random);
        fs::write(place.inbox().join(name), bytes).unwrap();
    }
    fs::write(place.inbox().join("large.jsonl"), large_file(&mut first, &mut reporter)).unwrap();
    let mut recording = Recording::begin(&place.data());
    record_run(&place, &mut recording, first.files);
    let (mut all, begin) = (first.clone(), recording.length());
    for _ in 0..15 {
        let (name, bytes) = all.next(&mut reporter, &mut random);
        recording.deliver(&place.inbox().join(name), &bytes);
    }
    let end = recording.length();
    recording.run(&place.command(["rebuild"]), &place.path("traces"));
    record_run(&place, &mut recording, all.files);
    check_all_there(&place, &all);
    for cut in 0..scale("POWER_CUTS", 8) {
        let at = random.usize(..=recording.length());
        // Whoever delivers has his own way of making sure.
        let at = if (begin..end).contains(&at) { end } else { at };
        println!("cut {cut}: before deed {at} of {}", recording.length());
        recording.cut(at, &mut random);
        forget_boot(&place);
        let dropped = if at < end { &first } else { &all };
        let daemon = Daemon::start(&place);
        settled(&place, dropped.files);
        daemon.stop_well();
        check_all_there(&place, dropped);
    }
}
