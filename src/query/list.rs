//! Which records are listed, and in what order.

use super::{Library, QueryError, Tell};
use crate::{
    fingerprint::words_in,
    model::{ArticleNo, Relation, Time},
    store::{ArticleRow, Gathered, Order, StoreError},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{cmp::Reverse, collections::BTreeSet};

/// What is asked of the records that are listed. What is not given is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// An article of it came in at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// An article of it came in before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// An article of it was received from this source, whatever the case of its letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// An article of it is in this language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// It has so many variants, or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_variants: Option<usize>,
    /// A variant of it stands so to what it was matched with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// The title of an article of it has all these words, or words that begin with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The metadata of an article of it says all of this: each a name and a value, whatever the case of its letters. Where
    /// the metadata has a list, the value is one of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meta: Vec<(String, String)>,
    /// In what order.
    pub sort: Sort,
    /// How many at most; nothing for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// In what order records are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// By the arrival of the first article, the latest first.
    #[default]
    Newest,
    /// The same, the earliest first.
    Oldest,
    /// By the last arrival of any article, the latest first.
    Updated,
    /// By the number of variants, the most first.
    Variants,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Updated, Self::Variants];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Updated => "updated",
            Self::Variants => "variants",
        }
    }
}

impl Library<'_> {
    /// Lists the records that were asked for.
    pub(super) fn list(&self, asked: &Selection, line: &mut Tell<'_>) -> Result<(), QueryError> {
        let wanted = Wanted::new(asked);
        let limit = asked.limit.unwrap_or(usize::MAX);
        let order = if asked.sort == Sort::Oldest { Order::Oldest } else { Order::Newest };
        let saying = if asked.meta.is_empty() { None } else { Some(self.saying(&asked.meta)?) };
        let says = |record: &Gathered| {
            saying.as_ref().is_none_or(|them| record.articles.iter().any(|(no, _)| them.contains(no)))
        };
        let mut records = self.view.records(order).filter(|record| match record {
            Ok(record) => says(record) && wanted.takes(record),
            Err(_) => true,
        });
        if matches!(asked.sort, Sort::Newest | Sort::Oldest) {
            return self.records(records.by_ref().take(limit), line);
        }
        // Only what they are ranked by is kept of all of them; those that are listed are read again.
        let mut ranked = Vec::new();
        for record in records {
            let record = record?;
            let rank = match asked.sort {
                Sort::Variants => i64::try_from(record.articles.len()).unwrap_or(i64::MAX),
                _ => record.articles.iter().map(|(_, row)| row.last_seen.millis()).max().unwrap_or_default(),
            };
            ranked.push((Reverse(rank), Reverse(record.founder)));
        }
        ranked.sort_unstable();
        let founders = ranked.into_iter().take(limit);
        self.records(founders.filter_map(|(_, Reverse(no))| self.view.whole_record(no).transpose()), line)
    }
}

impl Library<'_> {
    /// The articles whose metadata says all of this.
    fn saying(&self, asked: &[(String, String)]) -> Result<BTreeSet<ArticleNo>, StoreError> {
        let says = |meta: &Map<String, Value>| {
            asked.iter().all(|(name, value)| meta.get(name).is_some_and(|said| is_or_has(said, value)))
        };
        let all = self.view.metadata();
        all.filter_map(|entry| entry.map(|(no, meta)| says(&meta).then_some(no)).transpose()).collect()
    }
}

fn is_or_has(said: &Value, asked: &str) -> bool {
    match said {
        Value::String(said) => said.to_lowercase() == asked.to_lowercase(),
        Value::Array(said) => said.iter().any(|said| is_or_has(said, asked)),
        Value::Number(_) | Value::Bool(_) => {
            serde_json::from_str::<Value>(asked).is_ok_and(|asked| asked == *said)
        }
        Value::Null | Value::Object(_) => false,
    }
}

/// A selection made ready to be held against many records.
struct Wanted<'a> {
    asked: &'a Selection,
    title: Vec<String>,
}

impl<'a> Wanted<'a> {
    fn new(asked: &'a Selection) -> Self {
        let title = asked.title.iter().flat_map(|title| words_in(title)).map(|(_, word)| word).collect();
        Self { asked, title }
    }

    fn takes(&self, record: &Gathered) -> bool {
        let Selection { since, until, source, lang, min_variants, relation, .. } = self.asked;
        let any = |is_so: &dyn Fn(&ArticleRow) -> bool| record.articles.iter().any(|(_, row)| is_so(row));
        let is_variant = |no| no != record.record.canonical;
        min_variants.is_none_or(|least| record.articles.len() > least)
            && (since.is_none() && until.is_none() || any(&|row| self.came_in_time(row)))
            && source.as_ref().is_none_or(|source| any(&|row| row.is_from(source)))
            && lang.as_ref().is_none_or(|lang| {
                any(&|row| row.lang.as_ref().is_some_and(|one| one.to_lowercase() == lang.to_lowercase()))
            })
            && relation.is_none_or(|relation| {
                record.articles.iter().any(|(no, row)| is_variant(*no) && row.relation == Some(relation))
            })
            && (self.title.is_empty() || any(&|row| self.has_words(row)))
    }

    /// Of the arrivals of an article the first and the last are known.
    fn came_in_time(&self, row: &ArticleRow) -> bool {
        [row.first_seen, row.last_seen].iter().any(|came| {
            self.asked.since.is_none_or(|since| *came >= since)
                && self.asked.until.is_none_or(|until| *came < until)
        })
    }

    fn has_words(&self, row: &ArticleRow) -> bool {
        let words: Vec<_> =
            row.title.iter().flat_map(|title| words_in(title)).map(|(_, word)| word).collect();
        self.title.iter().all(|asked| words.iter().any(|word| word.starts_with(asked.as_str())))
    }
}
