//! The last stage: a claimed file whose outcome is durable leaves its inbox. A failed one is set aside with its
//! reason beside it; what was given on the command line stays where it is.
//!
//! What refuses to be taken away, as in an inbox that is read-only for a while, is put off, and keeps no other file from
//! leaving. Whatever an inbox says is its own trouble: it ends neither the daemon nor a start.

use super::{
    PipelineError, Progress, StageName,
    commit::file_reason,
    in_a_sentence,
    job::{Committed, Job, Origin},
    put_off::PutOff,
};
use crate::{
    inbox::{Claimed, FailedDir},
    model::{Outcome, Receipt},
};
use std::sync::{Arc, atomic::AtomicBool};
use tokio::sync::mpsc;

/// Takes finished files out of the way.
pub(super) struct Disposer {
    pub failed: FailedDir,
    pub progress: Arc<Progress>,
    /// Whether what an inbox refuses is waited for; else it is an error.
    pub waits: bool,
    pub stop: Arc<AtomicBool>,
}

impl Disposer {
    /// Disposes until there is no more. What is put off then the next start finishes with.
    pub fn run(self, mut committed: mpsc::Receiver<Committed>) -> Result<(), PipelineError> {
        let mut later = PutOff::new(StageName::Dispose, Arc::clone(&self.progress), self.stop);
        while let Some(work) = later.next(&mut committed) {
            let done = self.progress.stage(StageName::Dispose).work(|| work.dispose(&self.failed));
            let job = Arc::clone(work.job());
            match done {
                Err(error @ PipelineError::Inbox(_)) if self.waits => {
                    later.put_off(work, &job, &in_a_sentence(&error));
                    continue;
                }
                done => done?,
            }
            later.done(&job);
            if let Committed::Finished(job, receipt) = work {
                self.progress.count_finished(&job, &receipt);
                job.tell(|tally| tally.count(&receipt));
            }
        }
        Ok(())
    }
}

impl Committed {
    /// The file that it is about.
    pub fn job(&self) -> &Arc<Job> {
        match self {
            Self::Finished(job, _) | Self::Returned(job, _) => job,
        }
    }

    /// Takes the file out of the way. Doing it again does no harm.
    pub fn dispose(&self, failed: &FailedDir) -> Result<(), PipelineError> {
        self.job().claimed().map_or(Ok(()), Claimed::check_there)?;
        match self {
            Self::Finished(job, receipt) => dispose(failed, job, receipt),
            Self::Returned(job, why) => give_back(job, why),
        }
    }
}

fn dispose(failed: &FailedDir, job: &Job, receipt: &Receipt) -> Result<(), PipelineError> {
    let (path, inbox, outcome) = (&receipt.path, job.inbox.as_deref(), receipt.outcome.name());
    tracing::debug!(
        path,
        outcome,
        new = receipt.new,
        repeats = receipt.repeats,
        rejected = receipt.rejected,
        passed_over = ?receipt.passed_over,
        "finished"
    );
    let claimed = match &job.origin {
        Origin::Given { .. } if receipt.outcome == Outcome::Failed => {
            failed.note(receipt.arrival, job.path(), &file_reason(job, receipt)?)?;
            return Ok(());
        }
        Origin::Given { .. } => return Ok(()),
        Origin::Inbox(claimed) => claimed,
    };
    if claimed.was_written_to()? {
        return give_back(job, WRITTEN_TO);
    }
    if receipt.outcome == Outcome::Failed || receipt.digest.is_none() {
        let reason = receipt.reason.as_ref().map_or("its bytes could not be kept", |r| r.message.as_str());
        let aside = failed.set_aside(claimed, &file_reason(job, receipt)?)?;
        tracing::warn!(path, inbox, reason, kept = %aside.display(), "a file could not be read whole and was set aside");
        return Ok(());
    }
    if receipt.rejected > 0 {
        let rejected = receipt.rejected;
        tracing::warn!(
            path,
            inbox,
            rejected,
            "a file was taken in but for some of its items; they are in failed/ with their reasons"
        );
    }
    Ok(claimed.dispose()?)
}

/// Its writer still had it open. What was read of it stays.
pub(super) const WRITTEN_TO: &str = "it was written to after it was claimed";

