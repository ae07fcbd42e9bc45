//! Asking: what names an article, which records are listed, what a variant changes, and in what colours.

use crate::{
    answers::Record,
    corpus::fixture,
    place::{Place, run},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, os::unix::net::UnixListener, thread};
use wirefold::query::{Change, DiffAnswer};

/// A place with stories, some of them in copies, and a file of several articles.
fn told() -> Place {
    let place = Place::new();
    place.ingest(["stories", "copies", "seeds"].map(fixture));
    place.ingest([fixture("jsonl/articles.jsonl")]);
    place
}

/// The first title of what is shown under a name.
fn shown(place: &Place, name: &str) -> String {
    place.show(name)["title"].as_str().unwrap().to_owned()
}

fn listed(place: &Place, asked: &[&str]) -> Vec<String> {
    let records = Record::read_all(&place.done([&["list", "--json"], asked].concat()).out);
    records.into_iter().map(|record| record.title.unwrap_or_default()).collect()
}

#[test]
fn an_article_is_found_by_whatever_names_it() {
    let place = told();
    let record = place.show("02-padded.txt");
    let (id, variant) = (record["record"].as_str().unwrap(), &record["articles"][1]);
    let title = record["title"].as_str().unwrap();
    assert_eq!(variant["relation"], "extended", "{variant}");
    let digest = variant["id"].as_str().unwrap();
    let path = fixture("copies/02-padded.txt").display().to_string();
    let names =
        [digest, &digest[..8], &digest[..8].to_uppercase(), id, &id[..11], &path, "copies/02-padded.txt"];
    for name in names.into_iter().chain(["./copies/02-padded.txt"]) {
        assert_eq!(shown(&place, name), title, "{name}");
    }
    let bridge = "Swing Bridge Stuck Open Splits Town for a Day";
    assert_eq!(shown(&place, "tw-0001"), bridge);
    assert_eq!(shown(&place, "articles.jsonl#tw-0001"), bridge);
    for unknown in ["padded.txt", "2-padded.txt", "other/02-padded.txt", "w-0001"] {
        let ran = place.run(["show", unknown]);
        assert_eq!(ran.code(), 1, "{ran:?}");
        assert!(ran.err.contains(&format!("nothing here is called '{unknown}'")), "{}", ran.err);
    }
    let of_several = place.run(["show", "articles.jsonl"]);
    assert!(
        of_several.err.contains("is a file of 8 articles") && of_several.err.contains("#tw-0001"),
        "{of_several:?}"
    );
    place.done(["rebuild"]);
    assert_eq!(shown(&place, "copies/02-padded.txt"), title);
    assert_eq!(shown(&place, "tw-0001"), bridge);
}

/// It was told to be a file of one article, of which one was to be given.
#[test]
fn a_file_of_one_article_means_it() {
    let place = told();
    fs::write(
        place.path("one.jsonl"),
        r#"{"title": "Ferry", "text": "The ferry to Norhaven was late by nine minutes."}"#,
    )
    .unwrap();
    place.ingest([place.path("one.jsonl")]);
    assert_eq!(shown(&place, "one.jsonl"), "Ferry");
}

#[test]
fn wirefolds_own_data_is_no_news_and_no_inbox_takes_in_a_backup() {
    let place = told();
    let data = place.data().display().to_string();
    let given = place.run(["ingest", &data]);
    assert!(given.code() == 1 && given.err.contains("that is no news"), "{given:?}");
    let within = place.data().join("inbox/backup");
    let backup = place.run(["backup", &within.display().to_string()]);
    assert!(backup.code() == 1 && backup.err.contains("would take in the backup as news"), "{backup:?}");
    assert!(!within.exists());
}

#[test]
fn a_path_under_which_an_article_came_again_names_it_too() {
    let place = told();
    fs::copy(fixture("stories/04-tram-extension.txt"), place.path("again.txt")).unwrap();
    place.ingest([place.path("again.txt")]);
    assert_eq!(shown(&place, "again.txt"), shown(&place, "04-tram-extension.txt"));
}

