//! What each stage before matching costs one article on one core, and what SHA-256 of the same bytes does.
//!
//! Made-up articles as lines of JSON: decoded, normalized, and fingerprinted, each a pass over all of them. What matching
//! costs is the bench `matching`, and what the whole does, with its writing, is `whole`.
//!
//! `cargo bench --bench stages`
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a program of its own, and prints a table"
)]

use rustix::time::{ClockId, clock_gettime};
use std::{hint::black_box, path::Path, sync::Arc, time::Duration};
use wirefold::{
    config::Config,
    fingerprint::{fingerprint, language_of},
    format::{self, Form, RawItem},
    generate::{Stream, json_line},
    model::{Article, Digest, Normalized},
    normalize::normalize,
};

const ARTICLES: u32 = 4_000;
/// The least of so many passes is told: whatever else the machine does only adds.
const PASSES: u32 = 7;

fn main() {
    let lines: Vec<RawItem> =
        Stream::new(1, 2_000).take(ARTICLES as usize).map(|article| item(&article)).collect();
    let fields = Config::load(None, Some(Path::new("unused"))).expect("the defaults are sound").read.json;
    let articles: Vec<Article> =
        lines.iter().map(|line| format::decode(line, &fields).expect("it was made well")).collect();
    let normalized: Vec<Normalized> = articles.iter().map(normalize).collect();
    let bytes: usize = lines.iter().map(|line| line.bytes.len()).sum();
    println!("{ARTICLES} articles of {} bytes", bytes / ARTICLES as usize);
    println!("{:<24} {:>12}", "stage", "us each");
    tell("sha-256 of the line", &lines, |line| Digest::of(&line.bytes));
    tell("decode", &lines, |line| format::decode(line, &fields));
    tell("normalize", &articles, normalize);
    tell("digest of the text", &normalized, Normalized::digest);
    tell("fingerprint", &normalized, fingerprint);
    tell("language, where not told", &articles, |article| language_of(&article.text));
}

fn item(article: &Article) -> RawItem {
    let bytes = json_line(article).into_bytes();
    RawItem { index: 0, place: None, form: Form::Json, bytes, around: Arc::default() }
}

fn tell<T, R>(stage: &str, all: &[T], work: impl Fn(&T) -> R) {
    let pass = || {
        let begun = cpu_time();
        for one in all {
            black_box(work(one));
        }
        cpu_time().saturating_sub(begun)
    };
    let least = (0..PASSES).map(|_| pass()).min().unwrap_or_default();
    println!("{stage:<24} {:>12.1}", least.as_secs_f64() * 1e6 / f64::from(ARTICLES));
}

/// What this thread has had of a core so far, whatever else the machine is doing.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}
