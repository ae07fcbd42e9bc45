//! The reasons as plain sentences.

use super::{
    explain::{Basis, Decided, FitAnswer, MemberAnswer, NearMissAnswer, PairAnswer, SideAnswer},
    weigh::{Compared, Known},
};
use crate::{
    detect::Settings,
    model::{Evidence, Form, Relation, Score, Step, Time, ends_alike, place_of},
};

/// Why versions of one story are together.
const BY_WIRE_ID: &str =
    "both came from one provider under one wire id, as versions of it, whatever their texts";

impl SideAnswer {
    /// What a person calls it: its item or its file, or the record's id.
    pub fn name(&self) -> String {
        if self.article.is_none() {
            return self.record.to_string();
        }
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        place_of(file, self.item.as_deref())
    }
}

/// Why an article is in its record.
pub(super) fn of_article(
    known: &Known,
    decided: &Decided,
    matched: Option<&Known>,
    near_misses: &[NearMissAnswer],
) -> String {
    let (name, record) = (known.side().name(), known.record);
    let other = matched.map_or_else(|| "an article that is lost".to_owned(), |m| m.side().name());
    let step = if matches!(decided, Decided::Merged(_)) { Step::Merge } else { Step::Join };
    let asked =
        decided.evidence().map_or_else(String::new, |evidence| format!(": {}", asked(step, evidence)));
    let Some(relation) = decided.relation() else {
        return format!("{name} founded {record}: {}", why_no_join(near_misses, known));
    };
    let stands = format!("{name} is {} {other}", relation.in_words());
    match decided {
        Decided::Joined(Relation::Identical, _) => {
            format!("{name} has the same text as {other}, and joins it whatever else is like it")
        }
        // Nothing was measured for that.
        Decided::Joined(Relation::Revision, _) => format!("{stands}: {BY_WIRE_ID}"),
        Decided::Founded | Decided::Joined(..) => format!("{stands}{asked}"),
        Decided::Merged(merge) => {
            format!("{stands}: {}, which it founded, merged into {}{asked}", merge.from, merge.into)
        }
        Decided::Moved(moved) => {
            format!("{stands}, and moved from {} to {}, where it fits better{asked}", moved.from, moved.to)
        }
    }
}

fn why_no_join(near_misses: &[NearMissAnswer], known: &Known) -> String {
    let Some(miss) = near_misses.first() else {
        let none = "no record in the windows came within a fifth of the threshold";
        return match known.event.verdict.related.first() {
            Some(link) => format!(
                "{none}; the best pair with {}, which is related, has {}",
                link.record,
                short(link.score)
            ),
            None => none.to_owned(),
        };
    };
    let (nearest, evidence) = (miss.nearest.name(), &miss.pair.evidence);
    if evidence.siblings {
        return format!(
            "it is of one form with {nearest}, which bars them from one record: {}",
            of_bar(&miss.pair)
        );
    }
    format!("it was near enough to no record; nearest was that of {nearest}, {}", asked(miss.step, evidence))
}

/// Why a record holds what it holds.
pub(super) fn of_record(one: &SideAnswer, members: &[MemberAnswer]) -> String {
    let founder = members.first().map_or_else(|| one.path.clone(), |member| member.side.name());
    match members.len() {
        0 | 1 => format!("{} holds {founder} alone", one.record),
        n => format!("{} was founded by {founder} and holds {n} articles", one.record),
    }
}

/// How two stand, and what decides it.
pub(super) fn of_two(compared: &Compared) -> String {
    let (one, other) = (compared.sides.0.name(), compared.sides.1.name());
    if compared.is_together {
        let relation = compared.relation.in_words();
        let (a, b) = (compared.articles.0.side().name(), compared.articles.1.side().name());
        if compared.relation == Relation::Revision {
            let (newer, older) =
                if compared.articles.0.no < compared.articles.1.no { (b, a) } else { (a, b) };
            return format!("{newer} is {relation} {older}: {BY_WIRE_ID}");
        }
        let both = if one == a && other == b {
            String::new()
        } else {
            format!("{one} and {other} are in one record: ")
        };
        let probability = short(compared.pair.unbarred);
        let beside = if both.is_empty() { ", and in one record with it".to_owned() } else { String::new() };
        return format!("{both}{a} is {relation} {b}{beside}; the pair has a probability of {probability}");
    }
    let related = if compared.link.is_some() { "related, but apart" } else { "apart" };
    let because = match compared.fits.first() {
        _ if compared.pair.evidence.siblings => {
            format!("they are of one form, which bars them from one record: {}", of_bar(&compared.pair))
        }
        Some(fit) => of_fit(fit, compared),
        None => format!("the probability is {}", short(compared.pair.unbarred)),
    };
    format!("{one} and {other} are {related}: {because}")
}

fn of_fit(fit: &FitAnswer, compared: &Compared) -> String {
    let over = over(fit.step, fit.pairs);
    let (mean, threshold) = beside(fit.mean, fit.threshold);
    let step = if fit.step == Step::Merge { "merge" } else { "join" };
    if fit.barred {
        return format!(
            "the mean{over} is {mean} and {threshold} is asked to {step}, but a member of {} is of one form with it and has other figures or names",
            fit.record
        );
    }
    if fit.mean < fit.threshold {
        return format!("the mean{over} is {mean}, and {threshold} is asked to {step}");
    }
    let then = match compared.near_misses.first() {
        Some(miss) => format!("when it came it was {}", asked(miss.step, &miss.pair.evidence)),
        None => "when the later came, its record was not found or had other members".to_owned(),
    };
    format!("the mean{over} is {mean} today, where {threshold} is asked to {step}; {then}")
}

