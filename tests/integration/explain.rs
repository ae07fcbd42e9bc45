//! `wirefold explain`: why an article is where it is, and how near any two are, joined or not.

use crate::{
    answers::{Record, record_of},
    corpus::{files_in, fixture},
    daemon::Daemon,
    place::{Place, drop_whole},
    wait::within,
};
use serde_json::{Value, json};
use std::{fs, time::Duration};
use wirefold::query::{Basis, ExplainAnswer, PairAnswer, Standing};

/// A place with all texts that the tests speak of.
fn told(config: &str) -> (Place, Vec<Record>) {
    let place = Place::configured(config);
    place.ingest(["seeds", "templates", "stories", "copies"].map(fixture));
    let records = place.export();
    (place, records)
}

fn id<'r>(records: &'r [Record], name: &str) -> &'r str {
    &record_of(records, name).articles.iter().find(|a| a.name() == name).unwrap().id
}

/// The answer, which must come out of its own JSON unchanged.
fn explain(place: &Place, ids: &[&str]) -> ExplainAnswer {
    let line = place.done([&["explain", "--json"], ids].concat()).out;
    let answer: ExplainAnswer = serde_json::from_str(&line).unwrap();
    assert_eq!(serde_json::to_string(&answer).unwrap(), line.trim_end());
    answer
}

