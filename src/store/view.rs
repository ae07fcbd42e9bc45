//! The reading side.

use super::{
    StoreError,
    articles::{self, Told},
    codec,
    digests::{Digests, Era},
    profiles::{ProfileReader, ProfileRow, ProfileRows},
    rows::{ArrivalRow, ArticleRow, Counts, RecordRow},
};
use crate::{
    journal::Place,
    model::{Arrival, ArticleId, ArticleNo, Digest, Original, RecordId, Score, ends_alike, place_of},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{ops::Bound, path::Path};

/// Reads the view. What it gives is true of the last batch applied.
#[derive(Clone, Copy)]
pub struct View<'s> {
    tree: &'s sled::Tree,
    pub(super) digests: &'s Digests,
    pub(super) folder: &'s Path,
}

/// In which order records are gone through: that of their founding, or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Oldest,
    /// The newest first.
    Newest,
}

/// A record with what belongs to it.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// Its founder.
    pub founder: ArticleNo,
    /// Its own row.
    pub record: RecordRow,
    /// Its articles, in order of first sighting.
    pub articles: Vec<(ArticleNo, ArticleRow)>,
    /// The founders of the records related to it, with the probability of the best pair across.
    pub links: Vec<(ArticleNo, Score)>,
}

pub(super) type Entry = (sled::IVec, sled::IVec);
type Entries<'s> = Box<dyn Iterator<Item = Result<Entry, StoreError>> + Send + 's>;

/// Rows of one kind whose keys begin with a founder, gone through once.
struct Walk<'s> {
    entries: Entries<'s>,
    order: Order,
    /// What was read and belongs to a founder to come.
    next: Option<Entry>,
}

impl Walk<'_> {
    /// The rows of a founder, by key. Founders are asked for in the order of the walk; rows of others are passed by.
    fn of(&mut self, founder: ArticleNo) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        while let Some(entry) = self.next.take().map(Ok).or_else(|| self.entries.next()) {
            let entry = entry?;
            let at = codec::first_article(&entry.0).ok_or_else(|| bad_key(&entry.0))?;
            if at == founder {
                found.push(entry);
            } else if (at > founder) == (self.order == Order::Oldest) {
                self.next = Some(entry);
                break;
            }
        }
        if self.order == Order::Newest {
            found.reverse();
        }
        Ok(found)
    }
}

impl<'s> View<'s> {
    pub(super) fn new(db: &'s sled::Db, digests: &'s Digests, folder: &'s Path) -> Self {
        Self { tree: db, digests, folder }
    }

    pub(super) fn row<T: DeserializeOwned>(self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.tree.get(key)?.map(|row| codec::decode(key, &row)).transpose()
    }

    /// What stands under a digest, in the latest era that has it.
    fn under<T: DeserializeOwned>(
        self,
        key: fn(Era, Digest) -> Vec<u8>,
        digest: Digest,
    ) -> Result<Option<T>, StoreError> {
        let eras = self.digests.eras_of(digest.head());
        eras.into_iter().find_map(|era| self.row(&key(era, digest)).transpose()).transpose()
    }

