//! How near any two articles or records are, for whoever asks: the same measures and thresholds as when it is
//! decided, over profiles that were kept or are measured anew. Decides nothing. Called by `query`.

use super::{
    Newcomer, ProfileError, Settings,
    assemble::MERGE_SMALL,
    decide::{Asked, JOIN_SMALL, with_small},
    frequencies::Frequencies,
    named::named,
    pair::Pair,
    profile::{Kept, Profile},
    records::{MERGE_PANEL, PANEL, panel},
};
use crate::model::{ArticleNo, Evidence, Relation, Score, Step};
use std::sync::Arc;

/// An article as it is compared.
pub struct Measured(Arc<Profile>);

impl Measured {
    /// From the profile that was kept of it when it came.
    pub fn kept(profile: &[u8]) -> Result<Self, ProfileError> {
        Kept::from_bytes(profile).map(|kept| Self(kept.profile))
    }

    /// An article of which no profile is kept any more. What the stream had taught when it came is gone, so its
    /// terms are weighed with the shipped document frequencies alone; how many articles had been seen then is taken
    /// to be how many had come.
    pub fn anew(newcomer: &Newcomer<'_>) -> Self {
        let seen = newcomer.no.0.saturating_add(1);
        let mut profile = Arc::unwrap_or_clone(Frequencies::default().weigh(newcomer).profile);
        profile.seen = seen;
        Self(Arc::new(profile))
    }

    /// Its number.
    pub fn no(&self) -> ArticleNo {
        self.0.no
    }
}

/// How two groups of articles fit each other.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The likeliest pair, of the first and the second group; where they are barred, of those that bar them.
    pub decisive: (ArticleNo, ArticleNo),
    /// How the later of that pair stands to the earlier, if they tell one story.
    pub relation: Relation,
    /// What was measured on that pair, with the mean over all pairs, but for any bar, and what it has to reach.
    pub evidence: Evidence,
}

/// The members of a record that are asked when something is to join it or to merge with it.
pub fn asked(step: Step, members: &[ArticleNo]) -> Vec<ArticleNo> {
    let size = match step {
        Step::Join => PANEL,
        Step::Merge => MERGE_PANEL,
    };
    let mut members = members.to_vec();
    members.sort_unstable();
    members.dedup();
    panel(&members, size)
}

/// What the mean has to reach with so many members of the record, or so many pairs across two.
pub fn threshold(settings: &Settings, step: Step, support: usize) -> Score {
    match step {
        Step::Join => with_small(settings.join, JOIN_SMALL, support),
        Step::Merge => with_small(settings.merge, MERGE_SMALL, support),
    }
}

/// Weighs each of some articles with each of others. Nothing where there is none.
pub fn fit(one: &[Measured], other: &[Measured], threshold: Score) -> Option<Fit> {
    let across = || one.iter().flat_map(|a| other.iter().map(move |b| (&a.0, &b.0)));
    let pairs: Vec<_> = across()
        .map(|(a, b)| (a.no, b.no, Pair::of(a, b)))
        .map(|(a, b, pair)| (a, b, pair.unbarred, pair.siblings))
        .collect();
    let weighed = mean_of(&pairs)?;
    let (a, b) = across().find(|(a, b)| (a.no, b.no) == weighed.decisive)?;
    let pair = Pair::of(a, b);
    let evidence = named(&pair, a, b, Asked { pairs: pairs.len(), mean: weighed.mean, threshold });
    Some(Fit { decisive: weighed.decisive, relation: pair.relation, evidence })
}

/// The mean over pairs but for any bar, and the pair that says most.
pub(super) struct Weighed {
    pub mean: Score,
    pub barred: bool,
    pub decisive: (ArticleNo, ArticleNo),
}

/// Of pairs with the probability but for a bar and whether they are barred. Where one is, it decides.
pub(super) fn mean_of(pairs: &[(ArticleNo, ArticleNo, Score, bool)]) -> Option<Weighed> {
    let mut decisive = pairs.first()?;
    for pair in pairs {
        if (pair.3, pair.2) > (decisive.3, decisive.2) {
            decisive = pair;
        }
    }
    let mean = Score::mean(pairs.iter().map(|(.., probability, _)| *probability));
    Some(Weighed { mean, barred: decisive.3, decisive: (decisive.0, decisive.1) })
}
