//! The third stage, in order of arrival: is the article new, and where does it belong.

use super::{
    PipelineError, Progress, StageName,
    job::{
        ArticleTimes, Decided, FileEnd, Group, Job, Origin, OriginalBytes, Prepared, Ready, Refused, Resume,
        Settled, outcome,
    },
    open,
    word::{Word, Work},
};
use crate::{
    detect::{Detector, Newcomer, Twin},
    format::EMPTY_FEED,
    model::{
        Arrival, ArrivalEvent, Article, ArticleEvent, ArticleId, ArticleNo, Digest, Event, Outcome, Reason,
        Receipt, RecordId, Rejection, Relation, Sighting, Time, Version,
    },
    store::{ArticleRow, Store},
};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

/// A publication time counts as the article's time when it lies within so many days before the arrival.
const PUBLISHED_DAYS_MAX: u32 = 30;
/// Of a file so many bad slices are set aside at most, each two synced files; all of them stand in its original.
const SLICES_MAX: u64 = 1000;
/// What is decided and not yet in the view is kept in mind; at this many it is looked through.
const UNCOMMITTED_MANY: usize = 8192;

/// Decides on articles in order.
pub(super) struct Decider {
    detector: Detector,
    store: Arc<Store>,
    progress: Arc<Progress>,
    next: Option<ArticleNo>,
    /// Articles that may not be in the view yet, by id, and the first of each text.
    recent: HashMap<ArticleId, ArticleNo>,
    recent_texts: HashMap<Digest, (ArticleNo, Twin)>,
    /// Their latest versions, by story.
    recent_stories: HashMap<Digest, (i64, Twin)>,
    /// What was in the files that are under way.
    totals: HashMap<Arrival, Resume>,
}

impl Decider {
    pub fn new(detector: Detector, store: Arc<Store>, progress: Arc<Progress>) -> Self {
        progress.set_live(detector.live());
        progress.go_on_alarming(detector.alarming());
        Self {
            detector,
            store,
            progress,
            next: None,
            recent: HashMap::new(),
            recent_texts: HashMap::new(),
            recent_stories: HashMap::new(),
            totals: HashMap::new(),
        }
    }

    /// Decides until there is no more, or nobody wants it.
    pub fn run(
        mut self,
        mut work: mpsc::Receiver<Work>,
        out: &mpsc::Sender<Settled>,
    ) -> Result<(), PipelineError> {
        let runtime = Handle::current();
        while let Some(next) = work.blocking_recv() {
            let is_wanted = match next {
                Work::Chunks(preparing) => {
                    let progress = Arc::clone(&self.progress);
                    // What is waited for is the oldest piece under way, so the one that others wait behind.
                    let chunks = progress
                        .stage(StageName::Prepare)
                        .watch(|| runtime.block_on(preparing))
                        .map_err(|e| PipelineError::Stage { stage: "prepare", what: e.to_string() })?;
                    let mut is_wanted = true;
                    for chunk in chunks {
                        let decided = progress.stage(StageName::Detect).work(|| self.chunk(chunk))?;
                        progress.set_live(self.detector.live());
                        is_wanted &= out.blocking_send(Settled::Chunk(Box::new(decided))).is_ok();
                    }
                    is_wanted
                }
                Work::Word(word) => self.heed(word, out)?,
            };
            if !is_wanted {
                break;
            }
        }
        Ok(())
    }

    /// Heeds a person's word once it is durable. By then the view holds all that was decided before it, and so knows
    /// the article's record. False where nobody commits any more.
    fn heed(&mut self, word: Word, out: &mpsc::Sender<Settled>) -> Result<bool, PipelineError> {
        let (durable, heard) = oneshot::channel();
        let events = word.events.clone();
        let is_sent = out.blocking_send(Settled::Word(Word { events, durable })).is_ok();
        if !is_sent || heard.blocking_recv().is_err() {
            return Ok(false);
        }
        for event in &word.events {
            open::heeded(&self.store, &mut self.detector, event)?;
        }
        // Whoever asked may have gone away.
        word.durable.send(()).ok();
        Ok(true)
    }

