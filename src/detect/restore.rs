//! A detector that takes up where an earlier process stopped.
//!
//! All articles in the windows are taken in at once: one after the other, each of some hundred places in memory is waited
//! for. Called by `pipeline`.

use super::{
    Detector, ProfileError, Settings, frequencies::is_recent, index::Index, profile::Kept, records::Records,
};
use crate::model::{ArticleId, ArticleNo, RecordId, Relation};
use std::sync::Arc;

/// An article that was in a window.
pub struct Remembered {
    kept: Kept,
    /// Whether its terms are among those that the document frequencies are counted over.
    is_recent: bool,
    founder: ArticleNo,
    record: RecordId,
    revised: Option<ArticleId>,
}

impl Remembered {
    /// Reads the profile that was kept of an article in the record of `founder`, with the version of its story that it
    /// revises. `newest` is the last article that was ever decided on, whether or not it is still in a window.
    pub fn read(
        profile: &[u8],
        (founder, record): (ArticleNo, RecordId),
        revised: Option<ArticleId>,
        newest: ArticleNo,
    ) -> Result<Self, ProfileError> {
        let mut kept = Kept::from_bytes(profile)?;
        let is_recent = is_recent(kept.profile.no, newest);
        if !is_recent {
            kept.others = Vec::new();
        }
        Ok(Self { kept, is_recent, founder, record, revised })
    }
}

impl Detector {
    /// As the one was that had these articles in its windows, in order of first sighting.
    pub fn restored(settings: Settings, articles: Vec<Remembered>) -> Self {
        let profiles: Vec<_> = articles.iter().map(|article| Arc::clone(&article.kept.profile)).collect();
        let mut detector = Self {
            settings,
            index: Index::holding(settings.overlap_days, settings.rewrite_days, &profiles),
            records: Records::default(),
        };
        for Remembered { kept, is_recent, founder, record, .. } in &articles {
            detector.records.add(kept.profile.no, *founder, *record);
            if *is_recent && detector.index.is_rewritable(kept.profile.time) {
                detector.index.frequencies.learn(kept);
            }
        }
        for Remembered { kept, revised, .. } in &articles {
            detector.chain(kept.profile.no, Some(Relation::Revision), *revised);
        }
        detector.evict();
        detector
    }
}
