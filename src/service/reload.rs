//! A reload: the configuration is read again, checked whole, and then swapped in; where anything is wrong with it,
//! nothing is changed.
//!
//! What can be swapped is the inboxes, how files are taken in, and what is logged. The rest waits for a restart, and the
//! reload says what that is.

use super::{
    ServiceError, daemon::hand_on, encoder, known::Standing, make_default_inbox, systemd, tasks::until,
};
use crate::{
    config::{Config, ConfigError, Differences},
    inbox::{Arrivals, Claimed, FailedDir, InboxState, Inboxes},
    pipeline::{self, Committed, Job, Numbers},
    store::Store,
};
use std::{error::Error, sync::Arc};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    task::spawn_blocking,
};

/// What the outside does for a reload.
pub struct Reload {
    /// Whether SIGHUP asks for one; else it says that the terminal is gone, and ends the daemon.
    pub by_hangup: bool,
    /// Reads the configuration again.
    pub read: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// Logs from now on as a configuration says.
    pub log: Box<dyn Fn(&Config) + Send + Sync>,
}

/// Other inboxes to watch, and who is to be told once the old ones are let go.
pub(super) type Change = (Arc<Inboxes>, oneshot::Sender<()>);

/// What a reload changes.
pub(super) struct Reloader {
    pub config: Config,
    pub reload: Reload,
    /// Those that are in force.
    pub inboxes: watch::Sender<Arc<Inboxes>>,
    pub changes: mpsc::Sender<Change>,
    pub state: watch::Receiver<InboxState>,
    pub failed: FailedDir,
    pub store: Arc<Store>,
    /// It does not keep the stages from ending.
    pub jobs: mpsc::WeakSender<Job>,
    /// Nor does this.
    pub finished: mpsc::WeakSender<Committed>,
    pub standing: Arc<Standing>,
}

/// What is said of settings that a reload does not swap in.
pub const AT_THE_NEXT_START: &str = "in force from the next start";

impl Reloader {
    /// Reads the configuration again and swaps in what it can. That it cannot be used is no error of the daemon.
    pub async fn run(&mut self) -> Result<(), ServiceError> {
        systemd::reloading().await;
        let outcome = self.swap().await;
        match outcome {
            Ok(Differences { swapped, at_restart }) => {
                let (swapped, waiting) = (swapped.join(", "), at_restart.join(", "));
                if swapped.is_empty() {
                    tracing::info!(
                        "the configuration was read again; nothing that a reload swaps in has changed"
                    );
                } else {
                    tracing::info!(swapped, "the configuration was reloaded");
                }
                let mut notices = Vec::new();
                if !waiting.is_empty() {
                    tracing::warn!(
                        keys = waiting,
                        "these settings were changed and take effect at the next start"
                    );
                    notices.push(format!("changed, and {AT_THE_NEXT_START}: {waiting}"));
                }
                self.standing.reloaded(true, notices);
                Ok(())
            }
            Err(refused) if refused.is_of_the_configuration() => {
                let said = in_a_sentence(&refused);
                // A log has a line for it.
                let line = said.lines().map(str::trim).collect::<Vec<_>>().join("; ").replace(":; ", ": ");
                tracing::error!(said = line, "the configuration was not reloaded; the one in force stays so");
                self.standing.reloaded(false, vec![format!("the configuration was not reloaded: {said}")]);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes in an inbox that did not answer before.
    pub async fn rejoin(&mut self) -> Result<(), ServiceError> {
        let config = self.config.clone();
        match self.swap_inboxes(&config).await {
            Err(refused) if refused.is_of_the_configuration() => {
                tracing::warn!(said = in_a_sentence(&refused), "an inbox that answers again cannot be used");
                Ok(())
            }
            joined => joined,
        }
    }

    async fn swap(&mut self) -> Result<Differences, ServiceError> {
        let newer = (self.reload.read)()?;
        let differences = newer.differences(&self.config);
        let config = self.config.swapped(&newer);
        if differences.at_restart.iter().any(|key| key.starts_with("match.encoder.")) {
            // It waits for a restart, which must not fail by it.
            let read = newer.clone();
            let tried = spawn_blocking(move || encoder(&read).map(drop)).await;
            tried.map_err(|e| ServiceError::Task { name: "reload", what: e.to_string() })??;
        }
        let of_the_inboxes = |key: &String| key == "inbox" || key.starts_with("intake.");
        if differences.swapped.iter().any(of_the_inboxes) {
            self.swap_inboxes(&config).await?;
        }
        (self.reload.log)(&config);
        self.config = config;
        Ok(differences)
    }

    /// Watches other inboxes, or the same in another way, and waits until they are armed.
    async fn swap_inboxes(&mut self, config: &Config) -> Result<(), ServiceError> {
        let (old, failed, settings) =
            (Arc::clone(&self.inboxes.borrow()), self.failed.clone(), config.inbox_settings());
        let (store, data_dir) = (Arc::clone(&self.store), config.data_dir.clone());
        make_default_inbox(config)?;
        let opened = spawn_blocking(move || {
            let (new, in_flight) = old.changed(settings, &failed)?;
            let resumed = pipeline::resume(&store, &data_dir, in_flight, Numbers::GivenOutMeanwhile)?;
            Ok::<_, ServiceError>((Arc::new(new), resumed))
        });
        let opened = opened.await.map_err(|e| ServiceError::Task { name: "reload", what: e.to_string() })?;
        let (new, resumed) = opened?;
        self.inboxes.send_replace(Arc::clone(&new));
        if let Some(jobs) = self.jobs.upgrade() {
            hand_on(resumed, &jobs, &self.finished).await;
        }
        let (let_go, gone) = oneshot::channel();
        if self.changes.send((new, let_go)).await.is_ok() && gone.await.is_ok() {
            // That the watch ended is seen by whoever joins it.
            self.state.wait_for(|state| state.is_ready).await.ok();
        }
        Ok(())
    }
}

/// Watches inboxes until `stopped`, and others in their place when they change.
pub(super) async fn watch_inboxes(
    mut inboxes: Arc<Inboxes>,
    mut changes: mpsc::Receiver<Change>,
    (arrivals, claims): (Arc<Arrivals>, mpsc::Sender<Claimed>),
    state: watch::Sender<InboxState>,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServiceError> {
    loop {
        let mut change = None;
        let ends = async {
            select! {
                () = until(stopped.clone()) => {}
                next = changes.recv() => change = next,
            }
        };
        inboxes.watch(Arc::clone(&arrivals), claims.clone(), state.clone(), ends).await?;
        let Some((newer, let_go)) = change else { return Ok(()) };
        inboxes = newer;
        state.send_replace(InboxState::default());
        // Who asked for the change may have gone away, as at a stop.
        let_go.send(()).ok();
    }
}

/// An error with its causes.
fn in_a_sentence(error: &ServiceError) -> String {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    causes.fold(error.to_string(), |said, cause| {
        let cause = cause.to_string();
        if said.ends_with(&cause) { said } else { format!("{said}: {cause}") }
    })
}
