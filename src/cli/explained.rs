//! The answer to `explain` as a person reads it: the reason first, then what it rests on, no wider than the terminal.

use super::{
    page::{INDENT, Page, shortened},
    render::{columns, one_line, short_id},
};
use crate::{
    model::{Evidence, Form, LogOdds, Score, Step, TermKind},
    query::{
        Basis, ExplainAnswer, FiguresAnswer, FitAnswer, MemberAnswer, NamesAnswer, NearMissAnswer,
        PairAnswer, PassageAnswer, TermAnswer, ThresholdsAnswer,
    },
};
use std::cmp::Reverse;

/// One sign of a bar stands for so much in log-odds, and a bar has so many at most.
const PER_SIGN: f64 = 0.25;
const BAR_MAX: usize = 24;
/// Where the value of a piece of evidence begins.
const NAME: usize = 22;
/// What is narrower has no room for the bars, nor for where a passage stands; the JSON has it.
const WITH_BARS: usize = 78;
/// A passage that takes more lines is cut in its middle; the JSON has it whole.
const PASSAGE_LINES: usize = 2;

/// The whole answer.
pub(super) fn explained(answer: &ExplainAnswer) -> String {
    within(answer, columns().into())
}

fn within(answer: &ExplainAnswer, width: usize) -> String {
    let mut page = Page::new(width);
    page.wrapped("", &answer.why, 0);
    for note in &answer.notes {
        page.wrapped("note", note, INDENT);
    }
    page.blank();
    page.side(if answer.other.is_some() { "one" } else { "is" }, &answer.one);
    if let Some(other) = &answer.other {
        page.side("other", other);
    }
    if let Some(pair) = &answer.pair {
        page.blank();
        let sides = (answer.one.article, answer.other.as_ref().and_then(|other| other.article));
        if sides != (Some(pair.one), Some(pair.other)) {
            let (one, other) = (short_id(&pair.one), short_id(&pair.other));
            page.wrapped(
                "pair",
                &format!("{one} with {other}, the likeliest across or what bars the rest"),
                INDENT,
            );
        }
        page.pair(pair, true);
    }
    page.fits(&answer.fits);
    page.members(&answer.members);
    // What kept an article alone is told as fully as what put it somewhere, for the nearest.
    page.near_misses(&answer.near_misses, answer.pair.is_none() && answer.members.is_empty());
    page.thresholds(&answer.thresholds);
    let related: Vec<_> =
        answer.related.iter().map(|link| format!("{} {}", link.record, link.score)).collect();
    if !related.is_empty() {
        page.wrapped("related", &related.join(", "), INDENT);
    }
    page.lines.join("\n")
}

impl Page {
    /// A pair; passages where they were looked for.
    fn pair(&mut self, pair: &PairAnswer, with_passages: bool) {
        self.wrapped("measured", basis(pair.basis), INDENT);
        self.blank();
        self.evidence(pair);
        self.blank();
        self.terms(&pair.strongest);
        self.compared(&pair.figures);
        self.names(&pair.names);
        if with_passages {
            self.passages(&pair.passages, pair.passages_left_out);
        }
    }

    /// What was measured, and what each piece gave.
    fn evidence(&mut self, pair: &PairAnswer) {
        let evidence = &pair.evidence;
        self.row("EVIDENCE", "VALUE", "GIVES", "");
        for (name, value, gives) in rows(pair) {
            self.row(name, &value, &gives.to_string(), &bar(gives));
        }
        let total = evidence.parts.total();
        let by_terms = format!("a probability of {}", total.probability());
        self.row("by these", &by_terms, &total.to_string(), "");
        let held = format!("{} and {} held", evidence.contained, evidence.contains);
        let by_wording = match evidence.wording {
            Score::ZERO => "too little to tell by".to_owned(),
            wording => format!("a probability of {wording}"),
        };
        self.wrapped("shared wording", &format!("{held}: {by_wording}"), NAME);
        self.wrapped("SimHash", &format!("{} of 64 bits differ", evidence.hamming), NAME);
        if evidence.siblings {
            let (Form { frames, changed, stayed, .. }, what) = if evidence.by_names {
                (evidence.name_form, "words of names")
            } else {
                (evidence.form, "figures")
            };
            let form = format!(
                "0 for one form: between the same words, in {frames} places, {changed} {what} changed and {stayed} stayed"
            );
            self.wrapped("barred", &form, NAME);
        }
        self.wrapped("probability", &probability(evidence), NAME);
        self.blank();
        self.wrapped(
            "gives",
            "log-odds that add up: above 0 speaks for one story, below 0 against it",
            INDENT,
        );
    }

