//! Whether wirefold can do its work here: a finding a matter, each with what mends it where something is wrong.
//!
//! It looks, with and without a daemon, and changes nothing of the real store: the view is not even opened, and what is
//! tried is tried in a store that is thrown away. `cli` calls it and prints.

mod canary;
mod daemon;
mod host;
mod mounts;
mod places;

use crate::config::{Config, ConfigError};
use mounts::Mounts;
use serde::Serialize;

/// How a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could, or not for long.
    Warning,
    /// It does not work.
    Failure,
}

impl Level {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// What was found of one matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it stands.
    pub level: Level,
    /// In a sentence.
    pub what: String,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, what: what.into(), remedy: None }
    }

    fn warning(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, what: what.into(), remedy: Some(remedy.into()) }
    }

    fn failure(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Failure, ..Self::warning(check, what, remedy) }
    }
}

/// Looks at everything. Where something is wrong with the configuration, `fault` says what, and `config` is what is right of it.
/// `again` is how a shell is told to do the same.
pub async fn examine(config: &Config, fault: Option<&ConfigError>, again: &str) -> Vec<Finding> {
    let configuration = fault.map_or_else(|| configuration(config), misconfigured);
    // To look any further would be to write into it.
    if let Some(finding) = places::a_backup(config) {
        return vec![configuration, finding];
    }
    let mounts = Mounts::read();
    let (socket, status) = daemon::ask(config).await;
    let mut findings = vec![configuration, places::data_dir(config, &mounts, again)];
    findings.extend(host::space(config));
    findings.extend(places::inboxes(config, &mounts, status.as_ref()));
    findings.extend(host::limits(config));
    findings.push(host::clock(config, status.as_ref()));
    findings.push(socket);
    findings.push(canary::sing(config).await);
    findings
}

/// What is to be said where there is no configuration to go by.
pub fn misconfigured(error: &ConfigError) -> Finding {
    match error {
        ConfigError::Read { source, .. } => Finding::failure(
            CONFIGURATION,
            format!("{error}: {source}"),
            "--config and WIREFOLD_CONFIG must name a file that this user may read; without it nothing else can be looked at",
        ),
        _ => Finding::failure(
            CONFIGURATION,
            error.to_string(),
            "mend it; 'wirefold check --keys' tells every key and its range",
        ),
    }
}

const CONFIGURATION: &str = "configuration";

fn configuration(config: &Config) -> Finding {
    if let Err(error) = config.socket() {
        return misconfigured(&error);
    }
    match config.said().len() {
        0 => Finding::ok(CONFIGURATION, "it can be used, and is what is built in"),
        n => Finding::ok(
            CONFIGURATION,
            format!("it can be used; keys that are set: {n} ('wirefold check' lists them)"),
        ),
    }
}
