//! `wirefold bench`: that it measures what it says, of the real program, and leaves nothing behind.

use crate::place::Place;
use serde_json::Value;
use std::fs;

#[test]
fn every_figure_is_measured_and_the_folder_goes() {
    let place = Place::new();
    let here = place.path("here");
    fs::create_dir(&here).unwrap();
    let told =
        place.done(["bench", "here", "--files", "40", "--articles", "60", "--seconds", "1", "--json"]).out;
    let figures: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let with_target = figures.iter().filter(|figure| figure["required"].is_number()).count();
    assert_eq!((figures.len(), with_target), (21, 10), "{told}");
    let of_pace = |pace: &str| {
        let told = figures.iter().filter_map(|figure| figure["what"].as_str());
        told.filter(|what| what.contains(pace) && !what.contains("median")).collect::<Vec<_>>().join("; ")
    };
    // Of a single file "99 of 100" would be a share of nothing.
    assert!(of_pace(" 1/s").ends_with("the slowest") && of_pace(" 20/s").ends_with("the slowest"), "{told}");
    assert!(of_pace(" 200/s").ends_with("99 of 100"), "{told}");
    for figure in &figures {
        let is_share_of_ticks = figure["what"] == "CPU an article";
        assert!(figure["value"].as_f64().unwrap() > 0. || is_share_of_ticks, "{figure}");
    }
    assert_eq!(fs::read_dir(&here).unwrap().count(), 0);
}