#[test]
fn what_may_mean_several_things_names_them() {
    let place = Place::new();
    for (folder, story) in [("one", "04-tram-extension"), ("two", "05-lake-fish")] {
        fs::create_dir(place.path(folder)).unwrap();
        let mut text = fs::read_to_string(fixture(&format!("stories/{story}.txt"))).unwrap();
        text.insert_str(0, "\u{1b}[2J");
        fs::write(place.path(format!("{folder}/a.txt")), text).unwrap();
    }
    place.ingest(["one", "two"]);
    let ran = place.run(["show", "a.txt"]);
    assert_eq!(ran.code(), 1);
    for said in ["'a.txt' may mean", "one/a.txt", "two/a.txt", "Council Approves", "Blind Fish"] {
        assert!(ran.err.contains(said), "{said} is not in {}", ran.err);
    }
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
    for one in ["two/a.txt", place.path("two/a.txt").to_str().unwrap()] {
        assert!(shown(&place, one).contains("Blind Fish"), "{one}");
    }
}

#[test]
fn records_are_listed_by_what_is_asked() {
    let place = told();
    let all = listed(&place, &[]);
    let oldest = listed(&place, &["--sort", "oldest"]);
    assert_eq!(all.iter().rev().collect::<Vec<_>>(), oldest.iter().collect::<Vec<_>>());
    assert_eq!(listed(&place, &["--limit", "2"]), all[..2]);
    assert_eq!(listed(&place, &["--since", "1h"]), all);
    assert_eq!(listed(&place, &["--until", "1h"]), [""; 0]);
    assert_eq!(listed(&place, &["--since", "2000-01-01", "--until", "2100-01-01"]), all);

    let bridge = ["Swing Bridge Stuck Open Splits Town for a Day"];
    for title in ["bridge swing", "SWING", "brid"] {
        assert_eq!(listed(&place, &["--title", title]), bridge, "{title}");
    }
    assert_eq!(listed(&place, &["--title", "swing dam"]), [""; 0]);
    // A variant's headline is a title of the record too.
    let dam = ["Stone and Lane Set to Speak About Kelduin Dam Pause"];
    assert_eq!(listed(&place, &["--title", "diplomacy"]), dam);
    assert_eq!(listed(&place, &["--relation", "rewrite"]), dam);
    assert_eq!(listed(&place, &["--min-variants", "2"]), dam);

    let records = place.export();
    let sources: BTreeSet<_> =
        records.iter().flat_map(|r| &r.articles).filter_map(|a| a.source.clone()).collect();
    let source = sources.first().unwrap();
    let of_source = |r: &&Record| r.articles.iter().any(|a| a.source.as_ref() == Some(source));
    let expected: Vec<_> = records.iter().rev().filter(of_source).map(|r| r.title.clone().unwrap()).collect();
    assert_eq!(listed(&place, &["--source", &source.to_uppercase()]), expected);
    assert!(!expected.is_empty() && expected.len() < all.len());
    assert_eq!(listed(&place, &["--lang", "en"]).len() + listed(&place, &["--lang", "xx"]).len(), all.len());

    let by_variants = Record::read_all(&place.done(["list", "--json", "--sort", "variants"]).out);
    assert!(by_variants.is_sorted_by_key(|record| std::cmp::Reverse(record.articles.len())));
    assert_eq!(by_variants.len(), all.len());
    assert_eq!(listed(&place, &["--sort", "updated", "--limit", "1"]).len(), 1);
}

