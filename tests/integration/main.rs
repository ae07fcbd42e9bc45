//! The integration tests: one binary, which runs the real `wirefold` in an environment of its own.
//!
//! `place`, `daemon`, `wait`, `answers`, `transcript`, `corpus` and `bombs` are the harness; every other module is one group of tests. The
//! tests need nothing but the fixtures. Those that use the shared data sets look for them in `../shared/data` beside
//! the project, or where `WIREFOLD_TEST_DATA` says, and say so when they are left out. `WIREFOLD_TEST_BINARY` names
//! another binary to test than the one that was built along with them, and `WIREFOLD_TEST_KEEP` keeps the folders of
//! tests that fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test that finds something wrong ends by panicking, and prints what it left out"
)]

mod answers;
mod architecture;
mod asking;
mod assembly;
mod audit;
mod backup;
mod bad_input;
mod bench;
mod bombs;
mod contention;
mod corpus;
mod daemon;
mod damage;
mod doctor;
mod edits;
mod encoder;
mod explain;
mod folding;
mod full_disk;
mod full_stage;
mod handover;
mod hostile;
mod in_flight;
mod kill;
mod overflow;
mod place;
mod power_cut;
mod quality;
mod recording;
mod released;
mod requeue;
mod restart;
mod revisions;
mod scale;
mod seeds;
mod service;
mod settings;
mod signals;
mod soak;
mod trace;
mod transcript;
mod wait;
mod wire;
mod words;

use std::{fs, path::Path};

/// A module that is not named here would silently never run.
#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let named = include_str!("main.rs");
    for entry in fs::read_dir(folder.join("integration")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(path.extension().and_then(|e| e.to_str()), Some("rs"), "{} is no module", path.display());
        assert!(
            stem == "main" || named.contains(&format!("\nmod {stem};\n")),
            "main.rs does not name {stem}"
        );
    }
    let beside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut beside: Vec<_> = beside.collect();
    beside.sort();
    assert_eq!(beside, ["fixtures", "integration", "snapshots"], "only this binary is run");
}
