//! Edited copies of made-up stories, through the whole of it: nearly all are found, and hardly any comes to a wrong story.
//! The benchmark of the same name has ten times as many, and every figure.

use crate::place::Place;
use std::{collections::BTreeMap, fs};
use wirefold::generate::{Labelled, Size};

const SIZE: Size = Size { originals: 30, siblings: 0, background: 300 };
/// The benchmark finds every one; two in thirty of an edit may be missed when the made-up text changes.
const FOUND_MIN: f64 = 0.93;
/// Of all copies, as the matching of copies is required to be.
const ALL_FOUND_MIN: f64 = 0.98;
const WRONG_MAX: f64 = 0.002;

#[test]
fn edited_copies_are_found_and_come_to_no_other_story() {
    let set = Labelled::new(11, SIZE);
    let place = Place::new();
    let file = place.path("articles.jsonl");
    fs::write(&file, set.article_lines().collect::<Vec<_>>().join("\n")).unwrap();
    place.ingest([&file]);
    let (mut record_of, mut size_of) = (BTreeMap::new(), BTreeMap::new());
    for record in place.export() {
        for article in &record.articles {
            record_of.insert(article.item.clone().unwrap(), record.record.clone());
        }
        size_of.insert(record.record, record.articles.len());
    }
    let (mut found, mut wrong) = (BTreeMap::<&str, f64>::new(), 0_u32);
    for pair in &set.pairs {
        let (a, b) = (&record_of[&pair.a], &record_of[&pair.b]);
        *found.entry(&pair.kind).or_default() += f64::from(u8::from(a == b));
        let own = if a == b { 2 } else { 1 };
        wrong += u32::from(size_of[a] > own || size_of[b] > own);
    }
    let (each, all) = (f64::from(30_u8), f64::from(u32::try_from(set.pairs.len()).unwrap()));
    assert!(found.values().all(|count| count / each >= FOUND_MIN), "{found:?} of {each}");
    assert!(found.values().sum::<f64>() / all >= ALL_FOUND_MIN, "{found:?} of {each}");
    assert!(f64::from(wrong) / all <= WRONG_MAX, "{wrong} of {all}");
}
