//! What cannot be done for now is put off: tried again after a while, and after twice as long each time, while all else
//! goes on.
//!
//! A stage takes its work from here. What was put off and what is new take turns, so that neither keeps the other
//! waiting, however much there is of it. There is room for so much; when that is taken nothing new comes until some of it is
//! done, and the pressure reaches back to the inboxes. `status` shows what waits here, through [`Progress`].

use super::{Progress, StageName, job::Job};
use std::{
    collections::BTreeMap,
    sync::Arc,
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
    wait: Duration,
    max: usize,
    /// By when it is due, and by a running number.
    later: BTreeMap<(Instant, u64), Turn<T>>,
    count: u64,
    /// Whether the last piece of work was one that had been put off.
    was_late: bool,
}

/// A piece of work in its turn.
pub(super) struct Turn<T> {
    pub work: T,
    /// How long it is to wait where it cannot be done now.
    wait: Duration,
}

impl<T> Turn<T> {
    /// The same turn, with what is left of the work.
    pub fn at(self, work: T) -> Self {
        Self { work, ..self }
    }
}

impl<T> PutOff<T> {
    /// Nothing is put off yet.
    pub fn new(stage: StageName, progress: Arc<Progress>) -> Self {
        let later = BTreeMap::new();
        Self { stage, progress, wait: WAIT_MIN, max: PUT_OFF_MAX, later, count: 0, was_late: false }
    }

    /// The same with another first wait.
    #[cfg(test)]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// A piece of work that comes now.
    pub fn first(&self, work: T) -> Turn<T> {
        Turn { work, wait: self.wait }
    }

    /// The next piece of work. Nothing where no more will come: what is put off then is left where it is, for the next start.
    pub fn next(&mut self, queue: &mut mpsc::Receiver<T>) -> Option<Turn<T>> {
        loop {
            let now = Instant::now();
            let due = self.later.first_key_value().map(|((due, _), _)| *due);
            let is_due = due.is_some_and(|due| due <= now);
            if is_due && (!self.was_late || queue.is_empty()) {
                self.was_late = true;
                return self.later.pop_first().map(|(_, turn)| turn);
            }
            self.was_late = false;
            let left = due.map(|due| due.saturating_duration_since(now));
            if self.later.len() >= self.max {
                if queue.is_closed() {
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
            return new.map(|work| self.first(work));
        }
    }

    /// Puts a piece of work off, which is about this job and cannot be done for this reason.
    pub fn put_off(&mut self, turn: Turn<T>, job: &Job, why: &str) {
        let path = job.path().display();
        if self.later.is_empty() {
            let stage = self.stage.name();
            tracing::warn!(stage, %path, why, "files cannot be had for now; they are tried again, and all others go on");
        }
        self.progress.put_off(self.stage, job.arrival, Some(format!("{path}: {why}")));
        self.count += 1;
        let wait = (turn.wait * 2).min(WAIT_MAX);
        self.later.insert((Instant::now() + turn.wait, self.count), Turn { wait, ..turn });
        self.tell_room();
    }

    /// A piece of work about this job is done.
    pub fn done(&mut self, job: &Job) {
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
        model::Arrival,
        pipeline::{ArticleTimes, Job},
    };

    const HOUR: Duration = Duration::from_hours(1);

    fn job(arrival: u64) -> Job {
        let job = Job::of_given(arrival.to_string().into(), FileKind::Regular, None, ArticleTimes::Recent);
        Job { arrival: Arrival(arrival), ..job }
    }

    fn parts(wait: Duration, max: usize) -> (PutOff<u64>, mpsc::Sender<u64>, mpsc::Receiver<u64>) {
        let (send, receive) = mpsc::channel(99);
        let later = PutOff::new(StageName::Read, Arc::default()).with_wait(wait);
        (PutOff { max, ..later }, send, receive)
    }

    /// A share that fails for long had its files wait behind all that came anew, for ever.
    #[test]
    fn what_is_put_off_and_what_is_new_take_turns() {
        let (mut later, send, mut queue) = parts(Duration::ZERO, 9);
        (1..=6).for_each(|n| send.try_send(n).unwrap());
        let mut taken = Vec::new();
        for _ in 0..9 {
            let turn = later.next(&mut queue).unwrap();
            taken.push(turn.work);
            // The first two fail whenever they are tried.
            if turn.work <= 2 {
                let job = job(turn.work);
                later.put_off(turn, &job, "busy");
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
        drop(send);
        for n in 1..=2 {
            assert!(later.progress.pauses().is_empty());
            let turn = later.next(&mut queue).unwrap();
            assert_eq!(turn.work, n);
            later.put_off(turn, &job(n), "busy");
        }
        assert!(later.progress.pauses()[0].contains("2 files have been put off"));
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
            let turn = later.next(&mut queue).unwrap();
            waits.push(turn.wait.as_millis());
            later.put_off(turn, &job(1), "busy");
        }
        assert_eq!(waits, [1, 2, 4, 8]);
    }
}