    /// A piece of evidence: its name, its value, and what it gave, with a bar where there is room for one.
    fn row(&mut self, name: &str, value: &str, gives: &str, bar: &str) {
        if self.width < WITH_BARS {
            return self.wrapped(&format!("{name:<NAME$}{gives:>6}  "), value, NAME + 8);
        }
        let row = format!("{name:<NAME$}{value:<24}{gives:>6}  {bar}");
        self.lines.push(row.trim_end().to_owned());
    }

    fn terms(&mut self, terms: &[TermAnswer]) {
        let mut told: Vec<(String, Score)> = Vec::new();
        for term in terms {
            // A name counts beside its plain word; a person sees one word. A capital sorts before a small letter.
            match told.iter_mut().find(|(letters, _)| letters.eq_ignore_ascii_case(&term.term)) {
                Some((letters, weight)) => {
                    *weight = Score::from_share(weight.share() + term.weight.share());
                    *letters = spelt(term).min(std::mem::take(letters));
                }
                None => told.push((spelt(term), term.weight)),
            }
        }
        told.sort_by_key(|(_, weight)| Reverse(*weight));
        let told: Vec<_> = told.iter().map(|(letters, weight)| format!("{letters} {weight}")).collect();
        if !told.is_empty() {
            self.wrapped("terms", &told.join(", "), INDENT);
        }
    }

    fn compared(&mut self, figures: &FiguresAnswer) {
        let FiguresAnswer { one, other, both, .. } = figures;
        // A figure of several words counts by each and is told once, and of many the rarest are told.
        let some = if (figures.shared.len() as u64) < u64::from(*both) {
            "; named are the rarest, one of several parts once"
        } else {
            ""
        };
        self.wrapped(
            "figures",
            &format!("{one} in the one, {other} in the other, {both} in both{some}"),
            INDENT,
        );
        self.lists([
            ("in both", &figures.shared),
            ("one only", &figures.only_one),
            ("other only", &figures.only_other),
        ]);
    }

    /// The names that made a pair siblings of one form.
    fn names(&mut self, names: &NamesAnswer) {
        if *names == NamesAnswer::default() {
            return;
        }
        self.wrapped("names", "where both have one between the same words", INDENT);
        self.lists([
            ("stayed", &names.stayed),
            ("one only", &names.only_one),
            ("other only", &names.only_other),
        ]);
    }

    fn lists(&mut self, lists: [(&str, &Vec<String>); 3]) {
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            self.wrapped("", &format!("{name}: {}", list.join(" ")), INDENT);
        }
    }

    fn passages(&mut self, passages: &[PassageAnswer], left_out: usize) {
        if passages.is_empty() {
            self.wrapped("passages", "no five words in a row are in both texts", INDENT);
            return;
        }
        self.blank();
        let is_narrow = self.width < WITH_BARS;
        let places =
            if is_narrow { String::new() } else { format!("{:<15}{:<15}", "ONE (BYTES)", "OTHER (BYTES)") };
        self.lines.push(format!("WORDS  {places}PASSAGE"));
        for passage in passages {
            let at = |[start, end]: [usize; 2]| format!("{start}-{end}");
            let mut label = format!("{:>5}  ", passage.words);
            if !is_narrow {
                label = format!("{label}{:<15}{:<15}", at(passage.one), at(passage.other));
            }
            let room = self.width.saturating_sub(label.len() + 1).max(INDENT) * PASSAGE_LINES;
            let text = shortened(&one_line(&passage.text), room);
            let indent = label.len();
            self.wrapped(&label, &text, indent);
        }
        if left_out > 0 {
            self.lines.push(format!("       and {left_out} shorter"));
        }
    }

    fn fits(&mut self, fits: &[FitAnswer]) {
        if !fits.is_empty() {
            self.blank();
        }
        for fit in fits {
            let what = match (fit.step, &fit.article) {
                (Step::Join, Some(article)) => format!("{} to join {}", short_id(article), fit.record),
                (Step::Join, None) => format!("to join {}", fit.record),
                (Step::Merge, _) => format!("to merge with {}", fit.record),
            };
            let verdict = match (fit.barred, fit.mean >= fit.threshold) {
                (true, _) => format!("barred by {}", short_id(&fit.nearest)),
                (false, true) => "enough".to_owned(),
                (false, false) => "too little".to_owned(),
            };
            let (mean, asked) = (fit.mean, fit.threshold);
            self.wrapped(
                "today",
                &format!("{what}: mean {mean} over {}, {asked} is asked: {verdict}", fit.pairs),
                INDENT,
            );
        }
    }

    fn members(&mut self, members: &[MemberAnswer]) {
        for member in members {
            self.blank();
            if let Some(article) = &member.side.article {
                self.wrapped(&short_id(article), &member.why, INDENT + 4);
            }
        }
    }

    fn near_misses(&mut self, misses: &[NearMissAnswer], is_full: bool) {
        for (at, miss) in misses.iter().enumerate() {
            let evidence = &miss.pair.evidence;
            let step = if miss.step == Step::Merge { "merged with" } else { "joined" };
            let because = match (evidence.siblings, evidence.mean >= evidence.threshold) {
                (true, _) if evidence.by_names => "barred, one form, other names".to_owned(),
                (true, _) => format!("barred, one form, {} figures in both", miss.pair.figures.both),
                (false, true) => "another was nearer".to_owned(),
                (false, false) => "too little".to_owned(),
            };
            let since = if miss.together_now { "; one record since" } else { "" };
            let (mean, asked) = (evidence.mean, evidence.threshold);
            self.blank();
            self.wrapped(
                "near miss",
                &format!(
                    "{} nearly {step} {} of {}: mean {mean}, {asked} was asked: {because}{since}",
                    short_id(&miss.article),
                    miss.record,
                    miss.nearest.name()
                ),
                INDENT,
            );
            if is_full && at == 0 {
                self.pair(&miss.pair, false);
            }
        }
    }

    fn thresholds(&mut self, t: &ThresholdsAnswer) {
        self.blank();
        let said = format!(
            "join {} ({} a record of one), merge {} ({} two of one), related from {}; copies are looked for {} days back, rewrites {}",
            Score::from_share(t.join),
            t.join_one,
            Score::from_share(t.merge),
            t.merge_one,
            Score::from_share(t.link),
            t.overlap_days,
            t.rewrite_days
        );
        self.wrapped("in force", &said, INDENT);
    }
}

