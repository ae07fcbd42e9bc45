//! The format of a journal, which stands in the first heading of each segment. A later format begins a segment of its own, so
//! the newest one tells, and a version of wirefold that does not know it touches nothing.

use super::{JournalError, frame, segment_path};
use std::{fs, path::Path};

/// The format that is written here. A heading that says none is of the first.
pub const FORMAT: u32 = 1;

/// What a heading says that says nothing.
pub(super) fn first() -> u32 {
    1
}

/// Refuses a journal of a later format: what is not understood of it would be taken for damage. What is no heading at all is
/// for whoever reads it to tell.
pub fn check_format(folder: &Path) -> Result<(), JournalError> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let number = |name: &str| name.strip_suffix(".jsonl.zst")?.parse::<u32>().ok();
    let Some(newest) = names.filter_map(|name| number(name.to_str()?)).max() else { return Ok(()) };
    let path = segment_path(folder, newest);
    let Ok(lines) = frame::read(&path, 0) else { return Ok(()) };
    let line = lines.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<Said>(line) {
        Ok(Said { format }) if format > FORMAT => Err(JournalError::Later { path, format }),
        _ => Ok(()),
    }
}

/// What every format says in its heading, whatever else it says.
#[derive(serde::Deserialize)]
struct Said {
    #[serde(default = "first")]
    format: u32,
}
