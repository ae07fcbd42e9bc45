//! What can be wrong with a configuration, each with where it was said: a line of the file, a variable, the command line.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// Something in it is wrong; all of it is told at once.
    #[error("{}", said(.0))]
    Wrong(Vec<Problem>),
    /// There is no home directory to put the data into.
    #[error(
        "no data directory: set --data-dir, WIREFOLD_DATA_DIR or data_dir, as neither XDG_DATA_HOME nor HOME is set"
    )]
    NoDataDir,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was said; nothing where nobody said it.
    pub place: Option<Place>,
    /// What is wrong, as a sentence that names the key.
    pub what: String,
}

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a line of a file.
    Line(PathBuf, usize),
    /// In a variable of the environment.
    Variable(String),
    /// On the command line.
    CommandLine,
}

impl Place {
    /// The line of a file in which the byte with this number stands.
    pub(super) fn at(path: &Path, text: &str, byte: usize) -> Self {
        let before = text.as_bytes().iter().take(byte).filter(|b| **b == b'\n').count();
        Self::Line(path.to_owned(), before + 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

fn said(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    match lines.as_slice() {
        [one] => one.clone(),
        several => {
            format!("{} things in the configuration are wrong\n  {}", several.len(), several.join("\n  "))
        }
    }
}
