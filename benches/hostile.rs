//! Files made to exhaust whoever reads them, in their real sizes: each must end in a clear receipt within 10 s and 512 MB.
//!
//! `cargo bench --bench hostile` makes each of them, has it ingested into an empty store, and prints how it ended, how long
//! that took and the most memory that it had. It ends with 1 where one of them took too much. It needs 2 GB of disk for a
//! while. `WIREFOLD_TEST_BINARY` names another binary to measure than the one that was built along with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that cannot go on ends by panicking, and prints what it found"
)]

#[path = "../tests/integration/bombs.rs"]
mod bombs;

use std::{
    env, fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

const SECONDS_MAX: f64 = 10.0;
const MEMORY_MB_MAX: u64 = 512;
/// How often memory is looked at. Its peak never goes down, so that only the last moment is missed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What it is, its name, how it is made, of which size, and what is said of it.
type Hostile = (&'static str, &'static str, fn(&Path, u64), u64, &'static str);

const FILES: [Hostile; 12] = [
    ("zip of 10 GiB", "a.zip", bombs::zip, 10 << 10, "looks like binary data"),
    ("gzip of 10 GiB after an article", "a.gz", bombs::gzip_of_blank_lines, 10 << 10, "unpacks to more than"),
    ("gzip of a gzip of 10 GiB", "b.gz", bombs::gzip_in_gzip, 10 << 10, "longer than"),
    ("text of 100 MB on one line", "a.txt", bombs::line, 100, "longer than"),
    ("JSON of 100 MB on one line", "a.jsonl", bombs::line_of_json, 100, "longer than"),
    ("tar of a million stories", "a.tar", bombs::tar, 1_000_000, "more than 100000 entries"),
    ("gzip of a tar of 10,000 stories", "b.tar.gz", bombs::tar_in_gzip, 10_000, "1 accepted"),
    ("page of ten thousand nested tags", "a.html", bombs::tower_of_html, 10_000, "nested more than"),
    ("feed of ten thousand nested tags", "a.rss", bombs::tower_of_xml, 10_000, "nested more than"),
    ("a billion laughs", "a.xml", bombs::laughs, 9, "1 accepted"),
    ("gzip of a gzip of a gzip, ../../etc/passwd", "c.gz", bombs::gzip_of_gzip_of_gzip, 1, "1 accepted"),
    ("the same with a thousand entries", "d.gz", bombs::gzip_of_gzip_of_gzip, 1000, "1 accepted"),
];

fn main() -> ExitCode {
    let mut is_well = true;
    println!("{:<44} {:>9} {:>6} {:>6}  ends as", "file", "bytes", "s", "MB");
    for (what, name, make, size, said) in FILES {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join(name);
        make(&path, size);
        let (out, seconds, megabytes) = ingest(folder.path(), &path);
        let bytes = fs::metadata(&path).unwrap().len();
        let end = out.lines().find(|line| line.starts_with("  ")).or(out.lines().next()).unwrap_or_default();
        println!("{what:<44} {bytes:>9} {seconds:>6.1} {megabytes:>6}  {}", end.trim());
        if !out.contains(said) || seconds > SECONDS_MAX || megabytes > MEMORY_MB_MAX {
            println!("this is not as it must be; all that was said:\n{out}");
            is_well = false;
        }
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is said of a file, after how many seconds, and the most memory in MB.
fn ingest(folder: &Path, file: &Path) -> (String, f64, u64) {
    let binary = env::var_os("WIREFOLD_TEST_BINARY")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_wirefold")), PathBuf::from);
    let begun = Instant::now();
    let mut child = Command::new(binary)
        .env_clear()
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("ingest")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = memory_kb_peak(child.id()).unwrap_or(peak);
        thread::park_timeout(LOOK_EVERY);
    }
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    (out, begun.elapsed().as_secs_f64(), peak / 1000)
}

fn memory_kb_peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}