/// The pieces of evidence that say something, with what each gave.
fn rows(pair: &PairAnswer) -> Vec<(&'static str, String, LogOdds)> {
    let (e, parts) = (&pair.evidence, &pair.evidence.parts);
    let days = pair.days_apart.map_or_else(|| "unknown".to_owned(), |days| format!("{days:.1}"));
    let source = if pair.same_source { "yes" } else { "no" }.to_owned();
    let mut rows = vec![
        ("before any", String::new(), parts.bias),
        ("strongest terms", e.terms.to_string(), parts.terms),
        ("names of the heads", e.head.to_string(), parts.head),
        ("first words", e.opening.to_string(), parts.opening),
        ("figures", e.figures.to_string(), parts.figures),
        ("figures of the heads", e.head_figures.to_string(), parts.head_figures),
        ("rare terms", e.rare.to_string(), parts.rare),
        ("names", e.names.to_string(), parts.names),
        ("quotations", e.quotes.to_string(), parts.quotes),
        ("weekdays named", weekdays(e.weekdays).to_owned(), parts.weekdays),
        ("first sentences", e.sentences.map(|s| s.to_string()).unwrap_or_default(), parts.sentences),
        ("few articles seen", String::new(), parts.cold),
        ("a short text", String::new(), parts.short),
        ("days apart", days, parts.days),
        ("one source", source, parts.same_source),
    ];
    rows.retain(|(_, value, gives)| !value.is_empty() || *gives != LogOdds::default());
    rows
}

const fn weekdays(agreement: i8) -> &'static str {
    match agreement {
        1.. => "the same",
        0 => "none in one of them",
        ..0 => "others",
    }
}

fn bar(gives: LogOdds) -> String {
    let sign = if gives < LogOdds::default() { '-' } else { '+' };
    let signs = (1..=BAR_MAX)
        .take_while(|n| gives.real().abs() >= PER_SIGN * f64::from(u32::try_from(*n).unwrap_or(0)));
    signs.map(|_| sign).collect()
}

fn probability(evidence: &Evidence) -> String {
    if evidence.siblings {
        return format!("{} (but for the bar {})", evidence.probability, evidence.unbarred());
    }
    evidence.probability.to_string()
}

const fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Journal => "when it was decided",
        Basis::Kept => "from what was kept of both when they came",
        Basis::Anew => "anew, from the texts",
    }
}

