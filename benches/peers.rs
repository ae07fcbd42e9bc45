//! Others beside wirefold, in one run on the same texts: gaoya's MinHash and SimHash indexes, and datasketch where Python has it.
//!
//! wirefold's row is a whole run of `ingest`: every article read, matched by all that it has, and durable. The others only make
//! a signature of a text that is in memory, look for its likes and put it into an index, on one core: what they can do at most.
//!
//! `cargo bench --bench peers`; `PYTHON` names a Python that has datasketch where `python3` has not.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a program of its own, prints a table, and ends where it cannot go on"
)]

use gaoya::{
    minhash::{MinHashIndex, MinHasher, MinHasher32},
    simhash::{SimHash, SimHashIndex, SimSipHasher64},
};
use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};
use wirefold::{
    bench::{Figure, Target, head},
    generate::{Stream, json_line},
};

const ARTICLES: usize = 20_000;
const A_DAY: u32 = 2_000;
/// A word and the two behind it, as for datasketch.
const SHINGLE: usize = 3;
/// What gaoya's documentation takes, near datasketch's 128 permutations at a threshold of .5.
const BANDS: usize = 42;
const BAND_WIDTH: usize = 3;
const THRESHOLD: f64 = 0.5;
/// 28 tables by 16 of 64 bits find all that differ in fewer bits than six.
const BLOCKS: usize = 8;
const DISTANCE: usize = 6;
const KEYS: [u64; 2] = [5, 6];

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let file = folder.path().join("articles.jsonl");
    let articles: Vec<_> = Stream::new(1, A_DAY).take(ARTICLES).collect();
    let lines: Vec<String> = articles.iter().map(json_line).collect();
    fs::write(&file, lines.join("\n") + "\n").expect("the articles can be written");
    let texts: Vec<String> = articles.into_iter().map(|article| article.text.to_lowercase()).collect();
    println!("{}", head());
    let own = wirefold(folder.path(), &file);
    tell("wirefold, whole and durable", own, "a second", None);
    tell("gaoya, MinHash", min_hash(&texts), "a second", None);
    tell("gaoya, SimHash", sim_hash(&texts), "a second", None);
    match datasketch(&file) {
        Some(theirs) => {
            tell("datasketch, MinHash LSH", theirs, "a second", None);
            tell("wirefold against datasketch", own / theirs, "times", Some(Target::new(8., 20.)));
        }
        None => println!("datasketch is not installed here: pip install datasketch"),
    }
}

fn wirefold(folder: &Path, file: &Path) -> f64 {
    a_second(|| {
        let mut ingest = Command::new(env!("CARGO_BIN_EXE_wirefold"));
        ingest.arg("--data-dir").arg(folder.join("data")).arg("ingest").arg(file).stdout(Stdio::null());
        assert!(ingest.status().expect("the command runs").success(), "the articles are taken in");
    })
}

fn min_hash(texts: &[String]) -> f64 {
    let hasher = MinHasher32::new(BANDS * BAND_WIDTH);
    let mut index = MinHashIndex::new(BANDS, BAND_WIDTH, THRESHOLD);
    a_second(|| {
        for (number, text) in texts.iter().enumerate() {
            let signature = hasher.create_signature(shingles(&words(text)));
            black_box(index.query(&signature).len());
            index.insert(number, signature);
        }
    })
}

fn sim_hash(texts: &[String]) -> f64 {
    let hasher = SimHash::<_, u64, 64>::new(SimSipHasher64::new(KEYS[0], KEYS[1]));
    let mut index = SimHashIndex::new(BLOCKS, DISTANCE);
    a_second(|| {
        for (number, text) in texts.iter().enumerate() {
            let signature = hasher.create_signature(shingles(&words(text)));
            black_box(index.query(&signature).len());
            index.insert(number, signature);
        }
    })
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Runs of words as slices of them, so that nothing is copied.
fn shingles<'w>(words: &'w [&'w str]) -> impl Iterator<Item = &'w [&'w str]> {
    words.windows(SHINGLE.min(words.len().max(1)))
}

/// Nothing where there is no Python that has it.
fn datasketch(file: &Path) -> Option<f64> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/datasketch_lsh.py");
    let run = Command::new(python).arg(script).arg(file).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(run.stdout).ok()?.trim().parse().ok()
}

fn a_second(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    f64::from(u32::try_from(ARTICLES).expect("some thousands")) / begun.elapsed().as_secs_f64()
}

fn tell(what: &'static str, value: f64, unit: &'static str, target: Option<Target>) {
    println!("{}", Figure { what, articles: ARTICLES, value, unit, target });
}
