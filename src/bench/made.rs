//! The made-up articles that are measured with, on the disk.

use super::BenchError;
use crate::{
    generate::{Stream, json_line},
    model::{Article, Digest},
};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// A desk that has these in a day, or as many as it takes for all to be of one week: then each of them is in the windows
/// of those after it, the rewrite matcher's too.
const A_DAY: usize = 2_000;
const WEEK_DAYS: usize = 7;
/// Files of one folder, so that none is long to go through.
const A_FOLDER: usize = 1_000;
/// What is dropped into the inbox is another stream than what lies in the store.
const FILES: u64 = 1;
const LINES: u64 = 2;
const DROPPED: u64 = 3;

/// Where they are made.
pub(super) struct Made<'f> {
    folder: &'f Path,
}

impl<'f> Made<'f> {
    pub fn new(folder: &'f Path) -> Self {
        Self { folder }
    }

    /// A file each, under the folder that is returned.
    pub fn files(&self, count: usize) -> Result<PathBuf, BenchError> {
        let into = self.folder.join("files");
        for (at, article) in stream(FILES, count).enumerate() {
            let folder = into.join((at / A_FOLDER).to_string());
            if at % A_FOLDER == 0 {
                fs::create_dir_all(&folder).map_err(cannot("make", &folder))?;
            }
            let path = folder.join(format!("{at}.txt"));
            fs::write(&path, text(&article)).map_err(cannot("write", &path))?;
        }
        Ok(into)
    }

    /// All in one file, a line each.
    pub fn lines(&self, count: usize) -> Result<PathBuf, BenchError> {
        let path = self.folder.join("articles.jsonl");
        let write = || {
            let mut to = BufWriter::new(File::create(&path)?);
            stream(LINES, count).try_for_each(|article| writeln!(to, "{}", json_line(&article)))?;
            to.flush()
        };
        write().map_err(cannot("write", &path))?;
        Ok(path)
    }

    /// Files that are still to be dropped, on the disk of the inbox.
    pub fn dropped(&self, count: usize) -> Result<Vec<PathBuf>, BenchError> {
        let folder = self.folder.join("to-drop");
        fs::create_dir(&folder).map_err(cannot("make", &folder))?;
        let article = |(at, article): (usize, Article)| {
            let path = folder.join(format!("dropped-{at:06}.txt"));
            fs::write(&path, text(&article)).map_err(cannot("write", &path))?;
            Ok(path)
        };
        stream(DROPPED, count).enumerate().map(article).collect()
    }
}

/// The seconds that it takes to read and hash each file of a folder, on one core and from memory where they are there.
pub(super) fn read_and_hash(folder: &Path) -> Result<f64, BenchError> {
    let begun = Instant::now();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.map_err(|error| cannot("go through", folder)(io::Error::from(error)))?;
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).map_err(cannot("read", entry.path()))?;
            std::hint::black_box(Digest::of(&bytes));
        }
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// The same by the system's own `sha256sum`; nothing where that is not installed.
pub(super) fn sha256sum(folder: &Path) -> Option<f64> {
    let begun = Instant::now();
    let mut find = Command::new("find");
    find.arg(folder).args(["-type", "f", "-exec", "sha256sum", "{}", "+"]);
    let status = find.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then(|| begun.elapsed().as_secs_f64())
}

/// So many articles of that stream.
fn stream(seed: u64, count: usize) -> impl Iterator<Item = Article> {
    let a_day = A_DAY.max(count.div_ceil(WEEK_DAYS));
    Stream::new(seed, u32::try_from(a_day).unwrap_or(u32::MAX)).take(count)
}

/// An article as a plain text.
fn text(article: &Article) -> String {
    format!("{}\n\n{}\n", article.title.as_deref().unwrap_or_default(), article.text)
}

fn cannot(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.to_owned();
    move |source| BenchError::Folder { action, path, source }
}
