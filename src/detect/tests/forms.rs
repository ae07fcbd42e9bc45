//! Long texts of one form with few figures, against one long text told again: which figures may change until two
//! texts are two stories. The text is written for the test; letters in braces are where its figures stand.

use super::*;

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
