//! The articles in the windows, as a start needs them: all, each with its profile and its record.
//!
//! Owns how they are read: rows of each kind from end to end and profiles as they lie on the disk, since to look up each
//! by itself took half of a start; and on a thread of its own, while the caller makes of them what it needs. Called by
//! `pipeline`.

use super::{
    StoreError, View, articles, codec,
    profiles::ProfileRows,
    view::{each, number_of},
};
use crate::model::{ArticleId, ArticleNo, RecordId, Relation, SpreadHasher};
use std::{collections::HashMap, panic::resume_unwind, sync::mpsc::sync_channel, thread};

/// So many batches are read ahead, each of the articles that share a row of profiles: some megabytes in all.
const BATCHES_AHEAD: usize = 16;

/// An article in a window.
pub struct Live<'p> {
    /// What `detect` made of it.
    pub profile: &'p [u8],
    /// The founder of its record.
    pub founder: ArticleNo,
    /// Its record.
    pub record: RecordId,
    /// The version of its story that it revises.
    pub revised: Option<ArticleId>,
}

/// Some of them: their profiles one behind the other, and of each how long that is, and the rest.
struct Batch {
    profiles: Vec<u8>,
    articles: Vec<(usize, ArticleNo, RecordId, Option<ArticleId>)>,
}

impl Batch {
    fn with_room(rows: &ProfileRows) -> Self {
        let length = rows.iter().map(|(_, row)| row.length()).sum();
        Self { profiles: Vec::with_capacity(length), articles: Vec::with_capacity(rows.len()) }
    }
}

/// What the row of an article begins with.
type Filed = (ArticleNo, ArticleId, Option<Relation>, Option<ArticleId>);

impl<'s> View<'s> {
    /// Goes through the articles in the windows, in order of first sighting.
    pub fn each_live(
        self,
        mut take: impl FnMut(Live<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        thread::scope(|scope| {
            let (give, batches) = sync_channel(BATCHES_AHEAD);
            let reader = thread::Builder::new().name("live".to_owned());
            let reading =
                reader.spawn_scoped(scope, move || self.read_live(|batch| give.send(batch).is_ok()));
            let reading = reading.map_err(StoreError::io("start a thread that reads", self.folder))?;
            for batch in batches {
                let mut profiles = &*batch.profiles;
                for (length, founder, record, revised) in batch.articles {
                    let profile = profiles.split_off(..length).unwrap_or_default();
                    take(Live { profile, founder, record, revised })?;
                }
            }
            reading.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Gives on what is read until nobody takes it.
    fn read_live(self, give: impl Fn(Batch) -> bool) -> Result<(), StoreError> {
        let mut rows = self.profile_rows().peekable();
        let Some(Ok(oldest)) = rows.peek() else { return rows.next().map_or(Ok(()), |row| row.map(drop)) };
        let oldest = oldest.first().map_or(ArticleNo::default(), |(no, _)| *no);
        let (mut filed, mut reader) = (self.filed_from(oldest), self.profile_reader());
        let mut records = Records { view: self, known: self.records_from(oldest)? };
        for rows in rows {
            let rows = rows?;
            let mut batch = Batch::with_room(&rows);
            for (no, row) in rows {
                let (founder, id, relation, matched) = filed_as(no, &mut filed)?;
                let record = records.of(founder, (no, id))?;
                reader.append(&row, &mut batch.profiles)?;
                let revised = matched.filter(|_| relation == Some(Relation::Revision));
                batch.articles.push((row.length(), founder, record, revised));
            }
            if !give(batch) {
                break;
            }
        }
        Ok(())
    }

    /// How the articles are filed from this one on.
    fn filed_from(
        self,
        oldest: ArticleNo,
    ) -> impl Iterator<Item = Result<(ArticleNo, Filed), StoreError>> + use<'s> {
        self.between(codec::articles(oldest), codec::articles(NEWEST)).flat_map(|entry| {
            each(entry.and_then(|(key, row)| {
                let parts = articles::parts(&key, &row)?.into_iter();
                parts.map(|part| Ok((part.no, part.read(&key)?.0))).collect()
            }))
        })
    }

    /// The records with rows of their own whose founders are not older than this article.
    fn records_from(
        self,
        oldest: ArticleNo,
    ) -> Result<HashMap<ArticleNo, RecordId, SpreadHasher>, StoreError> {
        let rows = self.between(codec::record(oldest), codec::record(NEWEST));
        let ids = rows.map(|entry| {
            let (key, row) = entry?;
            Ok((number_of(&key)?, codec::take(&key, codec::body(&key, &row)?)?.0))
        });
        ids.collect()
    }
}

const NEWEST: ArticleNo = ArticleNo(u32::MAX);

/// How an article is filed. They are asked for in order.
fn filed_as(
    no: ArticleNo,
    filed: &mut impl Iterator<Item = Result<(ArticleNo, Filed), StoreError>>,
) -> Result<Filed, StoreError> {
    for next in filed {
        let (at, filed) = next?;
        if at == no {
            return Ok(filed);
        }
        if at > no {
            break;
        }
    }
    Err(StoreError::Inconsistent(format!("article {} has a profile and no row", no.0)))
}

/// The records met so far, by their founders.
struct Records<'s> {
    view: View<'s>,
    known: HashMap<ArticleNo, RecordId, SpreadHasher>,
}

impl Records<'_> {
    /// The record of that founder, which this article of it may be.
    fn of(&mut self, founder: ArticleNo, (no, id): (ArticleNo, ArticleId)) -> Result<RecordId, StoreError> {
        if let Some(record) = self.known.get(&founder) {
            return Ok(*record);
        }
        let record = if founder == no {
            RecordId::founded_by(id)
        } else {
            let broken = || StoreError::Inconsistent(format!("article {id} has no record"));
            self.view.record(founder)?.ok_or_else(broken)?.id
        };
        self.known.insert(founder, record);
        Ok(record)
    }
}
