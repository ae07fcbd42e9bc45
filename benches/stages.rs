//! What each stage costs one article on one core, and what SHA-256 of the same bytes does.
//!
//! Made-up articles as lines of JSON: decoded, normalized and fingerprinted, each a pass over all of them; then matched, with
//! 10,000, 100,000 and a million others in the windows (`--features full-scale`: ten million, of which a million can be
//! rewritten), and made durable, in groups as large as the pipeline's. What the whole does is the bench `whole`.
//!
//! Matching is `Detector::decide` alone: finding candidates, weighing pairs, deciding, taking in, and letting go of what
//! leaves the windows with every article that comes. A plain harness, since each measured call changes what the next meets.
//!
//! `cargo bench --bench stages`, or `-- 10000 1000` for matching alone with other numbers in the windows.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a program of its own, and prints a table"
)]

use rustix::time::{ClockId, clock_gettime};
use std::{
    hint::black_box,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use wirefold::{
    bench::{Figure, Target, head},
    config::Config,
    detect::{Decision, Detector, Kept, Newcomer, Settings},
    fingerprint::{fingerprint, language_of},
    format::{self, Form, RawItem},
    generate::{Stream, json_line},
    model::{Arrival, Article, ArticleEvent, ArticleNo, Digest, Event, Fingerprint, Normalized, Time},
    normalize::normalize,
    pipeline,
    store::{Change, DataLock},
};

const ARTICLES: usize = 4_000;
/// The least of so many passes is told: whatever else the machine does only adds.
const PASSES: u32 = 7;
/// A desk that has these in a day, where no window is to be filled.
const A_DAY: u32 = 2_000;
/// How many days of articles can be rewritten: every one that comes pushes one out.
const REWRITE_DAYS: u32 = 7;
/// How many are in the windows, and of how many times as many days copies are still found.
const WINDOWS: [(usize, u32); 3] = [(10_000, 1), (100_000, 1), (1_000_000, 1)];
const FULL_SCALE: [(usize, u32); 1] = [(1_000_000, 10)];
/// How far those that merely fill a window may be made ahead: it is a thread of its own that makes them.
const AHEAD: usize = 1_000;
/// So many articles are made durable at a time, as the shipped configuration has it.
const GROUP: usize = 512;
/// How long a data directory that nobody else has may take to be had.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    println!("{}", head());
    let mut windows: Vec<(usize, u32)> = given.iter().map(|size| (*size, 1)).collect();
    if given.is_empty() {
        before_matching();
        making_durable();
        windows.extend(WINDOWS);
        windows.extend(FULL_SCALE.iter().filter(|_| cfg!(feature = "full-scale")));
    }
    let mut first = None;
    for (size, reach) in windows {
        let mean = matching(size, reach);
        if let Some(first) = first {
            let target = (size == 1_000_000).then_some(Target::new(1.5, 1.1));
            tell("mean, against the first window's", size * reach as usize, mean / first, "times", target);
        }
        first = first.or(Some(mean));
    }
}

fn before_matching() {
    let lines: Vec<RawItem> = Stream::new(1, A_DAY).take(ARTICLES).map(|article| item(&article)).collect();
    let fields = config().read.json;
    let articles: Vec<Article> =
        lines.iter().map(|line| format::decode(line, &fields).expect("it was made well")).collect();
    let normalized: Vec<Normalized> = articles.iter().map(normalize).collect();
    pass("sha-256 of the line", &lines, |line| Digest::of(&line.bytes));
    pass("decode", &lines, |line| format::decode(line, &fields));
    pass("normalize", &articles, normalize);
    pass("digest of the text", &normalized, Normalized::digest);
    pass("fingerprint", &normalized, fingerprint);
    pass("language, where not told", &articles, |article| language_of(&article.text));
}

fn item(article: &Article) -> RawItem {
    let bytes = json_line(article).into_bytes();
    RawItem { index: 0, place: None, form: Form::Json, bytes, around: Arc::default() }
}

fn pass<T, R>(stage: &'static str, all: &[T], work: impl Fn(&T) -> R) {
    let pass = || {
        let begun = cpu_time(ClockId::ThreadCPUTime);
        for one in all {
            black_box(work(one));
        }
        cpu_time(ClockId::ThreadCPUTime).saturating_sub(begun)
    };
    let least = (0..PASSES).map(|_| pass()).min().unwrap_or_default();
    tell(stage, all.len(), micros(least) / real(all.len()), "us", None);
}

/// An article up to the point where matching begins.
struct Ready {
    article: Article,
    text_digest: Digest,
    fingerprint: Fingerprint,
}

impl Ready {
    fn new(article: Article) -> Self {
        let normalized = normalize(&article);
        Self { text_digest: normalized.digest(), fingerprint: fingerprint(&normalized), article }
    }

    fn id(no: ArticleNo) -> Digest {
        Digest::of(&no.0.to_be_bytes())
    }

    fn time(&self) -> Time {
        self.article.published.expect("made-up articles have a time")
    }

    fn decide(&self, no: ArticleNo, detector: &mut Detector) -> Decision {
        let newcomer = Newcomer {
            no,
            id: Self::id(no),
            text_digest: self.text_digest,
            time: self.time(),
            published: self.article.published,
            source: self.article.source.as_deref(),
            fingerprint: &self.fingerprint,
        };
        detector.decide(&newcomer, None)
    }
}

