//! How well it matches, measured on labelled articles: the whole way, through the real pipeline, into a store that is
//! thrown away.
//!
//! Owns the form of labelled sets, the runs and the figures; it decides nothing and prints nothing. Called by `cli`
//! and by the matching benchmarks.

mod agreement;
mod errors;
mod figures;
mod set;
mod trial;

pub use agreement::Agreement;
pub use errors::{Mistake, MistakeKind};
pub use figures::{JudgedFigures, RelationFigures, SetFigures, ShuffleFigures};
pub use set::{JudgedPair, LabelledArticle, LabelledSet, sets_at};

use crate::{
    config::Config, inbox::display_path, pipeline::OpenError, query::QueryError, service::Pace,
    service::ServiceError, store::LockError,
};
use std::{
    io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use trial::{Bench, Trial};

/// Why a set cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", display_path(.path))]
    Read {
        /// Which.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A line of a set is not as it should be.
    #[error("{}, line {line}: {what}", display_path(.path))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// There is nothing to measure.
    #[error("{} holds no articles.jsonl, nor does a folder in it, nor any other .jsonl file", display_path(.path))]
    NoSets {
        /// Where.
        path: PathBuf,
    },
    /// A set has no articles.
    #[error("{} holds no articles", display_path(.path))]
    NoArticles {
        /// The file.
        path: PathBuf,
    },
    /// The throw-away store cannot be made.
    #[error("cannot make a folder for the throw-away store")]
    Folder(#[source] io::Error),
    /// The articles could not be taken in.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The throw-away store cannot be opened again.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The throw-away store is locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The throw-away store does not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Explaining the mistakes brought a defect to light.
    #[error("the mistakes cannot be explained: {0}")]
    Explain(String),
    /// An answer of it cannot be understood.
    #[error("an answer cannot be understood")]
    Answer(#[from] serde_json::Error),
}

/// What is to be measured beside the figures of one run.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// A file or folder of other articles that are taken in first.
    pub background: Option<PathBuf>,
    /// How many further runs there are, each with the articles in another order.
    pub shuffles: u32,
    /// How many of the worst false joins, and of the worst misses, are told with their evidence.
    pub errors: usize,
}

/// A folder for throw-away stores; it goes when it is dropped.
pub fn scratch() -> Result<TempDir, EvalError> {
    tempfile::Builder::new().prefix("wirefold-eval-").tempdir().map_err(EvalError::Folder)
}

/// Measures one set under a configuration; its data directory and its inboxes are not touched. Stores are made in
/// `scratch`, and go when they have been asked. `tell` hears now and then how far the run has come.
pub async fn evaluate(
    config: &Config,
    set: &LabelledSet,
    plan: &Plan,
    scratch: &Path,
    mut tell: impl FnMut(Pace),
) -> Result<SetFigures, EvalError> {
    let bench = Bench { config, scratch, background: plan.background.as_deref() };
    let trial = Trial::run(bench, &set.articles_path, &mut tell).await?;
    let (grouping, background) = trial.grouping(set)?;
    let mut figures = SetFigures::of(set, &grouping);
    figures.background = background;
    figures.notes = notes(set, &figures);
    if plan.errors > 0 {
        let (set, most) = (set.clone(), plan.errors);
        // Explaining takes long; on a thread of its own it does not keep an interrupt from being heeded.
        let explaining = spawn_blocking(move || errors::worst(&trial, &set, &grouping, most));
        figures.mistakes = explaining.await.map_err(|e| EvalError::Explain(e.to_string()))??;
    }
    if plan.shuffles > 0 {
        let mut groupings = Vec::new();
        for seed in 1..=plan.shuffles {
            let shuffled = set::shuffled(&set.articles_path, u64::from(seed), scratch)?;
            let trial = Trial::run(bench, shuffled.path(), &mut tell).await?;
            groupings.push(trial.grouping(set)?.0);
        }
        figures.shuffles = Some(ShuffleFigures::of(set, &groupings));
    }
    Ok(figures)
}

/// What a reader of the figures must know besides.
fn notes(set: &LabelledSet, figures: &SetFigures) -> Vec<String> {
    let mut notes = set.hints.clone();
    let SetFigures { unread, background, .. } = figures;
    if *background > 0 {
        notes.push(format!("{background} articles of the background are in the store too"));
        if *unread > 0 {
            notes.push(format!(
                "{unread} articles could not be read, or stand byte for byte in the background, which holds them then; each counts as a record of its own"
            ));
        }
    }
    notes
}

/// A path as the store knows it.
fn shown(path: &Path) -> String {
    display_path(path)
}
