//! Snapshots: what a person who types commands reads, held against `tests/snapshots/<name>.txt`.
//!
//! A transcript is what would stand in a terminal: each command, what it said, and its exit code where that is not 0.
//! What differs from run to run is written as letters: times, durations, processes and the paths of this machine. Ids
//! follow from the fixtures and stay. `WIREFOLD_TEST_UPDATE=1 cargo test` writes the files anew; read the difference.

use crate::place::{Place, run};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// The two widths that everything is read at.
pub const WIDTHS: [usize; 2] = [80, 160];

/// What differs between runs, as it is written and as it stands in a snapshot. A 0 stands for a digit and a # for a
/// number.
const CHANGING: [(&str, &str); 15] = [
    ("0000-00-00T00:00:00Z", "YYYY-MM-DDTHH:MM:SSZ"),
    ("0000-00-00 00:00", "YYYY-MM-DD HH:MM"),
    ("0000-00-00-0001.zst", "YYYY-MM-DD-0001.zst"),
    (" in #.# s", " in T s"),
    ("process #", "process N"),
    (" # frames", " N frames"),
    (" frame #", " frame N"),
    (" # seconds", " TIME"),
    (" # second", " TIME"),
    (" # minutes", " TIME"),
    (" #.00 kB", " SIZE"),
    (" #.00 MB", " SIZE"),
    (" #.00 GB", " SIZE"),
    (" #.00 TB", " SIZE"),
    (" # B", " SIZE"),
];

/// Commands run in a place, as wide as a terminal of so many columns, and what they said.
pub struct Transcript<'p> {
    place: &'p Place,
    columns: usize,
    said: String,
}

impl<'p> Transcript<'p> {
    pub fn new(place: &'p Place, columns: usize) -> Self {
        Self { place, columns, said: String::new() }
    }

    /// Runs a command as a shell of the place would; its words are parted by spaces.
    pub fn run(&mut self, line: &str) -> &mut Self {
        let mut command = self.place.command(line.split(' '));
        command.env("COLUMNS", self.columns.to_string());
        let ran = run(command);
        write!(self.said, "$ wirefold {line}\n{}{}", ran.out, ran.err).unwrap();
        if ran.code() != 0 {
            writeln!(self.said, "[exit code {}]", ran.code()).unwrap();
        }
        self.said.push('\n');
        self
    }

    /// No line is wider than the terminal.
    pub fn fits(&mut self) -> &mut Self {
        for line in self.said.lines().filter(|line| !line.starts_with("$ ")) {
            assert!(line.chars().count() <= self.columns, "wider than {}: {line}", self.columns);
        }
        self
    }

    /// Holds what was said against the snapshot of this name and width.
    pub fn check(&self, name: &str) {
        let place = self.place.path("").display().to_string();
        check(&format!("{name}-{}", self.columns), &self.said.replace(place.trim_end_matches('/'), "/place"));
    }
}

/// Holds a text against the snapshot of this name.
pub fn check(name: &str, said: &str) {
    let said = steady(&said.replace(env!("CARGO_MANIFEST_DIR"), "/wirefold"));
    let path = folder().join(format!("{name}.txt"));
    if std::env::var_os("WIREFOLD_TEST_UPDATE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, said).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(said.lines()).position(|(kept, now)| kept != now);
    assert!(
        kept == said,
        "{name} reads otherwise from line {} on; WIREFOLD_TEST_UPDATE=1 keeps what it says now:\n{said}",
        differs.map_or_else(|| kept.lines().count().min(said.lines().count()) + 1, |line| line + 1)
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// A text in which nothing changes from run to run.
fn steady(said: &str) -> String {
    let mut steady = String::with_capacity(said.len());
    let mut rest = said;
    while let Some(first) = rest.chars().next() {
        let changing = CHANGING.iter().find_map(|(form, letters)| Some((spans(form, rest)?, letters)));
        if let Some((bytes, letters)) = changing {
            steady.push_str(letters);
            rest = &rest[bytes..];
        } else {
            steady.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    steady
}

/// How many bytes at the beginning of a text are of a form.
fn spans(form: &str, text: &str) -> Option<usize> {
    let mut rest = text;
    for wanted in form.chars() {
        let first = rest.chars().next()?;
        rest = match wanted {
            '#' if first.is_ascii_digit() => rest.trim_start_matches(|c: char| c.is_ascii_digit()),
            '0' if first.is_ascii_digit() => &rest[1..],
            '#' | '0' => return None,
            _ => rest.strip_prefix(wanted)?,
        };
    }
    Some(text.len() - rest.len())
}

#[test]
fn only_what_changes_from_run_to_run_is_written_as_letters() {
    assert_eq!(
        steady("ü 2026-11-22T01:28:31Z, 2026-11-22 01:28, 18 files in 12.5 s by process 4711. in 3 s"),
        "ü YYYY-MM-DDTHH:MM:SSZ, YYYY-MM-DD HH:MM, 18 files in T s by process N. in 3 s"
    );
}

/// A snapshot that no test holds anything against would be believed and never checked.
#[test]
fn no_snapshot_is_left_over() {
    let tests = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration")).unwrap();
    let code: String = tests.map(|test| fs::read_to_string(test.unwrap().path()).unwrap()).collect();
    for snapshot in fs::read_dir(folder()).unwrap() {
        let path = snapshot.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let name = WIDTHS.iter().find_map(|width| name.strip_suffix(&format!("-{width}"))).unwrap_or(name);
        let is_help = name.starts_with("help");
        assert!(is_help || code.contains(&format!("\"{name}\"")), "no test names {}", path.display());
    }
}
