//! Writes made-up articles as JSON Lines to standard output: a background to ingest before what is to be measured.
//!
//! `cargo run --release --example generate -- 100000 [SEED] > background.jsonl`
#![allow(clippy::print_stderr, reason = "it is a program of its own")]

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};
use wirefold::generate::{Stream, json_line};

/// A desk that has 100,000 articles in the rewrite window of seven days.
const A_DAY: u32 = 15_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<u64>());
    let (Some(Ok(count)), seed) = (arguments.next(), arguments.next().unwrap_or(Ok(1))) else {
        eprintln!("usage: generate COUNT [SEED]");
        return ExitCode::from(2);
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut stream = Stream::new(seed.unwrap_or(1), A_DAY);
    let written = (0..count).try_for_each(|_| match stream.next() {
        Some(article) => writeln!(out, "{}", json_line(&article)),
        None => Ok(()),
    });
    match written.and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
    }
}
