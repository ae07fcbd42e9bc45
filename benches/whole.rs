//! Whole runs of the program as `wirefold bench` measures them, on the disk that the build is on: 20,000 files and 200,000
//! articles of JSON Lines, or more with `--features full-scale`.
//!
//! `cargo bench --bench whole`, or `-- --files 2000 --articles 10000` for other numbers.
#![allow(clippy::expect_used, reason = "it is a program of its own, and ends where it cannot go on")]

use std::process::{Command, ExitCode};

const COUNTS: [&str; 4] = if cfg!(feature = "full-scale") {
    ["--files", "200000", "--articles", "1000000"]
} else {
    ["--files", "20000", "--articles", "200000"]
};

fn main() -> ExitCode {
    // cargo says that it is a benchmark; that is no flag of ours.
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let counts = if given.is_empty() { COUNTS.map(str::to_owned).to_vec() } else { given };
    let mut bench = Command::new(env!("CARGO_BIN_EXE_wirefold"));
    let ended = bench.arg("bench").arg(env!("CARGO_TARGET_TMPDIR")).args(counts).status();
    if ended.expect("the program starts").success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
