//! The writing side: what a group of events means for the rows.
//!
//! Where a stretch of the journal was damaged, a later event may speak of what was lost in it. Such an event is
//! said in the log and does what it still can: an article founds a record of its own, a link or a move is left out.

use super::{
    StoreError, View,
    articles::{ARTICLES_A_ROW, RowOfArticles, Told, parts},
    codec,
    digests::Era,
    profiles::{PROFILES_A_ROW, ProfileRows, ProfileWriter},
    rows::{ArrivalRow, ArticleRow, Counts, RecordRow},
};
use crate::{
    journal::{Place, Position},
    model::{
        Arrival, ArrivalEvent, ArticleEvent, ArticleId, ArticleNo, Digest, Event, Link, MergeEvent,
        MoveEvent, PinEvent, Receipt, RecordId, Rejection, Relation, Score, Sighting, Time, Version,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    mem::take,
};

/// One thing to apply.
#[derive(Debug)]
pub enum Change<'e> {
    /// An event of the journal and where it lies there; with the profile that `detect` made of a new article.
    Event(&'e Event, Place, Option<&'e [u8]>),
    /// An article has left every window: its profile is no longer needed.
    Evicted(ArticleNo),
}

/// All changes as one batch, with the totals and the position.
pub(super) fn batch(
    view: View<'_>,
    profiles: &mut ProfileWriter,
    changes: &[Change<'_>],
    end: Position,
) -> Result<sled::Batch, StoreError> {
    let counts = view.counts()?;
    let mut writer = Writer {
        view,
        profiles,
        rows: BTreeMap::new(),
        articles: BTreeMap::new(),
        founders: HashMap::new(),
        profile_rows: BTreeMap::new(),
        arrivals: BTreeMap::new(),
        first_new: counts.next_article,
        counts,
    };
    for change in changes {
        match change {
            Change::Event(event, place, profile) => writer.event(event, *place, *profile)?,
            Change::Evicted(no) => writer.evicted(*no)?,
        }
    }
    writer.counts.applied = end;
    writer.finish()
}

/// The rows as they will be: those written so far over those of the view. What changes with many an event, or shares a
/// row, becomes bytes once, when all changes are known.
struct Writer<'v> {
    view: View<'v>,
    profiles: &'v mut ProfileWriter,
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    articles: BTreeMap<ArticleNo, Told>,
    /// Who founded a record here.
    founders: HashMap<RecordId, ArticleNo>,
    /// By the first number of their row.
    profile_rows: BTreeMap<ArticleNo, ProfileRows>,
    arrivals: BTreeMap<Arrival, ArrivalRow>,
    /// From here on no article was in the view.
    first_new: ArticleNo,
    counts: Counts,
}

