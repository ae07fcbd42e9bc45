//! How fast it is here: made-up articles through the program itself, on the disk of a folder that goes when it is done.
//!
//! Owns the runs, the figures and what is asked of them, and the form of a row; it prints nothing. Each run is a process of its own, as an operator
//! would start it, so that its memory and its share of the cores are its own. Called by `cli` and by the whole-run benchmark.

mod figure;
mod latency;
mod made;
pub mod processes;

pub use figure::{Figure, Target, head};

use crate::{control::ControlError, inbox::display_path};
use made::Made;
use processes::{Program, Ran};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use walkdir::WalkDir;

/// What is to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many articles go in as a file each.
    pub files: usize,
    /// How many go in as JSON Lines; the daemon is measured with these in its store, and in its windows.
    pub articles: usize,
    /// How many seconds files are dropped into its inbox, at each of the paces; 0 for not at all.
    pub seconds: usize,
    /// How many files are then dropped into it at once; none by default.
    pub burst: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { files: 20_000, articles: 100_000, seconds: 20, burst: 0 }
    }
}

/// With so many articles in the store a start and an answer must be quick.
const A_MILLION: usize = 1_000_000;

/// A pace at which files are dropped into the daemon's inbox: how many a second, what half, 99 of 100 and the slowest of them
/// are told as, and what 99 of 100 must reach.
type Pace = (u32, [&'static str; 3], Option<Target>);
const PACES: [Pace; 3] = [
    (
        1,
        ["drop to shown, 1/s, median", "drop to shown, 1/s, 99 of 100", "drop to shown, 1/s, the slowest"],
        None,
    ),
    (
        20,
        ["drop to shown, 20/s, median", "drop to shown, 20/s, 99 of 100", "drop to shown, 20/s, the slowest"],
        Some(Target::new(250., 60.)),
    ),
    (
        200,
        [
            "drop to shown, 200/s, median",
            "drop to shown, 200/s, 99 of 100",
            "drop to shown, 200/s, the slowest",
        ],
        None,
    ),
];
const BURST: &str = "dropped at once, until all are shown";

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file or folder of the measurement.
    #[error("cannot {action} {}", display_path(.path))]
    Folder {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("cannot start {}", display_path(.path))]
    Program {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A run that is measured failed.
    #[error("'wirefold {command}' failed in the measurement: {said}")]
    Run {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// Files that were dropped are not taken in.
    #[error(
        "{left} of {dropped} files that were dropped at once had not come in after {seconds} s without any"
    )]
    Stuck {
        /// How many are left.
        left: u64,
        /// How many there were.
        dropped: usize,
        /// How long none had come in.
        seconds: u64,
    },
    /// Nobody wants to know any more.
    #[error("the measurement was stopped")]
    Stopped,
    /// The daemon cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// A folder to measure in, on the disk of `place`; it goes when it is dropped.
pub fn scratch(place: &Path) -> Result<TempDir, BenchError> {
    let make = || {
        fs::read_dir(place)?;
        tempfile::Builder::new().prefix("wirefold-bench-").tempdir_in(place)
    };
    make().map_err(|source| BenchError::Folder { action: "make a folder in", path: place.to_owned(), source })
}

/// Measures `program` in a folder, and tells each figure as soon as it is known, for as long as somebody listens. To be
/// called where a thread of a runtime may block.
pub fn measure(
    program: &Path,
    folder: &Path,
    plan: &Plan,
    told: &mpsc::Sender<Figure>,
) -> Result<(), BenchError> {
    let program = Program::new(program, folder, told)?;
    let tell = &mut |figure| _ = told.blocking_send(figure);
    let made = Made::new(folder);
    as_files(&program, &made, plan.files, tell)?;
    let data = as_lines(&program, &made, plan.articles, tell)?;
    as_daemon(&program, &made, &data, plan, tell)
}

/// A file each, and what it costs no less than: to read and hash them, in one process that does nothing else and as an
/// operator does it, with `sha256sum`.
fn as_files(
    program: &Program<'_>,
    made: &Made<'_>,
    count: usize,
    tell: &mut impl FnMut(Figure),
) -> Result<(), BenchError> {
    let files = made.files(count)?;
    let floor = a_second(count, made::read_and_hash(&files)?);
    let by_sha256sum = made::sha256sum(&files).map(|seconds| a_second(count, seconds));
    let mut tell = |what, value, unit, target| tell(Figure { what, articles: count, value, unit, target });
    tell("files read and hashed alone", floor, "a second", None);
    if let Some(floor) = by_sha256sum {
        tell("the same by sha256sum", floor, "a second", None);
    }
    let ran = program.ingest("as-files", &files)?;
    let speed = a_second(count, ran.seconds);
    tell("files taken in", speed, "a second", Some(Target::new(6_000., 10_000.)));
    let beside = Some(Target::new(10., 5.));
    tell("taken in, beside reading and hashing", floor / speed, "times", beside);
    if let Some(floor) = by_sha256sum {
        tell("taken in, beside sha256sum", floor / speed, "times", beside);
    }
    tell_use(&ran, count, &mut tell);
    Ok(())
}

/// As JSON Lines. Returns the data directory, for the daemon.
fn as_lines(
    program: &Program<'_>,
    made: &Made<'_>,
    count: usize,
    tell: &mut impl FnMut(Figure),
) -> Result<PathBuf, BenchError> {
    let lines = made.lines(count)?;
    let mut tell = |what, value, unit, target| tell(Figure { what, articles: count, value, unit, target });
    let ran = program.ingest("as-lines", &lines)?;
    tell(
        "articles of JSON Lines taken in",
        a_second(count, ran.seconds),
        "a second",
        Some(Target::new(10_000., 15_000.)),
    );
    tell_use(&ran, count, &mut tell);
    let beside = ["journal", "db"].map(|part| bytes_in(&ran.data_dir.join(part)));
    let each = kilobytes(beside.iter().sum()) / real(count);
    tell("disk an article, beside its original", each, "kB", Some(Target::new(6., 3.)));
    Ok(ran.data_dir)
}

fn tell_use(ran: &Ran, count: usize, tell: &mut impl FnMut(&'static str, f64, &'static str, Option<Target>)) {
    tell("CPU an article", ran.cpu_seconds / real(count) * 1e6, "us", None);
    tell("most memory", kilobytes(ran.peak_bytes) / 1e3, "MB", None);
}

/// A daemon with all of them in its store: its start, its memory, how fast it answers and sees what is dropped.
fn as_daemon(
    program: &Program<'_>,
    made: &Made<'_>,
    data: &Path,
    plan: &Plan,
    tell: &mut impl FnMut(Figure),
) -> Result<(), BenchError> {
    let empty = program.daemon("empty")?.bytes();
    let (daemon, start) = timed(|| program.daemon_in(data))?;
    let mut tell = |what, value, unit, target| {
        tell(Figure { what, articles: plan.articles, value, unit, target });
    };
    let in_time = Some(Target::new(5., 1.).at(A_MILLION));
    tell("start, until it is ready", start, "s", in_time);
    let live = latency::live(&daemon)?;
    let each = kilobytes(daemon.bytes().saturating_sub(empty)) / live.max(1.);
    tell("memory an article in the windows", each, "kB", Some(Target::new(3., 1.5)));
    let shows = latency::of_show(program, &daemon)?;
    tell("show by id, 99 of 100", percentile(&shows, 99), "ms", in_time);
    let counts = PACES.map(|pace| pace.0 as usize * plan.seconds);
    let files = made.dropped(counts.iter().sum::<usize>() + plan.burst)?;
    let mut files = files.as_slice();
    for ((a_second, [median, most, slowest], target), count) in
        PACES.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    {
        let (now, later) = files.split_at(count);
        let seen = latency::of_drops(program, &daemon, now, a_second)?;
        tell(median, percentile(&seen, 50), "ms", None);
        // Of fewer than a hundred, 99 of 100 are all.
        tell(if count < 100 { slowest } else { most }, percentile(&seen, 99), "ms", target);
        files = later;
    }
    if !files.is_empty() {
        let seconds = latency::of_burst(program, &daemon, files)?;
        tell(BURST, a_second(files.len(), seconds), "a second", None);
    }
    daemon.kill();
    let (_daemon, start) = timed(|| program.daemon_in(data))?;
    tell("start after a kill", start, "s", in_time);
    Ok(())
}

/// What comes of it, and the seconds that it took.
fn timed<T>(work: impl FnOnce() -> Result<T, BenchError>) -> Result<(T, f64), BenchError> {
    let begun = Instant::now();
    Ok((work()?, begun.elapsed().as_secs_f64()))
}

fn a_second(count: usize, seconds: f64) -> f64 {
    real(count) / seconds.max(f64::EPSILON)
}

/// That which so many of a hundred do not exceed; 0 of none.
fn percentile(millis: &[f64], of_hundred: usize) -> f64 {
    let mut sorted = millis.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = (sorted.len() * of_hundred).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0.)
}

/// What the files of a folder take on the disk: holes in them take nothing.
fn bytes_in(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files
        .filter_map(|file| file.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|file| file.blocks() * 512)
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes stay far below 2^52")]
fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let millis: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let told = |of| percentile(&millis, of).to_string();
        assert_eq!([50, 99, 100].map(told), ["100", "198", "200"]);
        assert_eq!(percentile(&[], 99).to_string(), "0");
    }
}
