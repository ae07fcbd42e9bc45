//! The articles in the windows, and what finds them again.

use super::{
    exact::Exact, frequencies::Frequencies, near::HammingIndex, overlap::SketchIndex, profile::Profile,
    rewrite::TermIndex, tally::Tally,
};
use crate::model::{ArticleId, ArticleNo, Digest, Time};
use std::{
    collections::{BTreeSet, VecDeque},
    io,
    panic::resume_unwind,
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

/// Before all times.
const BEGINNING: Time = Time::from_millis(i64::MIN);

/// A live article that may tell the same story.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub no: ArticleNo,
    /// Whether it was found by its wording. What was found by its terms alone shares too little to count.
    pub shares_wording: bool,
}

/// The live articles.
pub(super) struct Index {
    overlap_days: u32,
    rewrite_days: u32,
    /// The articles from number `first` on; those that have left are empty places until all before them left.
    profiles: VecDeque<Option<Arc<Profile>>>,
    first: u32,
    /// The latest article time taken in: windows end here, not at any clock.
    latest: Option<Time>,
    /// The live articles by time.
    by_time: BTreeSet<(Time, ArticleNo)>,
    /// The terms of the live articles from this time on are compared, and for as long as it is decided on, those of one that
    /// came with an earlier time.
    rewritable_from: Time,
    late: Vec<ArticleNo>,
    exact: Exact,
    pub near: HammingIndex,
    pub sketches: SketchIndex,
    pub terms: TermIndex,
    tally: Tally,
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
            rewritable_from: BEGINNING,
            late: Vec::new(),
            exact: Exact::default(),
            near: HammingIndex::default(),
            sketches: SketchIndex::default(),
            terms: TermIndex::default(),
            tally: Tally::default(),
            frequencies: Frequencies::default(),
        }
    }

    /// As if it had taken in these one after the other; numbers must rise. None has left its windows: what did is to be
    /// evicted.
    pub fn holding(overlap_days: u32, rewrite_days: u32, articles: Vec<Arc<Profile>>) -> Self {
        let latest = articles.iter().map(|profile| profile.time).max();
        let mut index = Self { latest, ..Self::new(overlap_days, rewrite_days) };
        let all: Vec<&Profile> = articles.iter().map(|profile| &**profile).collect();
        let rewritable: Vec<&Profile> =
            all.iter().copied().filter(|profile| index.is_rewritable(profile.time)).collect();
        index.first = articles.first().map_or(0, |oldest| oldest.no.0);
        // Terms and sketches have nearly all of the postings.
        thread::scope(|scope| {
            let named = |name: &str| thread::Builder::new().name(name.to_owned());
            let terms = named("terms").spawn_scoped(scope, || TermIndex::holding(&rewritable));
            let sketches = named("sketches").spawn_scoped(scope, || SketchIndex::holding(&all));
            index.by_time = all.iter().map(|profile| (profile.time, profile.no)).collect();
            index.rewritable_from = index.rewrites_from();
            index.exact = Exact::holding(&all, |profile| profile.no, digests);
            let simhashes: Vec<_> = all.iter().filter_map(|p| Some((p.simhash?, p.no))).collect();
            index.near = HammingIndex::holding(&simhashes);
            index.terms = made(terms).unwrap_or_else(|| TermIndex::holding(&rewritable));
            index.sketches = made(sketches).unwrap_or_else(|| SketchIndex::holding(&all));
        });
        for profile in articles {
            index.keep(profile);
        }
        index
    }

    /// Whether the terms of an article of this time are still compared.
    pub fn is_rewritable(&self, time: Time) -> bool {
        time >= self.rewrites_from()
    }

    fn rewrites_from(&self) -> Time {
        self.latest.map_or(BEGINNING, |latest| latest.days_before(self.rewrite_days))
    }

    pub fn get(&self, no: ArticleNo) -> Option<&Profile> {
        self.profiles.get(self.place(no))?.as_deref()
    }

    /// Where an article is among the profiles; beyond them where it came before all of them.
    fn place(&self, no: ArticleNo) -> usize {
        no.0.wrapping_sub(self.first) as usize
    }

    pub fn number_of(&self, id: ArticleId) -> Option<ArticleNo> {
        self.first(id, |profile| profile.id == id)
    }

    /// The first live article with a text. One without a word is like no other, though all of them are the same.
    pub fn with_text(&self, text: Digest) -> Option<ArticleNo> {
        self.first(text, |profile| profile.words > 0 && profile.text_digest == text)
    }

    fn first(&self, digest: Digest, is_meant: impl Fn(&Profile) -> bool) -> Option<ArticleNo> {
        self.exact.first(digest, |no| self.get(no).is_some_and(&is_meant))
    }

    pub fn live(&self) -> usize {
        self.by_time.len()
    }

    /// The live articles that any matcher finds, each once; of `SimHash` neighbours the newest.
    pub fn candidates(&mut self, profile: &Profile, neighbours_max: usize) -> Vec<Candidate> {
        let mut by_wording = self.sketches.candidates(profile.sketch(), &mut self.tally);
        if let Some(simhash) = profile.simhash {
            let near = self.near.within_radius(simhash, |no| self.get(no)?.simhash);
            by_wording.extend(near.take(neighbours_max));
        }
        by_wording.sort_unstable();
        by_wording.dedup();
        let by_terms = self.terms.candidates(profile, &mut self.tally);
        let shares_wording = |no: &ArticleNo| by_wording.binary_search(no).is_ok();
        let mut found: Vec<Candidate> = by_terms
            .into_iter()
            .filter(|no| !shares_wording(no))
            .map(|no| Candidate { no, shares_wording: false })
            .chain(by_wording.iter().map(|no| Candidate { no: *no, shares_wording: true }))
            .collect();
        found.sort_unstable_by_key(|candidate| candidate.no);
        self.touch(&found, !profile.quoted().is_empty());
        found
    }

    /// Looks at what every comparison reads of these articles, so that memory is waited for once and not for each: first at what
    /// says where the rest lies.
    fn touch(&self, candidates: &[Candidate], are_quotes_compared: bool) {
        let profiles: Vec<_> =
            candidates.iter().filter_map(|c| Some((self.get(c.no)?, c.shares_wording))).collect();
        let heads = profiles.iter().fold(0, |sum, (profile, _)| sum ^ profile.touch_head());
        let lists = profiles.iter().fold(heads, |sum, (profile, shares_wording)| {
            sum ^ profile.touch_lists(*shares_wording, are_quotes_compared)
        });
        std::hint::black_box(lists);
    }

    /// Takes in an article. Numbers must rise.
    pub fn insert(&mut self, profile: Arc<Profile>) {
        let no = profile.no;
        if self.profiles.is_empty() {
            self.first = no.0;
        }
        self.latest = self.latest.max(Some(profile.time));
        self.by_time.insert((profile.time, no));
        self.late.extend((profile.time < self.rewritable_from).then_some(no));
        self.exact.insert(no, digests(&profile));
        if let Some(simhash) = profile.simhash {
            self.near.insert(simhash, no, ArticleNo(self.first));
        }
        self.sketches.insert(profile.sketch(), no);
        self.terms.insert(&profile);
        self.keep(profile);
    }

    fn keep(&mut self, profile: Arc<Profile>) {
        self.profiles.resize_with(self.place(profile.no), || None);
        self.profiles.push_back(Some(profile));
    }

    /// Lets go of what has left the windows, and returns the articles that left all of them.
    pub fn evict(&mut self) -> Vec<ArticleNo> {
        let Some(latest) = self.latest else { return Vec::new() };
        let end = self.rewrites_from();
        let begin = std::mem::replace(&mut self.rewritable_from, end);
        let mut outdated = std::mem::take(&mut self.late);
        let [begin, end] = [begin, end].map(|time| (time, ArticleNo(0)));
        outdated.extend(self.by_time.range(begin..end).map(|(_, no)| *no));
        for no in outdated {
            self.frequencies.unlearn(no);
            let profile = self.profiles.get(self.place(no)).and_then(Option::as_deref);
            if let Some(profile) = profile {
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
        gone
    }

    fn remove(&mut self, no: ArticleNo) {
        let place = self.place(no);
        let Some(profile) = self.profiles.get_mut(place).and_then(Option::take) else { return };
        self.exact.remove(no, digests(&profile));
        self.sketches.remove(profile.sketch(), no);
    }
}

/// What a thread has made; nothing where there could be none.
fn made<T>(thread: io::Result<ScopedJoinHandle<'_, T>>) -> Option<T> {
    Some(thread.ok()?.join().unwrap_or_else(|panic| resume_unwind(panic)))
}

/// What an article is found by exactly.
fn digests(profile: &Profile) -> impl Iterator<Item = Digest> {
    let text = (profile.words > 0).then_some(profile.text_digest);
    std::iter::once(profile.id).chain(text)
}
