//! How well it matches, as `wirefold eval` measures it: on the project's own labelled set always, and on the shared sets
//! where they are there. The figures asked for are the least that a release may have; what is measured today stands
//! in ARCHITECTURE.md.

use crate::{
    corpus::{fixture, shared},
    place::{Place, Running},
};
use std::{path::Path, time::Duration};
use wirefold::eval::{JudgedFigures, SetFigures};

/// Eleven runs of a thousand articles in a build without optimization, on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(15);

/// The figures of each set at a path, in the order in which `eval` tells them.
fn eval(path: &Path, flags: &[&str]) -> Vec<SetFigures> {
    let place = Place::new();
    let given = ["eval", "--json", path.to_str().unwrap()];
    let ran = Running::start(place.command(given.iter().chain(flags))).end_within(PATIENCE);
    assert_eq!(ran.code(), 0, "{ran:?}");
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The share of a file's pairs that are in one record: of those that belong together, or of those that do not.
fn share(figures: &SetFigures, file: &str, same: bool) -> f64 {
    let all = |j: &&JudgedFigures| j.file == file && j.same == same && j.kind.is_none();
    figures.judged.iter().find(all).unwrap().share
}

/// Join and merge where they are, and both moved by .03 either way: no row may fall off an edge.
const MOVED: [&str; 4] = ["--sweep", "match.join=.57,.60,.63", "--sweep", "match.merge=.58,.61,.64"];

fn check_clusters(name: &str, ari: f64, precision: f64) {
    let Some(set) = shared(name) else { return };
    for figures in eval(&set, &MOVED) {
        let found = figures.agreement.unwrap();
        assert_eq!(figures.unread, 0);
        assert!(found.ari >= ari && found.pair_precision >= precision, "{name}: {figures:#?}");
    }
}

#[test]
fn the_projects_own_set_is_measured_and_told_apart() {
    let [figures] = &eval(&fixture("labelled"), &[])[..] else { panic!() };
    assert_eq!((figures.set.as_str(), figures.articles, figures.unread), ("labelled", 23, 0));
    assert_eq!((share(figures, "pairs", true), share(figures, "pairs", false)), (1., 0.));
    let kind = |name: &str| figures.judged.iter().find(|j| j.kind.as_deref() == Some(name)).unwrap();
    assert_eq!((kind("cut").joined, kind("form report").joined), (1, 0));
    assert_eq!(kind("same").joined, 3, "three tell the call in their own words");
    let variants: u64 = figures.relations.iter().map(|r| r.variants).sum();
    assert_eq!(usize::try_from(variants).unwrap() + figures.records, figures.articles);
}

#[test]
fn two_events_a_topic_are_told_apart() {
    check_clusters("ecbplus", 0.84, 0.97);
}

#[test]
fn three_outlets_of_one_event_are_joined() {
    check_clusters("basil", 0.90, 0.99);
}

#[test]
fn order_matters_little() {
    let Some(set) = shared("ecbplus") else { return };
    let [figures] = &eval(&set, &["--shuffles", "10"])[..] else { panic!() };
    let shuffles = figures.shuffles.as_ref().unwrap();
    assert_eq!(shuffles.runs, 10);
    assert!(shuffles.ari.unwrap() >= 0.82 && shuffles.pair_precision.unwrap() >= 0.96, "{shuffles:?}");
}

#[test]
fn resends_are_found_and_forms_and_running_stories_stay_apart() {
    let Some(set) = shared("reuters") else { return };
    for figures in eval(&set, &MOVED) {
        assert!(share(&figures, "pairs", true) >= 0.99, "{:#?}", figures.judged);
        assert!(share(&figures, "pairs", false) <= 0.010, "{:#?}", figures.judged);
        assert!(share(&figures, "wild", true) >= 0.40, "{:#?}", figures.judged);
        assert!(share(&figures, "wild", false) <= 0.08, "{:#?}", figures.judged);
    }
}

#[test]
fn what_cannot_be_measured_is_told_in_words() {
    let place = Place::new();
    let said = |flags: &[&str]| place.run(["eval"].iter().chain(flags)).err;
    let set = fixture("labelled");
    let set = set.to_str().unwrap();
    assert!(said(&[fixture("stories").to_str().unwrap()]).contains("holds no articles.jsonl"));
    assert!(said(&[set, "--sweep", "match.jion=.5"]).contains("did you mean 'match.join'?"));
    assert!(
        said(&[set, "--sweep", "match.join=.5,.6", "--sweep", "match.merge=.5"]).contains("as many each")
    );
    assert!(said(&[set, "--background", "nowhere.jsonl"]).contains("cannot read nowhere.jsonl"));
}
