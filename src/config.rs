//! What an operator may set: one struct a part, read from TOML over the embedded defaults.
//!
//! `config/wirefold.toml` is at once the defaults, the example and the reference. This module reads and checks;
//! it turns a part into another module's settings, and knows nothing of what they do with it.

use crate::{detect, encode, inbox};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{Table, Value};

/// The defaults, commented.
pub const DEFAULTS: &str = include_str!("../config/wirefold.toml");
/// The longest path of a Unix socket, in bytes.
const SOCKET_PATH_MAX: usize = 107;

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
    /// The file is no TOML, or a value has the wrong type.
    #[error("the configuration {path} is not valid: {what}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line where that is known.
        what: String,
    },
    /// There is no such key.
    #[error("the configuration {path} has the unknown key '{key}'; did you mean '{nearest}'?")]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The key that is written most like it.
        nearest: String,
    },
    /// A value is outside its range.
    #[error("{key} is {value}; it must be {range}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        range: String,
    },
    /// The path of the socket is longer than the system allows.
    #[error("the control socket's path is {} bytes long and may have {SOCKET_PATH_MAX}: {path}; set [control] socket to a shorter one", .path.as_os_str().len())]
    SocketPath {
        /// The path.
        path: PathBuf,
    },
    /// An inbox lies among the daemon's own files, which it would take for news.
    #[error("the inbox {path} lies within the data directory, and only its folder 'inbox' may be one")]
    InboxAmongData {
        /// The inbox.
        path: PathBuf,
    },
    /// A tilde means nothing outside a shell.
    #[error("data_dir begins with ~, which only a shell understands: {path}; write the whole path")]
    Tilde {
        /// The path.
        path: PathBuf,
    },
    /// There is no home directory to put the data into.
    #[error(
        "no data directory: set --data-dir, WIREFOLD_DATA_DIR or data_dir, as neither XDG_DATA_HOME nor HOME is set"
    )]
    NoDataDir,
}

/// All that may be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The folders that are watched; none for the one in the data directory.
    #[serde(default)]
    pub inbox: Vec<InboxConfig>,
    /// How files are taken in.
    pub intake: IntakeConfig,
    /// How files are read.
    pub read: ReadConfig,
    /// How articles are matched.
    #[serde(rename = "match")]
    pub matching: MatchConfig,
    /// How what was decided is made durable.
    pub commit: CommitConfig,
    /// How the daemon is asked.
    pub control: ControlConfig,
    /// How the daemon tells what it does.
    pub log: LogConfig,
}

/// One watched folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxConfig {
    /// The folder.
    pub path: PathBuf,
    /// Who delivers there.
    #[serde(default)]
    pub source: Option<String>,
}

/// How files are taken in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeConfig {
    /// How long a file must be still, in milliseconds.
    pub settle_ms: u64,
    /// How often everything is looked through, in seconds.
    pub rescan_s: u64,
    /// Names that are left alone.
    pub ignore: Vec<String>,
    /// How many waiting files an inbox keeps in mind.
    pub pending_max: usize,
}

/// How files are read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadConfig {
    /// The longest article, in bytes.
    pub article_bytes_max: usize,
}

/// How articles are matched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchConfig {
    /// The window of the near and overlap matchers, in days.
    pub overlap_days: u32,
    /// The window of the rewrite matcher, in days.
    pub rewrite_days: u32,
    /// The mean probability at which an article joins a record.
    pub join: f64,
    /// The mean probability at which two records merge.
    pub merge: f64,
    /// Whether they may.
    pub merging: bool,
    /// Whether an article may move.
    pub moving: bool,
    /// The probability at which two records are related.
    pub link: f64,
    /// At how many articles, most of them of one day, a record raises an alarm.
    pub alarm_articles: u32,
    /// The optional sentence encoder.
    pub encoder: EncoderConfig,
}

/// The optional sentence encoder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// The model's folder; empty for none.
    pub model: PathBuf,
    /// The languages that it knows.
    pub languages: Vec<String>,
}

/// How what was decided is made durable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitConfig {
    /// Articles in a group.
    pub group_articles_max: usize,
}

/// How the daemon is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlConfig {
    /// The socket.
    pub socket: PathBuf,
}

