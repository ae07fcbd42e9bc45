//! A record as it is answered: the contract of `export`, `list` and `show`.

use super::{Library, QueryError};
use crate::{
    journal,
    model::{ArticleEvent, ArticleId, ArticleNo, Event, RecordId, Relation, Score, Time},
    store::ArticleRow,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::cmp::Reverse;

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordAnswer {
    /// Its id.
    pub record: RecordId,
    /// The ids of records merged into it; they still resolve.
    pub aliases: Vec<RecordId>,
    /// Its canonical article.
    pub canonical: ArticleId,
    /// The canonical article's headline.
    pub title: Option<String>,
    /// When the first of it arrived.
    pub first_seen: Time,
    /// When the last of it arrived.
    pub last_seen: Time,
    /// Its articles by first sighting.
    pub articles: Vec<ArticleAnswer>,
    /// Records of the same running story, best first.
    pub related: Vec<LinkAnswer>,
}

/// One article of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleAnswer {
    /// Its id.
    pub id: ArticleId,
    /// The path of its first sighting.
    pub path: String,
    /// Its own id within that file, else its number there; nothing where the file is the article.
    pub item: Option<String>,
    /// Its source.
    pub source: Option<String>,
    /// Its headline.
    pub title: Option<String>,
    /// When it says it was published.
    pub published: Option<Time>,
    /// Its language.
    pub lang: Option<String>,
    /// How many words of it are compared.
    pub words: u32,
    /// How it stands to the article it was matched with; `canonical` for the canonical one.
    #[serde(serialize_with = "relation_or_canonical", deserialize_with = "canonical_or_relation")]
    pub relation: Option<Relation>,
    /// The article it was matched with.
    pub matched: Option<ArticleId>,
    /// The score that the join rests on.
    pub score: Option<Score>,
    /// Whether a person pinned it to its record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// How often it was received, byte for byte.
    pub sightings: u32,
    /// Its text, untouched; only in `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What else its format said, with its address; only in `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

/// A related record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// Its id.
    pub record: RecordId,
    /// The probability of the best pair across.
    pub score: Score,
}

impl Library<'_> {
    /// A record by its founder, with texts where they are wanted; nothing where there is none any more.
    pub(super) fn record(
        &self,
        founder: ArticleNo,
        with_text: bool,
    ) -> Result<Option<RecordAnswer>, QueryError> {
        let Some(record) = self.view.record(founder)? else { return Ok(None) };
        let mut rows = Vec::new();
        for no in self.view.members(founder)? {
            rows.extend(self.view.article(no)?.map(|row| (no, row)));
        }
        let Some((_, canonical)) = rows.iter().find(|(no, _)| *no == record.canonical) else {
            return Ok(None);
        };
        let (id, title) = (canonical.id, canonical.title.clone());
        let first_seen = rows.iter().map(|(_, r)| r.first_seen).min().unwrap_or_default();
        let last_seen = rows.iter().map(|(_, r)| r.last_seen).max().unwrap_or_default();
        let articles = rows.into_iter().map(|(no, row)| self.article(row, no == record.canonical, with_text));
        Ok(Some(RecordAnswer {
            record: record.id,
            aliases: record.aliases,
            canonical: id,
            title,
            first_seen,
            last_seen,
            articles: articles.collect::<Result<_, _>>()?,
            related: self.related(founder)?,
        }))
    }

    fn article(
        &self,
        row: ArticleRow,
        is_canonical: bool,
        with_text: bool,
    ) -> Result<ArticleAnswer, QueryError> {
        let whole = if with_text { self.whole(&row)? } else { None };
        let (text, meta) = whole.map(|event| (event.text, with_address(event.meta, event.url))).unzip();
        Ok(ArticleAnswer {
            id: row.id,
            path: row.path,
            item: row.item,
            source: row.source,
            title: row.title,
            published: row.published,
            lang: row.lang,
            words: row.words,
            relation: row.relation.filter(|_| !is_canonical),
            matched: row.matched.filter(|_| !is_canonical),
            score: row.score.filter(|_| !is_canonical),
            pinned: self.view.is_pinned(row.id)?,
            sightings: row.sightings,
            text,
            meta,
        })
    }

    fn whole(&self, row: &ArticleRow) -> Result<Option<ArticleEvent>, QueryError> {
        match journal::read_event(&self.journal(), row.place)? {
            Event::Article(event) => Ok(Some(*event)),
            _ => Ok(None),
        }
    }

    pub(super) fn related(&self, founder: ArticleNo) -> Result<Vec<LinkAnswer>, QueryError> {
        let mut links = self.view.links(founder)?;
        // By the score as it is printed: the journal knows no more of it, and a rebuild must give the same bytes.
        links.sort_by_key(|(other, score)| (Reverse(score.ten_thousandths()), *other));
        let mut related = Vec::with_capacity(links.len());
        for (other, score) in links {
            let record = self.view.record(other)?;
            related.extend(record.map(|record| LinkAnswer { record: record.id, score }));
        }
        Ok(related)
    }
}

fn with_address(mut meta: Map<String, Value>, url: Option<String>) -> Map<String, Value> {
    if let Some(url) = url {
        meta.entry("url").or_insert(Value::String(url));
    }
    meta
}

const CANONICAL: &str = "canonical";

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn relation_or_canonical<S: Serializer>(relation: &Option<Relation>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(relation.map_or(CANONICAL, Relation::name))
}

fn canonical_or_relation<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Relation>, D::Error> {
    let word = String::deserialize(from)?;
    if word == CANONICAL {
        return Ok(None);
    }
    Relation::deserialize(serde::de::value::StringDeserializer::new(word)).map(Some)
}