    fn chunk(&mut self, chunk: Prepared) -> Result<Decided, PipelineError> {
        let job = chunk.job;
        let begun = self.totals.remove(&job.arrival);
        let is_first = begun.is_none() && job.resume == Resume::default();
        if is_first && chunk.end.is_some() && was_written_to(&job) {
            // Nothing of it has been decided yet, so it can go back whole.
            return Ok(Decided::returned(job));
        }
        let mut total = begun.unwrap_or(job.resume);
        let (mut groups, mut refused, mut evicted) = (Vec::new(), Vec::new(), Vec::new());
        let mut failure = None;
        if is_first {
            groups.push(Group { events: vec![Event::Arrival(taken_up(&job))], profile: None });
        }
        for item in chunk.items {
            match item {
                Ok(ready) => groups.push(self.article(&job, *ready, &mut total, &mut evicted)?),
                // Where the file is the article, it is the file that failed.
                Err(bad) if bad.place.is_none() => failure = Some(bad.reason),
                Err(bad) => {
                    total.rejected += 1;
                    groups.push(Group { events: vec![rejection(&job, &bad)], profile: None });
                    if total.rejected <= SLICES_MAX {
                        refused.push(bad);
                    }
                }
            }
        }
        let end = if let Some(mut end) = chunk.end {
            // Of a file of one item the reason of that is the file's own.
            let only = refused.first().filter(|_| total.rejected == 1 && total.new + total.repeats == 0);
            end.failure = end.failure.or(failure).or_else(|| only.map(|bad: &Refused| bad.reason.clone()));
            let ended = receipt(&job, &total, end);
            groups.push(Group { events: vec![Event::Receipt(ended.0.clone())], profile: None });
            Some(ended)
        } else {
            self.totals.insert(job.arrival, total);
            None
        };
        self.forget_committed()?;
        Ok(Decided { job, groups, refused, evicted, end, give_back: false })
    }

    fn article(
        &mut self,
        job: &Job,
        ready: Ready,
        total: &mut Resume,
        evicted: &mut Vec<ArticleNo>,
    ) -> Result<Group, PipelineError> {
        let Ready { index, place, id, text_digest, article, fingerprint } = ready;
        let source = source_of(job, &article);
        if self.is_known(id)? {
            total.repeats += 1;
            let (arrival, path, at) = (job.arrival, job.shown.clone(), job.at);
            let events = vec![Event::Sighting(Sighting { id, arrival, index, path, source, at })];
            return Ok(Group { events, profile: None });
        }
        total.new += 1;
        let no = self.take_number()?;
        let time = article_time(job, article.published);
        let published = article.published;
        let version = Version::of(&article.meta);
        let twin = match self.earlier(version)? {
            Some(earlier) => Some(earlier),
            None => self.twin(text_digest)?,
        };
        let newcomer = Newcomer {
            no,
            id,
            text_digest,
            time,
            published,
            source: source.as_deref(),
            fingerprint: &fingerprint,
        };
        let decision = self.detector.decide(&newcomer, twin);
        evicted.extend(decision.evicted);
        let record = decision.verdict.record;
        let relation = decision.verdict.relation.map_or("canonical", Relation::name);
        tracing::debug!(article = %id, %record, relation, path = job.shown, "decided");
        if let Some(growth) = decision.growth {
            self.progress.alarm(growth);
        }
        self.recent.insert(id, no);
        let first = Twin { relation: Relation::Identical, id, no, founder: decision.founder, record };
        if let Some(version) = version {
            self.remember(version, first);
        }
        // Texts without a word are all alike and no twins.
        if fingerprint.words > 0 {
            self.recent_texts.entry(text_digest).or_insert((no, first));
        }
        let event = ArticleEvent {
            no,
            id,
            text_digest,
            arrival: job.arrival,
            index,
            path: job.shown.clone(),
            item: article.item.or_else(|| place.map(|p| p.to_string())),
            at: job.at,
            time,
            source,
            title: article.title,
            published,
            url: article.url,
            lang: article.lang,
            words: fingerprint.words,
            verdict: decision.verdict,
            meta: article.meta,
            encoded: fingerprint.encoded,
            text: article.text,
        };
        let mut events = vec![Event::Article(Box::new(event))];
        events.extend(decision.changes);
        Ok(Group { events, profile: Some(decision.profile) })
    }

