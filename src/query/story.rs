//! What is heard of one file, event by event, and put into the order in which it happened.
//!
//! It is told what the journal holds and knows neither where that lies nor what else is asked for. `trace` reads for it.

use super::trace::{Asked, StepName, TraceAnswer, TraceStep};
use crate::{
    journal::{Frame, Place},
    model::{Arrival, ArticleId, Event, RecordId, Time},
    store::ArrivalRow,
};
use std::collections::BTreeMap;

/// So many steps of one file are held and told at most; a file of more articles is asked for by one of them.
pub(super) const STEPS_MAX: usize = 10_000;

/// What has been heard of one file.
pub(super) struct Story {
    pub(super) told: TraceAnswer,
    /// What happened, each with where the journal tells it.
    pub(super) steps: Vec<(Place, TraceStep)>,
    /// Whether all of it was asked for, or only some of its articles.
    pub(super) is_asked_for: bool,
    /// The articles that came with it, each with its item and the record that it is in.
    pub(super) homes: BTreeMap<ArticleId, (Option<String>, Option<RecordId>)>,
}

impl Story {
    pub(super) fn new(arrival: Arrival, row: &ArrivalRow, is_asked_for: bool) -> Self {
        let told = TraceAnswer {
            arrival: Some(arrival),
            path: row.path.clone(),
            inbox: row.inbox.clone(),
            bytes: row.bytes,
            digest: row.digest,
            outcome: row.outcome,
            ..TraceAnswer::default()
        };
        Self { told, steps: Vec::new(), is_asked_for, homes: BTreeMap::new() }
    }

    /// Whether more is told.
    fn has_room(&self) -> bool {
        self.steps.len() < STEPS_MAX
    }

    /// Holds a step where there is room; the end is always told.
    fn add(&mut self, place: Place, step: TraceStep) {
        if self.has_room() || step.step == StepName::Ended {
            self.steps.push((place, step));
        } else {
            self.told.left_out += 1;
        }
    }

    /// The answer, its steps in order.
    pub(super) fn into_told(mut self) -> TraceAnswer {
        self.steps.sort_by_key(|(place, _)| *place);
        self.told.steps = self.steps.into_iter().map(|(_, step)| step).collect();
        self.told
    }

    /// What a frame tells of the file itself: of one that was asked for by its articles, only what befell these.
    pub(super) fn of_the_file(&mut self, arrival: Arrival, frame: &Frame, asked: &Asked<'_>) {
        for (place, event) in frame.places().zip(&frame.events) {
            let article = match event {
                Event::Article(e) => Some(e.id),
                Event::Sighting(e) => Some(e.id),
                _ => None,
            };
            let is_asked_for = match (event, article) {
                (Event::Rejected(_), _) => self.is_asked_for,
                (_, Some(article)) => self.is_asked_for || asked.articles.contains_key(&article),
                _ => true,
            };
            if event.arrival() == Some(arrival) && is_asked_for {
                self.own(place, frame.at, event);
            }
        }
    }

    /// What an event of its own tells of a file.
    fn own(&mut self, place: Place, at: Time, event: &Event) {
        let step = match event {
            Event::Arrival(e) => {
                self.told.bytes = self.told.bytes.max(e.bytes);
                if e.inbox.is_some() {
                    let written = Time::from_millis(e.modified_ns.div_euclid(1_000_000));
                    let step = TraceStep { at: written, step: StepName::Written, ..TraceStep::default() };
                    self.add(place, step);
                }
                TraceStep { at: e.at, step: StepName::Claimed, ..TraceStep::default() }
            }
            Event::Article(e) => {
                let v = &e.verdict;
                let step = if v.relation.is_none() { StepName::Founded } else { StepName::Joined };
                if self.has_room() {
                    self.homes.insert(e.id, (e.item.clone(), Some(v.record)));
                }
                TraceStep {
                    at,
                    step,
                    item: e.item.clone(),
                    article: Some(e.id),
                    record: Some(v.record),
                    relation: v.relation,
                    matched: v.matched,
                    score: v.score,
                    ..TraceStep::default()
                }
            }
            Event::Sighting(e) => {
                TraceStep { at, step: StepName::Repeated, article: Some(e.id), ..TraceStep::default() }
            }
            Event::Rejected(e) => {
                let (item, reason) = (e.place.as_ref().map(ToString::to_string), Some(e.reason.clone()));
                TraceStep { at, step: StepName::Unreadable, item, reason, ..TraceStep::default() }
            }
            Event::Receipt(e) => {
                self.told.bytes = self.told.bytes.max(e.bytes);
                self.told.original.clone_from(&e.original);
                let counts = Some([e.new, e.repeats, e.rejected, e.passed_over.values().sum()]);
                TraceStep {
                    at,
                    step: StepName::Ended,
                    reason: e.reason.clone(),
                    counts,
                    ..TraceStep::default()
                }
            }
            Event::Merge(_) | Event::Move(_) | Event::Pin(_) | Event::Requeue(_) | Event::Mended(_) => return,
        };
        self.add(place, step);
    }

    /// What befell a file's articles through others.
    pub(super) fn afterwards(&mut self, place: Place, at: Time, event: &Event) {
        let mut steps = Vec::new();
        match event {
            Event::Merge(e) => {
                for (article, (item, home)) in &mut self.homes {
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
                if let Some((item, home)) = self.homes.get_mut(&e.id) {
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
                if let Some((item, _)) = self.homes.get(&e.id) {
                    let step = if e.pinned { StepName::Pinned } else { StepName::Unpinned };
                    let (item, article) = (item.clone(), Some(e.id));
                    steps.push(TraceStep { at: e.at, step, item, article, ..TraceStep::default() });
                }
            }
            Event::Requeue(e) if self.told.arrival == Some(e.arrival) => {
                steps.push(TraceStep { at: e.at, step: StepName::Requeued, ..TraceStep::default() });
            }
            _ => {}
        }
        for step in steps {
            self.add(place, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks for a file of a million articles gets its beginning and its end, and is told how much is left out.
    #[test]
    fn of_a_large_file_the_first_steps_and_the_end_are_told() {
        let mut story = Story {
            told: TraceAnswer::default(),
            steps: Vec::new(),
            is_asked_for: true,
            homes: BTreeMap::new(),
        };
        let place = |line| Place { line, ..Place::default() };
        let step = |step| TraceStep { step, ..TraceStep::default() };
        let last = u32::try_from(STEPS_MAX).unwrap() + 7;
        story.add(place(last), step(StepName::Joined));
        for line in 0..last {
            story.add(place(line), step(StepName::Founded));
        }
        story.add(place(last + 1), step(StepName::Ended));
        let told = story.into_told();
        assert_eq!((told.steps.len(), told.left_out), (STEPS_MAX + 1, 8));
        assert_eq!(told.steps[STEPS_MAX - 1].step, StepName::Joined, "in order of their places");
        assert_eq!(told.steps[STEPS_MAX].step, StepName::Ended);
    }
}
