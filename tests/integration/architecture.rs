//! Who may know whom, read off the source: the way of the data is one way, and this is where it is written down.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each module may name, beside itself. The order is that of `lib.rs`, the way of the data.
const MAY_NAME: [(&str, &[&str]); 22] = [
    ("model", &[]),
    ("clock", &["model"]),
    ("metrics", &[]),
    ("generate", &["model"]),
    ("inbox", &["model", "clock"]),
    ("format", &["model"]),
    ("normalize", &["model"]),
    ("fingerprint", &["model"]),
    ("encode", &["model"]),
    ("detect", &["model"]),
    ("journal", &["model"]),
    ("store", &["model", "journal"]),
    ("backup", &["model", "clock", "inbox", "journal"]),
    (
        "pipeline",
        &[
            "model",
            "clock",
            "metrics",
            "inbox",
            "format",
            "normalize",
            "fingerprint",
            "encode",
            "detect",
            "journal",
            "store",
        ],
    ),
    ("config", &["inbox", "format", "encode", "detect"]),
    ("query", &["model", "normalize", "fingerprint", "detect", "journal", "store"]),
    ("control", &["model", "detect", "query", "store"]),
    (
        "service",
        &[
            "model",
            "clock",
            "metrics",
            "inbox",
            "format",
            "normalize",
            "fingerprint",
            "encode",
            "detect",
            "journal",
            "store",
            "pipeline",
            "config",
            "query",
            "control",
        ],
    ),
    (
        "doctor",
        &["model", "clock", "inbox", "store", "backup", "pipeline", "config", "query", "control", "service"],
    ),
    ("eval", &["model", "inbox", "store", "pipeline", "config", "query", "service"]),
    ("bench", &["model", "generate", "inbox", "query", "control"]),
    (
        "cli",
        &[
            "model",
            "clock",
            "inbox",
            "format",
            "normalize",
            "fingerprint",
            "encode",
            "detect",
            "journal",
            "store",
            "backup",
            "pipeline",
            "config",
            "query",
            "control",
            "service",
            "doctor",
            "eval",
            "bench",
        ],
    ),
];

/// Words that only the named modules may use, outside comments and tests.
const ONLY: [(&str, &[&str]); 11] = [
    ("sled::", &["store"]),
    ("notify::", &["inbox"]),
    ("axum::", &["control"]),
    ("candle_core::", &["encode"]),
    ("tokenizers::", &["encode"]),
    ("clap::", &["cli", "main"]),
    ("print!", &["cli"]),
    ("println!", &["cli"]),
    ("eprintln!", &["cli"]),
    ("stdout()", &["cli"]),
    ("stderr()", &["cli", "main"]),
];

/// The modules that are pure: no runtime, no files, no clock, no environment.
const PURE: [&str; 6] = ["model", "generate", "format", "normalize", "fingerprint", "detect"];
const IMPURE: [&str; 8] =
    ["tokio::", "std::fs", "fs::", "std::net", "std::env", "std::process", "SystemTime", "Instant::now"];

/// A file of `src/` without its comments and its tests.
struct Source {
    path: PathBuf,
    module: String,
    /// How many modules lie between it and the crate: 1 for `x.rs` and `x/mod.rs`.
    depth: usize,
    code: String,
}

#[test]
fn modules_name_only_those_they_may() {
    let may_name: BTreeMap<_, _> = MAY_NAME.into_iter().collect();
    let mut seen = BTreeSet::new();
    for source in sources() {
        let module = source.module.as_str();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let allowed = may_name.get(module).unwrap_or_else(|| panic!("{module} is not in the table"));
        seen.insert(module.to_owned());
        for named in named_modules(&source) {
            let is_own = named == module || !may_name.contains_key(named.as_str());
            assert!(is_own || allowed.contains(&named.as_str()), "{} names {named}", source.path.display());
        }
    }
    assert_eq!(seen.len(), MAY_NAME.len(), "a module of the table is gone: {seen:?}");
}

