//! Versions of one story under one wire id are one record, whatever their texts are and however they come.

use crate::{place::Place, trace::traced};
use std::fs;

const FIRST: &str = "The harbour board met on Monday evening and spoke at length about the dredging of the northern channel, \
    which has silted up since the spring floods and keeps the larger ferries out at low water.";
const SECOND: &str = "Fares on all lines will rise by a tenth from the first of May, councillors said after midnight; a monthly \
    pass for commuters is to cost four crowns more, and school classes go on travelling free of charge.";

fn item(version: u32, text: &str) -> String {
    format!(
        "<newsItem guid='urn:newsml:hna.example:20261122:ferry' version='{version}'><itemMeta><provider literal='HNA'/>\
         <versionCreated>2026-11-22T0{version}:00:00Z</versionCreated></itemMeta><contentMeta><headline>Ferries {version}</headline>\
         </contentMeta><contentSet><inlineData contenttype='text/plain'>{text}</inlineData></contentSet></newsItem>"
    )
}

/// Title and relation of each article, in order of arrival, of the only record.
fn only_record(place: &Place) -> (Option<String>, Vec<(String, String)>) {
    let [record] = &place.export()[..] else { panic!("one record: {}", place.export_text()) };
    let articles = record.articles.iter().map(|a| (a.title.clone().unwrap(), a.relation.clone())).collect();
    (record.title.clone(), articles)
}

fn said(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(title, relation)| ((*title).to_owned(), (*relation).to_owned())).collect()
}

#[test]
fn a_newer_version_takes_the_place_of_the_one_before() {
    let place = Place::new();
    fs::write(place.path("1.xml"), item(1, FIRST)).unwrap();
    fs::write(place.path("2.xml"), item(2, SECOND)).unwrap();
    // Each run opens the store anew.
    place.ingest(["1.xml"]);
    place.ingest(["2.xml"]);
    let both = said(&[("Ferries 1", "revision"), ("Ferries 2", "canonical")]);
    assert_eq!(only_record(&place), (Some("Ferries 2".to_owned()), both));
    let export = place.export_text();
    place.done(["rebuild"]);
    assert_eq!(place.export_text(), export, "a rebuild gives the same");
    let why = place.done(["explain", "2.xml"]).out;
    assert!(why.contains("under one wire id") && !why.contains("was asked"), "nothing was measured: {why}");
    assert!(why.contains("figures   1 in the one, 1 in the other, 0 in both"), "it told of none: {why}");
    let two = place.done(["explain", "1.xml", "2.xml"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(two.contains("2.xml#urn:newsml:hna.example:20261122:ferry is a revision of 1.xml#"), "{two}");
    // Both are under that id, and trace said that nothing was known of it.
    let paths = ["urn:newsml:hna.example:20261122:ferry", "2.xml#urn:newsml:hna.example:20261122:ferry"]
        .map(|what| traced(&place, what).iter().map(|story| story["path"].clone()).collect::<Vec<_>>());
    assert_eq!(paths, [vec!["1.xml", "2.xml"], vec!["2.xml"]]);
}

#[test]
fn versions_in_one_file_and_in_any_order_are_together() {
    let place = Place::new();
    let items = [item(2, SECOND), item(1, FIRST), item(3, &format!("{SECOND} {FIRST}"))].concat();
    fs::write(place.path("all.xml"), format!("<newsMessage><itemSet>{items}</itemSet></newsMessage>"))
        .unwrap();
    place.ingest(["all.xml"]);
    let all = said(&[("Ferries 2", "revision"), ("Ferries 1", "revision"), ("Ferries 3", "canonical")]);
    assert_eq!(only_record(&place), (Some("Ferries 3".to_owned()), all));
}

#[test]
fn another_wire_id_is_another_story() {
    let place = Place::new();
    fs::write(place.path("1.xml"), item(1, FIRST)).unwrap();
    fs::write(place.path("2.xml"), item(2, SECOND).replace(":ferry'", ":fares'")).unwrap();
    place.ingest(["1.xml", "2.xml"]);
    assert_eq!(place.export().len(), 2);
}

#[test]
fn records_are_listed_by_what_the_metadata_says() {
    let place = Place::new();
    fs::write(place.path("1.xml"), item(1, FIRST)).unwrap();
    fs::write(place.path("2.xml"), item(2, SECOND).replace(":ferry'", ":fares'")).unwrap();
    place.ingest(["1.xml", "2.xml"]);
    let listed = |filters: &[&str]| {
        let filters = filters.iter().flat_map(|filter| ["--meta", filter]);
        place.done(["list", "--json"].into_iter().chain(filters)).out.lines().count()
    };
    assert_eq!(listed(&["provider=hna"]), 2);
    assert_eq!(listed(&["provider=HNA", "version=2"]), 1);
    assert_eq!((listed(&["version=3"]), listed(&["provider=hna", "urgency=1"])), (0, 0));
}