/// What a person reads, on one line.
fn said(place: &Place, ids: &[&str]) -> String {
    let out = place.done([&["explain"], ids].concat()).out;
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The publisher's text of an article.
fn text(place: &Place, id: &str) -> String {
    let shown = place.show(id);
    let articles = shown["articles"].as_array().unwrap();
    articles.iter().find(|a| a["id"] == *id).unwrap()["text"].as_str().unwrap().to_owned()
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Each range holds the same words in the text that it points into.
fn check_passages(place: &Place, pair: &PairAnswer) {
    let (one, other) = (text(place, &pair.one.to_string()), text(place, &pair.other.to_string()));
    for passage in &pair.passages {
        let here = one.get(passage.one[0]..passage.one[1]).unwrap();
        let there = other.get(passage.other[0]..passage.other[1]).unwrap();
        assert_eq!(here, passage.text);
        assert_eq!(words(here), words(there));
        assert!(words(here).len() >= 5, "{passage:?}");
    }
}

#[test]
fn a_join_is_told_with_what_carried_it() {
    let (place, records) = told("");
    let rewrite = explain(&place, &[id(&records, "d-call.txt")]);
    assert_eq!(rewrite.standing, Standing::Joined);
    assert!(rewrite.why.starts_with("d-call.txt is a rewrite of b-call.txt: mean ."), "{}", rewrite.why);
    assert!(rewrite.why.ends_with(" over 2 members, .66 was asked"), "{}", rewrite.why);
    let pair = rewrite.pair.unwrap();
    assert_eq!(pair.basis, Basis::Journal);
    let evidence = &pair.evidence;
    assert!(evidence.mean >= evidence.threshold && evidence.pairs == 2);
    let difference = evidence.parts.total().probability().share() - evidence.probability.share();
    assert!(difference.abs() < 1e-3, "{pair:?}");
    assert!(pair.strongest.iter().any(|t| t.term == "ostrel"), "{pair:?}");
    assert!(pair.figures.shared.contains(&"45".to_owned()), "{pair:?}");
    check_passages(&place, &pair);

    let cut = explain(&place, &[id(&records, "01-cut.txt")]).pair.unwrap();
    assert!(cut.passages.iter().map(|p| p.words).sum::<usize>() > 50, "{cut:?}");
    assert!(cut.evidence.contained > cut.evidence.contains, "an excerpt is in the other");
    check_passages(&place, &cut);
    let turned = explain(&place, &[&cut.other.to_string(), &cut.one.to_string()]);
    let pair = turned.pair.unwrap();
    assert_eq!(turned.standing, Standing::Together);
    let contained = |pair: &PairAnswer| (pair.evidence.contained, pair.evidence.contains);
    assert_eq!(contained(&pair), (contained(&cut).1, contained(&cut).0));
    assert!(turned.why.starts_with("01-harbour-fire.txt is an extension of 01-cut.txt"), "{}", turned.why);
    check_passages(&place, &pair);
}

#[test]
fn a_near_miss_is_told_with_what_was_missing() {
    let (place, records) = told("[match]\njoin = 0.9\nmerging = false\n");
    let alone = record_of(&records, "d-call.txt");
    assert_eq!(alone.names(), ["d-call.txt"]);
    let answer = explain(&place, &[&alone.articles[0].id]);
    assert_eq!(answer.standing, Standing::Founded);
    let miss = &answer.near_misses[0];
    let evidence = &miss.pair.evidence;
    assert!(evidence.mean < evidence.threshold && evidence.mean.share() > 0.8 * evidence.threshold.share());
    assert!(!miss.together_now && !miss.pair.strongest.is_empty());
    assert!(answer.why.contains("near enough to no record; nearest was that of"), "{}", answer.why);
    let shown = said(&place, &[&alone.articles[0].id]);
    assert!(shown.contains("near miss") && shown.contains("too little"), "{shown}");
    let two = explain(&place, &[&alone.articles[0].id, &miss.nearest.article.unwrap().to_string()]);
    assert_eq!((two.standing, two.near_misses.len()), (Standing::Apart, 1));
}

#[test]
fn siblings_of_one_form_are_told_with_their_figures() {
    let (place, records) = told("");
    let (monday, tuesday) = (id(&records, "market-monday.txt"), id(&records, "market-tuesday.txt"));
    let answer = explain(&place, &[tuesday]);
    assert!(answer.why.contains("figures differ"), "{}", answer.why);
    let miss = &answer.near_misses[0].pair;
    assert!(miss.evidence.siblings && miss.unbarred > miss.evidence.probability);
    let two = explain(&place, &[monday, tuesday]);
    assert!(two.why.contains("which bars them from one record"), "{}", two.why);
    let figures = &two.pair.as_ref().unwrap().figures;
    for (only, name) in
        [(&figures.only_one, "market-monday.txt"), (&figures.only_other, "market-tuesday.txt")]
    {
        let text = fs::read_to_string(fixture("templates").join(name)).unwrap();
        let is_written = |figure: &String| text.split([' ', '\n']).any(|word| word.starts_with(figure));
        assert!(only.len() >= 8 && only.iter().all(is_written), "{only:?}");
    }
    assert!(figures.both < figures.one && !figures.shared.is_empty(), "{figures:?}");
    let shown = said(&place, &[monday, tuesday]);
    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("one only: ") && flat.contains("figures changed and 0 stayed"), "{shown}");
}

#[test]
fn two_that_have_nothing_in_common_are_told_so() {
    let (place, records) = told("");
    let ids = [id(&records, "01-harbour-fire.txt"), id(&records, "11-sheep-rescue.txt")];
    let answer = explain(&place, &ids);
    assert_eq!((answer.standing, answer.relation), (Standing::Apart, None));
    assert!(answer.pair.unwrap().unbarred.share() < 0.3);
    assert!(!answer.fits.is_empty() && answer.fits.iter().all(|fit| fit.mean < fit.threshold));
    assert!(answer.why.contains("are apart: the mean over"), "{}", answer.why);
}

#[test]
fn records_are_told_alone_against_each_other_and_against_an_article() {
    let (place, records) = told("");
    let (story, before) = (record_of(&records, "b-call.txt"), record_of(&records, "a-earlier.txt"));
    let alone = explain(&place, &[&story.record]);
    assert_eq!((alone.standing, alone.members.len()), (Standing::Record, 3));
    let standings: Vec<_> = alone.members.iter().map(|member| member.standing).collect();
    assert_eq!(standings, [Standing::Founded, Standing::Joined, Standing::Joined]);
    let two = explain(&place, &[&story.record, &before.record]);
    assert!(two.why.contains("are related, but apart: the mean over 3 pairs is"), "{}", two.why);
    assert_eq!((two.fits.len(), two.fits[0].pairs), (1, 3));
    assert_eq!(two.fits[0].mean, two.pair.unwrap().evidence.mean);
    let mixed = explain(&place, &[id(&records, "d-call.txt"), &story.record]);
    assert_eq!(mixed.standing, Standing::Together);
    assert_eq!(mixed.pair.unwrap().evidence.pairs, 2, "it is not weighed with itself");
}

#[test]
fn a_merge_is_told_with_what_carried_it() {
    let (place, records) = told("[match]\njoin = 0.95\nmerge = 0.6\n");
    let story = record_of(&records, "b-call.txt");
    assert!(!story.aliases.is_empty(), "{story:?}");
    let merged = explain(&place, &[id(&records, "c-call.txt")]);
    assert_eq!(merged.standing, Standing::Merged);
    let why = format!("which it founded, merged into {}: mean", story.record);
    assert!(merged.why.contains(&why), "{}", merged.why);
    let pair = merged.pair.unwrap();
    assert_eq!((pair.basis, pair.evidence.pairs), (Basis::Journal, 1));
    assert!(merged.near_misses.iter().any(|miss| miss.together_now), "it had nearly joined");
    let alias = said(&place, &[&story.aliases[0]]);
    assert!(alias.contains(&story.record), "an alias is explained as what it is now: {alias}");
}

/// The profile of an article that has left the windows is gone; its text is not.
#[test]
fn what_has_left_the_windows_is_measured_anew_and_said_to_be() {
    let place = Place::new();
    let story = |name: &str| fs::read_to_string(fixture("stories").join(name)).unwrap();
    let line = |id: &str, published: &str, text: String| {
        json!({ "id": id, "title": "Harbour", "text": text, "published": published }).to_string()
    };
    let fire = story("01-harbour-fire.txt");
    // The first article after a pause still meets what was before it.
    let lines = [
        line("old", "2026-01-01T00:00:00Z", fire.clone()),
        line("other", "2026-06-01T00:00:00Z", story("11-sheep-rescue.txt")),
        line("late", "2026-06-01T00:00:00Z", fire.replace("the", "that")),
    ];
    let file = place.path("archive.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    place.done(["ingest".as_ref(), "--archive".as_ref(), file.as_os_str()]);
    let records = place.export();
    let of_item = |item: &str| {
        let mut all = records.iter().flat_map(|r| &r.articles);
        all.find(|a| a.item.as_deref() == Some(item)).map(|a| a.id.clone()).unwrap()
    };
    let (old, late) = (of_item("old"), of_item("late"));
    let answer = explain(&place, &[&late, &old]);
    assert_eq!(answer.standing, Standing::Apart);
    assert_eq!(answer.pair.as_ref().unwrap().basis, Basis::Anew);
    assert!(answer.notes.iter().any(|note| note.contains("151.0 days lie between them")), "{answer:?}");
    assert!(answer.notes.iter().any(|note| note.contains("measured anew")), "{answer:?}");
    let kept = explain(&place, &[&late, &of_item("other")]).pair.unwrap();
    assert_eq!((kept.basis, kept.days_apart), (Basis::Kept, Some(0.)));
}

#[test]
fn the_answer_is_the_same_whether_a_daemon_runs_or_not() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    for file in files_in(&fixture("seeds")) {
        drop_whole(&place.inbox().join(file.file_name().unwrap()), &fs::read(&file).unwrap());
    }
    let records = within(Duration::from_secs(20), "five articles", || {
        let records = place.export();
        (records.iter().map(|r| r.articles.len()).sum::<usize>() == 5).then_some(records)
    });
    let (c, e) = (id(&records, "c-call.txt"), id(&records, "e-after.txt"));
    let questions = [vec![c], vec![c, e], vec![records[0].record.as_str()]];
    let asked = || questions.iter().map(|ids| place.done([&["explain", "--json"], &ids[..]].concat()).out);
    let up: Vec<_> = asked().collect();
    daemon.stop_well();
    assert_eq!(asked().collect::<Vec<_>>(), up);
    place.done(["rebuild"]);
    let why = |line: &String| serde_json::from_str::<Value>(line).unwrap()["why"].clone();
    assert_eq!(asked().map(|line| why(&line)).collect::<Vec<_>>(), up.iter().map(why).collect::<Vec<_>>());
}

#[test]
fn ids_may_be_shortened_and_what_cannot_be_meant_is_said() {
    let (place, records) = told("");
    let (fire, cut) = (id(&records, "01-harbour-fire.txt"), id(&records, "01-cut.txt"));
    assert_eq!(explain(&place, &[&fire[..12], &cut[..12]]), explain(&place, &[fire, cut]));
    let refused = |ids: &[&str], reason: &str| {
        let ran = place.run([&["explain"], ids].concat());
        assert_eq!(ran.code(), 1, "{ran:?}");
        assert!(ran.err.contains(reason), "{ran:?}");
    };
    refused(&[fire, fire], "both ids mean the same as");
    let sheep = record_of(&records, "11-sheep-rescue.txt");
    refused(&[&sheep.record, &sheep.record], "both ids mean the same as");
    refused(&[&sheep.articles[0].id, &sheep.record], "both ids mean the same as");
    refused(&["00000000000000000000"], "nothing here is called");
    refused(&[fire, "00000000000000000000"], "nothing here is called");
    refused(&["fire"], "nothing here is called 'fire'");
}

/// Nothing told that the file that was asked for is a copy of another.
#[test]
fn a_copy_byte_for_byte_is_said_to_be_one() {
    let place = Place::new();
    let copy = place.path("copy.txt");
    fs::copy(fixture("stories/01-harbour-fire.txt"), &copy).unwrap();
    place.ingest([fixture("stories/01-harbour-fire.txt")]);
    assert!(explain(&place, &["01-harbour-fire.txt"]).notes.is_empty());
    place.ingest([&copy]);
    let of_copy = said(&place, &["copy.txt"]);
    assert!(of_copy.contains("'copy.txt' is a copy of 01-harbour-fire.txt, byte for byte"), "{of_copy}");
    let of_first = said(&place, &["01-harbour-fire.txt"]);
    assert!(of_first.contains("note these bytes came 2 times, first as"), "{of_first}");
}
