//! Both laws of counting, counted once more from the journal alone, and what should be in the packs.

use crate::{
    journal::{Damage, Frame},
    model::{Arrival, ArticleId, Digest, Event, Original, Outcome},
    store::Counts,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What the journal says there is.
#[derive(Default)]
pub(super) struct Recount {
    pub events: u64,
    /// Files under way: what of each was heard.
    open: BTreeMap<Arrival, Items>,
    ended: BTreeSet<Arrival>,
    outcomes: [u64; Outcome::ALL.len()],
    articles: HashSet<ArticleId>,
    sightings: u64,
    repeats: u64,
    rejected: u64,
    /// Sightings of articles that the journal knows nothing of.
    pub lost_articles: u64,
    /// The originals that receipts speak of, by pack and offset.
    pub originals: BTreeMap<(String, u64), Kept>,
    pub digests: HashSet<Digest>,
    /// Files of which articles are missing: what their receipts say that were in them, and how many are.
    pub short: BTreeMap<Arrival, Short>,
    /// Files of which something could not be read, and that were not put back.
    pub failed: HashSet<Arrival>,
    mended: Vec<(u32, u64)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Items {
    new: u64,
    repeats: u64,
    rejected: u64,
    /// Of the repeats, those of articles that the journal knows nothing of: the file holds them still.
    lost: u64,
}

/// An original that a receipt speaks of.
#[derive(Clone)]
pub(super) struct Kept {
    pub original: Original,
    pub digest: Digest,
    pub path: String,
}

/// A file of which articles are missing.
#[derive(Clone)]
pub(super) struct Short {
    pub kept: Option<Kept>,
    pub path: String,
    pub missing: u64,
    digest: Option<Digest>,
}

impl Recount {
    pub fn frame(&mut self, frame: &Frame) {
        for event in &frame.events {
            self.events += 1;
            self.event(event);
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Arrival(e) => _ = self.of(e.arrival),
            Event::Article(e) => {
                self.of(e.arrival).new += 1;
                self.articles.insert(e.id);
                self.sightings += 1;
            }
            Event::Sighting(e) => {
                self.of(e.arrival).repeats += 1;
                if self.articles.contains(&e.id) {
                    self.sightings += 1;
                    self.repeats += 1;
                } else {
                    self.lost_articles += 1;
                    self.of(e.arrival).lost += 1;
                }
            }
            Event::Rejected(e) => {
                self.of(e.arrival).rejected += 1;
                self.rejected += 1;
            }
            Event::Receipt(e) => {
                let heard = self.open.remove(&e.arrival).unwrap_or_default();
                if !self.ended.insert(e.arrival) {
                    return;
                }
                if e.outcome == Outcome::Failed || e.rejected > 0 {
                    self.failed.insert(e.arrival);
                }
                if let Some(count) = self.outcomes.get_mut(e.outcome as usize) {
                    *count += 1;
                }
                let kept = e.original.clone().zip(e.digest);
                let path = || e.path.clone();
                let kept = kept.map(|(original, digest)| Kept { original, digest, path: path() });
                let said = e.new + e.repeats + e.rejected;
                let missing = said.saturating_sub(heard.new + heard.repeats + heard.rejected) + heard.lost;
                if missing > 0 {
                    let short = Short { kept: kept.clone(), path: path(), missing, digest: e.digest };
                    self.short.insert(e.arrival, short);
                } else if e.digest.is_some() {
                    // The same bytes came whole once more, so nothing of them is missing any longer.
                    self.short.retain(|_, short| short.digest != e.digest);
                }
                self.digests.extend(e.digest);
                if let Some(kept) = kept {
                    let place = (kept.original.pack.clone(), kept.original.offset);
                    self.originals.entry(place).or_insert(kept);
                }
            }
            Event::Mended(e) => self.mended.push((e.segment, e.from)),
            Event::Requeue(e) => _ = self.failed.remove(&e.arrival),
            Event::Merge(_) | Event::Move(_) | Event::Pin(_) => {}
        }
    }

    /// What of a file was heard so far.
    fn of(&mut self, arrival: Arrival) -> &mut Items {
        self.open.entry(arrival).or_default()
    }

    pub fn is_mended(&self, damage: &Damage) -> bool {
        self.mended.contains(&(damage.segment, damage.from))
    }

    /// What does not add up, or is counted otherwise in the view.
    pub fn against(&self, counts: Option<&Counts>) -> Vec<String> {
        let received =
            (self.ended.len() + self.open.keys().filter(|a| !self.ended.contains(a)).count()) as u64;
        let articles = self.articles.len() as u64;
        let ended: u64 = self.outcomes.iter().sum();
        let mut wrong = Vec::new();
        let mut hold = |what: &str, one: u64, other: u64| {
            if one != other {
                wrong.push(format!("{what}: {one} by the journal, and {other} counted"));
            }
        };
        hold("files that ended", self.ended.len() as u64, ended);
        hold("sightings of articles", self.sightings, articles + self.repeats);
        if let Some(c) = counts {
            let [accepted, partly, duplicate, failed] = self.outcomes;
            for (what, one, other) in [
                ("files received", received, c.received),
                ("files accepted", accepted, c.accepted),
                ("files read in part", partly, c.partly),
                ("files received before", duplicate, c.duplicate),
                ("files that failed", failed, c.failed),
                ("files received, against their sum", received, c.ended() + (received - ended)),
                ("articles", articles, c.articles()),
                ("sightings of articles, in the view", self.sightings, c.sightings),
                ("repeats", self.repeats, c.repeats),
                ("items that could not be read", self.rejected, c.rejected),
            ] {
                hold(what, one, other);
            }
        }
        wrong
    }

    pub fn files(&self) -> u64 {
        self.ended.len() as u64 + self.open.len() as u64
    }

    pub fn articles(&self) -> u64 {
        self.articles.len() as u64
    }
}
