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

/// How many articles keep this build busy for some seconds.
pub const MANY: usize = if cfg!(debug_assertions) { 900 } else { 20_000 };

/// Makes up stories, the same ones for the same seed.
pub struct Reporter(fastrand::Rng);

impl Reporter {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A headline, a blank line, and three paragraphs.
    pub fn story(&mut self) -> String {
        let title = self.sentence(6);
        let paragraphs: Vec<_> = (0..3).map(|_| self.sentence(12) + " " + &self.sentence(9)).collect();
        format!("{}\n\n{}\n", title.trim_end_matches('.'), paragraphs.join("\n\n"))
    }

    /// The same story with a word changed here and there.
    pub fn retouched(&mut self, story: &str) -> String {
        let changed = story.split(' ').map(|word| match self.0.u32(..20) {
            0 => self.word(),
            _ => word.to_owned(),
        });
        changed.collect::<Vec<_>>().join(" ")
    }

    /// A story as one line of JSON.
    pub fn line(&mut self) -> String {
        let text = self.story();
        let (id, title) = (format!("{:016x}", self.0.u64(..)), text.lines().next().unwrap());
        serde_json::json!({ "id": id, "title": title, "text": text, "source": "Made Up" }).to_string()
    }

    fn sentence(&mut self, words: usize) -> String {
        let mut sentence = self.name();
        for _ in 1..words {
            sentence.push(' ');
            sentence += &if self.0.u32(..6) == 0 { self.name() } else { self.word() };
        }
        sentence + "."
    }

    /// Half of them say nothing, as in any text; the rest are seldom used twice.
    fn word(&mut self) -> String {
        const COMMON: [&str; 12] =
            ["the", "of", "and", "to", "in", "a", "on", "for", "was", "with", "as", "at"];
        const PARTS: [&str; 16] = [
            "ba", "den", "fi", "gor", "hal", "ke", "lim", "mor", "na", "pel", "ri", "sta", "tu", "ven", "wo",
            "zi",
        ];
        if self.0.bool() {
            return (*self.0.choice(&COMMON).unwrap()).to_owned();
        }
        (0..self.0.usize(3..5)).map(|_| self.0.choice(PARTS).unwrap()).collect()
    }

    fn name(&mut self) -> String {
        let word = self.word();
        word[..1].to_uppercase() + &word[1..]
    }
}
