//! The whole story of a file, read off the journal.
//!
//! The view knows of every file where the journal speaks of it first and last, and of every record, article and file where
//! it tells what befell them later, so only those frames are read.

use super::{
    Found, Library, QueryError, Tell,
    story::{STEPS_MAX, Story},
};
use crate::{
    journal::{Frame, Place, each_frame},
    model::{
        Arrival, ArticleId, Digest, Event, Original, Outcome, Reason, RecordId, Relation, Score, Time,
        ends_alike,
    },
    store::{ArrivalRow, ArticleRow},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// So often an empty line says that it goes on: some milliseconds of reading.
pub(super) const GOES_ON_FRAMES: u64 = 64;
/// Digits of a digest that are enough to look for it, as for an id.
const DIGITS_MIN: usize = 4;
/// How many digits an arrival has at the head of the name of a claim, or of a file that was set aside.
const ARRIVAL_DIGITS: usize = 16;

/// One file's story.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceAnswer {
    /// The number of its arrival; nothing while it waits in its inbox.
    pub arrival: Option<Arrival>,
    /// Its path under its inbox, or as it was typed.
    pub path: String,
    /// The inbox that it came from; nothing where it was given on the command line.
    pub inbox: Option<String>,
    /// How long it was, in bytes.
    pub bytes: u64,
    /// Its digest, where it could be read to its end.
    pub digest: Option<Digest>,
    /// How it ended; nothing while it is under way.
    pub outcome: Option<Outcome>,
    /// Where its bytes are kept.
    pub original: Option<Original>,
    /// Whether they are not there any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub original_gone: bool,
    /// What happened, in order.
    pub steps: Vec<TraceStep>,
    /// Steps that are left out, as they are too many.
    pub left_out: u64,
    /// Where its articles are now.
    pub now: Vec<StandingNow>,
    /// Where the file, or what could not be read of it, lies now, as paths.
    pub lies_at: Vec<String>,
    /// What it waits for, where it has not ended; as `status` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Stretches of the journal that speak of it and could not be read; what they told is missing here.
    pub gaps: u64,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    /// When.
    pub at: Time,
    /// What.
    pub step: StepName,
    /// To which item of the file; nothing where it is to the file, or the file is the article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The article that the item is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<ArticleId>,
    /// The record that it came into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// The record that it was in before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RecordId>,
    /// How it stands to the article that it was matched with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// That article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<ArticleId>,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// At the end: new articles, repeats, items that could not be read, and parts that hold no article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<[u64; 4]>,
}

/// What can happen to a file and its articles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepName {
    /// The file was last written to.
    #[default]
    Written,
    /// The file was claimed from its inbox, or given.
    Claimed,
    /// An article founded a record, and that is durable.
    Founded,
    /// An article joined a record, and that is durable.
    Joined,
    /// An article had been received before, byte for byte.
    Repeated,
    /// An item could not be read.
    Unreadable,
    /// The file ended, and all of it is durable.
    Ended,
    /// An article's record went over into another.
    Merged,
    /// An article went to another record.
    Moved,
    /// A person pinned an article.
    Pinned,
    /// A person let an article go.
    Unpinned,
    /// A person had the file put back into its inbox.
    Requeued,
}

/// Where an article is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingNow {
    /// The article.
    pub article: ArticleId,
    /// Its item in the file; nothing where the file is the article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Its record.
    pub record: RecordId,
    /// Whether it is the canonical article of that.
    pub is_canonical: bool,
}

/// Stretches of the journal, each from one place to another.
type Stretches = BTreeSet<(Place, Place)>;

/// What is asked for.
pub(super) struct Asked<'w> {
    what: &'w str,
    arrival: Option<Arrival>,
    digits: Option<String>,
    pub(super) articles: BTreeMap<ArticleId, ArticleRow>,
    /// Where the journal has each of these articles.
    places: BTreeMap<Place, ArticleId>,
}

