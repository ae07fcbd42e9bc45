//! A labelled set on disk: articles with the cluster each belongs to, and pairs that somebody judged.
//!
//! Owns the form of the files, which is the one that operators write their own labels in. Knows nothing of runs.

use super::EvalError;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

const ARTICLES: &str = "articles.jsonl";
const PAIRS: &str = "pairs.jsonl";
const WILD: &str = "wild.jsonl";

/// One set: a file of articles, and what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelledSet {
    /// What it is called: its folder, or its file where there is no label.
    pub name: String,
    /// The file of articles, in order of arrival.
    pub articles_path: PathBuf,
    /// The articles, in that order.
    pub articles: Vec<LabelledArticle>,
    /// Judged pairs, `pairs.jsonl` first.
    pub pairs: Vec<JudgedPair>,
    /// What may have been meant otherwise, each a plain sentence.
    pub hints: Vec<String>,
}

/// An article of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledArticle {
    /// Its id within the set.
    pub id: String,
    /// The number of the event that it tells, the same for the same event; nothing where nobody said.
    pub cluster: Option<usize>,
}

/// Two articles of a set, and whether they belong into one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedPair {
    /// The file that says so, without its ending.
    pub file: &'static str,
    /// What kind of pair it is; empty where nobody said.
    pub kind: String,
    /// Both articles' places in the set.
    pub places: (usize, usize),
    /// Whether they belong together.
    pub same: bool,
}

/// A line of `articles.jsonl`, as far as it matters here.
#[derive(Deserialize)]
struct ArticleLine {
    id: Value,
    #[serde(default)]
    cluster: Option<Value>,
}

/// A line of `pairs.jsonl` (`same`, perhaps `kind`) or of `wild.jsonl` (`label`, which is `same` or another word).
#[derive(Deserialize)]
struct PairLine {
    a: Value,
    b: Value,
    #[serde(default)]
    same: Option<bool>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    label: Option<String>,
}

/// The sets at a path: the folder itself where it holds `articles.jsonl`; else its other `.jsonl` files, which are sets
/// without labels, and the sets in its folders. A single file is a set without labels.
pub fn sets_at(path: &Path) -> Result<Vec<LabelledSet>, EvalError> {
    let found = if path.is_file() { vec![unlabelled(path, name_of(path))?] } else { sets_in(path, "", 0)? };
    if found.is_empty() {
        return Err(EvalError::NoSets { path: path.to_owned() });
    }
    Ok(found)
}

/// Sets lie in the given folder or in one right under it.
const DEPTH_MAX: usize = 1;

fn sets_in(folder: &Path, under: &str, depth: usize) -> Result<Vec<LabelledSet>, EvalError> {
    if folder.join(ARTICLES).is_file() {
        return Ok(vec![labelled(folder)?]);
    }
    let unreadable = |source| EvalError::Read { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<BTreeSet<_>, _>>();
    let mut sets = Vec::new();
    for path in paths.map_err(unreadable)? {
        let name = format!("{under}{}", name_of(&path));
        if path.is_dir() && depth < DEPTH_MAX {
            sets.extend(sets_in(&path, &format!("{name}/"), depth + 1)?);
        } else if path.extension().is_some_and(|e| e == "jsonl") && !is_of_pairs(&path) {
            sets.push(unlabelled(&path, name)?);
        }
    }
    Ok(sets)
}

/// Whether it is a file of judgements, which mean nothing without their articles.
fn is_of_pairs(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == PAIRS || name == WILD)
}

fn name_of(path: &Path) -> String {
    let named = path.file_stem().map(|n| n.to_string_lossy().into_owned());
    named.unwrap_or_else(|| path.display().to_string())
}

fn unlabelled(path: &Path, name: String) -> Result<LabelledSet, EvalError> {
    let (pairs, hints) = (Vec::new(), Vec::new());
    Ok(LabelledSet { name, articles: articles(path)?, articles_path: path.to_owned(), pairs, hints })
}

fn labelled(folder: &Path) -> Result<LabelledSet, EvalError> {
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let mut set = unlabelled(&folder.join(ARTICLES), name_of(&whole))?;
    let places: BTreeMap<&str, usize> =
        set.articles.iter().enumerate().map(|(place, article)| (article.id.as_str(), place)).collect();
    for (file, name) in [("pairs", PAIRS), ("wild", WILD)] {
        let path = folder.join(name);
        if path.is_file() {
            set.pairs.extend(pairs(&path, file, &places)?);
        }
    }
    set.hints = hints(folder, &set)?;
    Ok(set)
}