    fn is_known(&self, id: ArticleId) -> Result<bool, PipelineError> {
        let is_in_memory = self.detector.knows(id) || self.recent.contains_key(&id);
        Ok(is_in_memory || self.store.view().article_by_id(id)?.is_some())
    }

    /// The latest version of the same story. Where it is in no view yet it is remembered.
    fn earlier(&self, version: Option<Version>) -> Result<Option<Twin>, PipelineError> {
        let Some(Version { story, .. }) = version else { return Ok(None) };
        if let Some((_, twin)) = self.recent_stories.get(&story) {
            return Ok(Some(*twin));
        }
        let view = self.store.view();
        let Some((no, row)) = view.article_by_story(story)? else { return Ok(None) };
        let ArticleRow { id, founder, .. } = row;
        let twin = |record: RecordId| Twin { relation: Relation::Revision, id, no, founder, record };
        Ok(view.record(founder)?.map(|record| twin(record.id)))
    }

    fn remember(&mut self, version: Version, twin: Twin) {
        let latest = self.recent_stories.entry(version.story).or_insert((version.number, twin));
        if version.number >= latest.0 {
            *latest = (version.number, Twin { relation: Relation::Revision, ..twin });
        }
    }

    /// An article with the same text that is in no window any more.
    fn twin(&self, text: Digest) -> Result<Option<Twin>, PipelineError> {
        if self.detector.knows_text(text) {
            return Ok(None);
        }
        // The view is asked first: it knows the oldest with this text, and into which record it has come since.
        let view = self.store.view();
        let Some((no, row)) = view.article_by_text(text)?.filter(|(_, row)| row.words > 0) else {
            return Ok(self.recent_texts.get(&text).map(|(_, twin)| *twin));
        };
        let ArticleRow { id, founder, .. } = row;
        let relation = Relation::Identical;
        Ok(view.record(founder)?.map(|record| Twin { relation, id, no, founder, record: record.id }))
    }

    fn take_number(&mut self) -> Result<ArticleNo, PipelineError> {
        let no = match self.next {
            Some(no) => no,
            None => self.store.view().counts()?.next_article,
        };
        self.next = Some(ArticleNo(no.0 + 1));
        Ok(no)
    }

    /// What is in the view need not be kept in mind.
    fn forget_committed(&mut self) -> Result<(), PipelineError> {
        if self.recent.len() >= UNCOMMITTED_MANY {
            let next = self.store.view().counts()?.next_article;
            self.recent.retain(|_, no| *no >= next);
            self.recent_texts.retain(|_, (no, _)| *no >= next);
            self.recent_stories.retain(|_, (_, twin)| twin.no >= next);
        }
        Ok(())
    }
}

/// The article's own source, else the one configured for its inbox, else the host of its address, else the
/// folder that it lay in.
fn source_of(job: &Job, article: &Article) -> Option<String> {
    let own = article.source.clone().or_else(|| job.source.clone());
    own.or_else(|| host_of(article.url.as_deref()?)).or_else(|| job.folder.clone())
}

