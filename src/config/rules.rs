//! What the value of each key may be, and whether a reload swaps it in.
//!
//! One row a key. Tests prove that every default has a row and that the comments of `config/wirefold.toml` say the same
//! as the rows.

use super::layers::{Layers, shown};
use crate::inbox;
use std::net::SocketAddr;
use toml::Value;

/// What a value may be.
pub(super) enum Rule {
    /// Any of its type.
    Any,
    /// A whole number from the first to the last.
    Whole(i64, i64),
    /// A number from 0 to 1.
    Share,
    /// A path, which no shell will read.
    Path,
    /// A path from the root on: a daemon is not where the person is who wrote it.
    FromRoot,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// What is logged: a level, or `module=level`, or some of these with commas between.
    Levels,
    /// Names that are left alone.
    Patterns,
    /// The end of a file name.
    Ending,
    /// An address of this machine alone, or nothing.
    Loopback,
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// At a reload, while the daemon runs.
    Reload,
    /// At the next start.
    Restart,
}

use Rule::{Any, Ending, FromRoot, Levels, Loopback, OneOf, Path, Patterns, Share, Whole};
use Takes::{Reload, Restart};

/// Every key.
pub(super) const RULES: [(&str, Rule, Takes); 39] = [
    ("data_dir", Path, Restart),
    ("intake.settle_ms", Whole(0, 3_600_000), Reload),
    ("intake.rescan_s", Whole(1, 86_400), Reload),
    ("intake.ignore", Patterns, Reload),
    ("intake.pending_max", Whole(16, 1_000_000), Reload),
    ("read.article_bytes_max", Whole(1024, 1 << 30), Restart),
    ("read.nesting_max", Whole(1, 16), Restart),
    ("read.entries_max", Whole(1, 100_000_000), Restart),
    ("read.ratio_max", Whole(10, 100_000), Restart),
    ("read.patience_s", Whole(1, 86_400), Restart),
    ("read.json.id", Any, Restart),
    ("read.json.title", Any, Restart),
    ("read.json.text", Any, Restart),
    ("read.json.html", Any, Restart),
    ("read.json.published", Any, Restart),
    ("read.json.source", Any, Restart),
    ("read.json.url", Any, Restart),
    ("read.json.lang", Any, Restart),
    ("match.overlap_days", Whole(1, 3650), Restart),
    ("match.rewrite_days", Whole(1, 3650), Restart),
    ("match.join", Share, Restart),
    ("match.merge", Share, Restart),
    ("match.merging", Any, Restart),
    ("match.moving", Any, Restart),
    ("match.link", Share, Restart),
    ("match.alarm_articles", Whole(0, 1_000_000), Restart),
    ("match.encoder.model", Path, Restart),
    ("match.encoder.languages", Any, Restart),
    ("commit.group_articles_max", Whole(1, 100_000), Restart),
    ("commit.free_min_mb", Whole(0, 1_000_000), Restart),
    ("control.socket", Path, Restart),
    ("metrics.listen", Loopback, Restart),
    ("log.level", Levels, Reload),
    ("log.format", OneOf(&["auto", "human", "json"]), Restart),
    ("inbox.path", FromRoot, Reload),
    ("inbox.source", Any, Reload),
    ("inbox.watch", OneOf(&["events", "scans"]), Reload),
    ("inbox.ignore", Patterns, Reload),
    ("inbox.done", Ending, Reload),
];

/// Notes every value that is not what it may be.
pub(super) fn check(layers: &mut Layers) {
    for (key, rule, _) in &RULES {
        let found: Vec<(String, Value)> = match key.strip_prefix("inbox.") {
            Some(name) => {
                let entries = layers.values.get("inbox").and_then(Value::as_array).into_iter().flatten();
                let named =
                    entries.enumerate().map(|(at, entry)| (format!("inbox[{at}].{name}"), entry.get(name)));
                named.filter_map(|(key, value)| Some((key, value?.clone()))).collect()
            }
            None => layers.at(key).map(|value| ((*key).to_owned(), value.clone())).into_iter().collect(),
        };
        for (key, value) in found {
            if let Err(may_be) = rule.allows(&value) {
                layers.wrong(&key, format!("{key} is {}; it must be {may_be}", shown(&value)));
            }
        }
    }
}