/// A label or a file whose name is misspelt is not missed by anything but the figures that it would have given.
fn hints(folder: &Path, set: &LabelledSet) -> Result<Vec<String>, EvalError> {
    let unreadable = |source| EvalError::Read { path: folder.to_owned(), source };
    let mut hints = Vec::new();
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<BTreeSet<_>, _>>();
    for path in paths.map_err(unreadable)? {
        let is_known = is_of_pairs(&path) || path.file_name().is_some_and(|name| name == ARTICLES);
        if path.extension().is_some_and(|e| e == "jsonl") && !is_known {
            let name = name_of(&path);
            hints.push(format!("{name}.jsonl is not read; judged pairs stand in {PAIRS} and {WILD}"));
        }
    }
    if set.pairs.is_empty() && set.articles.iter().all(|article| article.cluster.is_none()) {
        hints.push(
            "no article has a 'cluster' and no pair is judged, so there is nothing to measure by".to_owned(),
        );
    }
    Ok(hints)
}

fn articles(path: &Path) -> Result<Vec<LabelledArticle>, EvalError> {
    let (mut clusters, mut places) = (BTreeMap::new(), BTreeMap::new());
    let mut articles = Vec::new();
    for (line, found) in lines::<ArticleLine>(path)? {
        let id = name(&found.id).ok_or_else(|| invalid(path, line, "its id is no string or number"))?;
        if let Some(first) = places.insert(id.clone(), line) {
            return Err(invalid(path, line, &format!("the id {id} is that of line {first} too")));
        }
        let next = clusters.len();
        let cluster = found.cluster.as_ref().and_then(name).map(|c| *clusters.entry(c).or_insert(next));
        articles.push(LabelledArticle { id, cluster });
    }
    if articles.is_empty() {
        return Err(EvalError::NoArticles { path: path.to_owned() });
    }
    Ok(articles)
}

fn pairs(
    path: &Path,
    file: &'static str,
    places: &BTreeMap<&str, usize>,
) -> Result<Vec<JudgedPair>, EvalError> {
    let (mut pairs, mut judged) = (Vec::new(), BTreeMap::new());
    for (line, found) in lines::<PairLine>(path)? {
        let place = |id: &Value| {
            let id = name(id).unwrap_or_default();
            let place = places.get(id.as_str()).copied();
            place.ok_or_else(|| invalid(path, line, &format!("no article has the id '{id}'")))
        };
        let same = found.same.or_else(|| found.label.as_deref().map(|label| label == "same"));
        let same = same.ok_or_else(|| invalid(path, line, "it has neither 'same' nor 'label'"))?;
        let kind = found.kind.or(found.label).unwrap_or_default();
        let (a, b) = (place(&found.a)?, place(&found.b)?);
        if a == b {
            return Err(invalid(path, line, "both ids are of one article"));
        }
        if let Some(first) = judged.insert((a.min(b), a.max(b)), line) {
            return Err(invalid(path, line, &format!("line {first} judges the same two articles")));
        }
        pairs.push(JudgedPair { file, kind, places: (a, b), same });
    }
    Ok(pairs)
}

/// The lines of a file in an order that the seed decides, in a new file in `folder` that goes when it is dropped.
pub(super) fn shuffled(path: &Path, seed: u64, folder: &Path) -> Result<NamedTempFile, EvalError> {
    let text = fs::read(path).map_err(|source| EvalError::Read { path: path.to_owned(), source })?;
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut lines);
    let mut file = Builder::new().suffix(".jsonl").tempfile_in(folder).map_err(EvalError::Folder)?;
    file.write_all(&lines.join(&b'\n')).map_err(EvalError::Folder)?;
    Ok(file)
}

/// The lines of a file with their numbers; blank ones are left out.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, EvalError> {
    let unreadable = |source| EvalError::Read { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut found = Vec::new();
    for (index, line) in file.lines().enumerate() {
        let line = line.map_err(unreadable)?;
        if !line.trim().is_empty() {
            let read = serde_json::from_str(&line);
            found.push((index + 1, read.map_err(|e| invalid(path, index + 1, &e.to_string()))?));
        }
    }
    Ok(found)
}

