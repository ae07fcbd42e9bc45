//! What cannot be done for now is put off: tried again after a while, and after twice as long each time, while all else
//! goes on.
//!
//! A stage takes its work from here. What was put off and what is new take turns, so that neither keeps the other
//! waiting, however much there is of it. There is room for so much; when that is taken nothing new comes until some of it is
//! done, and the pressure reaches back to the inboxes. `status` shows what waits here, through [`Progress`].

use super::{Progress, StageName, job::Job};
use crate::model::Arrival;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc, time::timeout};

/// The first wait; it doubles each time up to the longest, after which a person who mended something still sees it go on.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(1);
/// So much may be put off by a stage: a few MiB of names, and more than is claimed of a share before its reader sees that it
/// is gone.
const PUT_OFF_MAX: usize = 4096;
/// How often it is looked whether the run is to stop, where nothing new is taken.
const END_LOOK: Duration = Duration::from_millis(50);

/// What a stage has put off.
pub(super) struct PutOff<T> {
    stage: StageName,
    progress: Arc<Progress>,
    /// Set when the run is to stop: what is full then waits for no room.
    stop: Arc<AtomicBool>,
    wait: Duration,
    max: usize,
    /// By when it is due, and by a running number.
    later: BTreeMap<(Instant, u64), T>,
    /// How long each that could not be done is to wait where it cannot be done again.
    waits: BTreeMap<Arrival, Duration>,
    count: u64,
    /// Whether the last piece of work was one that had been put off.
    was_late: bool,
}

impl<T> PutOff<T> {
    /// Nothing is put off yet.
    pub fn new(stage: StageName, progress: Arc<Progress>, stop: Arc<AtomicBool>) -> Self {
        let (later, waits) = (BTreeMap::new(), BTreeMap::new());
        let (wait, max) = (WAIT_MIN, PUT_OFF_MAX);
        Self { stage, progress, stop, wait, max, later, waits, count: 0, was_late: false }
    }

    /// The same with another first wait.
    #[cfg(test)]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// The next piece of work. Nothing where no more will come: what is put off then is left where it is, for the next start.
    pub fn next(&mut self, queue: &mut mpsc::Receiver<T>) -> Option<T> {
        loop {
            let now = Instant::now();
            let due = self.later.first_key_value().map(|((due, _), _)| *due);
            let is_due = due.is_some_and(|due| due <= now);
            if is_due && (!self.was_late || queue.is_empty()) {
                self.was_late = true;
                return self.later.pop_first().map(|(_, work)| work);
            }
            self.was_late = false;
            let left = due.map(|due| due.saturating_duration_since(now));
            if self.later.len() >= self.max {
                if queue.is_closed() || self.stop.load(Ordering::Relaxed) {
                    return None;
                }
                let left = left.unwrap_or_default().min(END_LOOK);
                Handle::current().block_on(tokio::time::sleep(left));
                continue;
            }
            let new = match left.filter(|_| queue.is_empty()) {
                None => queue.blocking_recv(),
                Some(left) => match Handle::current().block_on(timeout(left, queue.recv())) {
                    Ok(new) => new,
                    Err(_) => continue,
                },
            };
            return new;
        }
    }

    /// Whether the next piece of work is there.
    pub fn has_new(&self, queue: &mpsc::Receiver<T>) -> bool {
        !queue.is_empty() && self.later.len() < self.max
    }

    /// Puts a piece of work off, which is about this job and cannot be done for this reason. There is one a job.
    pub fn put_off(&mut self, work: T, job: &Job, why: &str) {
        let path = job.path().display();
        if self.later.is_empty() {
            let stage = self.stage.name();
            tracing::warn!(stage, %path, why, "files cannot be had for now; they are tried again, and all others go on");
        }
        self.progress.put_off(self.stage, job.arrival, Some(format!("{path}: {why}")));
        self.count += 1;
        let wait = self.waits.get(&job.arrival).copied().unwrap_or(self.wait);
        self.waits.insert(job.arrival, (wait * 2).min(WAIT_MAX));
        self.later.insert((Instant::now() + wait, self.count), work);
        self.tell_room();
    }

