//! The funnel: does an article belong to a record that is there, and why.
//!
//! Owns the in-memory index of the articles in the windows and the decision. It is sequential, so that two
//! near-copies in flight cannot both be new, and it is deterministic: what it decides depends on the live
//! articles and the order in which they came, on no clock and on no machine. It knows no disk; what must
//! survive a restart it hands out as profiles. Called by `pipeline`.
//!
//! The matchers, each confirmed on the text, are `exact`, `near`, `overlap` and `rewrite`;
//! `template` bars what is alike in form only; `records` and `assemble` keep them together. `named` and `misses`
//! keep what a person asks for later, and `compare` measures for whoever asks; they decide nothing. `restore` takes up where
//! another process stopped.

mod assemble;
mod blocks;
mod bulk;
mod compare;
mod decide;
mod exact;
mod frequencies;
mod growth;
mod index;
mod misses;
mod named;
mod near;
mod overlap;
mod pair;
mod postings;
mod probe;
mod profile;
mod records;
mod restore;
mod rewrite;
mod sentences;
mod table;
mod tally;
mod template;
mod terms;

use crate::model::{
    ArticleEvent, ArticleId, ArticleNo, Digest, Event, Fingerprint, MergeEvent, MoveEvent, RecordId,
    Relation, Time,
};
use index::Index;
use profile::Profile;
use records::Records;
use std::sync::Arc;

pub use compare::{Fit, Measured, asked, fit, threshold};
pub use decide::Decision;
pub use growth::Growth;
pub use profile::{Kept, ProfileError};
pub use restore::Remembered;

/// What an operator may set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How many days the near and the overlap matcher look back.
    pub overlap_days: u32,
    /// How many days the rewrite matcher looks back.
    pub rewrite_days: u32,
    /// The mean probability at which an article joins a record.
    pub join: f64,
    /// The mean probability at which two records merge.
    pub merge: f64,
    /// The probability of the best pair across at which two records are related.
    pub link: f64,
    /// Whether records may merge.
    pub merging: bool,
    /// Whether an article may move to a record that it fits clearly better.
    pub moving: bool,
    /// At how many articles, most of them of one day, a record raises an alarm; 0 for never.
    pub alarm_articles: u32,
}

/// One article on its way in.
#[derive(Debug)]
pub struct Newcomer<'f> {
    /// Its running number.
    pub no: ArticleNo,
    /// Its id.
    pub id: ArticleId,
    /// The digest of what is compared.
    pub text_digest: Digest,
    /// The time that decides windows.
    pub time: Time,
    /// When it says it was published.
    pub published: Option<Time>,
    /// Its source.
    pub source: Option<&'f str>,
    /// What was measured on it.
    pub fingerprint: &'f Fingerprint,
}

/// An article that the store knows this one to belong to, whatever the matchers say: one outside every window that has the
/// same text, or an earlier version of the same story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    /// How the newcomer stands to it: identical, or a revision of it.
    pub relation: Relation,
    /// That article.
    pub id: ArticleId,
    /// Its running number.
    pub no: ArticleNo,
    /// The founder of its record.
    pub founder: ArticleNo,
    /// Its record.
    pub record: RecordId,
}

/// The index and the records of the articles in the windows.
pub struct Detector {
    settings: Settings,
    index: Index,
    records: Records,
}

impl Detector {
    /// An empty one.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            index: Index::new(settings.overlap_days, settings.rewrite_days),
            records: Records::default(),
        }
    }

    /// Whether an article in a window has this id, so that the store need not be asked.
    pub fn knows(&self, id: ArticleId) -> bool {
        self.index.number_of(id).is_some()
    }

    /// Whether an article in a window has this text, so that the store need not be asked.
    pub fn knows_text(&self, text: Digest) -> bool {
        self.index.with_text(text).is_some()
    }

    /// Decides on an article and takes it in.
    pub fn decide(&mut self, newcomer: &Newcomer<'_>, twin: Option<Twin>) -> Decision {
        decide::decide(self, newcomer, twin)
    }

    /// Takes in an article that was decided on before, as the journal tells it. Returns its profile and the
    /// articles that left every window.
    pub fn replay(
        &mut self,
        event: &ArticleEvent,
        founder: ArticleNo,
        fingerprint: &Fingerprint,
    ) -> (Kept, Vec<ArticleNo>) {
        let newcomer = Newcomer {
            no: event.no,
            id: event.id,
            text_digest: event.text_digest,
            time: event.time,
            published: event.published,
            source: event.source.as_deref(),
            fingerprint,
        };
        let kept = self.index.frequencies.weigh(&newcomer);
        let evicted = self.take_in(Arc::clone(&kept.profile), founder, event.verdict.record);
        self.chain(event.no, event.verdict.relation, event.verdict.matched);
        (kept, evicted)
    }

    /// Keeps an article in the record of `founder`, whether or not it is in a window, or lets it go.
    pub fn pin(&mut self, no: ArticleNo, founder: ArticleNo, pinned: bool) {
        if pinned {
            self.records.pin(no, founder);
        } else {
            self.records.unpin(no);
        }
    }

    /// Applies a merge or a move that was decided on before; `from` and `to` are the founders of the records
    /// that it names. Other events mean nothing here.
    pub fn replay_change(&mut self, event: &Event, from: ArticleNo, to: ArticleNo) {
        match event {
            Event::Merge(MergeEvent { into, .. }) => self.records.merge(to, from, *into),
            Event::Move(MoveEvent { id, to: record, .. }) => {
                if let Some(no) = self.index.number_of(*id) {
                    self.records.remove(no);
                    self.records.add(no, to, *record);
                }
            }
            _ => {}
        }
    }

    /// Keeps an article that was taken in with the version of its story that it revises, where it does.
    fn chain(&mut self, no: ArticleNo, relation: Option<Relation>, revised: Option<ArticleId>) {
        let revised = revised.filter(|_| relation == Some(Relation::Revision));
        if let Some(revised) = revised {
            for version in std::iter::once(no).chain(self.index.number_of(revised)) {
                self.records.chain(version);
            }
        }
    }

    /// How many articles are in the windows.
    pub fn live(&self) -> usize {
        self.index.live()
    }

    /// Puts a weighed article into the index and its record, and lets go of what has left the windows.
    fn take_in(&mut self, profile: Arc<Profile>, founder: ArticleNo, record: RecordId) -> Vec<ArticleNo> {
        self.records.add(profile.no, founder, record);
        self.index.insert(profile);
        self.evict()
    }

    fn evict(&mut self) -> Vec<ArticleNo> {
        let gone = self.index.evict();
        for no in &gone {
            self.records.remove(*no);
        }
        gone
    }
}

#[cfg(test)]
mod tests;
