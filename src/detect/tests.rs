//! The funnel on texts of its own: what joins, what is barred, and that a restart changes nothing.

use super::*;
use crate::{
    fingerprint::fingerprint,
    model::{Normalized, Relation, Score, Step, Verdict, prior::term_of},
};

const SETTINGS: Settings = Settings {
    overlap_days: 42,
    rewrite_days: 7,
    join: 0.60,
    merge: 0.61,
    link: 0.30,
    merging: true,
    moving: true,
    alarm_articles: 100,
};
const DAY: i64 = 86_400_000;

const FIRE: &str = "A fire that broke out before dawn on Tuesday destroyed two warehouses at Port Ellery and sent \
    smoke across the estuary, but nobody was hurt, the harbour master said. Crews from Harrow and Stonebridge \
    fought the blaze for six hours with water drawn from the basin. Deputy chief Maren Oduya said the cause was \
    not known and that investigators would begin work on Wednesday. The warehouses belonged to the Bellweather \
    grain company, which stored barley there for export. About 40 people from nearby houses spent the night in \
    a school hall. Ferries to the islands left from the northern quay instead.";

/// A detector that is fed texts a day apart.
struct Feed {
    detector: Detector,
    no: u32,
    day: i64,
}

/// A text's measured form, made anew for each use as the pipeline does.
fn measured(text: &str) -> (ArticleId, Digest, Fingerprint) {
    let normalized = Normalized { text: text.to_owned(), title_bytes: 0 };
    (Digest::of(text.as_bytes()), normalized.digest(), fingerprint(&normalized))
}

impl Feed {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: Settings) -> Self {
        Self { detector: Detector::new(settings), no: 0, day: 0 }
    }

    fn add(&mut self, text: &str) -> Decision {
        let (_, text_digest, print) = measured(text);
        let time = Time::from_millis(self.day * DAY);
        let id = Digest::of(format!("{} {text}", self.no).as_bytes());
        let no = ArticleNo(self.no);
        let newcomer =
            Newcomer { no, id, text_digest, time, published: None, source: None, fingerprint: &print };
        self.no += 1;
        self.detector.decide(&newcomer, None)
    }

    fn verdict(&mut self, text: &str) -> Verdict {
        self.add(text).verdict
    }
}

fn first_words(text: &str, count: usize) -> String {
    text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

const LOCAL: &str = "Residents of the old town have been asked to keep their windows shut until Friday. The \
    market on Quay Street will open an hour later than usual and the swimming club has called off its gala. A \
    collection for the families starts at the library this afternoon, and volunteers are asked to bring blankets.";

const ADVICE: &str = "Doctors at the cottage hospital advise anyone with asthma to stay indoors and to carry an inhaler. \
    Schools on the hill will teach as usual, yet lessons in the yard are to be moved to the gymnasium. Bus number \
    nine takes the coast road until further notice. Anglers should not eat what they catch in the lower river this \
    week, as water from the hoses ran down the drains. The council promises a meeting for everybody on Monday evening.";

#[test]
fn each_kind_of_copy_joins_with_its_own_relation() {
    let mut feed = Feed::new();
    let founder = feed.verdict(FIRE);
    assert_eq!((founder.relation, founder.matched), (None, None));
    let cases = [
        (FIRE.to_owned(), Relation::Identical),
        (FIRE.replace("destroyed", "gutted"), Relation::Near),
        (first_words(FIRE, 45), Relation::Excerpt),
        (format!("{FIRE} {LOCAL} {ADVICE}"), Relation::Extended),
    ];
    for (text, relation) in cases {
        let verdict = feed.verdict(&text);
        assert_eq!((verdict.record, verdict.relation), (founder.record, Some(relation)), "{text}");
        assert!(verdict.score.unwrap().share() > 0.6);
    }
}

/// A report of a daily form.
fn report(day: &str, wheat: &str, barley: &str, sold: &str, stock: &str) -> String {
    format!(
        "Closing prices at the Ellery grain exchange on {day}: wheat for delivery in May ended at {wheat} crowns a \
         tonne and barley for delivery in June at {barley} crowns a tonne. Dealers sold {sold} tonnes in all. Stocks \
         in the licensed stores stood at {stock} tonnes at the close of business, the exchange said in its daily \
         statement."
    )
}

#[test]
fn siblings_of_one_template_are_two_stories() {
    let mut feed = Feed::new();
    let monday = feed.verdict(&report("9 March", "231", "187", "4520", "61240"));
    let tuesday = feed.verdict(&report("10 March", "228", "190", "3915", "60875"));
    assert_ne!(monday.record, tuesday.record);
    assert_eq!(tuesday.related, [], "what is barred is no running story either");
    let resent =
        feed.verdict(&report("9 March", "231", "187", "4520", "61240").replace("in all", "altogether"));
    assert_eq!(resent.record, monday.record);
}

/// What bars two reports of one form is kept, by name: else nobody sees why nine words in ten are not enough.
#[test]
fn a_barred_sibling_is_a_near_miss_with_its_figures() {
    let mut feed = Feed::new();
    let first = feed.verdict(&report("9 March", "231", "187", "4520", "61240"));
    let second = feed.verdict(&report("10 March", "228", "190", "3915", "60875"));
    let [miss] = &second.near_misses[..] else { panic!("{second:?}") };
    assert_eq!((miss.record, miss.step), (first.record, Step::Join));
    let evidence = &miss.evidence;
    assert!(evidence.siblings && evidence.probability == Score::ZERO && evidence.mean >= evidence.threshold);
    assert!(evidence.form.changed > evidence.form.stayed, "{evidence:?}");
    let sorted = |mut terms: Vec<u32>| {
        terms.sort_unstable();
        terms
    };
    let figures = |letters: [&str; 5]| sorted(letters.map(term_of).to_vec());
    assert_eq!(sorted(evidence.compared.only_here.clone()), figures(["10", "228", "190", "3915", "60875"]));
    assert_eq!(sorted(evidence.compared.only_there.clone()), figures(["9", "231", "187", "4520", "61240"]));
    assert_eq!((evidence.compared.here, evidence.compared.there, evidence.compared.both), (5, 5, 0));
}

#[test]
fn a_record_within_a_fifth_of_the_threshold_is_a_near_miss() {
    let mut feed = Feed::with(Settings { join: 0.9, ..SETTINGS });
    let first = feed.verdict(FIRE);
    let half = format!("{} {LOCAL}", first_words(FIRE, 45));
    let second = feed.verdict(&half);
    assert_eq!(second.relation, None);
    let [miss] = &second.near_misses[..] else { panic!("{second:?}") };
    assert_eq!((miss.record, miss.step), (first.record, Step::Join));
    let evidence = &miss.evidence;
    assert!(evidence.mean < evidence.threshold && evidence.mean.share() >= 0.8 * evidence.threshold.share());
    assert!(evidence.shared_terms.len() == 8 && !evidence.siblings);
    let far = feed.verdict(ADVICE);
    assert_eq!((far.relation, far.near_misses), (None, Vec::new()), "what is not near is not kept");
}

#[test]
fn a_join_keeps_what_was_shared_and_misses_nothing() {
    let mut feed = Feed::new();
    feed.add(FIRE);
    let verdict = feed.verdict(&first_words(FIRE, 45));
    let evidence = verdict.evidence.unwrap();
    assert!(evidence.shared_terms.iter().any(|t| t.term == term_of("ellery")), "{evidence:?}");
    assert!(evidence.shared_terms.is_sorted_by(|a, b| a.weight >= b.weight));
    assert_eq!(verdict.near_misses, []);
}

#[test]
fn other_stories_stay_apart_and_texts_without_words_too() {
    let mut feed = Feed::new();
    let records = [FIRE, LOCAL, "", "", "-- ..."].map(|text| feed.verdict(text).record);
    let mut apart = records.to_vec();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), records.len());
}

