//! What is one story and what is not, on the fixtures: changed copies, form reports, pages, lines of JSON, old
//! encodings, all in one store.

use crate::{
    answers::{Article, Articles, Files, Record, record_of},
    corpus::fixture,
    place::{Place, Ran, run},
};
use serde_json::Value;
use std::fs;

/// All fixtures but the seeds, which are tuned for a store of their own.
fn ingest_all(place: &Place) -> Ran {
    let mut command =
        place.command(["ingest", "stories", "copies", "templates", "html", "encodings", "jsonl"]);
    command.current_dir(fixture(""));
    run(command)
}

fn all() -> (Place, Vec<Record>) {
    let place = Place::new();
    assert_eq!(ingest_all(&place).code(), 65, "broken.jsonl has broken lines");
    let records = place.export();
    (place, records)
}

fn article<'r>(records: &'r [Record], name: &str) -> &'r Article {
    record_of(records, name).articles.iter().find(|a| a.name() == name).unwrap()
}

/// An article with its text, as `show` tells it by the article's id.
fn shown(place: &Place, records: &[Record], name: &str) -> Value {
    let id = &article(records, name).id;
    let record = place.show(id);
    record["articles"].as_array().unwrap().iter().find(|a| a["id"] == *id.as_str()).unwrap().clone()
}

#[test]
fn each_changed_copy_is_in_the_record_of_its_story() {
    let (_place, records) = all();
    let expected = [
        ["01-cut.txt", "01-harbour-fire.txt"],
        ["02-goalkeeper-cup.txt", "02-padded.txt"],
        ["03-dateline.txt", "03-fraud-verdict.txt"],
        ["04-tram-extension.txt", "04-wrapped.txt"],
        ["05-lake-fish.txt", "article.html"],
    ];
    let joined: Vec<_> =
        records.iter().filter(|r| r.articles.len() > 1 && r.names()[0] != "articles.jsonl").collect();
    assert_eq!(joined.iter().map(|r| r.names()).collect::<Vec<_>>(), expected);
    for record in joined {
        let [story, copy] = &record.articles[..] else { panic!("{record:?}") };
        assert_eq!(story.relation, "canonical");
        assert!(["near", "excerpt", "extended"].contains(&copy.relation.as_str()), "{copy:?}");
        assert_eq!(copy.matched.as_ref(), Some(&story.id));
        assert!(copy.score.is_some_and(|score| score > 0.9), "{copy:?}");
    }
}

#[test]
fn a_cut_copy_is_an_excerpt_and_a_padded_one_extends() {
    let (_place, records) = all();
    assert_eq!(article(&records, "01-cut.txt").relation, "excerpt");
    assert_eq!(article(&records, "02-padded.txt").relation, "extended");
    assert_eq!(article(&records, "03-dateline.txt").relation, "near");
}

#[test]
fn unlike_stories_and_reports_of_one_form_stay_apart() {
    let (place, records) = all();
    for name in
        ["market-monday.txt", "market-tuesday.txt", "legacy.html", "sparse.html", "08-measles-clinic.txt"]
    {
        assert_eq!(record_of(&records, name).names(), [name]);
    }
    assert_eq!(records.len(), 30);
    let status = place.status();
    let files = Files { received: 28, accepted: 27, partly: 1, ..Files::default() };
    let articles = Articles { sightings: 37, canonical: 30, variants: 6, repeats: 1, rejected: 3 };
    assert_eq!((status.files, status.articles), (files, articles));
}

#[test]
fn every_json_line_has_its_outcome() {
    let (place, records) = all();
    let of_file: Vec<_> = records
        .iter()
        .flat_map(|r| r.articles.iter().map(move |a| (r, a)))
        .filter(|(_, a)| a.path == "jsonl/articles.jsonl")
        .map(|(r, a)| (a.item.as_deref().unwrap(), a.relation.as_str(), a.sightings, r.articles.len()))
        .collect();
    let expected = [
        ("tw-0001", "canonical", 1, 2),
        ("co-0007", "identical", 1, 2),
        ("tw-0002", "canonical", 2, 1),
        ("hg-0003", "canonical", 1, 1),
        ("mb-0004", "canonical", 1, 1),
        ("mc-0006", "canonical", 1, 1),
        ("ag-0008", "canonical", 1, 1),
    ];
    assert_eq!(of_file, expected);
    let variant =
        records.iter().flat_map(|r| &r.articles).find(|a| a.item.as_deref() == Some("co-0007")).unwrap();
    assert_eq!((variant.score, variant.source.as_deref()), (Some(1.), Some("Coastal Observer")));
    let whole = place.show(&variant.id);
    let shown = &whole["articles"][1];
    assert!(shown["meta"]["desk_note"].is_string() && shown["meta"]["url"].is_string(), "{shown}");
    let articles = records.iter().flat_map(|r| &r.articles);
    let of_broken = articles.filter(|a| a.name() == "broken.jsonl").filter_map(|a| a.item.as_deref());
    assert_eq!(of_broken.collect::<Vec<_>>(), ["br-1", "br-3", "br-7"], "the good lines are kept");
}