/// How the daemon tells what it does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// What is told.
    pub level: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal and under systemd, else JSON.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// The defaults, with a file's values over them where there is one, and the data directory given on the
    /// command line over that.
    pub fn load(file: Option<&Path>, data_dir: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(file, data_dir, &[])
    }

    /// The same with some values over those of the file, each a dotted key and a value as a person types it.
    pub fn load_with(
        file: Option<&Path>,
        data_dir: Option<&Path>,
        given: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let name = file.unwrap_or(Path::new("(built in)"));
        let text = match file {
            Some(path) => fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?,
            None => String::new(),
        };
        let mut config = parse(name, &text, given)?;
        if let Some(data_dir) = data_dir {
            data_dir.clone_into(&mut config.data_dir);
        }
        if config.data_dir.as_os_str().is_empty() {
            config.data_dir = default_data_dir()?;
        }
        config.data_dir = std::path::absolute(&config.data_dir)
            .map_err(|source| ConfigError::Read { path: config.data_dir.clone(), source })?;
        config.check()?;
        Ok(config)
    }

    /// The control socket.
    pub fn socket(&self) -> Result<PathBuf, ConfigError> {
        let mut path = self.control.socket.clone();
        if path.as_os_str().is_empty() {
            path = self.data_dir.join("wirefold.sock");
        }
        if path.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(ConfigError::SocketPath { path });
        }
        Ok(path)
    }

    /// Where failed files go.
    pub fn failed_dir(&self) -> PathBuf {
        self.data_dir.join("failed")
    }

    /// The inboxes: those configured, else the one in the data directory.
    pub fn inbox_settings(&self) -> inbox::Settings {
        let root = |i: &InboxConfig| inbox::Root { path: i.path.clone(), source: i.source.clone() };
        let mut inboxes: Vec<_> = self.inbox.iter().map(root).collect();
        if inboxes.is_empty() {
            inboxes.push(inbox::Root { path: self.data_dir.join("inbox"), source: None });
        }
        inbox::Settings {
            inboxes,
            settle: Duration::from_millis(self.intake.settle_ms),
            rescan: Duration::from_secs(self.intake.rescan_s),
            ignore: self.intake.ignore.clone(),
            pending_max: self.intake.pending_max,
            ..inbox::Settings::default()
        }
    }

    /// The detector's settings.
    pub fn detect_settings(&self) -> detect::Settings {
        let m = &self.matching;
        detect::Settings {
            overlap_days: m.overlap_days,
            rewrite_days: m.rewrite_days,
            join: m.join,
            merge: m.merge,
            link: m.link,
            merging: m.merging,
            moving: m.moving,
            alarm_articles: m.alarm_articles,
        }
    }

    /// The sentence encoder's settings, where one is configured.
    pub fn encoder_settings(&self) -> Option<encode::Settings> {
        let EncoderConfig { model, languages } = self.matching.encoder.clone();
        let is_set = !model.as_os_str().is_empty();
        is_set.then_some(encode::Settings { folder: model, languages })
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_places()?;
        self.log.check()?;
        let m = &self.matching;
        within("intake.settle_ms", self.intake.settle_ms, 0, 3_600_000)?;
        within("intake.rescan_s", self.intake.rescan_s, 1, 86_400)?;
        within("intake.pending_max", self.intake.pending_max, 16, 1_000_000)?;
        within("read.article_bytes_max", self.read.article_bytes_max, 1024, 1 << 30)?;
        within("match.overlap_days", m.overlap_days, 1, 3650)?;
        within("match.rewrite_days", m.rewrite_days, 1, 3650)?;
        within("match.join", m.join, 0., 1.)?;
        within("match.merge", m.merge, 0., 1.)?;
        within("match.link", m.link, 0., 1.)?;
        within("match.alarm_articles", m.alarm_articles, 0, 1_000_000)?;
        within("commit.group_articles_max", self.commit.group_articles_max, 1, 100_000)
    }
}

impl Config {
    fn check_places(&self) -> Result<(), ConfigError> {
        if self.data_dir.components().any(|part| part.as_os_str() == "~") {
            return Err(ConfigError::Tilde { path: self.data_dir.clone() });
        }
        let own = self.data_dir.join("inbox");
        let is_set = !self.data_dir.as_os_str().is_empty();
        let is_among = |i: &&InboxConfig| i.path.starts_with(&self.data_dir) && !i.path.starts_with(&own);
        match self.inbox.iter().find(is_among).filter(|_| is_set) {
            Some(inbox) => Err(ConfigError::InboxAmongData { path: inbox.path.clone() }),
            None => Ok(()),
        }
    }
}

