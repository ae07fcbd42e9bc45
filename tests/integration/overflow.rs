//! More files at once than the kernel has room to tell of: what no event told a scan finds.

use crate::{
    audit::clean,
    corpus::Reporter,
    daemon::{Daemon, settled},
    place::{Place, drop_whole},
    scale::scale,
    wait::{pause, within},
};
use std::{fs, time::Duration};

/// The length of the queue of every inotify instance that is made from now on, on the whole machine.
const LIMIT: &str = "/proc/sys/fs/inotify/max_queued_events";
const QUEUE: u64 = 64;

/// A smaller queue, until this is dropped.
struct SmallQueue(String);

impl SmallQueue {
    fn make() -> Option<Self> {
        let before = fs::read_to_string(LIMIT).unwrap();
        if fs::write(LIMIT, QUEUE.to_string()).is_err() {
            println!("skipped: this needs root, to make the kernel's queue of events smaller");
            return None;
        }
        Some(Self(before))
    }
}

impl Drop for SmallQueue {
    fn drop(&mut self) {
        fs::write(LIMIT, &self.0).unwrap();
    }
}

#[test]
fn a_burst_beyond_the_queue_of_events_is_taken_in_whole() {
    let files = scale("OVERFLOW", 600);
    // No timer finds what is missed, and the log tells that something was.
    let place = Place::configured(
        "[intake]\nsettle_ms = 20\nrescan_s = 3600\n[log]\nlevel = \"info,wirefold::inbox=debug\"\n",
    );
    let Some(small) = SmallQueue::make() else { return };
    let daemon = Daemon::start(&place);
    drop(small);
    let mut reporter = Reporter::new(17);
    let stories: Vec<_> = (0..files).map(|_| reporter.story()).collect();
    for (n, story) in stories.iter().enumerate() {
        drop_whole(&place.inbox().join(format!("{n:05}.txt")), story.as_bytes());
    }
    // At a tenth of the rate that a release build has here; a question each time would slow it down.
    let patience = Duration::from_secs(45 + files / 100);
    within(patience, "every file is taken in", || {
        pause(Duration::from_millis(200));
        (place.status().files.received >= files).then_some(())
    });
    let status = settled(&place, files);
    assert_eq!((status.files.received, status.files.accepted), (files, files), "{status:?}");
    assert!(daemon.log().contains("hints were lost"), "the queue did not overflow: drop more");
    println!("{files} files with a queue of {QUEUE}; {} MiB at most", daemon.memory_mib_peak());
    daemon.stop_well();
    clean(&place);
}
