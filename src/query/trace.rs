//! The whole story of a file, read off the journal from its first frame to its last.
//!
//! One pass: what is told of a file is kept until its receipt says what its digest is, and is forgotten there where
//! nobody asked for it. Of what came after, only what befell its articles is heard.

use super::{Found, Library, QueryError, Tell};
use crate::{
    journal::Replay,
    model::{Arrival, ArticleId, Digest, Event, Original, Outcome, Reason, RecordId, Relation, Score, Time},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// So many steps of one file are told at most; a file of more articles is asked for by one of them.
const STEPS_MAX: usize = 10_000;
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
    /// What happened, in order.
    pub steps: Vec<TraceStep>,
    /// Steps that are left out, as they are too many.
    pub left_out: u64,
    /// Where its articles are now.
    pub now: Vec<StandingNow>,
    /// Where the file, or what could not be read of it, lies now, as paths.
    pub lies_at: Vec<String>,
    /// Stretches of the journal that could not be read; what they told is missing here.
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

/// What is asked for.
struct Asked<'w> {
    what: &'w str,
    arrival: Option<Arrival>,
    digits: Option<String>,
    articles: HashSet<ArticleId>,
}

impl Asked<'_> {
    fn is_path(&self, inbox: Option<&str>, path: &str) -> bool {
        let given = self.what.trim_start_matches("./");
        let whole = inbox.map_or_else(|| path.to_owned(), |inbox| format!("{inbox}/{path}"));
        ends_alike(given, &whole)
    }

    fn is_digest(&self, digest: Option<Digest>) -> bool {
        let Some(digits) = &self.digits else { return false };
        digest.is_some_and(|digest| digest.to_string().starts_with(digits))
    }
}

/// What has been heard of one file.
#[derive(Default)]
struct Story {
    told: TraceAnswer,
    /// Whether all of it was asked for, or only some of its articles.
    is_asked_for: bool,
    /// Articles that were asked for by themselves.
    asked_articles: bool,
    homes: BTreeMap<ArticleId, (Option<String>, Option<RecordId>)>,
}

impl Story {
    fn step(&mut self, step: TraceStep) {
        if self.told.steps.len() < STEPS_MAX {
            self.told.steps.push(step);
        } else {
            self.told.left_out += 1;
        }
    }

    fn is_wanted(&self) -> bool {
        self.is_asked_for || self.asked_articles
    }

    /// Of a file that was not asked for, only what befell the articles that were.
    fn finish(mut self, asked: &Asked<'_>) -> Self {
        if !self.is_asked_for {
            self.told.steps.retain(|step| step.article.is_none_or(|id| asked.articles.contains(&id)));
            self.told.steps.retain(|step| step.step != StepName::Unreadable);
            self.homes.retain(|id, _| asked.articles.contains(id));
            self.told.left_out = 0;
        }
        self
    }
}

impl Library<'_> {
    /// Tells the stories of the files that are meant, in order of their arrival; none where nothing is.
    pub(super) fn trace(&self, what: &str, line: &mut Tell<'_>) -> Result<(), QueryError> {
        let asked = self.asked(what)?;
        let mut replay = Replay::from(&self.journal(), crate::journal::Position::default())?;
        let (mut open, mut found) = (BTreeMap::<Arrival, Story>::new(), BTreeMap::<Arrival, Story>::new());
        while let Some(frame) = replay.next_frame()? {
            if frame.end.frame.is_multiple_of(GOES_ON_FRAMES) && !line(b"") {
                return Ok(());
            }
            for event in &frame.events {
                match event.arrival() {
                    Some(arrival) => {
                        let stories = if found.contains_key(&arrival) { &mut found } else { &mut open };
                        let story = stories.entry(arrival).or_default();
                        of_the_file(story, event, frame.at, &asked);
                        if story.told.outcome.is_some()
                            && let Some(ended) = open.remove(&arrival)
                            && ended.is_wanted()
                        {
                            found.insert(arrival, ended.finish(&asked));
                        }
                    }
                    None => found
                        .values_mut()
                        .chain(open.values_mut())
                        .for_each(|story| afterwards(story, event, frame.at)),
                }
            }
        }
        let gaps = replay.damage().iter().filter(|damage| !damage.at_the_end).count() as u64;
        let under_way = open.into_iter().filter(|(_, story)| story.is_wanted());
        found.extend(under_way.map(|(arrival, story)| (arrival, story.finish(&asked))));
        for story in found.into_values() {
            let now = self.standing_now(&story)?;
            let told = TraceAnswer { now, gaps, ..story.told };
            if !line(&serde_json::to_vec(&told)?) {
                break;
            }
        }
        Ok(())
    }

    fn asked<'w>(&self, what: &'w str) -> Result<Asked<'w>, QueryError> {
        let given = what.to_lowercase();
        let is_digits = given.len() >= DIGITS_MIN && given.bytes().all(|b| b.is_ascii_hexdigit());
        let is_id = is_digits || given.starts_with("wf-");
        let mut articles = HashSet::new();
        match self.find(what) {
            Ok(Found::Article(no)) if is_id => articles.extend(self.view.article(no)?.map(|row| row.id)),
            Ok(Found::Record(founder)) => {
                for no in self.view.members(founder)? {
                    articles.extend(self.view.article(no)?.map(|row| row.id));
                }
            }
            // A path may have had several files, each with its story.
            Ok(Found::Article(_)) | Err(QueryError::NotFound { .. }) => {}
            Err(QueryError::Ambiguous { .. }) if !is_id => {}
            Err(error) => return Err(error),
        }
        let name = what.rsplit('/').next().unwrap_or_default();
        let number = name.split_once('-').map(|(head, _)| head).filter(|head| head.len() == ARRIVAL_DIGITS);
        let arrival = number.and_then(|number| number.parse().ok()).map(Arrival);
        Ok(Asked { what, arrival, digits: is_digits.then_some(given), articles })
    }

    fn standing_now(&self, story: &Story) -> Result<Vec<StandingNow>, QueryError> {
        let mut now = Vec::new();
        let mut seen = HashSet::new();
        for article in story.told.steps.iter().filter_map(|step| step.article) {
            if !seen.insert(article) {
                continue;
            }
            let Some((no, row)) = self.view.article_by_id(article)? else { continue };
            let Some(record) = self.view.record(row.founder)? else { continue };
            let item = story.homes.get(&article).and_then(|(item, _)| item.clone());
            now.push(StandingNow { article, item, record: record.id, is_canonical: record.canonical == no });
        }
        Ok(now)
    }
}