fn invalid(path: &Path, line: usize, what: &str) -> EvalError {
    EvalError::Invalid { path: path.to_owned(), line, what: what.to_owned() }
}

/// An id or a cluster's name, which may be written as a number.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn said(files: &[(&str, &str)]) -> String {
        sets_at(folder(files).path()).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_with_articles_is_one_set_with_its_labels() {
        let dir = folder(&[
            (
                "articles.jsonl",
                "{\"id\":1,\"cluster\":\"x\"}\n\n{\"id\":\"b\"}\n{\"id\":\"c\",\"cluster\":\"x\"}\n",
            ),
            ("pairs.jsonl", "{\"a\":\"1\",\"b\":\"c\",\"same\":true,\"kind\":\"cut\"}\n"),
            ("wild.jsonl", "{\"a\":1,\"b\":\"b\",\"label\":\"running\"}\n"),
        ]);
        let sets = sets_at(dir.path()).unwrap();
        assert_eq!(sets.len(), 1);
        let clusters: Vec<_> = sets[0].articles.iter().map(|a| a.cluster).collect();
        assert_eq!(clusters, [Some(0), None, Some(0)]);
        let judged: Vec<_> =
            sets[0].pairs.iter().map(|p| (p.file, p.kind.as_str(), p.places, p.same)).collect();
        assert_eq!(judged, [("pairs", "cut", (0, 2), true), ("wild", "running", (0, 1), false)]);
    }

    #[test]
    fn a_folder_of_folders_is_many_sets_and_other_files_are_sets_without_labels() {
        let dir = folder(&[
            ("one/articles.jsonl", "{\"id\":\"a\"}"),
            ("languages/eng.jsonl", "{\"id\":\"a\"}"),
            ("languages/notes.txt", "none"),
        ]);
        let names: Vec<_> = sets_at(dir.path()).unwrap().into_iter().map(|s| s.name).collect();
        assert_eq!(names, ["languages/eng", "one"]);
    }

    #[test]
    fn a_misspelt_label_or_file_is_hinted_at() {
        let hints = |files: &[(&str, &str)]| sets_at(folder(files).path()).unwrap().remove(0).hints;
        let misspelt = hints(&[("articles.jsonl", "{\"id\":1,\"clusters\":2}"), ("pair.jsonl", "")]);
        assert!(misspelt[0].starts_with("pair.jsonl is not read"), "{misspelt:?}");
        assert!(misspelt[1].starts_with("no article has a 'cluster'"), "{misspelt:?}");
        assert!(hints(&[("articles.jsonl", "{\"id\":1,\"cluster\":2}")]).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_line() {
        assert!(said(&[("a.txt", "x")]).contains("holds no articles.jsonl"));
        let twice = said(&[("articles.jsonl", "{\"id\":\"a\"}\n{\"id\":\"a\"}\n")]);
        assert!(twice.contains("articles.jsonl, line 2: the id a is that of line 1 too"), "{twice}");
        let article = ("articles.jsonl", "{\"id\":\"a\"}");
        let unknown = said(&[article, ("pairs.jsonl", "{\"a\":\"a\",\"b\":\"z\",\"same\":true}")]);
        assert!(unknown.contains("pairs.jsonl, line 1: no article has the id 'z'"), "{unknown}");
        let unjudged = said(&[article, ("pairs.jsonl", "{\"a\":\"a\",\"b\":\"a\"}")]);
        assert!(said(&[("pairs.jsonl", "{}")]).contains("holds no articles.jsonl"));
        assert!(said(&[("articles.jsonl", "\n")]).contains("articles.jsonl holds no articles"));
        let alone = said(&[article, ("pairs.jsonl", "{\"a\":\"a\",\"b\":\"a\",\"same\":true}")]);
        assert!(alone.contains("line 1: both ids are of one article"), "{alone}");
        let two = ("articles.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\"}");
        let judged = "{\"a\":\"a\",\"b\":\"b\",\"same\":true}\n{\"a\":\"b\",\"b\":\"a\",\"same\":false}";
        let again = said(&[two, ("pairs.jsonl", judged)]);
        assert!(again.contains("line 2: line 1 judges the same two articles"), "{again}");
        assert!(unjudged.contains("neither 'same' nor 'label'"), "{unjudged}");
    }
}