    /// All keys and raw rows, in the order of their keys.
    pub(super) fn raw(self) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>> + use<'s> {
        self.tree.iter().map(|entry| Ok(entry?))
    }

    /// The same from behind a key on.
    pub(super) fn raw_after(
        self,
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>> + use<'s> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_vec()));
        self.tree.range((from, Bound::Unbounded)).map(|entry| Ok(entry?))
    }

    /// All keys and raw rows from one key to another.
    pub(super) fn between(
        self,
        first: Vec<u8>,
        last: Vec<u8>,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + use<'s> {
        self.tree.range(first..=last).map(|entry| Ok(entry?))
    }

    /// The totals.
    pub fn counts(self) -> Result<Counts, StoreError> {
        Ok(self.row(codec::META)?.unwrap_or_default())
    }

    /// An article by its number.
    pub fn article(self, no: ArticleNo) -> Result<Option<ArticleRow>, StoreError> {
        self.part(no, |row, _| row)
    }

    /// What is written of an article.
    pub(super) fn told(self, no: ArticleNo) -> Result<Option<Told>, StoreError> {
        self.part(no, |row, metadata| Told { row, metadata: metadata.to_vec() })
    }

    /// Whether an article is the founder of a record, which then is there.
    pub(super) fn is_founder(self, no: ArticleNo) -> Result<bool, StoreError> {
        Ok(self.part(no, |founder: ArticleNo, _| founder == no)? == Some(true))
    }

    /// What is written of an article begins with this, and goes on with that.
    fn part<T: DeserializeOwned, R>(
        self,
        no: ArticleNo,
        keep: impl FnOnce(T, &[u8]) -> R,
    ) -> Result<Option<R>, StoreError> {
        let key = codec::articles(no);
        let Some(row) = self.tree.get(&key)? else { return Ok(None) };
        let part = articles::parts(&key, &row)?.into_iter().find(|part| part.no == no);
        part.map(|part| part.read(&key).map(|(value, behind)| keep(value, behind))).transpose()
    }

    /// A row as it is stored.
    pub(super) fn raw_row(self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        Ok(self.tree.get(key)?)
    }

    /// An article by its id.
    pub fn article_by_id(self, id: Digest) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        self.article_under(codec::id, id).map(|found| found.filter(|(_, row)| row.id == id))
    }

    /// The first article with this normalized text.
    pub fn article_by_text(self, text: Digest) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        self.article_under(codec::text, text)
    }

    /// The latest version of a story.
    pub fn article_by_story(self, story: Digest) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        let Some((no, _)) = self.under::<(ArticleNo, i64)>(codec::story, story)? else { return Ok(None) };
        Ok(self.article(no)?.map(|row| (no, row)))
    }

    /// The articles whose ids begin with these hexadecimal digits, so many at most.
    pub fn articles_like(self, digits: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        self.ids_like(digits).take(most).collect()
    }

    /// The founders of the records whose ids or aliases begin with these hexadecimal digits, so many at most.
    pub fn founders_like(self, digits: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        // The head of an article's id is that of a record if it founded one under it.
        let is_like = |record: RecordRow| format!("{:016x}", record.id.0).starts_with(digits);
        let founded = self.ids_like(digits).filter_map(|no| {
            let is_named = no.and_then(|no| Ok(self.record(no)?.is_some_and(is_like).then_some(no)));
            is_named.transpose()
        });
        let mut founders = Vec::new();
        for founder in self.like(b"n".to_vec(), digits).chain(founded) {
            let founder = founder?;
            founders.extend((!founders.contains(&founder)).then_some(founder));
            if founders.len() == most {
                break;
            }
        }
        Ok(founders)
    }

    fn ids_like(self, digits: &str) -> impl Iterator<Item = Result<ArticleNo, StoreError>> + use<'s, '_> {
        self.digests.eras().flat_map(move |era| self.like(codec::of_era(b'i', era).to_vec(), digits))
    }

    /// What the keys of a kind say whose digests, or numbers, begin with these hexadecimal digits.
    fn like(
        self,
        kind: Vec<u8>,
        digits: &str,
    ) -> impl Iterator<Item = Result<ArticleNo, StoreError>> + use<'s> {
        // Half a byte at the end is compared as text.
        let whole = hex::decode(digits.get(..digits.len() / 2 * 2).unwrap_or_default()).ok();
        let (digits, of) = (digits.to_owned(), kind.len());
        let prefix = whole.map(|whole| [kind, whole].concat());
        let entries = prefix.into_iter().flat_map(move |prefix| self.tree.scan_prefix(prefix));
        entries.filter_map(move |entry| {
            let is_like =
                |key: &[u8]| hex::encode(key.get(of..).unwrap_or_default()).starts_with(digits.as_str());
            match entry {
                Ok((key, row)) if is_like(&key) => Some(codec::decode(&key, &row)),
                Ok(_) => None,
                Err(error) => Some(Err(error.into())),
            }
        })
    }

    /// The articles that a path or a wire id names, so many at most. Of a path, its end from a slash on is enough, and
    /// one that goes on before what is known of it is the same.
    pub fn articles_named(self, given: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        let given = given.trim_start_matches("./");
        // What follows a number sign may be a wire id within the file before it.
        let parted = given.match_indices('#').filter_map(|(at, _)| given.split_at_checked(at));
        let parted = parted.map(|(path, item)| codec::words_of(path, item.trim_start_matches('#')));
        let mut found = Vec::new();
        for prefix in std::iter::once(codec::words_ending(given)).chain(parted) {
            for entry in self.tree.scan_prefix(prefix) {
                let (key, row) = entry?;
                let (path, item): (String, Option<String>) = codec::decode(&key, &row)?;
                let is_meant = ends_alike(given, &place_of(&path, item.as_deref()))
                    || item.is_some_and(|item| ends_alike(given, &item));
                let no = number_of(&key)?;
                found.extend((is_meant && !found.contains(&no)).then_some(no));
                if found.len() == most {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    fn article_under(
        self,
        key: fn(Era, Digest) -> Vec<u8>,
        digest: Digest,
    ) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        let Some(no) = self.under::<ArticleNo>(key, digest)? else { return Ok(None) };
        Ok(self.article(no)?.map(|row| (no, row)))
    }

    /// A record by its founder.
    pub fn record(self, founder: ArticleNo) -> Result<Option<RecordRow>, StoreError> {
        if let Some(record) = self.row(&codec::record(founder))? {
            return Ok(Some(record));
        }
        let id = |(no, id): (ArticleNo, ArticleId), _: &[u8]| (no == founder).then_some(id);
        Ok(self.part(founder, id)?.flatten().map(|id| RecordRow::founded_by(founder, id)))
    }

    /// The founder of the record that this id, or alias, names today.
    pub fn founder(self, record: RecordId) -> Result<Option<ArticleNo>, StoreError> {
        if let Some(founder) = self.row(&codec::name(record))? {
            return Ok(Some(founder));
        }
        let eras = self.digests.eras_of(record.0).into_iter();
        for entry in eras.flat_map(|era| self.tree.scan_prefix(codec::ids_headed(era, record))) {
            let (key, row) = entry?;
            let no = codec::decode(&key, &row)?;
            if self.record(no)?.is_some_and(|found| found.id == record) {
                return Ok(Some(no));
            }
        }
        Ok(None)
    }

    /// All records with their articles and links, in founding order or against it. Rows that belong together are read
    /// side by side, each kind once from end to end, as it takes a third of the time of looking up each.
    pub fn records(
        self,
        order: Order,
    ) -> impl Iterator<Item = Result<Gathered, StoreError>> + Send + use<'s> {
        let [mut records, mut members, mut links] = [b"r", b"v", b"l"].map(|kind| self.walk(kind, order));
        self.founders(order).map(move |founding| {
            let (founder, row) = founding?;
            let record = match records.of(founder)?.pop() {
                Some((key, row)) => codec::decode(&key, &row)?,
                None => RecordRow::founded_by(founder, row.id),
            };
            let others =
                members.of(founder)?.iter().map(|(key, _)| number_of(key)).collect::<Result<_, _>>()?;
            let links = links.of(founder)?.iter().map(link_of).collect::<Result<_, _>>()?;
            self.gathered((founder, row), record, others, links)
        })
    }

    /// The articles that founded a record.
    fn founders(
        self,
        order: Order,
    ) -> impl Iterator<Item = Result<(ArticleNo, ArticleRow), StoreError>> + Send + use<'s> {
        self.walk(codec::ARTICLES, order).entries.flat_map(move |entry| {
            each(entry.and_then(|(key, row)| {
                let mut founders = Vec::new();
                for part in articles::parts(&key, &row)? {
                    if part.founder(&key)? == part.no {
                        founders.push((part.no, part.row(&key)?));
                    }
                }
                if order == Order::Newest {
                    founders.reverse();
                }
                Ok(founders)
            }))
        })
    }

    /// A record by its founder, with its articles and links.
    pub fn whole_record(self, founder: ArticleNo) -> Result<Option<Gathered>, StoreError> {
        let founding = self.article(founder)?.filter(|row| row.founder == founder);
        let Some(founding) = founding else { return Ok(None) };
        let record = self.row(&codec::record(founder))?;
        let record = record.unwrap_or_else(|| RecordRow::founded_by(founder, founding.id));
        let (others, links) = (self.others(founder)?, self.links(founder)?);
        self.gathered((founder, founding), record, others, links).map(Some)
    }

    /// A record and the article that founded it, with all that belongs to it.
    fn gathered(
        self,
        (founder, founding): (ArticleNo, ArticleRow),
        record: RecordRow,
        others: Vec<ArticleNo>,
        links: Vec<(ArticleNo, Score)>,
    ) -> Result<Gathered, StoreError> {
        let mut articles = Vec::with_capacity(1 + others.len());
        articles.push((founder, founding));
        for no in others {
            articles.extend(self.article(no)?.map(|row| (no, row)));
        }
        // An article may have gone over to a record that is younger than it.
        articles.sort_by_key(|(no, _)| *no);
        Ok(Gathered { founder, record, articles, links })
    }

    fn walk(self, prefix: &[u8], order: Order) -> Walk<'s> {
        let entries = self.tree.scan_prefix(prefix).map(|entry| Ok(entry?));
        let entries: Entries<'s> = match order {
            Order::Oldest => Box::new(entries),
            Order::Newest => Box::new(entries.rev()),
        };
        Walk { entries, order, next: None }
    }

    /// The members of a record in order of first sighting; none where there is no such record.
    pub fn members(self, founder: ArticleNo) -> Result<Vec<ArticleNo>, StoreError> {
        if !self.is_founder(founder)? {
            return Ok(Vec::new());
        }
        let mut members = self.others(founder)?;
        // An article may have gone over to a record that is younger than it.
        members.insert(members.partition_point(|no| *no < founder), founder);
        Ok(members)
    }

    /// The members of a record but its founder.
    fn others(self, founder: ArticleNo) -> Result<Vec<ArticleNo>, StoreError> {
        self.numbers(&codec::members(founder)).collect()
    }

    /// The founders of the records related to this one, with the probability of the best pair across.
    pub fn links(self, founder: ArticleNo) -> Result<Vec<(ArticleNo, Score)>, StoreError> {
        self.tree.scan_prefix(codec::links(founder)).map(|entry| link_of(&entry?)).collect()
    }

    /// What was said of each article in its metadata, in order of first sighting.
    pub fn metadata(
        self,
    ) -> impl Iterator<Item = Result<(ArticleNo, Map<String, Value>), StoreError>> + use<'s> {
        self.tree.scan_prefix(codec::ARTICLES).flat_map(|entry| {
            each(entry.map_err(Into::into).and_then(|(key, row)| {
                let parts = articles::parts(&key, &row)?.into_iter();
                let said = parts.map(|part| Ok(part.metadata(&key)?.map(|metadata| (part.no, metadata))));
                said.filter_map(Result::transpose).collect()
            }))
        })
    }

    /// The profile of an article; nothing where it has left the windows.
    pub fn profile(self, no: ArticleNo) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(row) = self.profile_row(no)? else { return Ok(None) };
        match self.profile_reader().read(&row) {
            // It left the windows in between.
            Err(_) if !self.is_live(no)? => Ok(None),
            read => read.map(Some),
        }
    }

    /// Whether an article is in a window.
    pub fn is_live(self, no: ArticleNo) -> Result<bool, StoreError> {
        Ok(self.profile_row(no)?.is_some())
    }

    fn profile_row(self, no: ArticleNo) -> Result<Option<ProfileRow>, StoreError> {
        let rows: ProfileRows = self.row(&codec::profiles(no))?.unwrap_or_default();
        Ok(rows.into_iter().find_map(|(at, row)| (at == no).then_some(row)))
    }

    /// Where the profiles lie of the articles that are in a window, in order of first sighting.
    pub(super) fn profile_rows(self) -> impl Iterator<Item = Result<ProfileRows, StoreError>> + use<'s> {
        self.tree.scan_prefix(codec::PROFILES).map(|entry| {
            let (key, row) = entry?;
            codec::decode(&key, &row)
        })
    }

    pub(super) fn profile_reader(self) -> ProfileReader {
        ProfileReader::new(self.folder)
    }

    /// The articles that a person pinned, each with the founder of its record.
    pub fn pins(self) -> impl Iterator<Item = Result<(ArticleNo, ArticleNo), StoreError>> + use<'s> {
        self.tree.scan_prefix(b"k").map(|entry| {
            let (key, row) = entry?;
            Ok((number_of(&key)?, codec::decode(&key, &row)?))
        })
    }

    /// Whether a person pinned an article.
    pub fn is_pinned(self, id: Digest) -> Result<bool, StoreError> {
        let no: Option<ArticleNo> = self.under(codec::id, id)?;
        Ok(no.map_or(Ok(false), |no| self.tree.contains_key(codec::pin(no)))?)
    }

    /// A file's arrival.
    pub fn arrival(self, arrival: Arrival) -> Result<Option<ArrivalRow>, StoreError> {
        self.row(&codec::arrival(arrival))
    }

    /// All arrivals, by their numbers.
    pub fn arrivals(self) -> impl Iterator<Item = Result<(Arrival, ArrivalRow), StoreError>> + use<'s> {
        self.tree.scan_prefix(b"f").map(|entry| {
            let (key, row) = entry?;
            let arrival = codec::last_arrival(&key).ok_or_else(|| bad_key(&key))?;
            Ok((arrival, codec::decode(&key, &row)?))
        })
    }

    /// Where the journal tells what later befell a record, an article (both by the head of its id) or a file (by its
    /// arrival), in order. Another of the same number may be among them.
    pub fn later(self, subject: u64) -> Result<Vec<Place>, StoreError> {
        let keys = self.tree.scan_prefix(codec::later_of(subject)).keys();
        keys.map(|key| {
            key.map_err(Into::into).and_then(|key| codec::last_place(&key).ok_or_else(|| bad_key(&key)))
        })
        .collect()
    }

    /// The arrivals that have no receipt yet.
    pub fn open_arrivals(self) -> Result<Vec<Arrival>, StoreError> {
        self.tree
            .scan_prefix(b"o")
            .keys()
            .map(|key| {
                let key = key?;
                codec::last_arrival(&key).ok_or_else(|| bad_key(&key))
            })
            .collect()
    }

    /// Where the original of a file with this digest is kept.
    pub fn original(self, digest: Digest) -> Result<Option<Original>, StoreError> {
        self.under(codec::file, digest)
    }

    /// The numbers that end the keys of a prefix.
    pub(super) fn numbers(
        self,
        prefix: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<ArticleNo, StoreError>> + use<'s> {
        self.tree.scan_prefix(prefix).keys().map(|key| number_of(&key?))
    }
}

fn link_of((key, row): &Entry) -> Result<(ArticleNo, Score), StoreError> {
    Ok((number_of(key)?, codec::decode(key, row)?))
}

/// What was read, one by one, or why it was not.
pub(super) fn each<T>(read: Result<Vec<T>, StoreError>) -> impl Iterator<Item = Result<T, StoreError>> {
    let (all, error) = match read {
        Ok(all) => (all, None),
        Err(error) => (Vec::new(), Some(Err(error))),
    };
    all.into_iter().map(Ok).chain(error)
}

pub(super) fn number_of(key: &[u8]) -> Result<ArticleNo, StoreError> {
    codec::last_article(key).ok_or_else(|| bad_key(key))
}

fn bad_key(key: &[u8]) -> StoreError {
    StoreError::Damaged { key: key.escape_ascii().to_string(), what: "it is no key of this view".to_owned() }
}