/// When a change of a key takes effect; the list of inboxes is one key.
pub(super) fn takes(key: &str) -> Takes {
    let row = RULES.iter().find(|(name, ..)| *name == key);
    row.map_or(if key == "inbox" { Reload } else { Restart }, |(_, _, takes)| *takes)
}

impl Rule {
    /// Whether it allows a value of the right type, or what it allows.
    pub(super) fn allows(&self, value: &Value) -> Result<(), String> {
        let text = value.as_str().unwrap_or_default();
        let is_allowed = match self {
            Any => true,
            Whole(least, most) => value.as_integer().is_some_and(|n| (*least..=*most).contains(&n)),
            Share => value.as_float().is_some_and(|n| (0.0..=1.0).contains(&n)),
            FromRoot => text.starts_with('/'),
            Path => text != "~" && !text.starts_with("~/"),
            OneOf(words) => words.contains(&text),
            Levels => text.split(',').all(is_level),
            Patterns => {
                let patterns = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                patterns.into_iter().all(inbox::is_pattern)
            }
            Ending => !text.is_empty() && !text.contains(['/', '*']),
            Loopback => text.is_empty() || text.parse::<SocketAddr>().is_ok_and(|a| a.ip().is_loopback()),
        };
        if is_allowed { Ok(()) } else { Err(self.in_words()) }
    }

    fn in_words(&self) -> String {
        match self {
            Any => "of its type".to_owned(),
            Whole(least, most) => format!("from {least} to {most}"),
            Share => "from 0 to 1".to_owned(),
            Path => "a whole path: ~ means something to a shell alone".to_owned(),
            FromRoot => "a whole path, as /srv/feeds".to_owned(),
            OneOf(words) => words.join(" or "),
            Levels => {
                "error, warn, info, debug, trace or off, or as module=level, with commas between".to_owned()
            }
            Patterns => "names with a * at the start, at the end or at both".to_owned(),
            Ending => "the end of a name, as .done".to_owned(),
            Loopback => {
                "an address of this machine alone with a port, as 127.0.0.1:9464 or [::1]:9464; for other \
                machines put a proxy before it that asks who they are"
                    .to_owned()
            }
        }
    }
}

/// A word that is no level would be taken for a module, and nothing be logged.
fn is_level(part: &str) -> bool {
    let level = part.rsplit('=').next().unwrap_or_default().trim().to_lowercase();
    ["error", "warn", "info", "debug", "trace", "off"].contains(&level.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULTS;

    /// The comment above a key of the shipped file, the lines of other keys between them left out.
    fn comment_on(name: &str, part: &str) -> String {
        let lines: Vec<&str> = DEFAULTS.lines().collect();
        let header = lines.iter().position(|line| *line == format!("[{part}]")).unwrap_or(0);
        let at =
            header + lines[header..].iter().position(|line| line.starts_with(&format!("{name} = "))).unwrap();
        let above = lines[..at].iter().rev().skip_while(|line| !line.starts_with('#'));
        let comment: Vec<_> = above.take_while(|line| line.starts_with('#')).collect();
        comment.into_iter().rev().copied().collect::<Vec<_>>().join(" ").replace(" # ", " ")
    }

    #[test]
    fn every_key_has_a_row_and_every_row_a_key() {
        let flat = Layers::new().flat();
        let rows: Vec<_> =
            RULES.iter().map(|(key, ..)| *key).filter(|key| !key.starts_with("inbox.")).collect();
        assert_eq!(rows.len(), flat.len());
        for row in rows {
            assert!(flat.contains_key(row), "{row} has no default");
        }
    }

    #[test]
    fn the_shipped_file_says_of_every_key_what_it_may_be_and_when_it_takes_effect() {
        for (key, rule, takes) in RULES.iter().filter(|(key, ..)| !key.starts_with("inbox.")) {
            let (part, name) = key.rsplit_once('.').unwrap_or(("", key));
            let comment = comment_on(name, part);
            let range = match rule {
                Whole(least, most) => format!("{least} to {most}"),
                Share => "0 to 1".to_owned(),
                OneOf(words) => words.last().unwrap().to_string(),
                _ => String::new(),
            };
            assert!(comment.contains(&range), "{key} is to say '{range}': {comment}");
            let (said, other) = match takes {
                Reload => ("(reload)", "(restart)"),
                Restart => ("(restart)", "(reload)"),
            };
            assert!(comment.contains(said) && !comment.contains(other), "{key} is to say {said}: {comment}");
        }
    }
}