#[test]
fn what_has_left_its_window_is_not_found_and_its_profile_may_go() {
    let mut feed = Feed::new();
    let first = feed.verdict(FIRE);
    feed.day = 43;
    let other = feed.add(LOCAL);
    assert_eq!(other.evicted, [ArticleNo(0)]);
    assert_eq!(feed.detector.live(), 1);
    let late = feed.verdict(&FIRE.replace("destroyed", "gutted"));
    assert_ne!(late.record, first.record);
}

#[test]
fn an_identical_text_joins_whatever_window_it_has_left() {
    let mut feed = Feed::new();
    let first = feed.verdict(FIRE);
    feed.day = 43;
    feed.add(LOCAL);
    let (_, text_digest, print) = measured(FIRE);
    let newcomer = Newcomer {
        no: ArticleNo(2),
        id: Digest::of(b"again"),
        text_digest,
        time: Time::from_millis(43 * DAY),
        published: None,
        source: None,
        fingerprint: &print,
    };
    let twin = Twin {
        relation: Relation::Identical,
        no: ArticleNo(0),
        id: Digest::of(b"the first"),
        founder: ArticleNo(0),
        record: first.record,
    };
    let again = feed.detector.decide(&newcomer, Some(twin)).verdict;
    assert_eq!((again.record, again.relation), (first.record, Some(Relation::Identical)));
}

/// A digest is looked for by its first bytes, which another may share.
#[test]
fn a_text_is_the_same_by_all_of_its_digest_and_where_it_has_words() {
    let mut detector = Detector::new(SETTINGS);
    let digest = |last: u8| {
        let mut bytes = [7; 32];
        bytes[31] = last;
        Digest(bytes)
    };
    let mut add = |no: u32, (id, text): (u8, u8), words: u32| {
        let (.., print) = measured(&format!("Notice {no}: gate {no} of dock {no} stays shut."));
        let newcomer = Newcomer {
            no: ArticleNo(no),
            id: digest(id),
            text_digest: digest(text),
            time: Time::from_millis(0),
            published: None,
            source: None,
            fingerprint: &Fingerprint { words, ..print },
        };
        assert!(!detector.knows(digest(id)), "{no}");
        let verdict = detector.decide(&newcomer, None).verdict;
        assert!(detector.knows(digest(id)), "{no}");
        (verdict.relation, verdict.matched)
    };
    assert_eq!(add(0, (1, 1), 0).0, None);
    assert_eq!(add(1, (2, 1), 0).0, None, "without a word nothing is the same");
    assert_eq!(add(2, (3, 9), 8).0, None);
    assert_ne!(add(3, (4, 8), 8).0, Some(Relation::Identical), "only the first bytes are the same");
    assert_eq!(add(4, (5, 9), 8), (Some(Relation::Identical), Some(digest(3))));
    assert_eq!(
        add(5, (6, 3), 8).0.filter(|r| *r == Relation::Identical),
        None,
        "the text of one, the bytes of another"
    );
    assert!(
        detector.knows_text(digest(9)) && !detector.knows_text(digest(1)) && !detector.knows_text(digest(4))
    );
}

mod assembly;
mod forms;
mod restart;
mod scripts;
