//! How many edited copies of a story are found, edit by edit, and how many come to a wrong story, among other stories.
//!
//! The real pipeline takes in a made-up, labelled set: 300 originals an edit, a copy of each, and 6,000 other articles. A
//! copy is found when it is in its original's record. It is joined to a wrong story when the record of it or of its
//! original holds an article of any other story. Every run gives the same table.
//!
//! `cargo bench --bench edited_copies`, or `-- FOLDER` to write the set there as `articles.jsonl` and `pairs.jsonl`.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a program of its own, and prints a table"
)]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use wirefold::{
    config::Config,
    generate::{Labelled, Size},
    pipeline::{self, ArticleTimes},
    query::{Library, Question},
    service::{self, Ingest},
    store::DataLock,
};

const SIZE: Size = Size { originals: 300, siblings: 300, background: 6_000 };
const SEED: u64 = 3;

fn main() {
    let set = Labelled::new(SEED, SIZE);
    if let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        write(&set, Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the store");
    write(&set, folder.path());
    let record_of = fold(folder.path());
    let score = Score::of(&set, &record_of);
    println!("{:<36} {:>8} {:>8} {:>24}", "edit", "copies", "found", "joined to a wrong story");
    for (kind, tally) in score.by_kind.iter().filter(|(_, tally)| tally.is_copy) {
        println!(
            "{kind:<36} {:>8} {:>8.3} {:>24.4}",
            tally.count,
            tally.share(tally.found),
            tally.share(tally.wrong)
        );
    }
    let all = score.all();
    println!("{:<36} {:>8} {:>8.3} {:>24.4}", "all", all.count, all.share(all.found), all.share(all.wrong));
    println!("required                                      >= .980                 <= .0020");
    for (kind, tally) in score.by_kind.iter().filter(|(_, tally)| !tally.is_copy) {
        println!("{kind:<36} {:>8} {:>8.3} joined, wrongly", tally.count, tally.share(tally.found));
    }
}

fn write(set: &Labelled, folder: &Path) {
    let lines = |lines: &mut dyn Iterator<Item = String>| lines.collect::<Vec<_>>().join("\n") + "\n";
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(folder.join("articles.jsonl"), lines(&mut set.article_lines())).expect("articles are written");
    let mut pairs = set.pairs.iter().map(|pair| serde_json::to_string(pair).expect("a pair is plain"));
    fs::write(folder.join("pairs.jsonl"), lines(&mut pairs)).expect("pairs are written");
}

/// Takes the articles of a folder into a store in it, and returns the record of each by its id.
fn fold(folder: &Path) -> BTreeMap<String, String> {
    let config = Config::load(None, Some(&folder.join("store"))).expect("the defaults are sound");
    let what = Ingest {
        paths: vec![folder.join("articles.jsonl")],
        times: ArticleTimes::Recent,
        ignore: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let summary = runtime.block_on(service::ingest(config.clone(), what, |_| {})).expect("it is taken in");
    assert!(summary.is_whole(), "{summary:?}");
    let lock = DataLock::take(&config.data_dir, Duration::from_secs(10)).expect("nobody else has it");
    let settings = config.detect_settings();
    let store = pipeline::open_to_read(&config.data_dir, settings, &lock).expect("it opens");
    let mut record_of = BTreeMap::new();
    let mut read = |line: &[u8]| {
        let record: serde_json::Value = serde_json::from_slice(line).expect("an answer is JSON");
        for article in record["articles"].as_array().into_iter().flatten() {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            record_of.insert(text(&article["item"]), text(&record["record"]));
        }
        true
    };
    Library::new(&store, &config.data_dir, settings)
        .answer(&Question::Export, &mut read)
        .expect("it answers");
    record_of
}

/// What came of the pairs of one kind.
#[derive(Clone, Copy, Default)]
struct Tally {
    is_copy: bool,
    count: u32,
    found: u32,
    wrong: u32,
}

impl Tally {
    fn share(&self, of: u32) -> f64 {
        f64::from(of) / f64::from(self.count.max(1))
    }
}

/// What came of all pairs.
struct Score {
    by_kind: BTreeMap<String, Tally>,
}

impl Score {
    fn of(set: &Labelled, record_of: &BTreeMap<String, String>) -> Self {
        let mut size_of: BTreeMap<&str, u32> = BTreeMap::new();
        for record in record_of.values() {
            *size_of.entry(record).or_default() += 1;
        }
        let mut by_kind: BTreeMap<String, Tally> = BTreeMap::new();
        for pair in &set.pairs {
            let (a, b) = (record_of[&pair.a].as_str(), record_of[&pair.b].as_str());
            let is_together = a == b;
            let own = if is_together { 2 } else { 1 };
            let tally = by_kind.entry(pair.kind.clone()).or_default();
            tally.is_copy = pair.same;
            tally.count += 1;
            tally.found += u32::from(is_together);
            tally.wrong += u32::from(size_of[a] > own || size_of[b] > own);
        }
        Self { by_kind }
    }

    fn all(&self) -> Tally {
        let copies = self.by_kind.values().filter(|tally| tally.is_copy);
        copies.fold(Tally::default(), |sum, t| Tally {
            is_copy: true,
            count: sum.count + t.count,
            found: sum.found + t.found,
            wrong: sum.wrong + t.wrong,
        })
    }
}