    /// A piece of work about this job is done.
    pub fn done(&mut self, job: &Job) {
        self.waits.remove(&job.arrival);
        if self.progress.put_off(self.stage, job.arrival, None) {
            if self.later.is_empty() {
                let stage = self.stage.name();
                tracing::info!(stage, "all files that could not be had for a while are done with");
            }
            self.tell_room();
        }
    }

    fn tell_room(&self) {
        let is_full = self.later.len() >= self.max;
        let what = || format!("{} files have been put off, and no more than that may be", self.max);
        self.progress.pause(self.stage, is_full.then(what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inbox::FileKind,
        pipeline::{ArticleTimes, Job},
    };

    const HOUR: Duration = Duration::from_hours(1);

    fn job(arrival: u64) -> Job {
        let job = Job::of_given(arrival.to_string().into(), FileKind::Regular, None, ArticleTimes::Recent);
        Job { arrival: Arrival(arrival), ..job }
    }

    fn parts(wait: Duration, max: usize) -> (PutOff<u64>, mpsc::Sender<u64>, mpsc::Receiver<u64>) {
        let (send, receive) = mpsc::channel(99);
        let later = PutOff::new(StageName::Read, Arc::default(), Arc::default()).with_wait(wait);
        (PutOff { max, ..later }, send, receive)
    }

    /// A share that fails for long had its files wait behind all that came anew, for ever.
    #[test]
    fn what_is_put_off_and_what_is_new_take_turns() {
        let (mut later, send, mut queue) = parts(Duration::ZERO, 9);
        (1..=6).for_each(|n| send.try_send(n).unwrap());
        let mut taken = Vec::new();
        for _ in 0..9 {
            let work = later.next(&mut queue).unwrap();
            taken.push(work);
            // The first two fail whenever they are tried.
            if work <= 2 {
                later.put_off(work, &job(work), "busy");
            }
        }
        assert_eq!(taken, [1, 1, 2, 1, 3, 2, 4, 1, 5]);
        assert_eq!(later.progress.files_put_off(StageName::Read), (2, Some("1: busy".to_owned())));
        assert_eq!(later.progress.files_put_off(StageName::Dispose), (0, None));
        later.done(&job(1));
        later.done(&job(2));
        assert_eq!(later.progress.files_put_off(StageName::Read), (0, None));
    }

    #[test]
    fn nothing_new_is_taken_while_too_much_is_put_off() {
        let (mut later, send, mut queue) = parts(HOUR, 2);
        (1..=3).for_each(|n| send.try_send(n).unwrap());
        for n in 1..=2 {
            assert!(later.progress.pauses().is_empty());
            assert_eq!(later.next(&mut queue), Some(n));
            later.put_off(n, &job(n), "busy");
        }
        assert!(later.progress.pauses()[0].contains("2 files have been put off"));
        // Whoever gives it work may himself wait for room, and so never see that the run is to stop.
        later.stop.store(true, Ordering::Relaxed);
        assert!(later.next(&mut queue).is_none(), "and so it ends without the third");
    }

    #[test]
    fn each_wait_is_twice_the_one_before() {
        let (mut later, send, mut queue) = parts(Duration::from_millis(1), 9);
        send.try_send(1).unwrap();
        let mut waits = Vec::new();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let _entered = runtime.enter();
        for _ in 0..4 {
            let work = later.next(&mut queue).unwrap();
            later.put_off(work, &job(1), "busy");
            waits.push(later.waits[&Arrival(1)].as_millis());
        }
        assert_eq!(waits, [2, 4, 8, 16]);
        later.done(&job(1));
        assert!(later.waits.is_empty(), "and what has been done begins anew");
    }
}
