//! How much came in lately.

use crate::model::Time;
use std::collections::VecDeque;

/// One count for so long: short beside a minute, so that the last minute is one within a sixth.
const STEP_MS: i64 = 10_000;
const STEPS_OF_AN_HOUR: i64 = 360;
const STEPS_OF_A_MINUTE: i64 = 6;

/// Articles by when they came, for the last hour.
#[derive(Debug, Default)]
pub struct Recent {
    /// A step and its count, the latest last.
    steps: VecDeque<(i64, u64)>,
}

impl Recent {
    /// Counts articles that became durable.
    pub fn count(&mut self, articles: u64, now: Time) {
        let step = now.millis() / STEP_MS;
        match self.steps.back_mut() {
            // A clock that is set back must not undo the order.
            Some((last, count)) if *last >= step => *count += articles,
            _ => self.steps.push_back((step, articles)),
        }
        while self.steps.front().is_some_and(|(first, _)| *first <= step - STEPS_OF_AN_HOUR) {
            self.steps.pop_front();
        }
    }

    /// How many came in the last minute, and in the last hour.
    pub fn rates(&self, now: Time) -> (u64, u64) {
        let step = now.millis() / STEP_MS;
        let since = |steps: i64| {
            let recent = self.steps.iter().filter(|(at, _)| *at > step - steps);
            recent.map(|(_, count)| count).sum()
        };
        (since(STEPS_OF_A_MINUTE), since(STEPS_OF_AN_HOUR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_counted_for_a_minute_and_for_an_hour() {
        let at = |seconds: i64| Time::from_millis(1000 * seconds);
        let mut recent = Recent::default();
        recent.count(5, at(0));
        recent.count(2, at(30));
        recent.count(1, at(20));
        assert_eq!(recent.rates(at(40)), (8, 8));
        assert_eq!(recent.rates(at(70)), (3, 8));
        assert_eq!(recent.rates(at(3599)), (0, 8));
        assert_eq!(recent.rates(at(3605)), (0, 3));
        recent.count(4, at(7200));
        assert_eq!((recent.rates(at(7200)), recent.steps.len()), ((4, 4), 1));
    }
}
