//! One run of a set through the real pipeline, into a store that goes when the trial does.

use super::{EvalError, LabelledSet, shown};
use crate::{
    config::Config,
    model::{ArticleId, Relation, Score},
    pipeline::{self, ArticleTimes},
    query::{Library, QueryError, Question, RecordAnswer},
    service::{self, Ingest, LOCK_PATIENCE, Pace},
    store::DataLock,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A store that holds one set, and perhaps other articles that came before.
pub(super) struct Trial {
    config: Config,
    articles_path: PathBuf,
    _folder: TempDir,
}

/// Where an article of the set has come to lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub id: ArticleId,
    /// The number of its record, in founding order.
    pub record: usize,
    /// How it stands to the article it was matched with; nothing for the canonical one.
    pub relation: Option<Relation>,
    /// The place in the set of that article, where it is one of the set.
    pub matched: Option<usize>,
    pub score: Option<Score>,
}

/// Where each article of a set has come to lie; nothing for one that could not be read.
pub(super) type Grouping = Vec<Option<Placed>>;

/// What every trial of an evaluation shares.
#[derive(Clone, Copy)]
pub(super) struct Bench<'b> {
    pub config: &'b Config,
    /// Where stores are made.
    pub scratch: &'b Path,
    /// What is taken in first.
    pub background: Option<&'b Path>,
}

impl Trial {
    /// Takes in the background, where there is one, and then the articles.
    pub async fn run(
        bench: Bench<'_>,
        articles: &Path,
        tell: &mut impl FnMut(Pace),
    ) -> Result<Self, EvalError> {
        let folder = TempDir::new_in(bench.scratch).map_err(EvalError::Folder)?;
        let mut config = bench.config.clone();
        folder.path().clone_into(&mut config.data_dir);
        // Those configured are a daemon's, and the store is to be thrown away.
        config.inbox.clear();
        config.commit.free_min_mb = 0;
        let paths = bench.background.into_iter().chain([articles]).map(Path::to_owned).collect();
        let what = Ingest { paths, times: ArticleTimes::Arrival, ignore: Vec::new() };
        let summary = service::ingest(config.clone(), what, tell).await?;
        // Of the articles themselves the figures tell what could not be read; a background that is not there would not
        // be seen in them.
        let articles_path = shown(articles);
        let unread = summary.tally.unreadable.iter().find(|(path, _)| *path != articles_path);
        if let Some((path, why)) = summary.skipped.first.first().or(unread) {
            let source = std::io::Error::other(why.clone());
            return Err(EvalError::Read { path: PathBuf::from(path), source });
        }
        Ok(Self { config, articles_path: articles.to_owned(), _folder: folder })
    }

    /// Asks the store.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&Library<'_>) -> Result<T, QueryError>,
    ) -> Result<T, EvalError> {
        let data_dir = &self.config.data_dir;
        let lock = DataLock::take(data_dir, LOCK_PATIENCE)?;
        let store = pipeline::open_to_read(data_dir, self.config.detect_settings(), &lock)?;
        let answer = question(&Library::new(&store, data_dir, self.config.detect_settings()))?;
        drop(store);
        lock.release_clean()?;
        Ok(answer)
    }

    /// Where the articles of the set have come to lie, and how many others there are.
    pub fn grouping(&self, set: &LabelledSet) -> Result<(Grouping, usize), EvalError> {
        let places: BTreeMap<&str, usize> =
            set.articles.iter().enumerate().map(|(place, a)| (a.id.as_str(), place)).collect();
        let path = shown(&self.articles_path);
        let place_of = |answer: &crate::query::ArticleAnswer| {
            let item = answer.item.as_deref().filter(|_| answer.path == path)?;
            places.get(item).copied()
        };
        let (mut grouping, mut others) = (vec![None; set.articles.len()], 0);
        for (record, answer) in self.records()?.iter().enumerate() {
            let by_id: BTreeMap<ArticleId, usize> =
                answer.articles.iter().filter_map(|a| Some((a.id, place_of(a)?))).collect();
            others += answer.articles.len() - by_id.len();
            for article in &answer.articles {
                let slot = by_id.get(&article.id).and_then(|place| grouping.get_mut(*place));
                if let Some(slot) = slot {
                    *slot = Some(Placed {
                        id: article.id,
                        record,
                        relation: article.relation,
                        matched: article.matched.and_then(|id| by_id.get(&id).copied()),
                        score: article.score,
                    });
                }
            }
        }
        Ok((grouping, others))
    }

    fn records(&self) -> Result<Vec<RecordAnswer>, EvalError> {
        let mut lines = Vec::new();
        self.ask(|library| {
            library.answer(&Question::Export, &mut |line| {
                lines.push(line.to_vec());
                true
            })
        })?;
        Ok(lines.iter().map(|line| serde_json::from_slice(line)).collect::<Result<_, _>>()?)
    }
}
