//! Named tasks, each of which is joined.

use super::ServiceError;
use std::{future::Future, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// Ends when the run is to stop.
pub(super) async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender outlives every task; were it gone, stopping would be right.
    drop(stopped.wait_for(|stop| *stop).await);
}

/// The tasks of one run.
#[derive(Default)]
pub(super) struct Tasks(JoinSet<(&'static str, Result<(), ServiceError>)>);

impl Tasks {
    /// Runs an async task.
    pub fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), ServiceError>> + Send + 'static,
    ) {
        self.0.spawn(async move { (name, task.await) });
    }

    /// Runs a task on a thread that may block.
    pub fn spawn_blocking(
        &mut self,
        name: &'static str,
        task: impl FnOnce() -> Result<(), ServiceError> + Send + 'static,
    ) {
        self.0.spawn_blocking(move || (name, task()));
    }

    /// Waits for the next task to end; an error or a panic is an error, and nothing is left when all have ended.
    pub async fn next(&mut self) -> Option<Result<&'static str, ServiceError>> {
        Some(match self.0.join_next().await? {
            Ok((name, Ok(()))) => Ok(name),
            Ok((_, Err(error))) => Err(error),
            Err(panic) => Err(ServiceError::Task { name: "stage", what: panic.to_string() }),
        })
    }

    /// Waits a little for all tasks to end, and ends those that have not.
    pub async fn end_soon(&mut self, patience: Duration) {
        if let Err(error) = self.drain(patience).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a task was ended");
        }
        self.0.abort_all();
    }

    /// Waits for all tasks to end; the first error is returned once they have.
    pub async fn drain(&mut self, patience: Duration) -> Result<(), ServiceError> {
        let mut outcome = Ok(());
        let all = async {
            while let Some(ended) = self.next().await {
                outcome = std::mem::replace(&mut outcome, Ok(())).and(ended.map(|_| ()));
            }
        };
        match timeout(patience, all).await {
            Ok(()) => outcome,
            Err(_) => outcome.and(Err(ServiceError::Stuck(patience))),
        }
    }
}
