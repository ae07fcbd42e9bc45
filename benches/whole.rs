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

/// How many files, how many articles, and how many files at once: an hour's are those of 20 a second.
type Run = [usize; 3];
const RUNS: [Run; 2] = [[20_000, 100_000, 0], [200_000, 1_000_000, 0]];
const FULL_SCALE: [Run; 1] = [[200_000, 10_000_000, 72_000]];

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    println!("{}", bench::head());
    if let [files, articles, ref burst @ ..] = *given {
        return run([files, articles, burst.first().copied().unwrap_or(0)]);
    }
    RUNS.into_iter().for_each(run);
    FULL_SCALE.into_iter().filter(|_| cfg!(feature = "full-scale")).for_each(run);
}

fn run([files, articles, burst]: Run) {
    let plan = Plan { files, articles, burst, ..Plan::default() };
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
