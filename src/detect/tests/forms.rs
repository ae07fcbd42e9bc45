//! Long texts of one form with few figures, against one long text told again: which figures may change until two
//! texts are two stories. The same for names. The texts are written for the test; letters in braces are where their
//! figures or names stand.

use super::*;
use crate::model::prior::name_of;
use std::collections::BTreeSet;

const REPORT: &str = "The Bellweather water board published its quarterly account on Thursday and called the season \
    an ordinary one for the valley. The reservoir above Stonebridge stood at {a} per cent of what it can hold, after \
    rain in the hills that came late and stayed for weeks. Engineers walked the whole length of the old main and found \
    leaks in {b} places, most of them small, which crews from the depot closed before the end of the month. The board \
    said it had answered {c} complaints from households, about cloudy water, low pressure in the upper streets and \
    bills that were sent to the wrong address. Work on the new filter hall went on through the winter. The contractor \
    expects to hand it over in the autumn, once the pumps have been tried under load and the inspector has signed the \
    papers. The hall has cost {d} million crowns so far, and the chairman of the finance committee told the meeting \
    that he saw no reason to ask the council for more. Members of the public asked about the smell that comes from the \
    settling tanks in warm weather. The chief engineer answered that covers had been ordered and that the tanks would \
    be emptied by night from now on. He thanked the staff at the pumping station, who had kept watch for {e} nights \
    during the flood alarm and had slept on camp beds in the canteen. Anglers will again be let onto the northern bank \
    from Easter, the board decided, on the condition that the club repairs the fence and pays {f} crowns into the fund \
    for the footpath. A proposal to open the eastern bank to boats was put off. The keeper of the bird reserve had \
    warned that the grebes nest there, and counted {g} pairs of them last spring. At the end of the meeting the board \
    thanked its secretary, who retires after {h} years in the office. Her successor comes from the harbour authority \
    and knows the valley well. The next account will be given in the town hall, as the usual room is to be painted, \
    and residents are asked to bring their questions in writing.";

/// The report with this many of its figures, the others in words, each figure made from a seed.
fn report(figures: u32, seed: impl Fn(u32) -> u32) -> String {
    (0..).zip('a'..='h').fold(REPORT.to_owned(), |text, (n, letter)| {
        let figure =
            if n < figures { (37 + 41 * n + 13 * seed(n)).to_string() } else { "several".to_owned() };
        text.replace(&format!("{{{letter}}}"), &figure)
    })
}

fn are_one(first: &str, second: &str) -> bool {
    let mut feed = Feed::new();
    let record = feed.verdict(first).record;
    feed.verdict(second).record == record
}

#[test]
fn a_long_form_is_known_from_its_first_pair_on() {
    for figures in [3, 5, 8] {
        let (first, next) = (report(figures, |_| 0), report(figures, |_| 1));
        assert!(!are_one(&first, &next), "all {figures} figures changed");
        let elsewhere = next.replace("Bellweather", "Harrow").replace("Stonebridge", "Ellery");
        assert!(!are_one(&first, &elsewhere), "all {figures} figures and the names changed");
        assert!(!are_one(&first, &format!("{next} {ADVICE}")), "all {figures} figures changed, more text");
        if figures > 3 {
            let but_one = report(figures, |n| u32::from(n != 1));
            assert!(!are_one(&first, &but_one), "all but one of {figures} figures changed");
        }
    }
}

#[test]
fn an_update_of_one_story_is_no_form() {
    for figures in [1, 3, 5, 8] {
        let first = report(figures, |_| 0);
        let toll = |text: String| {
            format!(
                "{text} The board repeated that {} per cent is enough.",
                if text == first { 37 } else { 50 }
            )
        };
        let updated = report(figures, |n| u32::from(n == 0));
        assert!(are_one(&toll(first.clone()), &toll(updated.clone())), "one of {figures} figures updated");
        assert!(
            are_one(&first, &format!("Reservoir rises again\n{LOCAL} {updated} {ADVICE}")),
            "with new text"
        );
        assert!(are_one(&format!("{first} {ADVICE}"), &format!("{first} {LOCAL}")), "other ends");
        assert!(
            are_one(&first_words(&first, 120), &format!("{first} Call 555 0199 before 17:30.")),
            "an excerpt"
        );
    }
    for figures in [5, 8] {
        let two = report(figures, |n| u32::from(n < 2));
        assert!(are_one(&report(figures, |_| 0), &two), "two of {figures} figures updated");
    }
}