#[test]
fn a_variant_is_told_by_what_it_adds_and_drops() {
    let place = told();
    let text = |name: &str| fs::read_to_string(fixture(name)).unwrap();
    let (one, other) = (text("stories/02-goalkeeper-cup.txt"), text("copies/02-padded.txt"));
    let answer = place.done(["diff", "02-padded.txt", "--json"]).out;
    let diff: DiffAnswer = serde_json::from_str(&answer).unwrap();
    let of = |gone: Change| -> String {
        let kept = diff.pieces.iter().filter(|piece| piece.change != gone);
        kept.map(|p| {
            if gone == Change::Added { &one[p.one[0]..p.one[1]] } else { &other[p.other[0]..p.other[1]] }
        })
        .collect()
    };
    assert_eq!((of(Change::Added), of(Change::Dropped)), (one.clone(), other.clone()));
    assert!(diff.counts.dropped == 0 && diff.counts.added > 100, "{:?}", diff.counts);
    let turned: DiffAnswer =
        serde_json::from_str(&place.done(["diff", "--json", "02-padded.txt", "02-goalkeeper-cup.txt"]).out)
            .unwrap();
    assert_eq!((turned.counts.dropped, turned.counts.added), (diff.counts.added, 0));

    let record = place.show("02-padded.txt");
    let changes = &record["articles"][1]["changes"];
    assert_eq!(changes["counts"], serde_json::to_value(diff.counts).unwrap());
    let adds = changes["adds"].as_str().unwrap();
    assert!(other.contains(adds) && !one.contains(adds) && changes["drops"] == "", "{changes}");
    assert_eq!(record["articles"][0]["changes"], Value::Null);
}

#[test]
fn colours_are_for_terminals() {
    let place = told();
    let said = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = place.command(args);
        command.envs(env.iter().copied());
        run(command).out
    };
    for args in [&["list"][..], &["show", "02-padded.txt"], &["diff", "03-dateline.txt"], &["status"]] {
        assert!(!said(args, &[]).contains('\u{1b}'), "{args:?}");
        let forced = [("CLICOLOR_FORCE", "1")];
        assert!(said(args, &forced).contains('\u{1b}'), "{args:?}");
        assert!(!said(args, &[("NO_COLOR", "1")]).contains('\u{1b}'), "{args:?}");
    }
    let forced = said(&["diff", "03-dateline.txt"], &[("CLICOLOR_FORCE", "1")]);
    assert!(!forced.contains("{+") && said(&["diff", "03-dateline.txt"], &[]).contains("{+having sold+}"));
}

/// A record of hundreds took a second and filled screens.
#[test]
fn of_a_large_record_so_many_variants_are_shown_and_the_one_that_is_meant() {
    let place = Place::new();
    let text = fs::read_to_string(fixture("stories/01-harbour-fire.txt")).unwrap();
    let line =
        |n: usize| serde_json::json!({"id": format!("n{n}"), "text": format!("{text} {n}")}).to_string();
    fs::write(place.path("many.jsonl"), (0..60).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    place.ingest(["many.jsonl"]);
    let variants = |args: &[&str]| {
        let out = place.done(["show", "many.jsonl#n59"].iter().chain(args)).out;
        assert!(out.contains("60 articles, seen") && out.contains("many.jsonl#n59\n"), "{out}");
        (out.matches("\nnear ").count(), out.contains("more variant"))
    };
    assert_eq!(variants(&[]), (51, true), "the first 50 and the one that is meant");
    assert_eq!((variants(&["--limit", "0"]), variants(&["--limit", "60"])), ((1, true), (59, false)));
    let all: Value = serde_json::from_str(&place.done(["show", "many.jsonl#n59", "--json"]).out).unwrap();
    assert_eq!(all["articles"].as_array().unwrap().len(), 60);
}

#[test]
fn a_span_that_ends_before_it_begins_is_refused() {
    let place = told();
    for more in [&[][..], &["--json"]] {
        let ran = place.run(["list", "--since", "1h", "--until", "2h"].iter().chain(more));
        assert!(ran.code() == 1 && ran.err.contains("--until is not after --since"), "{ran:?}");
    }
}

/// A daemon that was killed as it was asked left its asker with the news that it had broken off.
#[test]
fn a_daemon_that_dies_as_it_is_asked_leaves_the_files_to_answer() {
    let place = told();
    let socket = place.data().join("wirefold.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let dying = thread::spawn(move || {
        let asker = listener.accept().unwrap();
        drop(listener);
        drop(asker);
    });
    assert!(place.status().files.accepted > 0);
    dying.join().unwrap();
}
