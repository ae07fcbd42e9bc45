//! The texts that the tests work with: the project's fixtures, the shared data where it is there, and generated ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A folder or file of the fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The files of a folder, by name.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// A folder or file of the shared data sets, or a printed line where they are not there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("WIREFOLD_TEST_DATA").map_or_else(beside, PathBuf::from);
    let path = data.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: this part needs {}, which is not there", path.display());
    None
}
