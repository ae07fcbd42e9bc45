//! The reading side.

use super::{
    StoreError, codec,
    profiles::{ProfileReader, ProfileRow},
    rows::{ArrivalRow, ArticleRow, Counts, RecordRow},
};
use crate::{
    journal::Place,
    model::{Arrival, ArticleNo, Digest, Original, RecordId, Score, ends_alike},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{ops::Bound, path::Path};

/// Reads the view. What it gives is true of the last batch applied.
#[derive(Clone, Copy)]
pub struct View<'s> {
    tree: &'s sled::Tree,
    folder: &'s Path,
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

type Entry = (sled::IVec, sled::IVec);
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
    pub(super) fn new(db: &'s sled::Db, folder: &'s Path) -> Self {
        Self { tree: db, folder }
    }

    pub(super) fn row<T: DeserializeOwned>(self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.tree.get(key)?.map(|row| codec::decode(key, &row)).transpose()
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

    /// The totals.
    pub fn counts(self) -> Result<Counts, StoreError> {
        Ok(self.row(codec::META)?.unwrap_or_default())
    }

    /// An article by its number.
    pub fn article(self, no: ArticleNo) -> Result<Option<ArticleRow>, StoreError> {
        self.row(&codec::article(no))
    }

    /// An article by its id.
    pub fn article_by_id(self, id: Digest) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        self.article_at(&codec::id(id)).map(|found| found.filter(|(_, row)| row.id == id))
    }

    /// The first article with this normalized text.
    pub fn article_by_text(self, text: Digest) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        self.article_at(&codec::text(text))
    }

    /// The latest version of a story.
    pub fn article_by_story(self, story: Digest) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        let Some((no, _)) = self.row::<(ArticleNo, i64)>(&codec::story(story))? else { return Ok(None) };
        Ok(self.article(no)?.map(|row| (no, row)))
    }

    /// The articles whose ids begin with these hexadecimal digits, so many at most.
    pub fn articles_like(self, digits: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        self.like(b'i', digits, most)
    }

    /// The founders of the records whose ids or aliases begin with these hexadecimal digits, so many at most.
    pub fn founders_like(self, digits: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        self.like(b'n', digits, most)
    }

    fn like(self, letter: u8, digits: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        // Half a byte at the end is compared as text.
        let Ok(whole) = hex::decode(digits.get(..digits.len() / 2 * 2).unwrap_or_default()) else {
            return Ok(Vec::new());
        };
        let prefix: Vec<u8> = std::iter::once(letter).chain(whole).collect();
        let mut found = Vec::new();
        for entry in self.tree.scan_prefix(prefix) {
            let (key, row) = entry?;
            if hex::encode(key.get(1..).unwrap_or_default()).starts_with(digits) {
                let no: ArticleNo = codec::decode(&key, &row)?;
                found.extend((!found.contains(&no)).then_some(no));
            }
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    /// The articles that a path or a wire id names, so many at most. Of a path, its end from a slash on is enough, and
    /// one that goes on before what is known of it is the same.
    pub fn articles_named(self, given: &str, most: usize) -> Result<Vec<ArticleNo>, StoreError> {
        let given = given.trim_start_matches("./");
        let mut found = Vec::new();
        for entry in self.tree.scan_prefix(codec::words_ending(given)) {
            let (key, row) = entry?;
            let no = number_of(&key)?;
            if ends_alike(given, &codec::decode::<String>(&key, &row)?) && !found.contains(&no) {
                found.push(no);
            }
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    fn article_at(self, key: &[u8]) -> Result<Option<(ArticleNo, ArticleRow)>, StoreError> {
        let Some(no) = self.row::<ArticleNo>(key)? else { return Ok(None) };
        Ok(self.article(no)?.map(|row| (no, row)))
    }

    /// A record by its founder.
    pub fn record(self, founder: ArticleNo) -> Result<Option<RecordRow>, StoreError> {
        self.row(&codec::record(founder))
    }

    /// The founder of the record that this id, or alias, names today.
    pub fn founder(self, record: RecordId) -> Result<Option<ArticleNo>, StoreError> {
        self.row(&codec::name(record))
    }

    /// All records with their articles and links, in founding order or against it. Rows that belong together are read
    /// side by side, each kind once from end to end, as it takes a third of the time of looking up each.
    pub fn records(
        self,
        order: Order,
    ) -> impl Iterator<Item = Result<Gathered, StoreError>> + Send + use<'s> {
        let [mut members, mut links, mut articles] = [b"v", b"l", b"a"].map(|kind| self.walk(kind, order));
        self.walk(b"r", order).entries.map(move |entry| {
            let (key, row) = entry?;
            let founder = number_of(&key)?;
            let others =
                members.of(founder)?.iter().map(|(key, _)| number_of(key)).collect::<Result<_, _>>()?;
            let members = with_founder(founder, others);
            let links = links.of(founder)?.iter().map(link_of).collect::<Result<_, _>>()?;
            let founding = articles.of(founder)?.pop();
            let founding = founding.map(|(key, row)| codec::decode(&key, &row)).transpose()?;
            self.gathered(founder, (codec::decode(&key, &row)?, founding), &members, links)
        })
    }

    /// A record by its founder, with its articles and links.
    pub fn whole_record(self, founder: ArticleNo) -> Result<Option<Gathered>, StoreError> {
        let Some(record) = self.record(founder)? else { return Ok(None) };
        let (members, links) = (self.members(founder)?, self.links(founder)?);
        self.gathered(founder, (record, self.article(founder)?), &members, links).map(Some)
    }

    /// A record and the article that founded it, with all that belongs to it.
    fn gathered(
        self,
        founder: ArticleNo,
        (record, mut founding): (RecordRow, Option<ArticleRow>),
        members: &[ArticleNo],
        links: Vec<(ArticleNo, Score)>,
    ) -> Result<Gathered, StoreError> {
        let mut articles = Vec::with_capacity(members.len());
        for no in members {
            let row = if *no == founder { founding.take() } else { self.article(*no)? };
            articles.extend(row.map(|row| (*no, row)));
        }
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
        if !self.tree.contains_key(codec::record(founder))? {
            return Ok(Vec::new());
        }
        Ok(with_founder(founder, self.numbers(&codec::members(founder)).collect::<Result<_, _>>()?))
    }

    /// The founders of the records related to this one, with the probability of the best pair across.
    pub fn links(self, founder: ArticleNo) -> Result<Vec<(ArticleNo, Score)>, StoreError> {
        self.tree.scan_prefix(codec::links(founder)).map(|entry| link_of(&entry?)).collect()
    }

    /// What was said of each article in its metadata, in order of first sighting.
    pub fn metadata(
        self,
    ) -> impl Iterator<Item = Result<(ArticleNo, Map<String, Value>), StoreError>> + use<'s> {
        self.tree.scan_prefix(b"e").map(|entry| {
            let (key, row) = entry?;
            let json: String = codec::decode(&key, &row)?;
            let meta = serde_json::from_str(&json).map_err(|e| codec::damaged(&key, e.to_string()))?;
            Ok((number_of(&key)?, meta))
        })
    }

    /// The profile of an article; nothing where it has left the windows.
    pub fn profile(self, no: ArticleNo) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(row) = self.row(&codec::profile(no))? else { return Ok(None) };
        match self.profile_reader().read(&row) {
            // It left the windows in between.
            Err(_) if !self.is_live(no)? => Ok(None),
            read => read.map(Some),
        }
    }

    /// Whether an article is in a window.
    pub fn is_live(self, no: ArticleNo) -> Result<bool, StoreError> {
        Ok(self.tree.contains_key(codec::profile(no))?)
    }

    /// The profiles of the articles that are in a window, in order of first sighting.
    pub fn profiles(self) -> impl Iterator<Item = Result<(ArticleNo, Vec<u8>), StoreError>> + use<'s> {
        let mut reader = self.profile_reader();
        self.tree.scan_prefix(codec::PROFILES).map(move |entry| {
            let (key, row) = entry?;
            Ok((number_of(&key)?, reader.read(&codec::decode(&key, &row)?)?))
        })
    }

    pub(super) fn profile_rows(self) -> impl Iterator<Item = Result<ProfileRow, StoreError>> + use<'s> {
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
        let no: Option<ArticleNo> = self.row(&codec::id(id))?;
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
        self.row(&codec::file(digest))
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

/// The members of a record by number. An article may have gone over to a record that is younger than it.
fn with_founder(founder: ArticleNo, mut others: Vec<ArticleNo>) -> Vec<ArticleNo> {
    others.insert(others.partition_point(|no| *no < founder), founder);
    others
}

fn number_of(key: &[u8]) -> Result<ArticleNo, StoreError> {
    codec::last_article(key).ok_or_else(|| bad_key(key))
}

fn bad_key(key: &[u8]) -> StoreError {
    StoreError::Damaged { key: key.escape_ascii().to_string(), what: "it is no key of this view".to_owned() }
}