impl Asked<'_> {
    /// Whether a file is asked for, all of it.
    fn is_file(&self, arrival: Arrival, row: &ArrivalRow) -> bool {
        self.arrival == Some(arrival) || self.is_path(row) || self.is_digest(row.digest)
    }

    fn is_path(&self, row: &ArrivalRow) -> bool {
        let given = self.what.trim_start_matches("./");
        ends_alike(given, &row.path)
            || row.inbox.as_ref().is_some_and(|inbox| ends_alike(given, &format!("{inbox}/{}", row.path)))
    }

    fn is_digest(&self, digest: Option<Digest>) -> bool {
        let Some(digits) = &self.digits else { return false };
        digest.is_some_and(|digest| digest.to_string().starts_with(digits))
    }

    /// Whether an article that is asked for may have come once more with a file. The journal's order tells, as a file that was
    /// claimed earlier may be decided later.
    fn may_repeat(&self, row: &ArrivalRow) -> bool {
        let came = |article: &ArticleRow| article.sightings > 1 && article.place <= row.last;
        row.repeats > 0 && self.articles.values().any(came)
    }

    /// The articles that are asked for and first came with a file, and where; told by the rows alone, as the frames may be
    /// damaged. Of two files of one path that came at once both may seem to have brought one.
    fn brought<'a>(&'a self, row: &'a ArrivalRow) -> impl Iterator<Item = (Place, ArticleId)> + 'a {
        let of_it = |id: &ArticleId| self.articles.get(id).is_some_and(|article| article.path == row.path);
        self.places
            .range(row.first..=row.last)
            .map(|(place, id)| (*place, *id))
            .filter(move |(_, id)| of_it(id))
    }
}

impl Library<'_> {
    /// Tells the stories of the files that are meant, in order of their arrival; none where nothing is.
    pub(super) fn trace(&self, what: &str, line: &mut Tell<'_>) -> Result<(), QueryError> {
        let asked = self.asked(what)?;
        let mut frames = 0;
        for (arrival, (row, stretches)) in self.files(&asked)? {
            let mut story = Story::new(arrival, &row, asked.is_file(arrival, &row));
            let mut is_heard = true;
            for (from, to) in stretches {
                story.told.gaps += each_frame(&self.journal(), from, to, |frame| {
                    frames += 1;
                    is_heard &= !u64::is_multiple_of(frames, GOES_ON_FRAMES) || line(b"");
                    story.of_the_file(arrival, &frame, &asked);
                    is_heard
                });
            }
            let brought: Vec<_> = asked.brought(&row).map(|(_, article)| article).collect();
            let is_damaged = story.told.gaps > 0 && !brought.is_empty();
            let has_article = story.steps.iter().any(|(_, step)| step.article.is_some());
            if !story.is_asked_for && !has_article && !is_damaged {
                continue;
            }
            self.afterwards(&mut story, line)?;
            story.told.now = self.standing_now(&story, &brought, line)?;
            if !is_heard || !line(&serde_json::to_vec(&story.into_told())?) {
                break;
            }
        }
        Ok(())
    }

    /// The files to be looked at, each with the stretches of the journal to be read of it.
    fn files(&self, asked: &Asked<'_>) -> Result<BTreeMap<Arrival, (ArrivalRow, Stretches)>, QueryError> {
        let mut files = BTreeMap::new();
        for entry in self.view.arrivals() {
            let (arrival, row) = entry?;
            if asked.is_file(arrival, &row) || asked.may_repeat(&row) {
                let whole = BTreeSet::from([(row.first, row.last)]);
                files.insert(arrival, (row, whole));
                continue;
            }
            let own: Vec<_> = asked.brought(&row).map(|(place, _)| frame_of(place)).collect();
            if !own.is_empty() {
                let ends = [row.first, row.last].map(frame_of);
                let stretches = own.into_iter().chain(ends).map(|frame| (frame, frame)).collect();
                files.insert(arrival, (row, stretches));
            }
        }
        Ok(files)
    }

    fn asked<'w>(&self, what: &'w str) -> Result<Asked<'w>, QueryError> {
        let given = what.to_lowercase();
        let is_digits = given.len() >= DIGITS_MIN && given.bytes().all(|b| b.is_ascii_hexdigit());
        let is_id = is_digits || given.starts_with("wf-");
        let mut articles = BTreeMap::new();
        match self.look_up(what) {
            Ok(Found::Article(no)) if is_id => {
                articles.extend(self.view.article(no)?.map(|row| (row.id, row)));
            }
            Ok(Found::Record(founder)) => {
                for no in self.view.members(founder)? {
                    articles.extend(self.view.article(no)?.map(|row| (row.id, row)));
                }
            }
            // A path may have had several files, each with its story; and so may an article's own id, of which there are versions.
            Ok(Found::Article(_)) | Err(QueryError::Ambiguous { .. }) if !is_id => {
                for no in self.view.articles_named(what, STEPS_MAX)? {
                    let named = self.view.article(no)?.filter(|row| !ends_alike(what, &row.path));
                    articles.extend(named.map(|row| (row.id, row)));
                }
            }
            Ok(Found::Article(_)) | Err(QueryError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        let places = articles.values().map(|row| (row.place, row.id)).collect();
        let name = what.rsplit('/').next().unwrap_or_default();
        let number = name.split_once('-').map(|(head, _)| head).filter(|head| head.len() == ARRIVAL_DIGITS);
        let arrival = number.and_then(|number| number.parse().ok()).map(Arrival);
        Ok(Asked { what, arrival, digits: is_digits.then_some(given), articles, places })
    }

    /// Adds what befell the articles of a file through others, and the file itself.
    fn afterwards(&self, story: &mut Story, line: &mut Tell<'_>) -> Result<(), QueryError> {
        let records = story.homes.values().filter_map(|(_, home)| home.map(|record| record.0));
        let mut subjects: Vec<u64> = story.homes.keys().map(Digest::head).chain(records).collect();
        subjects.extend(story.told.arrival.map(|arrival| arrival.0));
        let (mut seen, mut later) = (BTreeSet::new(), BTreeMap::new());
        // Many places lie in one frame, mostly one after the other.
        let mut last: Option<(Place, Option<Frame>)> = None;
        while let Some(subject) = subjects.pop() {
            if !seen.insert(subject) {
                continue;
            }
            if u64::is_multiple_of(seen.len() as u64, GOES_ON_FRAMES) && !line(b"") {
                return Ok(());
            }
            for place in self.view.later(subject)? {
                let start = frame_of(place);
                if last.as_ref().is_none_or(|(at, _)| *at != start) {
                    let mut read = None;
                    story.told.gaps += each_frame(&self.journal(), start, start, |frame| {
                        read = Some(frame);
                        true
                    });
                    last = Some((start, read));
                }
                let Some((_, Some(frame))) = &last else { continue };
                let Some(event) = frame.events.get(place.line as usize) else { continue };
                // Where it went it may go on from.
                subjects.extend(match event {
                    Event::Merge(e) => Some(e.into.0),
                    Event::Move(e) => Some(e.to.0),
                    _ => None,
                });
                later.insert(place, (frame.at, event.clone()));
            }
        }
        for (place, (at, event)) in later {
            story.afterwards(place, at, &event);
        }
        Ok(())
    }

    /// Where the articles that are told of are now, and those that were brought though no frame could be read of them.
    fn standing_now(
        &self,
        story: &Story,
        brought: &[ArticleId],
        line: &mut Tell<'_>,
    ) -> Result<Vec<StandingNow>, QueryError> {
        let mut now = Vec::new();
        let mut seen = BTreeSet::new();
        let told = story.steps.iter().filter_map(|(_, step)| step.article);
        for article in told.chain(brought.iter().copied()) {
            if now.len() == STEPS_MAX {
                break;
            }
            if !seen.insert(article) {
                continue;
            }
            if u64::is_multiple_of(seen.len() as u64, GOES_ON_FRAMES) && !line(b"") {
                break;
            }
            let Some((no, row)) = self.view.article_by_id(article)? else { continue };
            let Some(record) = self.view.record(row.founder)? else { continue };
            let item = story.homes.get(&article).and_then(|(item, _)| item.clone());
            now.push(StandingNow { article, item, record: record.id, is_canonical: record.canonical == no });
        }
        Ok(now)
    }
}