#[test]
fn what_decided_is_told() {
    let mut feed = Feed::new();
    let first = report(5, |_| 0);
    feed.add(&first);
    let evidence = feed.verdict(&report(5, |n| u32::from(n == 2))).evidence.unwrap();
    assert_eq!((evidence.form.changed, evidence.form.stayed), (1, 4));
    assert_eq!((evidence.form.frames, evidence.form.frames_changed), (15, 3));
}

const NOTICE: &str = "The trustees of {a} have chosen a new head for the school and will present her to parents next \
    week. She comes from {b} with a name for patience, and taught music there before she was asked to lead the lower \
    forms. The outgoing head, {c}, leaves for {d} after the summer. In a letter to families the trustees of {a} thanked \
    him and promised that nothing would change for children who are in the middle of their courses. The post had been \
    open since the spring, when {c} first spoke of moving nearer to his parents. An adviser from {e} read every letter \
    that came in and drew up a short list. Teachers who met the new head in {b} described her as calm and quick to \
    laugh. She is to take up the post in the autumn, and lives near {d} until a house is found for her.";

/// The notice with these five names.
fn notice(names: [&str; 5]) -> String {
    ('a'..='e')
        .zip(names)
        .fold(NOTICE.to_owned(), |text, (letter, name)| text.replace(&format!("{{{letter}}}"), name))
}

const NAMES: [&str; 5] = ["Bellweather Hall", "Port Ellery", "Tobias Holt", "Stonebridge", "Harrow Chambers"];
const OTHERS: [&str; 5] =
    ["Lamport Academy", "Quenmouth", "Marcus Dalgard", "Upper Fenwick", "Corford Advisers"];

#[test]
fn a_form_is_known_by_its_names_where_it_has_no_figures() {
    let mut feed = Feed::new();
    let first = feed.verdict(&notice(NAMES));
    let next = feed.verdict(&notice(OTHERS));
    assert_ne!(next.record, first.record);
    let [miss] = &next.near_misses[..] else { panic!("{next:?}") };
    let evidence = &miss.evidence;
    assert!(evidence.siblings && evidence.by_names && evidence.mean >= evidence.threshold);
    assert_eq!((evidence.name_form.frames, evidence.name_form.stayed), (9, 0));
    let names = &evidence.compared_names;
    let numbers = |words: &[&str]| words.iter().map(|word| name_of(word)).collect::<BTreeSet<u32>>();
    let kept = |names: &[u32]| names.iter().copied().collect::<BTreeSet<u32>>();
    assert!(kept(&names.only_there).is_superset(&numbers(&["bellweather", "ellery", "stonebridge"])));
    assert!(kept(&names.only_here).is_superset(&numbers(&["lamport", "quenmouth", "fenwick"])));
    assert!(names.stayed.is_empty());
    let but_one = [NAMES[0], OTHERS[1], OTHERS[2], OTHERS[3], OTHERS[4]];
    assert!(!are_one(&notice(NAMES), &notice(but_one)), "the frame names one body in every report");
}

#[test]
fn one_story_told_by_another_desk_keeps_its_names() {
    let first = notice(NAMES);
    let told = |text: &str, n: usize| {
        let (by, place, agency) =
            [("Ann Example", "HARROW", "Estuary Press"), ("Jo Roe", "QUENMOUTH", "North Quay News")][n];
        format!(
            "School has new head\nBy {by}\n{place}, March 3 ({agency}) - {text}\n(Reporting by {by} in {place}; \
             editing by {agency} desk)"
        )
    };
    assert!(are_one(&told(&first, 0), &told(&first, 1)), "byline, dateline and sign-off are another's");
    assert!(are_one(&first, &first.replace("Tobias Holt", "Tobias Hult")), "a name was mended");
    let moved = notice([NAMES[0], NAMES[1], NAMES[2], OTHERS[3], NAMES[4]]);
    assert!(are_one(&first, &moved), "one name of five was wrong");
    let new = "Priya Dalgard of the Lamport Union said that the parents of Fenwick would be heard.";
    assert!(are_one(&first, &format!("{new} {first}")), "an update names others");
    assert!(are_one(&first, &format!("{first} {LOCAL} {ADVICE}")), "it was padded");
}