/// The whole file is taken in once more as a new one.
fn give_back(job: &Job, why: &str) -> Result<(), PipelineError> {
    if let Origin::Inbox(claimed) = &job.origin {
        let back = claimed.give_back()?;
        tracing::warn!(path = job.shown, back = %back.display(), why, "a file went back to its inbox and is taken in again");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inbox::{Inboxes, Root, Settings},
        model::{Digest, Reason},
        pipeline::Resume,
    };
    use std::{fs, path::PathBuf, time::Duration};
    use tokio::task::spawn_blocking;

    /// An inbox with these claims, and the jobs of them.
    fn claimed(dir: &tempfile::TempDir, claims: &[&str], text: &str) -> (FailedDir, Vec<PathBuf>, Vec<Job>) {
        let inbox = dir.path().join("in");
        fs::create_dir_all(inbox.join(".wirefold")).unwrap();
        let claims: Vec<_> = claims.iter().map(|name| inbox.join(".wirefold").join(name)).collect();
        for claim in &claims {
            fs::write(claim, text).unwrap();
        }
        let failed = FailedDir::open(dir.path().join("failed")).unwrap();
        let settings = Settings { inboxes: vec![Root::new(inbox, Vec::new())], ..Settings::default() };
        let found = Inboxes::open(settings, &failed).unwrap().1;
        (failed, claims, found.into_iter().map(|claimed| Job::of_claim(claimed, Resume::default())).collect())
    }

    /// Somebody has made a folder in the place of a claim, which is nothing that passes by itself: the daemon ended with it, and so
    /// did every start.
    #[tokio::test(flavor = "multi_thread")]
    async fn whatever_an_inbox_refuses_ends_nothing_and_holds_up_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let (failed, claims, jobs) =
            claimed(&dir, &["0000000000000001-a.txt", "0000000000000002-b.txt"], "A story.\n");
        fs::remove_file(&claims[0]).unwrap();
        fs::create_dir(&claims[0]).unwrap();
        let (progress, (send, queue)) = (Arc::<Progress>::default(), mpsc::channel(9));
        for job in jobs {
            let digest = Some(Digest::of(b"A story.\n"));
            let receipt = Receipt { digest, ..job.receipt(&Resume::default(), Outcome::Accepted, None) };
            send.try_send(Committed::Finished(Arc::new(job), Box::new(receipt))).unwrap();
        }
        let disposer =
            Disposer { failed, progress: Arc::clone(&progress), waits: true, stop: Arc::default() };
        let disposing = spawn_blocking(move || disposer.run(queue));
        while progress.files().iter().map(|(_, count)| count).sum::<u64>() < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(!disposing.is_finished());
        }
        assert!(!claims[1].exists());
        fs::remove_dir(&claims[0]).unwrap();
        drop(send);
        disposing.await.unwrap().unwrap();
    }

    /// It was told as deleted, and what had failed was not set aside before the next start.
    #[test]
    fn a_file_whose_inbox_is_away_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (failed, _, mut jobs) = claimed(&dir, &["0000000000000001-a.txt"], "");
        let job = jobs.remove(0);
        let receipt = job.receipt(&Resume::default(), Outcome::Failed, None);
        let done = Committed::Finished(Arc::new(job), Box::new(receipt));
        let [inbox, away] = ["in", "away"].map(|name| dir.path().join(name));
        fs::rename(&inbox, &away).unwrap();
        assert!(matches!(done.dispose(&failed), Err(PipelineError::Inbox(_))));
        fs::rename(&away, &inbox).unwrap();
        done.dispose(&failed).unwrap();
        assert!(failed.path().join("0000000000000001-a.txt").exists());
    }

    /// Its writer had made it and not yet written to it: it used to be set aside as empty, with all that it holds by then.
    #[test]
    fn a_file_that_was_empty_when_it_was_read_and_is_not_any_more_is_taken_in_again() {
        let dir = tempfile::tempdir().unwrap();
        let (failed, claims, jobs) = claimed(&dir, &["0000000000000001-a.txt"], "");
        let (claim, job) = (&claims[0], &jobs[0]);
        let reason = Some(Reason::new("empty", "there is nothing in it"));
        let receipt = job.receipt(&Resume::default(), Outcome::Failed, reason);
        fs::write(claim, "A story of some words.\n").unwrap();
        dispose(&failed, job, &receipt).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("in/a.txt")).unwrap(), "A story of some words.\n");
        assert_eq!(fs::read_dir(failed.path()).unwrap().count(), 0);
    }
}