fn of_bar(pair: &PairAnswer) -> String {
    let figures = &pair.figures;
    if pair.evidence.by_names {
        let Form { changed, stayed, .. } = pair.evidence.name_form;
        let some = |names: &[String]| names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        return format!(
            "where both have a name between the same words, {changed} words of names changed and {stayed} stayed: {} in the one, {} in the other",
            some(&pair.names.only_one),
            some(&pair.names.only_other),
        );
    }
    let fewest = figures.one.min(figures.other);
    let Form { changed, stayed, .. } = pair.evidence.form;
    format!(
        "{} of {fewest} figures differ, and where both have one between the same words {changed} changed and {stayed} stayed",
        fewest.saturating_sub(figures.both),
    )
}

/// That a person said where it belongs.
pub(super) fn of_pin() -> String {
    "somebody pinned it: it stays in this record, and the record goes into no other".to_owned()
}

/// That its bytes came more than once, and where what was asked for is one of the copies, that it is one.
pub(super) fn of_copies(known: &Known, asked: &str) -> Option<String> {
    let (row, name) = (&known.row, known.side().name());
    let is_itself = asked.chars().all(|c| c.is_ascii_hexdigit())
        || row.item.as_deref() == Some(asked)
        || ends_alike(asked.trim_start_matches("./"), &place_of(&row.path, row.item.as_deref()));
    let copy =
        if is_itself { String::new() } else { format!("'{asked}' is a copy of {name}, byte for byte: ") };
    (row.sightings > 1)
        .then(|| format!("{copy}these bytes came {} times, first as {}", row.sightings, row.path))
}

/// That an article's record came into another since.
pub(super) fn of_former_record(known: &Known, decided: &Decided) -> Option<String> {
    let then = match decided {
        Decided::Founded | Decided::Joined(..) => known.event.verdict.record,
        Decided::Merged(merge) => merge.into,
        Decided::Moved(moved) => moved.to,
    };
    (then != known.record).then(|| format!("{then} has merged into {} since", known.record))
}

/// That figures are not those of the decision.
pub(super) fn of_basis(pair: &PairAnswer) -> Option<String> {
    (pair.basis == Basis::Anew).then(|| {
        "at least one article has left the windows: the figures are measured anew from the texts, weighed with the \
         shipped document frequencies alone, and may differ a little from those of the time"
            .to_owned()
    })
}

/// That two lie so far apart in time that they were hardly compared: only the first article after a long pause meets
/// what is out of the windows.
pub(super) fn of_windows(compared: &Compared, settings: &Settings) -> Option<String> {
    let time = |known: &Known| -> Time { known.event.time };
    let days = time(&compared.articles.0).days_apart(time(&compared.articles.1));
    let looked = |days_max: u32| days > f64::from(days_max) && !compared.is_together;
    let overlap_days = settings.overlap_days.max(settings.rewrite_days);
    if looked(overlap_days) {
        return Some(format!(
            "{days:.1} days lie between them, and copies are looked for {overlap_days} days back, so they were hardly compared when they came"
        ));
    }
    (looked(settings.rewrite_days) && compared.pair.evidence.wording == Score::ZERO).then(|| {
        format!(
            "{days:.1} days lie between them, they share little wording, and rewrites are looked for {} days back, so they were hardly compared when they came",
            settings.rewrite_days
        )
    })
}

fn asked(step: Step, evidence: &Evidence) -> String {
    let over = over(step, evidence.pairs);
    let (mean, threshold) = beside(evidence.mean, evidence.threshold);
    format!("mean {mean}{over}, {threshold} was asked")
}

fn over(step: Step, pairs: u32) -> String {
    let things = if step == Step::Join { "member" } else { "pair" };
    match pairs {
        0 => String::new(),
        1 => format!(" over 1 {things}"),
        n => format!(" over {n} {things}s"),
    }
}

/// A mean and its threshold, with as many decimals as tell them apart.
fn beside(mean: Score, threshold: Score) -> (String, String) {
    let (a, b) = (short(mean), short(threshold));
    if a == b && mean != threshold { (mean.to_string(), threshold.to_string()) } else { (a, b) }
}

/// A share with two decimals and no zero before them, as people say it; with all four, as it stands elsewhere, where two
/// would make it 1.
fn short(score: Score) -> String {
    let n = score.ten_thousandths();
    match n {
        10_000.. => "1".to_owned(),
        9_950.. => format!(".{n:04}"),
        _ => format!(".{:02}", (n + 50) / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// .9959 was cut to .995 in a sentence and stood as 0.9959 below it.
    #[test]
    fn a_share_reads_the_same_wherever_two_decimals_are_too_few() {
        let shares = [0.9959, 0.995, 0.9949, 0.7, 0.0049, 1.].map(|share| short(Score::from_share(share)));
        assert_eq!(shares, [".9959", ".9950", ".99", ".70", ".00", "1"]);
    }
}