impl LogConfig {
    /// A level, or `module=level`, or some of these with commas between. A word that is no level would be taken
    /// for a module, and nothing be logged.
    fn check(&self) -> Result<(), ConfigError> {
        let levels = ["error", "warn", "info", "debug", "trace", "off"];
        let is_known = |part: &str| {
            let level = part.rsplit('=').next().unwrap_or_default().trim().to_lowercase();
            levels.contains(&level.as_str())
        };
        if self.level.split(',').all(is_known) {
            return Ok(());
        }
        let range =
            "error, warn, info, debug, trace or off, or as module=level, with commas between".to_owned();
        Err(ConfigError::OutOfRange { key: "log.level", value: self.level.clone(), range })
    }
}

fn parse(name: &Path, text: &str, given: &[(String, String)]) -> Result<Config, ConfigError> {
    let invalid = |what: String| ConfigError::Invalid { path: name.to_owned(), what };
    let said = |e: toml::de::Error| invalid(in_words(e.to_string().trim()));
    let mut merged: Table = toml::from_str(DEFAULTS).map_err(said)?;
    let over: Table = toml::from_str(text).map_err(said)?;
    let unknown = |(key, nearest)| ConfigError::UnknownKey { path: name.to_owned(), key, nearest };
    overlay(&mut merged, over, "").map_err(unknown)?;
    let typed = Path::new("(command line)");
    for (key, value) in given {
        let unknown = |(key, nearest)| ConfigError::UnknownKey { path: typed.to_owned(), key, nearest };
        overlay(&mut merged, nested(key, typed_value(value)), "").map_err(unknown)?;
    }
    Value::Table(merged).try_into().map_err(said)
}

/// What the reader of TOML says, its types called what a person calls them.
fn in_words(said: &str) -> String {
    const NAMES: [(&str, &str); 6] = [
        ("f64", "a number"),
        ("u32", "a whole number"),
        ("u64", "a whole number"),
        ("usize", "a whole number"),
        ("a boolean", "true or false"),
        ("a string", "a text"),
    ];
    NAMES.iter().fold(said.to_owned(), |said, (name, words)| {
        said.replace(&format!("expected {name}"), &format!("expected {words}"))
    })
}

/// A dotted key and its value as a file would have them.
fn nested(key: &str, value: Value) -> Table {
    match key.split_once('.') {
        Some((part, rest)) => Table::from_iter([(part.to_owned(), Value::Table(nested(rest, value)))]),
        None => Table::from_iter([(key.to_owned(), value)]),
    }
}

/// A whole number, a number, true, false, or else a word.
fn typed_value(value: &str) -> Value {
    let whole = || value.parse().ok().map(Value::Integer);
    let number = || value.parse().ok().map(Value::Float);
    let switch = || value.parse().ok().map(Value::Boolean);
    whole().or_else(number).or_else(switch).unwrap_or_else(|| Value::String(value.to_owned()))
}

/// Puts the given values over the defaults. A key that has no default is returned with the nearest that has.
fn overlay(defaults: &mut Table, given: Table, under: &str) -> Result<(), (String, String)> {
    for (key, value) in given {
        let path = format!("{under}{key}");
        // Inboxes alone have no default: there may be none.
        if path == "inbox" {
            check_inboxes(&value)?;
            defaults.insert(key, value);
            continue;
        }
        let Some(default) = defaults.get_mut(&key) else {
            let nearest = nearest(&key, defaults.keys());
            return Err((path, format!("{under}{nearest}")));
        };
        match (default, value) {
            (Value::Table(default), Value::Table(value)) => overlay(default, value, &format!("{path}."))?,
            (default, value) => *default = value,
        }
    }
    Ok(())
}

/// The keys of an inbox have no defaults to be compared with.
fn check_inboxes(inboxes: &Value) -> Result<(), (String, String)> {
    let known = ["path".to_owned(), "source".to_owned()];
    let keys = inboxes.as_array().into_iter().flatten().filter_map(Value::as_table).flat_map(Table::keys);
    match keys.into_iter().find(|key| !known.contains(key)) {
        Some(key) => Err((format!("inbox.{key}"), format!("inbox.{}", nearest(key, known.iter())))),
        None => Ok(()),
    }
}

fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k String>) -> String {
    known.min_by_key(|k| strsim::damerau_levenshtein(k, key)).cloned().unwrap_or_default()
}

fn within<N: PartialOrd + ToString + Copy>(
    key: &'static str,
    value: N,
    least: N,
    most: N,
) -> Result<(), ConfigError> {
    if value >= least && value <= most {
        return Ok(());
    }
    let range = format!("from {} to {}", least.to_string(), most.to_string());
    Err(ConfigError::OutOfRange { key, value: value.to_string(), range })
}

fn default_data_dir() -> Result<PathBuf, ConfigError> {
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let share = of("XDG_DATA_HOME").or_else(|| of("HOME").map(|home| home.join(".local/share")));
    share.map(|share| share.join("wirefold")).ok_or(ConfigError::NoDataDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Config, ConfigError> {
        parse(Path::new("my.toml"), text, &[]).and_then(|config| config.check().map(|()| config))
    }

    #[test]
    fn the_embedded_file_is_whole_and_valid() {
        let config = of("").unwrap();
        assert_eq!(config.intake.settle_ms, 500);
        assert_eq!(config.inbox_settings().ignore, inbox::Settings::default().ignore);
        assert_eq!(of(DEFAULTS).unwrap().matching.rewrite_days, config.matching.rewrite_days);
        let with_an_inbox = DEFAULTS.replace("# [[inbox]]", "[[inbox]]").replace("# path = ", "path = ");
        assert_eq!(of(&with_an_inbox).unwrap().inbox.len(), 1);
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let config = of("[intake]\nsettle_ms = 0\n[[inbox]]\npath = '/feeds'\nsource = 'Agency'").unwrap();
        assert_eq!((config.intake.settle_ms, config.intake.rescan_s), (0, 30));
        assert_eq!(config.inbox_settings().inboxes[0].source.as_deref(), Some("Agency"));
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest() {
        let said = |text| of(text).unwrap_err().to_string();
        assert!(
            said("[intake]\nsetle_ms = 1").contains("'intake.setle_ms'; did you mean 'intake.settle_ms'?")
        );
        assert!(said("[matc]").contains("did you mean 'match'?"));
        assert!(said("[[inbox]]\npth = '/x'").contains("'inbox.pth'; did you mean 'inbox.path'?"));
    }

    #[test]
    fn a_value_outside_its_range_is_named_with_the_range() {
        let said = of("[match]\njoin = 1.5").unwrap_err().to_string();
        assert_eq!(said, "match.join is 1.5; it must be from 0 to 1");
    }

    #[test]
    fn what_would_make_no_sense_is_refused() {
        let said = |text: &str| of(text).unwrap_err().to_string();
        assert!(
            said("data_dir = '/d'\n[[inbox]]\npath = '/d/journal'")
                .contains("lies within the data directory")
        );
        assert!(of("data_dir = '/d'\n[[inbox]]\npath = '/d/inbox/agency'").is_ok());
        assert!(said("data_dir = '~/wf'").contains("only a shell understands"));
        assert!(said("[log]\nlevel = 'loud'").starts_with("log.level is loud; it must be error, warn"));
        assert!(of("[log]\nlevel = 'info,wirefold::inbox=debug'").is_ok());
    }

    #[test]
    fn a_value_typed_on_the_command_line_comes_before_the_file() {
        let given = |key: &str, value: &str| {
            let given = [(key.to_owned(), value.to_owned())];
            parse(Path::new("my.toml"), "[match]\njoin = 0.7", &given)
        };
        assert_eq!(given("match.join", ".57").unwrap().matching.join.to_bits(), 0.57_f64.to_bits());
        assert!(!given("match.merging", "false").unwrap().matching.merging);
        let said = |key, value| given(key, value).unwrap_err().to_string();
        assert!(said("match.joint", "1").contains("(command line) has the unknown key 'match.joint'"));
        let wrong = said("match.join", "much");
        assert!(wrong.contains("join") && wrong.contains("expected a number"), "{wrong}");
    }

    #[test]
    fn a_long_socket_path_is_an_error_in_words() {
        let config = of(&format!("[control]\nsocket = '/{}'", "x".repeat(120))).unwrap();
        let said = config.socket().unwrap_err().to_string();
        assert!(said.contains("121 bytes long and may have 107"), "{said}");
    }
}
