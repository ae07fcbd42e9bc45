//! Whole runs of the program as `wirefold bench` measures them, on the disk that the build is on: with 100,000 and with a
//! million articles of JSON Lines, 20,000 and 200,000 files, and `--features full-scale` with ten million and an hour's files
//! dropped at once.
//!
//! `cargo bench --bench whole`, or `-- 2000 10000 500` for other numbers.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a program of its own, prints a table, and ends where it cannot go on"
)]

use std::path::Path;
use tokio::sync::mpsc;
use wirefold::bench::{self, Plan};

/// What is measured. Files are dropped for as long as `wirefold bench` does where the store is large, and not at all where
/// it is small, for that takes a minute; an hour's files are those of 20 a second.
const RUNS: [Plan; 2] = [
    Plan { files: 20_000, articles: 100_000, seconds: 0, burst: 0 },
    Plan { files: 200_000, articles: 1_000_000, seconds: 20, burst: 0 },
];
const FULL_SCALE: Plan = Plan { files: 200_000, articles: 10_000_000, seconds: 20, burst: 72_000 };

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    println!("{}", bench::head());
    if let [files, articles, ref burst @ ..] = *given {
        let burst = burst.first().copied().unwrap_or(0);
        return run(Plan { files, articles, burst, ..Plan::default() });
    }
    RUNS.into_iter().for_each(run);
    if cfg!(feature = "full-scale") {
        run(FULL_SCALE);
    }
}

fn run(plan: Plan) {
    let program = Path::new(env!("CARGO_BIN_EXE_wirefold"));
    let scratch = bench::scratch(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a folder can be made");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (tell, mut told) = mpsc::channel(1);
    let folder = scratch.path().to_owned();
    let measuring = runtime.spawn_blocking(move || bench::measure(program, &folder, &plan, &tell));
    while let Some(figure) = told.blocking_recv() {
        println!("{figure}");
    }
    runtime.block_on(measuring).expect("it comes to its end").expect("it can be measured");
}