/// The host of an address, without `www.`.
fn host_of(url: &str) -> Option<String> {
    let after_scheme = url.split_once("//").map_or(url, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?.to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    // What has no dot is no host but some other kind of name.
    host.contains('.').then(|| host.to_owned())
}

/// When it was published, where that lies within the days before its arrival, or anywhere before it in an archive;
/// else its arrival. A time to come is never believed: it would move every window there.
fn article_time(job: &Job, published: Option<Time>) -> Time {
    let is_recent = |p: &Time| *p >= job.at.days_before(PUBLISHED_DAYS_MAX);
    let is_believed = |p: &Time| match job.times {
        ArticleTimes::Recent => is_recent(p),
        ArticleTimes::Published => true,
        ArticleTimes::Arrival => false,
    };
    published.filter(|p| *p <= job.at && is_believed(p)).unwrap_or(job.at)
}

/// Whether a claimed file has been written to since it was read: a rename does not detach its writer.
fn was_written_to(job: &Job) -> bool {
    match &job.origin {
        Origin::Inbox(claimed) => claimed.changed().unwrap_or(false),
        Origin::Given { .. } => false,
    }
}

fn taken_up(job: &Job) -> ArrivalEvent {
    let (inbox, bytes, modified_ns) = match &job.origin {
        Origin::Inbox(claimed) => (job.inbox.clone(), claimed.bytes, claimed.modified_ns()),
        Origin::Given { .. } => (None, job.given_bytes(), 0),
    };
    ArrivalEvent { arrival: job.arrival, path: job.shown.clone(), at: job.at, inbox, bytes, modified_ns }
}

fn rejection(job: &Job, bad: &Refused) -> Event {
    Event::Rejected(Rejection {
        arrival: job.arrival,
        index: bad.index,
        path: job.shown.clone(),
        place: bad.place.clone(),
        at: job.at,
        reason: bad.reason.clone(),
    })
}

fn receipt(job: &Job, total: &Resume, end: FileEnd) -> (Receipt, OriginalBytes) {
    let is_empty_feed =
        total.rejected == 0 && end.failure.is_none() && end.passed_over.contains_key(EMPTY_FEED);
    let outcome = match outcome(total, end.failure.as_ref()) {
        // That a feed has no entries just now is no failure of it.
        Outcome::Failed if is_empty_feed => Outcome::Accepted,
        outcome => outcome,
    };
    let reason = end.failure.or_else(|| nothing_read(outcome, total));
    let FileEnd { bytes, digest, passed_over, .. } = end;
    let receipt = Receipt { bytes, digest, passed_over, ..job.receipt(total, outcome, reason) };
    // A file of which nothing could be read is set aside itself, or left where it was given.
    (receipt, if outcome == Outcome::Failed { OriginalBytes::None } else { end.original })
}

fn nothing_read(outcome: Outcome, total: &Resume) -> Option<Reason> {
    let sentence = || match total.rejected {
        0 => "there is no article in it".to_owned(),
        1 => "its only item could not be read".to_owned(),
        rejected => format!("none of its {rejected} items could be read; see their reasons"),
    };
    (outcome == Outcome::Failed).then(|| Reason::new("no-article", sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address() {
        assert_eq!(host_of("https://www.Example.org:8080/a?b#c").as_deref(), Some("example.org"));
        assert_eq!(host_of("user@news.example/x").as_deref(), Some("news.example"));
        assert_eq!(["https:///x", "tag:x,2026:1", "2026/11/a.html"].map(host_of), [None, None, None]);
    }

    #[test]
    fn how_a_file_ended_follows_from_what_was_in_it() {
        let total = |new, repeats, rejected| Resume { items: 0, new, repeats, rejected };
        let broken = Reason::new("unreadable", "cut short");
        assert_eq!(outcome(&total(1, 1, 0), None), Outcome::Accepted);
        assert_eq!(outcome(&total(0, 2, 0), None), Outcome::Duplicate);
        assert_eq!(outcome(&total(0, 2, 1), None), Outcome::Partly);
        assert_eq!(outcome(&total(1, 0, 0), Some(&broken)), Outcome::Partly);
        assert_eq!(outcome(&total(0, 0, 3), None), Outcome::Failed);
        assert_eq!(outcome(&total(0, 0, 0), None), Outcome::Failed);
    }
}