impl Writer<'_> {
    fn event(&mut self, event: &Event, place: Place, profile: Option<&[u8]>) -> Result<(), StoreError> {
        match event {
            Event::Arrival(e) => self.taken_up(e, place),
            Event::Article(e) => self.article(e, place, profile),
            Event::Sighting(e) => self.sighting(e, place),
            Event::Rejected(e) => self.rejected(e, place),
            Event::Receipt(e) => self.receipt(e, place),
            Event::Merge(e) => self.merge(e, place),
            Event::Move(e) => self.move_article(e, place),
            Event::Pin(e) => self.pin(e, place),
            Event::Requeue(e) => {
                self.mark(codec::later(e.arrival.0, place));
                Ok(())
            }
            Event::Mended(_) => Ok(()),
        }
    }

    fn article(&mut self, e: &ArticleEvent, place: Place, profile: Option<&[u8]>) -> Result<(), StoreError> {
        let joined = match e.verdict.relation {
            None => None,
            Some(_) => self.founder(e.verdict.record)?,
        };
        let founder = joined.unwrap_or(e.no);
        let row = ArticleRow {
            id: e.id,
            founder,
            path: e.path.clone(),
            item: e.item.clone(),
            source: e.source.clone(),
            title: e.title.clone(),
            published: e.published,
            lang: e.lang.clone(),
            words: e.words,
            relation: e.verdict.relation,
            matched: e.verdict.matched,
            score: e.verdict.score,
            sightings: 1,
            also_from: Vec::new(),
            first_seen: e.at,
            last_seen: e.at,
            place,
            decided: place,
        };
        let metadata = e.metadata();
        let metadata =
            if metadata.is_empty() { Vec::new() } else { Value::Object(metadata).to_string().into_bytes() };
        self.articles.insert(e.no, Told { row, metadata });
        let era = Era::of(e.no);
        self.put_under(codec::id, (era, e.id), &e.no)?;
        if self.under::<ArticleNo>(codec::text, e.text_digest)?.is_none() {
            self.put_under(codec::text, (era, e.text_digest), &e.no)?;
        }
        if joined.is_none() {
            self.found(e)?;
        } else {
            self.counts.variants += 1;
            e.verdict.relation.into_iter().for_each(|relation| *self.counts.of(relation) += 1);
            self.mark(codec::member(founder, e.no));
        }
        if let Some(version) = Version::of(&e.meta) {
            self.version(e, founder, version)?;
        }
        self.word(&e.path, e.item.as_deref(), e.no)?;
        for link in &e.verdict.related {
            self.link(founder, *link)?;
        }
        if let Some(profile) = profile {
            let row = self.profiles.add(profile)?;
            self.profile_rows(e.no)?.push((e.no, row));
        }
        self.counts.next_article = self.counts.next_article.max(ArticleNo(e.no.0 + 1));
        self.counts.sightings += 1;
        self.advance((e.arrival, &e.path, e.at), place, e.index, |row| row.new += 1)
    }

    /// An article founds a record: under its own id, or under that of one that was lost.
    fn found(&mut self, e: &ArticleEvent) -> Result<(), StoreError> {
        let id = e.verdict.record;
        self.founders.insert(id, e.no);
        self.counts.canonical += 1;
        let record = RecordRow { id, canonical: e.no, aliases: Vec::new() };
        if record == RecordRow::founded_by(e.no, e.id) {
            return Ok(());
        }
        self.put(codec::record(e.no), &record)?;
        self.put(codec::name(id), &e.no)
    }

    /// An article has left the windows.
    fn evicted(&mut self, no: ArticleNo) -> Result<(), StoreError> {
        let rows = self.profile_rows(no)?;
        if let Some(at) = rows.iter().position(|(of, _)| *of == no) {
            let (_, row) = rows.remove(at);
            self.profiles.let_go(row);
        }
        Ok(())
    }

    /// The latest version stands for its story; where the one before it is canonical, it is so no longer.
    fn version(&mut self, e: &ArticleEvent, founder: ArticleNo, version: Version) -> Result<(), StoreError> {
        let latest = self.under::<(ArticleNo, i64)>(codec::story, version.story)?;
        if latest.is_some_and(|(_, number)| number > version.number) {
            return Ok(());
        }
        self.put_under(codec::story, (Era::of(e.no), version.story), &(e.no, version.number))?;
        let (Some((before, _)), Some(Relation::Revision)) = (latest, e.verdict.relation) else {
            return Ok(());
        };
        let mut record = self.record(founder)?;
        if record.canonical != before {
            return Ok(());
        }
        record.canonical = e.no;
        self.put(codec::record(founder), &record)?;
        let row = self.row(before)?;
        if row.relation.is_none() {
            (row.relation, row.matched, row.score) = (Some(Relation::Revision), Some(e.id), Some(Score::ONE));
        }
        Ok(())
    }

    fn sighting(&mut self, e: &Sighting, place: Place) -> Result<(), StoreError> {
        if let Some((no, row)) = self.article_by_id(e.id)? {
            row.sightings += 1;
            row.last_seen = row.last_seen.max(e.at);
            if let Some(source) = e.source.as_ref().filter(|source| !row.is_from(source)) {
                row.also_from.push(source.clone());
            }
            // The first of a file may be all of it, and then its path means the article. The others' places are not
            // told, and a feed that is sent again and again would have a row for each of its items each time.
            if e.index == 0 {
                self.word(&e.path, None, no)?;
            }
            self.counts.sightings += 1;
            self.counts.repeats += 1;
        }
        self.advance((e.arrival, &e.path, e.at), place, e.index, |row| row.repeats += 1)
    }

    fn rejected(&mut self, e: &Rejection, place: Place) -> Result<(), StoreError> {
        self.counts.rejected += 1;
        self.advance((e.arrival, &e.path, e.at), place, e.index, |row| row.rejected += 1)
    }

    fn receipt(&mut self, e: &Receipt, place: Place) -> Result<(), StoreError> {
        let row = self.arrival((e.arrival, &e.path, e.at), place)?;
        if row.outcome.is_some() {
            return Ok(());
        }
        row.last = place;
        row.digest = e.digest;
        row.outcome = Some(e.outcome);
        row.reason.clone_from(&e.reason);
        self.remove(codec::open_arrival(e.arrival));
        if let (Some(digest), Some(original)) = (e.digest, &e.original) {
            self.put_under(codec::file, (Era::of_file(e.arrival), digest), original)?;
        }
        self.counts.count(e.outcome);
        self.counts.last_commit = self.counts.last_commit.max(Some(e.at));
        Ok(())
    }

    /// Everything of the younger record goes over to the older.
    fn merge(&mut self, e: &MergeEvent, place: Place) -> Result<(), StoreError> {
        let (Some(into), Some(from)) = (self.founder(e.into)?, self.founder(e.from)?) else { return Ok(()) };
        if into == from {
            return Ok(());
        }
        self.mark(codec::later(e.from.0, place));
        let (gone, mut kept) = (self.record(from)?, self.record(into)?);
        let others = self.numbers(&codec::members(from))?;
        for no in std::iter::once(from).chain(others) {
            let row = self.row(no)?;
            row.founder = into;
            if no == gone.canonical {
                (row.relation, row.matched, row.score) = (Some(e.relation), Some(e.matched), Some(e.score));
                row.decided = place;
            }
            self.remove(codec::member(from, no));
            self.mark(codec::member(into, no));
        }
        for other in self.numbers(&codec::links(from))? {
            let score: Score = self.need(&codec::link(from, other))?;
            self.remove(codec::link(from, other));
            self.remove(codec::link(other, from));
            if other != into {
                self.link_founders(into, other, score)?;
            }
        }
        self.remove(codec::record(from));
        for alias in std::iter::once(gone.id).chain(gone.aliases) {
            self.put(codec::name(alias), &into)?;
            kept.aliases.push(alias);
        }
        self.put(codec::record(into), &kept)?;
        self.counts.canonical -= 1;
        self.counts.variants += 1;
        *self.counts.of(e.relation) += 1;
        Ok(())
    }

    fn move_article(&mut self, e: &MoveEvent, place: Place) -> Result<(), StoreError> {
        let Some(to) = self.founder(e.to)? else { return Ok(()) };
        let Some((no, row)) = self.article_by_id(e.id)? else { return Ok(()) };
        let (from, before) = (row.founder, row.relation);
        if no == from {
            // It founds a record of its own because the one it had joined was lost.
            return Ok(());
        }
        row.founder = to;
        (row.relation, row.matched, row.score) = (Some(e.relation), Some(e.matched), Some(e.score));
        row.decided = place;
        self.mark(codec::later(e.id.head(), place));
        if let Some(before) = before {
            *self.counts.of(before) -= 1;
        }
        *self.counts.of(e.relation) += 1;
        self.remove(codec::member(from, no));
        self.mark(codec::member(to, no));
        Ok(())
    }

    fn pin(&mut self, e: &PinEvent, place: Place) -> Result<(), StoreError> {
        let Some((no, row)) = self.article_by_id(e.id)? else { return Ok(()) };
        let founder = row.founder;
        self.mark(codec::later(e.id.head(), place));
        if e.pinned {
            self.put(codec::pin(no), &founder)
        } else {
            self.remove(codec::pin(no));
            Ok(())
        }
    }

    fn link(&mut self, founder: ArticleNo, link: Link) -> Result<(), StoreError> {
        match self.founder(link.record)? {
            Some(other) if other != founder => self.link_founders(founder, other, link.score),
            _ => Ok(()),
        }
    }

    /// A link stands on both sides, with the best score that was seen.
    fn link_founders(&mut self, one: ArticleNo, other: ArticleNo, score: Score) -> Result<(), StoreError> {
        let best = score.max(self.get(&codec::link(one, other))?.unwrap_or_default());
        self.put(codec::link(one, other), &best)?;
        self.put(codec::link(other, one), &best)
    }

    /// Notes that an item of an arrival is in the journal.
    fn advance(
        &mut self,
        file: (Arrival, &str, Time),
        place: Place,
        index: u32,
        count: impl FnOnce(&mut ArrivalRow),
    ) -> Result<(), StoreError> {
        let row = self.arrival(file, place)?;
        (row.items, row.last) = (row.items.max(index + 1), place);
        count(row);
        self.counts.last_commit = self.counts.last_commit.max(Some(file.2));
        Ok(())
    }

    /// A file was taken up. One that was taken up before a crash and is read on is known already.
    fn taken_up(&mut self, e: &ArrivalEvent, place: Place) -> Result<(), StoreError> {
        let row = self.arrival((e.arrival, &e.path, e.at), place)?;
        row.inbox.clone_from(&e.inbox);
        (row.bytes, row.modified_ns, row.last) = (e.bytes, e.modified_ns, place);
        Ok(())
    }

    /// The row of an arrival; its first mention counts the file as received.
    fn arrival(
        &mut self,
        (arrival, path, at): (Arrival, &str, Time),
        place: Place,
    ) -> Result<&mut ArrivalRow, StoreError> {
        let vacant = match self.arrivals.entry(arrival) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        if let Some(row) = self.view.arrival(arrival)? {
            return Ok(vacant.insert(row));
        }
        self.counts.received += 1;
        self.counts.last_arrival = self.counts.last_arrival.max(arrival.0);
        self.rows.insert(codec::open_arrival(arrival), Some(Vec::new()));
        Ok(vacant.insert(ArrivalRow {
            path: path.to_owned(),
            at,
            inbox: None,
            bytes: 0,
            modified_ns: 0,
            items: 0,
            new: 0,
            repeats: 0,
            rejected: 0,
            digest: None,
            outcome: None,
            reason: None,
            first: place,
            last: place,
        }))
    }

    /// A path, and a wire id or a number in it, name an article.
    fn word(&mut self, path: &str, item: Option<&str>, no: ArticleNo) -> Result<(), StoreError> {
        self.put(codec::word(path, item, no), &(path, item))
    }

    /// The founder of the record that an event names, where it is there.
    fn founder(&self, record: RecordId) -> Result<Option<ArticleNo>, StoreError> {
        // A record that went over into another in this batch is named by a row, whoever founded it.
        let founder = match (self.rows.get(&codec::name(record)), self.founders.get(&record)) {
            (Some(Some(row)), _) => Some(codec::decode(b"n", row)?),
            (_, Some(founder)) => Some(*founder),
            _ => self.view.founder(record)?,
        };
        if founder.is_none() {
            tracing::error!(%record, "the journal speaks of a record that was lost with a damaged stretch of it");
        }
        Ok(founder)
    }

    /// A record as it will be.
    fn record(&mut self, founder: ArticleNo) -> Result<RecordRow, StoreError> {
        match self.get(&codec::record(founder))? {
            Some(record) => Ok(record),
            None => Ok(RecordRow::founded_by(founder, self.row(founder)?.id)),
        }
    }

    fn article_by_id(&mut self, id: ArticleId) -> Result<Option<(ArticleNo, &mut ArticleRow)>, StoreError> {
        let Some(no) = self.under::<ArticleNo>(codec::id, id)? else {
            tracing::error!(article = %id, "the journal speaks of an article that was lost with a damaged stretch of it");
            return Ok(None);
        };
        Ok(Some((no, self.row(no)?)))
    }

    /// The row of an article that must be there, to be read or changed.
    fn row(&mut self, no: ArticleNo) -> Result<&mut ArticleRow, StoreError> {
        let told = match self.articles.entry(no) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let told = self.view.told(no)?.ok_or_else(|| {
                    let what = format!("the journal speaks of article {}, which is not there", no.0);
                    StoreError::Inconsistent(what)
                })?;
                vacant.insert(told)
            }
        };
        Ok(&mut told.row)
    }

    /// Where the profiles of an article and its neighbours lie, to be changed.
    fn profile_rows(&mut self, no: ArticleNo) -> Result<&mut ProfileRows, StoreError> {
        match self.profile_rows.entry(ArticleNo(no.0 - no.0 % PROFILES_A_ROW)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let is_new = *vacant.key() >= self.first_new;
                let rows = if is_new { None } else { self.view.row(&codec::profiles(no))? };
                Ok(vacant.insert(rows.unwrap_or_default()))
            }
        }
    }

    /// All rows, with what became bytes last.
    fn finish(mut self) -> Result<sled::Batch, StoreError> {
        let counts = self.counts;
        self.put(codec::META.to_vec(), &counts)?;
        for (arrival, row) in take(&mut self.arrivals) {
            self.put(codec::arrival(arrival), &row)?;
        }
        for (first, rows) in take(&mut self.profile_rows) {
            let row = if rows.is_empty() { None } else { Some(codec::encode(&rows)?) };
            self.rows.insert(codec::profiles(first), row);
        }
        let mut articles: BTreeMap<ArticleNo, BTreeMap<ArticleNo, Told>> = BTreeMap::new();
        for (no, told) in take(&mut self.articles) {
            articles.entry(ArticleNo(no.0 - no.0 % ARTICLES_A_ROW)).or_default().insert(no, told);
        }
        for (first, told) in articles {
            let key = codec::articles(first);
            let row = self.row_of_articles(&key, first, &told)?;
            self.rows.insert(key, Some(row));
        }
        let mut batch = sled::Batch::default();
        for (key, row) in self.rows {
            match row {
                Some(row) => batch.insert(key, row),
                None => batch.remove(key),
            }
        }
        Ok(batch)
    }

    /// A row with those of its articles that were told anew, and the others as they were.
    fn row_of_articles(
        &self,
        key: &[u8],
        first: ArticleNo,
        told: &BTreeMap<ArticleNo, Told>,
    ) -> Result<Vec<u8>, StoreError> {
        let before = if first < self.first_new { self.view.raw_row(key)? } else { None };
        let before = before.as_deref().map_or(Ok(Vec::new()), |row| parts(key, row))?;
        let mut row = RowOfArticles::new();
        let mut kept = before.into_iter().filter(|part| !told.contains_key(&part.no)).peekable();
        for (no, told) in told {
            while let Some(part) = kept.next_if(|part| part.no < *no) {
                row.keep(part);
            }
            row.tell(*no, told)?;
        }
        for part in kept {
            row.keep(part);
        }
        Ok(row.sealed())
    }

    fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.rows.get(key) {
            Some(row) => row.as_deref().map(|row| codec::decode(key, row)).transpose(),
            None => self.view.row(key),
        }
    }

    /// What stands under a digest, in the latest era that has it.
    fn under<T: DeserializeOwned>(
        &self,
        key: fn(Era, Digest) -> Vec<u8>,
        digest: Digest,
    ) -> Result<Option<T>, StoreError> {
        let eras = self.view.digests.eras_of(digest.head());
        eras.into_iter().find_map(|era| self.get(&key(era, digest)).transpose()).transpose()
    }

    fn put_under<T: Serialize>(
        &mut self,
        key: fn(Era, Digest) -> Vec<u8>,
        (era, digest): (Era, Digest),
        value: &T,
    ) -> Result<(), StoreError> {
        self.view.digests.add(era, digest.head());
        self.put(key(era, digest), value)
    }

    fn need<T: DeserializeOwned>(&self, key: &[u8]) -> Result<T, StoreError> {
        self.get(key)?.ok_or_else(|| {
            let key = key.escape_ascii();
            StoreError::Inconsistent(format!("the journal speaks of row {key}, which is not there"))
        })
    }

    fn put<T: Serialize>(&mut self, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        self.rows.insert(key, Some(codec::encode(value)?));
        Ok(())
    }

    /// A key that says all there is to say.
    fn mark(&mut self, key: Vec<u8>) {
        self.rows.insert(key, Some(Vec::new()));
    }

    fn remove(&mut self, key: Vec<u8>) {
        self.rows.insert(key, None);
    }

    /// The article numbers that end the keys of a prefix, as they will be.
    fn numbers(&self, prefix: &[u8]) -> Result<Vec<ArticleNo>, StoreError> {
        let mut numbers = std::collections::BTreeSet::new();
        numbers.extend(self.view.numbers(prefix).collect::<Result<Vec<_>, _>>()?);
        for (key, row) in self.rows.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)) {
            let Some(no) = codec::last_article(key) else { continue };
            if row.is_some() {
                numbers.insert(no);
            } else {
                numbers.remove(&no);
            }
        }
        Ok(numbers.into_iter().collect())
    }
}