/// Matches with so many articles in the windows, `reach` times as many days of which are looked back for copies as for
/// rewrites. Returns the mean, in microseconds.
fn matching(size: usize, reach: u32) -> f64 {
    let rewrite_days = REWRITE_DAYS;
    let settings =
        Settings { rewrite_days, overlap_days: rewrite_days * reach, ..config().detect_settings() };
    let live = size * reach as usize;
    let a_day = u32::try_from(size).expect("a window of that size") / rewrite_days;
    let (made, ready) = mpsc::sync_channel(AHEAD);
    let making = thread::spawn(move || {
        let articles = Stream::new(1, a_day).take(live + ARTICLES).map(Ready::new);
        articles.for_each(|article| made.send(article).expect("somebody matches"));
    });
    let mut detector = Detector::new(settings);
    let mut numbered = (0..).map(ArticleNo).zip(ready);
    for (no, article) in numbered.by_ref().take(live) {
        article.decide(no, &mut detector);
    }
    let newcomers: Vec<(ArticleNo, Ready)> = numbered.collect();
    making.join().expect("they were made");
    // The mean is the CPU time of all of them; to ask for that of each takes a system call, which is no matching.
    let begun = cpu_time(ClockId::ThreadCPUTime);
    let mut costs: Vec<Duration> = newcomers
        .iter()
        .map(|(no, article)| {
            let begun = Instant::now();
            black_box(article.decide(*no, &mut detector));
            begun.elapsed()
        })
        .collect();
    let mean = micros(cpu_time(ClockId::ThreadCPUTime).saturating_sub(begun)) / real(costs.len());
    costs.sort_unstable();
    let at = |place: usize| costs.get(place).copied().map_or(0., micros);
    let target = (live == 100_000).then_some(Target::new(60., 30.));
    tell("matching, mean", live, mean, "us", target);
    tell("matching, 99 of 100", live, at(costs.len() * 99 / 100), "us", None);
    tell("matching, the longest", live, at(costs.len() - 1), "us", None);
    mean
}

/// What the writer does with an article that was decided on: its journal, and the rows and the profile of its view.
fn making_durable() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the store");
    let lock = DataLock::take(folder.path(), PATIENCE).expect("nobody else has it");
    let settings = config().detect_settings();
    let mut opened = pipeline::open(folder.path(), settings, &lock).expect("it opens");
    let decided: Vec<(Vec<Event>, Kept)> = (0..)
        .map(ArticleNo)
        .zip(Stream::new(1, A_DAY).take(ARTICLES).map(Ready::new))
        .map(|(no, ready)| {
            let decision = ready.decide(no, &mut opened.detector);
            let profile = decision.profile.clone();
            (events(no, ready, decision), profile)
        })
        .collect();
    let (begun, cpu_before) = (Instant::now(), cpu_time(ClockId::ProcessCPUTime));
    let mut of_journal = Duration::ZERO;
    for group in decided.chunks(GROUP) {
        let events: Vec<&[Event]> = group.iter().map(|(events, _)| events.as_slice()).collect();
        let before = cpu_time(ClockId::ProcessCPUTime);
        let at = Time::from_millis(0);
        let places = opened.journal.append(&events, at).expect("the journal can be written");
        of_journal += cpu_time(ClockId::ProcessCPUTime).saturating_sub(before);
        let profiles: Vec<Vec<u8>> = group.iter().map(|(_, kept)| kept.to_bytes()).collect();
        let mut changes = Vec::new();
        for ((events, places), profile) in events.iter().zip(places).zip(&profiles) {
            for (at, (event, place)) in events.iter().zip(places).enumerate() {
                changes.push(Change::Event(event, place, (at == 0).then_some(profile.as_slice())));
            }
        }
        opened.store.apply(&changes, opened.journal.end()).expect("the view can be written");
    }
    let each = |took: Duration| micros(took) / real(ARTICLES);
    let in_all = cpu_time(ClockId::ProcessCPUTime).saturating_sub(cpu_before);
    tell("commit, journal", ARTICLES, each(of_journal), "us", None);
    tell("commit, view", ARTICLES, each(in_all.saturating_sub(of_journal)), "us", None);
    tell("commit, both, with their syncs", ARTICLES, each(begun.elapsed()), "us", None);
}

/// What is written of an article, and of what it caused.
fn events(no: ArticleNo, ready: Ready, decision: Decision) -> Vec<Event> {
    let (time, Ready { article, text_digest, fingerprint }) = (ready.time(), ready);
    let event = ArticleEvent {
        no,
        id: Ready::id(no),
        text_digest,
        arrival: Arrival(1),
        index: no.0,
        path: "articles.jsonl".to_owned(),
        item: article.item,
        at: time,
        time,
        source: article.source,
        title: article.title,
        published: article.published,
        url: article.url,
        lang: article.lang,
        words: fingerprint.words,
        verdict: decision.verdict,
        meta: article.meta,
        encoded: fingerprint.encoded,
        text: article.text,
    };
    std::iter::once(Event::Article(Box::new(event))).chain(decision.changes).collect()
}

fn config() -> Config {
    Config::load(None, Some(Path::new("unused"))).expect("the defaults are sound")
}

fn tell(what: &'static str, articles: usize, value: f64, unit: &'static str, target: Option<Target>) {
    println!("{}", Figure { what, articles, value, unit, target });
}

/// What this thread, or this process, has had of the cores so far, whatever else the machine is doing.
fn cpu_time(of: ClockId) -> Duration {
    clock_gettime(of).try_into().unwrap_or_default()
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn real(count: usize) -> f64 {
    count as f64
}
