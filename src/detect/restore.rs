//! A detector that takes up where an earlier process stopped.
//!
//! All articles in the windows are taken in at once: one after the other, each of some hundred places in memory is waited
//! for. Called by `pipeline`.

use super::{
    Detector, ProfileError, Settings,
    frequencies::is_recent,
    index::Index,
    profile::{Kept, Profile},
    records::Records,
};
use crate::model::{ArticleId, ArticleNo, RecordId, Relation};
use std::sync::Arc;

/// The articles that were in its windows.
pub struct Remembered {
    settings: Settings,
    newest: ArticleNo,
    profiles: Vec<Arc<Profile>>,
    records: Records,
    /// Those that came last, over which document frequencies are counted.
    recent: Vec<Kept>,
    /// The revisions, each with the version that it revises.
    revisions: Vec<(ArticleNo, ArticleId)>,
}

impl Remembered {
    /// None. `newest` is the last article that was ever decided on, whether or not it is still in a window.
    pub fn new(settings: Settings, newest: ArticleNo) -> Self {
        Self {
            settings,
            newest,
            profiles: Vec::new(),
            records: Records::default(),
            recent: Vec::new(),
            revisions: Vec::new(),
        }
    }

    /// Takes in the profile that was kept of an article in the record of `founder`, with the version of its story that it
    /// revises. They must come in order of first sighting.
    pub fn add(
        &mut self,
        profile: &[u8],
        (founder, record): (ArticleNo, RecordId),
        revised: Option<ArticleId>,
    ) -> Result<(), ProfileError> {
        let kept = Kept::from_bytes(profile)?;
        let no = kept.profile.no;
        self.records.add(no, founder, record);
        self.revisions.extend(revised.map(|revised| (no, revised)));
        self.profiles.push(Arc::clone(&kept.profile));
        if is_recent(no, self.newest) {
            self.recent.push(kept);
        }
        Ok(())
    }

    /// The detector that had them.
    pub fn into_detector(self) -> Detector {
        let Self { settings, profiles, records, recent, revisions, .. } = self;
        let index = Index::holding(settings.overlap_days, settings.rewrite_days, profiles);
        let mut detector = Detector { settings, index, records };
        for kept in &recent {
            if detector.index.is_rewritable(kept.profile.time) {
                detector.index.frequencies.learn(kept);
            }
        }
        for (no, revised) in revisions {
            detector.chain(no, Some(Relation::Revision), Some(revised));
        }
        detector.evict();
        detector
    }
}
