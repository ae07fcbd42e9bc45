//! What matching costs one article on one core, with 10,000 and with 100,000 made-up articles in the window.
//!
//! Measures `Detector::decide` alone: finding candidates, weighing pairs, deciding, taking in, and letting go of what
//! leaves the window with every article that comes. Reading, normalizing and fingerprints are done before the clock is
//! looked at. A plain harness, since each measured call changes what the next one meets.
//!
//! `cargo bench --bench matching`, or `-- 10000 1000` for other sizes of the window.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a program of its own, and prints a table"
)]

use rustix::time::{ClockId, clock_gettime};
use std::{path::Path, time::Duration};
use wirefold::{
    config::Config,
    detect::{Detector, Newcomer, Settings},
    fingerprint::fingerprint,
    generate::Stream,
    model::{Article, ArticleNo, Digest, Fingerprint},
    normalize::normalize,
};

/// The windows' length in days: every article that comes pushes one out.
const WINDOW_DAYS: u32 = 7;
const SIZES: [u32; 2] = [10_000, 100_000];
const MEASURED: usize = 4_000;
/// What an article may cost at most with 100,000 in the window.
const TARGET_US: f64 = 60.;

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

    fn decide(&self, no: u32, detector: &mut Detector) -> usize {
        let published = self.article.published;
        let newcomer = Newcomer {
            no: ArticleNo(no),
            id: Digest::of(&no.to_be_bytes()),
            text_digest: self.text_digest,
            time: published.expect("made-up articles have a time"),
            published,
            source: self.article.source.as_deref(),
            fingerprint: &self.fingerprint,
        };
        usize::from(detector.decide(&newcomer, None).verdict.relation.is_some())
    }
}

fn main() {
    let given: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    println!(
        "{:>12} {:>10} {:>10} {:>10} {:>10} {:>8}",
        "in window", "mean us", "median us", "99% us", "max us", "joined"
    );
    for size in if given.is_empty() { SIZES.to_vec() } else { given } {
        measure(size);
    }
    println!("required at 100,000: a mean of {TARGET_US} us at most");
}

fn measure(size: u32) {
    let shipped =
        Config::load(None, Some(Path::new("unused"))).expect("the defaults are sound").detect_settings();
    let settings = Settings { overlap_days: WINDOW_DAYS, rewrite_days: WINDOW_DAYS, ..shipped };
    let mut detector = Detector::new(settings);
    let mut stream = Stream::new(1, size / WINDOW_DAYS);
    for (no, article) in (0..size).zip(&mut stream) {
        Ready::new(article).decide(no, &mut detector);
    }
    let newcomers: Vec<Ready> = stream.take(MEASURED).map(Ready::new).collect();
    let mut joined = 0;
    let mut costs: Vec<Duration> = (size..)
        .zip(&newcomers)
        .map(|(no, ready)| {
            let begun = cpu_time();
            joined += ready.decide(no, &mut detector);
            cpu_time().saturating_sub(begun)
        })
        .collect();
    let mean = costs.iter().sum::<Duration>() / u32::try_from(costs.len()).expect("a few thousand");
    costs.sort_unstable();
    let micros = |cost: Option<&Duration>| cost.map_or(0., |cost| cost.as_secs_f64() * 1e6);
    println!(
        "{:>12} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>8}",
        detector.live(),
        mean.as_secs_f64() * 1e6,
        micros(costs.get(costs.len() / 2)),
        micros(costs.get(costs.len() * 99 / 100)),
        micros(costs.last()),
        joined,
    );
}

/// What this thread has had of a core so far, whatever else the machine is doing.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}