/// What an event of its own tells of a file.
fn of_the_file(story: &mut Story, event: &Event, at: Time, asked: &Asked<'_>) {
    let ask = |story: &mut Story, arrival, path: &str, article: Option<ArticleId>| {
        let inbox = story.told.inbox.as_deref();
        let is_asked_for = asked.arrival == Some(arrival) || asked.is_path(inbox, path);
        story.is_asked_for |= is_asked_for;
        story.asked_articles |= article.is_some_and(|id| asked.articles.contains(&id));
        path.clone_into(&mut story.told.path);
        story.told.arrival = Some(arrival);
    };
    match event {
        Event::Arrival(e) => {
            story.told.inbox.clone_from(&e.inbox);
            story.told.bytes = e.bytes;
            ask(story, e.arrival, &e.path, None);
            if e.inbox.is_some() {
                let written = Time::from_millis(e.modified_ns.div_euclid(1_000_000));
                story.step(TraceStep { at: written, step: StepName::Written, ..TraceStep::default() });
            }
            story.step(TraceStep { at: e.at, step: StepName::Claimed, ..TraceStep::default() });
        }
        Event::Article(e) => {
            ask(story, e.arrival, &e.path, Some(e.id));
            let v = &e.verdict;
            let step = if v.relation.is_none() { StepName::Founded } else { StepName::Joined };
            let (article, record, item) = (Some(e.id), Some(v.record), e.item.clone());
            story.homes.insert(e.id, (item.clone(), record));
            let (relation, matched, score) = (v.relation, v.matched, v.score);
            story.step(TraceStep {
                at,
                step,
                item,
                article,
                record,
                relation,
                matched,
                score,
                ..TraceStep::default()
            });
        }
        Event::Sighting(e) => {
            ask(story, e.arrival, &e.path, Some(e.id));
            let article = Some(e.id);
            story.step(TraceStep { at, step: StepName::Repeated, article, ..TraceStep::default() });
        }
        Event::Rejected(e) => {
            ask(story, e.arrival, &e.path, None);
            let (item, reason) = (e.place.as_ref().map(ToString::to_string), Some(e.reason.clone()));
            story.step(TraceStep { at, step: StepName::Unreadable, item, reason, ..TraceStep::default() });
        }
        Event::Receipt(e) => {
            ask(story, e.arrival, &e.path, None);
            story.is_asked_for |= asked.is_digest(e.digest);
            story.told.bytes = story.told.bytes.max(e.bytes);
            (story.told.digest, story.told.outcome) = (e.digest, Some(e.outcome));
            story.told.original.clone_from(&e.original);
            let passed_over = e.passed_over.values().sum();
            let (reason, counts) = (e.reason.clone(), Some([e.new, e.repeats, e.rejected, passed_over]));
            let ended = TraceStep { at, step: StepName::Ended, reason, counts, ..TraceStep::default() };
            story.told.steps.push(ended);
        }
        Event::Merge(_) | Event::Move(_) | Event::Pin(_) | Event::Requeue(_) | Event::Mended(_) => {}
    }
}

/// What befell a file's articles through others.
fn afterwards(story: &mut Story, event: &Event, at: Time) {
    let mut steps = Vec::new();
    match event {
        Event::Merge(e) => {
            for (article, (item, home)) in &mut story.homes {
                if *home == Some(e.from) {
                    *home = Some(e.into);
                    steps.push(TraceStep {
                        at,
                        step: StepName::Merged,
                        item: item.clone(),
                        article: Some(*article),
                        record: Some(e.into),
                        from: Some(e.from),
                        score: Some(e.score),
                        ..TraceStep::default()
                    });
                }
            }
        }
        Event::Move(e) => {
            if let Some((item, home)) = story.homes.get_mut(&e.id) {
                *home = Some(e.to);
                steps.push(TraceStep {
                    at,
                    step: StepName::Moved,
                    item: item.clone(),
                    article: Some(e.id),
                    record: Some(e.to),
                    from: Some(e.from),
                    relation: Some(e.relation),
                    matched: Some(e.matched),
                    score: Some(e.score),
                    ..TraceStep::default()
                });
            }
        }
        Event::Pin(e) => {
            if let Some((item, _)) = story.homes.get(&e.id) {
                let step = if e.pinned { StepName::Pinned } else { StepName::Unpinned };
                let (item, article) = (item.clone(), Some(e.id));
                steps.push(TraceStep { at: e.at, step, item, article, ..TraceStep::default() });
            }
        }
        Event::Requeue(e) if story.told.arrival == Some(e.arrival) => {
            steps.push(TraceStep { at: e.at, step: StepName::Requeued, ..TraceStep::default() });
        }
        _ => {}
    }
    for step in steps {
        story.step(step);
    }
}

/// Whether one path is the end of the other, from a slash on.
fn ends_alike(one: &str, other: &str) -> bool {
    let (long, short) = if one.len() > other.len() { (one, other) } else { (other, one) };
    long.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}
