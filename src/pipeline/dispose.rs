//! The last stage: a claimed file whose outcome is durable leaves its inbox. A failed one is set aside with its
//! reason beside it; what was given on the command line stays where it is.
//!
//! What refuses to be taken away for a reason that may pass, as in an inbox that is read-only for a while, is put off, and
//! keeps no other file from leaving.

use super::{
    PipelineError, Progress, StageName,
    commit::file_reason,
    in_a_sentence,
    job::{Committed, Job, Origin},
    put_off::PutOff,
};
use crate::{
    inbox::FailedDir,
    model::{Outcome, Receipt},
};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Takes finished files out of the way.
pub(super) struct Disposer {
    pub failed: FailedDir,
    pub progress: Arc<Progress>,
    /// Whether what may pass is waited for; else it is an error.
    pub waits: bool,
    /// What an earlier run had finished with and could not be taken away at the start.
    pub left_over: Vec<Committed>,
}

impl Disposer {
    /// Disposes until there is no more. What is put off then the next start finishes with.
    pub fn run(mut self, mut committed: mpsc::Receiver<Committed>) -> Result<(), PipelineError> {
        let mut later = PutOff::new(StageName::Dispose, Arc::clone(&self.progress));
        for left in std::mem::take(&mut self.left_over) {
            let job = Arc::clone(left.job());
            later.put_off(later.first(left), &job, "it could not be taken away when wirefold was started");
        }
        while let Some(turn) = later.next(&mut committed) {
            let done = self.progress.stage(StageName::Dispose).work(|| turn.work.dispose(&self.failed));
            let job = Arc::clone(turn.work.job());
            match done {
                Err(error) if self.waits && error.is_transient() => {
                    later.put_off(turn, &job, &in_a_sentence(&error));
                    continue;
                }
                done => done?,
            }
            later.done(&job);
            if let Committed::Finished(job, receipt) = turn.work {
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
        match self {
            Self::Finished(job, receipt) => dispose(failed, job, receipt),
            Self::Returned(job, why) => give_back(job, why),
        }
    }
}

fn dispose(failed: &FailedDir, job: &Job, receipt: &Receipt) -> Result<(), PipelineError> {
    let (path, outcome) = (&receipt.path, receipt.outcome.name());
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
        tracing::warn!(path, reason, kept = %aside.display(), "a file could not be read whole and was set aside");
        return Ok(());
    }
    if receipt.rejected > 0 {
        let rejected = receipt.rejected;
        tracing::warn!(
            path,
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
        model::Reason,
        pipeline::Resume,
    };
    use std::fs;

    /// Its writer had made it and not yet written to it: it used to be set aside as empty, with all that it holds by then.
    #[test]
    fn a_file_that_was_empty_when_it_was_read_and_is_not_any_more_is_taken_in_again() {
        let dir = tempfile::tempdir().unwrap();
        let inbox = dir.path().join("in");
        fs::create_dir_all(inbox.join(".wirefold")).unwrap();
        let claim = inbox.join(".wirefold/0000000000000001-a.txt");
        fs::write(&claim, "").unwrap();
        let failed = FailedDir::open(dir.path().join("failed")).unwrap();
        let settings =
            Settings { inboxes: vec![Root::new(inbox.clone(), Vec::new())], ..Settings::default() };
        let claimed = Inboxes::open(settings, &failed).unwrap().recover().unwrap().remove(0);
        let job = Job::of_claim(claimed, Resume::default());
        let reason = Some(Reason::new("empty", "there is nothing in it"));
        let receipt = job.receipt(&Resume::default(), Outcome::Failed, reason);
        fs::write(&claim, "A story of some words.\n").unwrap();
        dispose(&failed, &job, &receipt).unwrap();
        assert_eq!(fs::read_to_string(inbox.join("a.txt")).unwrap(), "A story of some words.\n");
        assert_eq!(fs::read_dir(failed.path()).unwrap().count(), 0);
    }
}