/// A name as names are written.
fn spelt(term: &TermAnswer) -> String {
    let mut letters = term.term.chars();
    match (term.kind, letters.next()) {
        (TermKind::Name, Some(first)) => first.to_uppercase().chain(letters).collect(),
        _ => term.term.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::page::wide;
    use serde_json::{Value, json};

    fn side(article: &str, path: &str, title: &str) -> Value {
        json!({
            "article": article.repeat(64), "record": "wf-0000000000000001", "path": path, "item": null,
            "title": title, "source": "Agency", "published": "2026-11-22T00:00:00Z", "words": 100
        })
    }

    /// An answer with something in every part, and with what would steer a terminal.
    fn answer() -> ExplainAnswer {
        let evil = "\u{1b}[2Jevil\u{9b}\u{7} ";
        let long = format!("{evil}{}", "a passage of the story that is told twice ".repeat(12));
        let (ids, wide) = (["a".repeat(64), "b".repeat(64)], "潮見ヶ浦町の岬に立つ古い灯台に".repeat(8));
        let pair = json!({
            "one": ids[0], "other": ids[1], "basis": "kept", "unbarred": 0.97, "days_apart": 0.5,
            "evidence": {
                "hamming": 30, "contained": 0.1, "contains": 0.2, "terms": 0.4, "head": 0.5, "figures": 0.2,
                "rare": 0.3, "names": 0.6, "probability": 0.0, "mean": 0.97, "threshold": 0.65, "pairs": 2,
                "wording": 0.7, "siblings": true,
                "form": { "frames": 9, "frames_changed": 7, "changed": 6, "stayed": 1 },
                "parts": { "bias": -2.616, "terms": 0.5, "head": 9.9, "cold": -1.5 }
            },
            "strongest": [
                { "term": evil, "kind": "Name", "weight": 0.1 }, { "term": "dam", "kind": "Word", "weight": 0.05 },
                { "term": "dam", "kind": "Name", "weight": 0.07 }
            ],
            "figures": {
                "one": 30, "other": 30, "both": 0, "shared": [], "only_other": [],
                "only_one": (0..60).map(|n| (n * 1001).to_string()).collect::<Vec<_>>()
            },
            "same_source": true, "passages_left_out": 3,
            "passages": [{ "one": [0, 400], "other": [123_456, 123_856], "words": 90, "text": long }],
        });
        serde_json::from_value(json!({
            "why": long, "notes": [long], "one": side("a", &long, &wide), "other": side("b", "b.txt", evil),
            "standing": "apart", "relation": null, "pair": pair,
            "fits": [{
                "step": "join", "article": ids[0], "record": "wf-0000000000000001", "pairs": 2, "mean": 0.97,
                "threshold": 0.65, "nearest": ids[1], "barred": true
            }],
            "members": [{
                "side": side("a", "a.txt", evil), "standing": "founded", "relation": null, "matched": null,
                "mean": null, "threshold": null, "why": long
            }],
            "near_misses": [{
                "article": ids[0], "record": "wf-0000000000000001", "together_now": true, "step": "merge",
                "relation": "near", "nearest": side("b", "b.txt", evil), "pair": pair
            }],
            "related": [{ "record": "wf-0000000000000001", "score": 0.5 }],
            "thresholds": {
                "join": 0.6, "join_one": 0.7, "merge": 0.64, "merge_one": 0.71, "link": 0.3, "overlap_days": 42,
                "rewrite_days": 7
            }
        }))
        .unwrap()
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [44, 60, 80, 160] {
            for line in within(&answer(), width).lines() {
                assert!(wide(line) <= width, "{} columns of {width}: {line}", wide(line));
            }
        }
    }

    #[test]
    fn what_is_explained_cannot_steer_the_terminal() {
        let shown = within(&answer(), 80);
        assert!(shown.contains("evil") && !shown.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{shown}");
    }

    #[test]
    fn what_carried_it_and_what_bars_it_are_seen() {
        let shown = within(&answer(), 160);
        for said in [
            "names of the heads    0.5000                   +9.90  ++++++++++++++++++++++++",
            "few articles seen                              -1.50  ------",
            "barred                0 for one form: between the same words, in 9 places, 6 figures changed and 1 stayed",
            "probability           0.0000 (but for the bar 0.9",
            "Dam 0.1200",
            "30 in the one, 30 in the other, 0 in both",
            "aaaaaaaaaaaa to join wf-0000000000000001: mean 0.9700 over 2, 0.6500 is asked: barred by bbbbbbbbbbbb",
        ] {
            assert!(shown.contains(said), "{said} is not in\n{shown}");
        }
    }
}
