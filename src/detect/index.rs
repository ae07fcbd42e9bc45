//! The articles in the windows, and what finds them again.

use super::{
    Newcomer, exact::Exact, frequencies::Frequencies, near::HammingIndex, overlap::SketchIndex,
    profile::Profile, rewrite::TermIndex,
};
use crate::model::{ArticleId, ArticleNo, Time};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

/// So many terms, and so many entries of a sketch, lie in a line of memory.
const TERMS_A_LINE: usize = 5;
const ENTRIES_A_LINE: usize = 16;

/// The live articles.
pub(super) struct Index {
    overlap_days: u32,
    rewrite_days: u32,
    /// The articles from number `first` on; those that have left are empty places until all before them left.
    profiles: VecDeque<Option<Arc<Profile>>>,
    first: u32,
    /// The latest article time taken in: windows end here, not at any clock.
    latest: Option<Time>,
    /// The live articles by time, and those whose terms are still compared.
    by_time: BTreeSet<(Time, ArticleNo)>,
    rewritable: BTreeSet<(Time, ArticleNo)>,
    by_id: HashMap<ArticleId, ArticleNo>,
    pub exact: Exact,
    pub near: HammingIndex,
    pub sketches: SketchIndex,
    pub terms: TermIndex,
    pub frequencies: Frequencies,
}

impl Index {
    pub fn new(overlap_days: u32, rewrite_days: u32) -> Self {
        Self {
            overlap_days: overlap_days.max(rewrite_days),
            rewrite_days,
            profiles: VecDeque::new(),
            first: 0,
            latest: None,
            by_time: BTreeSet::new(),
            rewritable: BTreeSet::new(),
            by_id: HashMap::new(),
            exact: Exact::default(),
            near: HammingIndex::default(),
            sketches: SketchIndex::default(),
            terms: TermIndex::default(),
            frequencies: Frequencies::default(),
        }
    }

    pub fn get(&self, no: ArticleNo) -> Option<&Profile> {
        self.profiles.get(self.place(no))?.as_deref()
    }

    /// Where an article is among the profiles; beyond them where it came before all of them.
    fn place(&self, no: ArticleNo) -> usize {
        no.0.wrapping_sub(self.first) as usize
    }

    pub fn number_of(&self, id: ArticleId) -> Option<ArticleNo> {
        self.by_id.get(&id).copied()
    }

    pub fn live(&self) -> usize {
        self.by_time.len()
    }

    /// Weighs an article that has come with what the latest before it have taught.
    pub fn weigh(&mut self, newcomer: &Newcomer<'_>) -> Profile {
        self.unlearn_outdated(newcomer.no);
        self.frequencies.weigh(newcomer)
    }

    /// Learns an article that was weighed before a restart.
    pub fn learn(&mut self, profile: &Profile) {
        self.unlearn_outdated(profile.no);
        self.frequencies.learn(profile);
    }

    fn unlearn_outdated(&mut self, no: ArticleNo) {
        while let Some(outdated) = self.frequencies.outdated_by(no) {
            if self.unlearn(outdated).is_none() {
                break;
            }
        }
    }

    /// Counts an article in no document frequency any more, and forgets what was kept of it for that alone.
    fn unlearn(&mut self, no: ArticleNo) -> Option<()> {
        let place = self.place(no);
        let profile = self.profiles.get_mut(place)?.as_mut()?;
        self.frequencies.unlearn(profile);
        if !profile.others.is_empty() {
            Arc::make_mut(profile).others = Vec::new();
        }
        Some(())
    }

    /// The live articles that any matcher finds, each once; of `SimHash` neighbours the newest.
    pub fn candidates(&mut self, profile: &Profile, neighbours_max: usize) -> Vec<ArticleNo> {
        let mut found = self.terms.candidates(profile);
        found.extend(self.sketches.candidates(&profile.sketch));
        if let Some(simhash) = profile.simhash {
            found.extend(self.near.within_radius(simhash).into_iter().rev().take(neighbours_max));
        }
        found.sort_unstable();
        found.dedup();
        self.touch(&found);
        found
    }

    /// Looks at all that a comparison reads of these articles, so that memory is waited for once and not for each.
    fn touch(&self, articles: &[ArticleNo]) {
        let look = |profile: &Profile| {
            let terms: u32 =
                profile.terms.iter().step_by(TERMS_A_LINE).map(|t| t.number).fold(0, u32::wrapping_add);
            let sketch: u32 =
                profile.sketch.iter().step_by(ENTRIES_A_LINE).copied().fold(0, u32::wrapping_add);
            terms.wrapping_add(sketch).wrapping_add(profile.quoted.first().copied().unwrap_or(0))
        };
        let sum = articles.iter().filter_map(|no| self.get(*no)).map(look).fold(0, u32::wrapping_add);
        std::hint::black_box(sum);
    }

    /// Takes in an article. Numbers must rise.
    pub fn insert(&mut self, profile: Arc<Profile>) {
        let no = profile.no;
        if self.profiles.is_empty() {
            self.first = no.0;
        }
        self.latest = self.latest.max(Some(profile.time));
        self.by_time.insert((profile.time, no));
        self.rewritable.insert((profile.time, no));
        self.by_id.insert(profile.id, no);
        self.exact.insert(profile.text_digest, no, profile.words);
        if let Some(simhash) = profile.simhash {
            self.near.insert(simhash, no);
        }
        self.sketches.insert(&profile.sketch, no);
        self.terms.insert(&profile);
        self.profiles.resize_with((no.0 - self.first) as usize, || None);
        self.profiles.push_back(Some(profile));
        self.terms.live_numbers(ArticleNo(self.first), self.profiles.len());
    }

    /// Lets go of what has left the windows, and returns the articles that left all of them.
    pub fn evict(&mut self) -> Vec<ArticleNo> {
        let Some(latest) = self.latest else { return Vec::new() };
        while let Some((time, no)) = self.rewritable.first().copied()
            && time < latest.days_before(self.rewrite_days)
        {
            self.rewritable.pop_first();
            self.unlearn(no);
            if let Some(profile) = self.profiles.get(self.place(no)).and_then(Option::as_deref) {
                self.terms.remove(profile);
            }
        }
        let mut gone = Vec::new();
        while let Some((time, no)) = self.by_time.first().copied()
            && time < latest.days_before(self.overlap_days)
        {
            self.by_time.pop_first();
            self.remove(no);
            gone.push(no);
        }
        while matches!(self.profiles.front(), Some(None)) {
            self.profiles.pop_front();
            self.first += 1;
        }
        self.terms.live_numbers(ArticleNo(self.first), self.profiles.len());
        gone
    }

    fn remove(&mut self, no: ArticleNo) {
        let place = self.place(no);
        let Some(profile) = self.profiles.get_mut(place).and_then(Option::take) else { return };
        self.by_id.remove(&profile.id);
        self.exact.remove(profile.text_digest, no);
        if let Some(simhash) = profile.simhash {
            self.near.remove(simhash, no);
        }
        self.sketches.remove(&profile.sketch, no);
    }
}