#[test]
fn a_page_keeps_what_it_says_of_itself() {
    let (place, records) = all();
    let page = shown(&place, &records, "article.html");
    assert_eq!(page["title"], "Extinct cave fish turns up in flooded slate mine");
    assert_eq!(page["source"], "Tarnside Herald");
    assert_eq!(page["published"], "2025-05-15T16:20:00Z");
    assert_eq!(page["lang"], "en");
    let address = "https://www.tarnside-herald.example/science/2025/05/cave-loach-found-in-slate-mine";
    assert_eq!(page["meta"]["url"], address);
    let text = page["text"].as_str().unwrap();
    for chrome in ["cookies", "Births and deaths", "dataLayer", "line-height"] {
        assert!(!text.contains(chrome), "{chrome} is in {text}");
    }
}

#[test]
fn what_was_written_in_old_encodings_is_read_as_it_was_meant() {
    let (place, records) = all();
    let words = [
        ("legacy.html", "the Café Fréderic in Ostermark"),
        ("legacy.html", "“the loss of use”"),
        ("latin1.txt", "Im Küstenort Süderhöft"),
        ("utf16.txt", "at €140 a night"),
        ("utf16.txt", "Judge Clémence Duarte"),
        ("utf8-bom.txt", "Zoë Lindqvist-Marsh"),
        ("windows1251.txt", "В посёлке Заречный Бор"),
        ("shift_jis.txt", "潮見ヶ浦町の岬に立つ古い灯台に"),
    ];
    for (name, word) in words {
        let article = shown(&place, &records, name);
        let text = article["text"].as_str().unwrap();
        assert!(text.contains(word), "{word} is not in {text}");
        assert!(!text.contains(['\u{fffd}', '\u{feff}']), "{text}");
        assert!(!article["title"].as_str().unwrap().contains(['\u{fffd}', '\u{feff}']), "{article}");
    }
}

#[test]
fn the_text_that_is_shown_is_the_publishers() {
    let (place, records) = all();
    for name in ["copies/04-wrapped.txt", "stories/01-harbour-fire.txt"] {
        let file = name.rsplit('/').next().unwrap();
        let article = shown(&place, &records, file);
        assert_eq!(article["text"].as_str().unwrap(), fs::read_to_string(fixture(name)).unwrap());
        assert_eq!(article["path"], name, "as it was typed");
    }
    let record = record_of(&records, "01-cut.txt");
    let by_record = place.show(&record.record);
    assert_eq!(by_record, place.show(&record.articles[1].id), "an article's id shows its record");
    let text = place.done(["show", &record.record]).out;
    assert!(text.contains(&record.record) && text.contains("01-cut.txt"), "{text}");
}

#[test]
fn the_same_files_again_are_duplicates() {
    let (place, records) = all();
    let again = ingest_all(&place);
    assert_eq!(again.code(), 65);
    let expected = Files { received: 56, accepted: 27, partly: 2, duplicate: 27, ..Files::default() };
    assert_eq!(place.status().files, expected);
    let exported = place.export();
    for (before, after) in records.iter().zip(&exported) {
        let sightings = |r: &Record| r.articles.iter().map(|a| a.sightings).collect::<Vec<_>>();
        assert_eq!(sightings(after), sightings(before).iter().map(|n| 2 * n).collect::<Vec<_>>());
        assert_eq!(
            Record { articles: Vec::new(), last_seen: String::new(), ..before.clone() },
            Record { articles: Vec::new(), last_seen: String::new(), ..after.clone() }
        );
    }
    assert_eq!(exported.len(), records.len());
}

#[test]
fn the_first_folder_is_the_source_where_nothing_better_is_known() {
    let place = Place::new();
    let root = place.path("given");
    for (path, line) in [("Agency/wire/a.txt", "a"), ("b.txt", "b")] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("Something about {line} happened today in a town.\n")).unwrap();
    }
    place.ingest([&root]);
    let records = place.export();
    assert_eq!(article(&records, "a.txt").source.as_deref(), Some("Agency"));
    assert_eq!(article(&records, "b.txt").source, None, "the folder that was given is not the source");
}