#[test]
fn the_table_has_no_circle() {
    let order: Vec<_> = MAY_NAME.iter().map(|(module, _)| *module).collect();
    for (at, (module, may)) in MAY_NAME.iter().enumerate() {
        assert!(
            may.iter().all(|named| order[..at].contains(named)),
            "{module} names one that comes after it"
        );
    }
}

#[test]
fn some_words_belong_to_one_module() {
    for source in sources() {
        for (word, owners) in ONLY {
            let is_owner = owners.contains(&source.module.as_str());
            assert!(is_owner || !has_word(&source.code, word), "{} says {word}", source.path.display());
        }
    }
}

#[test]
fn the_stages_know_no_files_and_no_clock() {
    for source in sources().iter().filter(|source| PURE.contains(&source.module.as_str())) {
        let found = IMPURE.into_iter().find(|word| has_word(&source.code, word));
        assert_eq!(found, None, "{} must not", source.path.display());
    }
}

#[test]
fn every_file_says_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = ["src", "tests"].iter().flat_map(|folder| rust_files(&root.join(folder))).collect();
    assert!(files.len() > 50, "the files were not found");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no header", file.display());
    }
}

/// The table of promises in the README names tests that are there.
#[test]
fn every_promise_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests"].iter().flat_map(|folder| rust_files(&root.join(folder)));
    let code: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let table = readme.split("\n| promise | tests |\n").nth(1).unwrap();
    let rows: Vec<_> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "the table was not found");
    for row in rows {
        let names: Vec<_> = row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test for {row}");
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            assert!(code.contains(&format!("fn {name}(")), "there is no test {name}");
        }
    }
}

/// What the scan must see, so that it cannot pass by seeing nothing.
#[test]
fn the_scan_sees_every_way_of_naming_a_module() {
    let text = "//! crate::cli\nuse crate::{a, b::{c, d}, e::F};\nuse crate::g::H; // crate::cli\nfn f() { crate::i::j(); super::super::k::l() }\n\
                #[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n";
    let source = Source {
        path: PathBuf::new(),
        module: "x".to_owned(),
        depth: 2,
        code: without_tests_and_comments(text),
    };
    assert_eq!(named_modules(&source).into_iter().collect::<Vec<_>>(), ["a", "b", "e", "g", "i", "k"]);
    assert!(has_word("a = sled::open()", "sled::") && !has_word("bobsled::open()", "sled::"));
    let uses =
        |module: &str| sources().iter().filter(|s| s.module == module).flat_map(named_modules).collect();
    let pipeline: BTreeSet<String> = uses("pipeline");
    assert!(["inbox", "format", "detect", "store"].iter().all(|m| pipeline.contains(*m)), "{pipeline:?}");
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src).into_iter().filter(|path| !path.ends_with("tests.rs"));
    files
        .map(|path| {
            let parts: Vec<_> =
                path.strip_prefix(&src).unwrap().with_extension("").iter().map(ToOwned::to_owned).collect();
            let module = parts[0].to_str().unwrap().to_owned();
            let depth = parts.iter().filter(|part| *part != "mod").count();
            let code = without_tests_and_comments(&fs::read_to_string(&path).unwrap());
            Source { path, module, depth, code }
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file's tests stand at its end.
fn without_tests_and_comments(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| match line.find("//") {
        Some(0) => "",
        Some(at) if line[..at].ends_with(char::is_whitespace) => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that a file names, by `crate::` or by as many `super::` as lead there.
fn named_modules(source: &Source) -> BTreeSet<String> {
    let from_here = "super::".repeat(source.depth);
    let mut named = BTreeSet::new();
    for root in ["crate::", from_here.as_str()] {
        for (at, _) in source.code.match_indices(root) {
            let is_whole =
                !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if is_whole {
                named.extend(first_names(&source.code[at + root.len()..]));
            }
        }
    }
    named
}

/// The first name of a path, or those of each path in a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn has_word(code: &str, word: &str) -> bool {
    let begins = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| begins(at))
}