/// The place of the frame that an event lies in.
fn frame_of(place: Place) -> Place {
    Place { line: 0, ..place }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A large file gave its number away first, and a small one was decided before it.
    #[test]
    fn a_file_that_was_claimed_before_the_first_may_repeat_it() {
        let place = |offset| Place { offset, ..Place::default() };
        let mut row = ArrivalRow {
            path: "x.txt".to_owned(),
            at: Time::from_millis(1_000),
            inbox: None,
            bytes: 1,
            modified_ns: 0,
            items: 1,
            new: 0,
            repeats: 1,
            rejected: 0,
            digest: None,
            outcome: None,
            reason: None,
            first: place(10),
            last: place(90),
        };
        let article = ArticleRow {
            id: Digest::of(b"x"),
            founder: crate::model::ArticleNo(0),
            path: "handed.txt".to_owned(),
            item: None,
            source: None,
            title: None,
            published: None,
            lang: None,
            words: 1,
            relation: None,
            matched: None,
            score: None,
            sightings: 2,
            also_from: Vec::new(),
            first_seen: Time::from_millis(3_000),
            last_seen: Time::from_millis(3_000),
            place: place(50),
            decided: place(50),
        };
        let places = BTreeMap::from([(article.place, article.id)]);
        let articles = BTreeMap::from([(article.id, article)]);
        let asked = Asked { what: "", arrival: None, digits: None, articles, places };
        assert!(asked.may_repeat(&row), "by the journal's order");
        assert_eq!(asked.brought(&row).count(), 0, "another path");
        row.last = place(40);
        assert!(!asked.may_repeat(&row), "it ended before");
    }
}
