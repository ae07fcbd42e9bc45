//! How records grow: not along a chain of articles each of which is like the one before it.

use super::*;
use std::collections::BTreeMap;

/// Words that no language has, so that nothing but the test's own design is alike.
fn word(n: usize) -> String {
    let syllables = ["ba", "ro", "te", "lin", "mu", "ka", "so", "ver", "dal", "pi"];
    [n / 1000 % 10, n / 100 % 10, n / 10 % 10, n % 10].map(|d| syllables[d]).concat()
}

/// Lengths of the records that the texts come into, and whether the first and the last are in one.
fn records_of(texts: impl Iterator<Item = String>) -> (Vec<usize>, bool) {
    let mut feed = Feed::new();
    let mut record_of: Vec<RecordId> = Vec::new();
    let mut ids: Vec<ArticleId> = Vec::new();
    for text in texts {
        let no = feed.no;
        let decision = feed.add(&text);
        ids.push(Digest::of(format!("{no} {text}").as_bytes()));
        record_of.push(decision.verdict.record);
        for change in &decision.changes {
            match change {
                Event::Merge(e) => record_of.iter_mut().filter(|r| **r == e.from).for_each(|r| *r = e.into),
                Event::Move(e) => record_of[ids.iter().position(|id| *id == e.id).unwrap()] = e.to,
                _ => {}
            }
        }
    }
    let mut sizes: BTreeMap<RecordId, usize> = BTreeMap::new();
    for record in &record_of {
        *sizes.entry(*record).or_default() += 1;
    }
    (sizes.into_values().collect(), record_of.first() == record_of.last())
}

/// Each text drops its first sentence and takes on a new last one: it shares nearly all its wording with the one
/// before it, and after `sentences` texts nothing. The slower the drift, the more neighbours vouch for each: with a
/// panel of mostly the newest members, a drift over 40 texts and more carried one record along without end.
#[test]
fn wording_that_drifts_does_not_become_one_record() {
    for sentences in [8, 20, 40, 60] {
        let sentence =
            |n: usize| format!("{}. ", (0..8).map(|w| word(n * 8 + w)).collect::<Vec<_>>().join(" "));
        let texts = (0..sentences * 3).map(|first| (first..first + sentences).map(sentence).collect());
        let (sizes, are_one) = records_of(texts);
        let is_bounded = sizes.iter().all(|size| *size <= sentences * 3 / 2);
        assert!(!are_one && is_bounded && sizes.len() > 1, "{sentences}: {sizes:?}");
    }
}

/// The same in other words: the terms drift, and each text has them in an order of its own.
#[test]
fn a_running_story_that_drifts_does_not_become_one_record() {
    let terms = 90;
    for step in [1, 3, 9] {
        let count = terms / step * 3;
        let texts = (0..count).map(|n| {
            let mut words: Vec<String> = (n * step..n * step + terms).map(word).collect();
            fastrand::Rng::with_seed(n as u64).shuffle(&mut words);
            words.join(" ")
        });
        let (sizes, are_one) = records_of(texts);
        let is_bounded = sizes.iter().all(|size| *size <= terms / step * 3 / 2);
        assert!(!are_one && is_bounded, "{step}: {sizes:?}");
        assert!(step > 1 || sizes.len() < count, "in the slowest drift neighbours do join: {sizes:?}");
    }
}

/// The fire told in other editions, each a copy of the last but for a word.
fn edition(n: usize) -> String {
    format!("{FIRE} {}", word(n))
}

#[test]
fn a_record_that_grows_fast_raises_an_alarm_once_a_doubling() {
    let mut feed = Feed::with(Settings { alarm_articles: 10, ..SETTINGS });
    let told: Vec<usize> = (0..45).filter_map(|n| feed.add(&edition(n)).growth).map(|g| g.articles).collect();
    assert_eq!(told, [10, 20, 40]);
    assert_eq!(feed.detector.alarming().len(), 1, "a start tells of it still");
    let mut slow = Feed::with(Settings { alarm_articles: 10, ..SETTINGS });
    for n in 0..25 {
        slow.day = 1 + i64::try_from(n).unwrap();
        assert_eq!(slow.add(&edition(n)).growth, None, "one a day is no alarm");
    }
    assert!(slow.detector.alarming().is_empty());
    let mut off = Feed::with(Settings { alarm_articles: 0, ..SETTINGS });
    assert!((0..25).all(|n| off.add(&edition(n)).growth.is_none()));
}

/// A first half, its second half, and the whole that shows them to be one: the two records merge.
fn halves() -> [String; 3] {
    let sentence = |n: usize| format!("{}. ", (0..8).map(|w| word(n * 8 + w)).collect::<Vec<_>>().join(" "));
    let of = |range: std::ops::Range<usize>| range.map(sentence).collect::<String>();
    [of(0..20), of(14..34), of(6..27)]
}

fn merges(settings: Settings, pin: Option<u32>) -> usize {
    let mut feed = Feed::with(settings);
    let mut merged = 0;
    for (n, text) in (0..).zip(halves()) {
        merged += feed.add(&text).changes.iter().filter(|e| matches!(e, Event::Merge(_))).count();
        if pin == Some(n) {
            feed.detector.pin(ArticleNo(n), ArticleNo(n), true);
        }
    }
    merged
}

#[test]
fn records_merge_unless_that_is_switched_off_or_the_younger_holds_a_pin() {
    let low = Settings { merge: 0.3, ..SETTINGS };
    assert_eq!(merges(low, None), 1);
    assert_eq!(merges(low, Some(0)), 1, "the older record stays what it is");
    assert_eq!(merges(low, Some(1)), 0);
    assert_eq!(merges(Settings { merging: false, ..low }, None), 0);
}

/// The moves when the second of two articles of one record fits the record of a third one better.
fn moves(settings: Settings, pinned: Option<ArticleNo>) -> usize {
    let sentence = |n: usize| format!("{}. ", (0..8).map(|w| word(n * 8 + w)).collect::<Vec<_>>().join(" "));
    let of = |range: std::ops::Range<usize>| range.map(sentence).collect::<String>();
    let mut feed = Feed::with(settings);
    let mut moved = 0;
    for text in [of(0..20), of(11..31), of(13..33)] {
        moved += feed.add(&text).changes.iter().filter(|e| matches!(e, Event::Move(_))).count();
        if let Some(no) = pinned {
            feed.detector.pin(no, ArticleNo(0), true);
        }
    }
    moved
}

#[test]
fn a_member_moves_unless_that_is_switched_off_or_it_is_pinned() {
    let apart = Settings { join: 0.62, merging: false, ..SETTINGS };
    assert_eq!(moves(apart, None), 1);
    assert_eq!(moves(apart, Some(ArticleNo(1))), 0);
    assert_eq!(moves(Settings { moving: false, ..apart }, None), 0);
}
