//! A record as it is answered: the contract of `export`, `list` and `show`.

use super::{ChangesAnswer, Found, Library, QueryError, changes::changes};
use crate::{
    model::{ArticleId, ArticleNo, Event, RecordId, Relation, Score, Time},
    store::{ArticleRow, Gathered, StoreError},
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

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
    /// Variants that are left out, as no more were asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
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
    /// The other sources that it was received from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_from: Vec<String>,
    /// Its text, untouched; only in `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What else its format said, with its address; only in `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
    /// When it first came; only in `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Time>,
    /// When it last came; only in `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
    /// What it adds to the canonical article and drops of it; only in `show`, and only of a variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesAnswer>,
}

/// A related record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// Its id.
    pub record: RecordId,
    /// The probability of the best pair across.
    pub score: Score,
}

/// What the answers about several records share.
#[derive(Default)]
pub(super) struct KnownToAll {
    /// The articles that a person pinned.
    pinned: BTreeSet<ArticleNo>,
    /// The ids of records that others are related to, by their founders: each is looked up once.
    ids: HashMap<ArticleNo, RecordId>,
}

impl Library<'_> {
    /// The record that is meant, with the texts of its articles and what each variant changes; of so many variants at most.
    pub(super) fn show(&self, id: &str, limit: Option<usize>) -> Result<RecordAnswer, QueryError> {
        let missing = || QueryError::NotFound { id: id.to_owned() };
        let found = self.find(id)?;
        let gathered = self.view.whole_record(self.founder_of(found)?)?.ok_or_else(missing)?;
        let rows = gathered.articles.clone();
        let mut record = self.record(gathered, &mut self.known_to_all()?)?.ok_or_else(missing)?;
        let (all, mut room) = (rows.len(), limit.unwrap_or(usize::MAX));
        for (mut article, (no, row)) in std::mem::take(&mut record.articles).into_iter().zip(rows) {
            if article.id != record.canonical && found != Found::Article(no) {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            if let Event::Article(event) = self.event(row.place)? {
                article.meta = Some(event.metadata());
                article.text = Some(event.text);
                (article.first_seen, article.last_seen) = (Some(row.first_seen), Some(row.last_seen));
            }
            record.articles.push(article);
        }
        record.left_out = all - record.articles.len();
        let canonical = record.articles.iter().find(|article| article.id == record.canonical);
        let canonical = canonical.and_then(|article| article.text.clone()).unwrap_or_default();
        for article in record.articles.iter_mut().filter(|article| article.id != record.canonical) {
            article.changes = article.text.as_ref().map(|text| changes(&canonical, text));
        }
        Ok(record)
    }

    /// A record as it is listed; nothing where it has no canonical article any more.
    pub(super) fn record(
        &self,
        gathered: Gathered,
        known: &mut KnownToAll,
    ) -> Result<Option<RecordAnswer>, QueryError> {
        let Gathered { record, articles: rows, links, .. } = gathered;
        let Some((_, canonical)) = rows.iter().find(|(no, _)| *no == record.canonical) else {
            return Ok(None);
        };
        let (id, title) = (canonical.id, canonical.title.clone());
        let first_seen = rows.iter().map(|(_, r)| r.first_seen).min().unwrap_or_default();
        let last_seen = rows.iter().map(|(_, r)| r.last_seen).max().unwrap_or_default();
        let articles = rows
            .into_iter()
            .map(|(no, row)| article(row, no == record.canonical, known.pinned.contains(&no)));
        Ok(Some(RecordAnswer {
            record: record.id,
            aliases: record.aliases,
            canonical: id,
            title,
            first_seen,
            last_seen,
            articles: articles.collect(),
            left_out: 0,
            related: self.named_links(links, known)?,
        }))
    }

    /// What is to be known before the first record is answered.
    pub(super) fn known_to_all(&self) -> Result<KnownToAll, QueryError> {
        let pinned = self.view.pins().map(|pin| Ok(pin?.0)).collect::<Result<_, StoreError>>()?;
        Ok(KnownToAll { pinned, ids: HashMap::new() })
    }

    pub(super) fn related(&self, founder: ArticleNo) -> Result<Vec<LinkAnswer>, QueryError> {
        self.named_links(self.view.links(founder)?, &mut KnownToAll::default())
    }

    fn named_links(
        &self,
        mut links: Vec<(ArticleNo, Score)>,
        known: &mut KnownToAll,
    ) -> Result<Vec<LinkAnswer>, QueryError> {
        // By the score as it is printed: the journal knows no more of it, and a rebuild must give the same bytes.
        links.sort_by_key(|(other, score)| (Reverse(score.ten_thousandths()), *other));
        let mut related = Vec::with_capacity(links.len());
        for (other, score) in links {
            let record = match known.ids.get(&other) {
                Some(id) => Some(*id),
                None => self.view.record(other)?.map(|record| record.id),
            };
            related.extend(record.map(|record| LinkAnswer { record, score }));
            known.ids.extend(record.map(|record| (other, record)));
        }
        Ok(related)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn article(row: ArticleRow, is_canonical: bool, pinned: bool) -> ArticleAnswer {
    ArticleAnswer {
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
        pinned,
        sightings: row.sightings,
        also_from: row.also_from,
        first_seen: None,
        last_seen: None,
        text: None,
        meta: None,
        changes: None,
    }
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
