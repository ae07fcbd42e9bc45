//! The stream of a desk: articles of many outlets, some on running stories, some told again or sent again.

use super::{
    edits::Edit,
    rng::Rng,
    story::{Story, Topic},
    telling::{Style, tell},
};
use crate::model::{Article, Time};
use std::collections::VecDeque;

/// 2026-03-02T00:00:00Z, a Monday.
const BEGIN_MILLIS: i64 = 1_772_409_600_000;
const DAY_MILLIS: i64 = 86_400_000;
/// So many topics run at a time, and of so many stories copies may still come.
const TOPICS: usize = 200;
const RECENT: usize = 400;
/// Of a hundred articles: on a new story of a running topic, the same story in other words, a copy. The rest are
/// stories that share nothing. Desks see shares of copies between a tenth and a half.
const RUNNING_PERCENT: usize = 25;
const RETOLD_PERCENT: usize = 10;
const COPIED_PERCENT: usize = 10;

/// Articles without end, in order of publication, each with an id, a title, a time and a source.
pub struct Stream {
    rng: Rng,
    a_day: i64,
    sent: i64,
    topics: Vec<Topic>,
    recent: VecDeque<(Story, Article)>,
}

impl Stream {
    /// A stream of so many articles a day.
    pub fn new(seed: u64, a_day: u32) -> Self {
        let mut rng = Rng::new(seed);
        let topics = (0..TOPICS).map(|_| Topic::new(&mut rng)).collect();
        Self { rng, a_day: i64::from(a_day.max(1)), sent: 0, topics, recent: VecDeque::new() }
    }

    fn tell_new(&mut self) -> (Story, Article) {
        let at = self.rng.below(self.topics.len());
        let is_running = self.rng.percent(RUNNING_PERCENT * 100 / (100 - RETOLD_PERCENT - COPIED_PERCENT));
        let story = match self.topics.get(at).filter(|_| is_running) {
            Some(topic) => Story::new(topic, &mut self.rng),
            None => Story::alone(&mut self.rng),
        };
        // Topics come and go.
        if let Some(topic) = self.topics.get_mut(at)
            && self.rng.percent(1)
        {
            *topic = Topic::new(&mut self.rng);
        }
        let article = tell(&story, Style::any(&mut self.rng), &mut self.rng);
        (story, article)
    }

    fn tell_again(&mut self) -> Option<(Story, Article)> {
        let (story, article) = self.recent.get(self.rng.below(self.recent.len()))?.clone();
        let again = if self.rng.percent(RETOLD_PERCENT * 100 / (RETOLD_PERCENT + COPIED_PERCENT)) {
            tell(&story, Style::any(&mut self.rng), &mut self.rng)
        } else {
            let edit = Edit::TEXTS.get(self.rng.below(Edit::TEXTS.len()))?;
            edit.apply(&article, &mut self.rng)
        };
        Some((story, again))
    }
}

impl Iterator for Stream {
    type Item = Article;

    fn next(&mut self) -> Option<Article> {
        let is_again = self.rng.percent(RETOLD_PERCENT + COPIED_PERCENT);
        let (story, mut article) =
            is_again.then(|| self.tell_again()).flatten().unwrap_or_else(|| self.tell_new());
        article.item = Some(format!("g{:07}", self.sent));
        article.published = Some(Time::from_millis(BEGIN_MILLIS + self.sent * DAY_MILLIS / self.a_day));
        article.source = Some(outlet(&mut self.rng));
        self.sent += 1;
        if !is_again {
            self.recent.push_back((story, article.clone()));
            if self.recent.len() > RECENT {
                self.recent.pop_front();
            }
        }
        Some(article)
    }
}

/// One of 60 outlets.
pub(super) fn outlet(rng: &mut Rng) -> String {
    let towns = [
        "Ellery",
        "Harrow",
        "Stonebridge",
        "Quay",
        "Estuary",
        "Northgate",
        "Westmere",
        "Upland",
        "Coastal",
        "Central",
    ];
    let papers = ["Post", "Courier", "Times", "Echo", "Online", "Radio"];
    format!("{} {}", rng.pick(&towns), rng.pick(&papers))
}
