//! What an operator may set: one struct a part, read from TOML over the embedded defaults.
//!
//! `config/wirefold.toml` is at once the defaults, the example and the reference. This module reads and checks: `layers`
//! lays file, environment and command line over the defaults, `rules` says what each key may be. It turns a part into
//! another module's settings, and knows nothing of what they do with it.

mod error;
mod layers;
mod rules;

pub use error::{ConfigError, Place, Problem};

use crate::{detect, encode, format, inbox};
use layers::{Layers, shown};
use rules::Takes;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::Value;

/// The defaults, commented.
pub const DEFAULTS: &str = include_str!("../../config/wirefold.toml");
/// The variable that stands for `--data-dir`.
const DATA_DIR_VARIABLE: &str = "WIREFOLD_DATA_DIR";
/// The longest path of a Unix socket, in bytes.
const SOCKET_PATH_MAX: usize = 107;

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
    /// How the daemon is watched.
    pub metrics: MetricsConfig,
    /// How the daemon tells what it does.
    pub log: LogConfig,
    /// Who said what; what nobody said is as the defaults have it.
    #[serde(skip)]
    said: BTreeMap<String, Place>,
    /// Every key with its value, the inboxes as one and each by itself.
    #[serde(skip)]
    values: BTreeMap<String, Value>,
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
    /// How it is watched.
    #[serde(default)]
    pub watch: Watch,
    /// Names that are left alone there; without it those of all inboxes.
    #[serde(default)]
    pub ignore: Option<Vec<String>>,
    /// What is appended to a file's name to name the marker without which it does not count.
    #[serde(default)]
    pub done: Option<String>,
}

/// How an inbox is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// By events, and by scans that make sure.
    #[default]
    Events,
    /// By scans alone.
    Scans,
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
    /// How many archives and compressions may lie within one another.
    pub nesting_max: u32,
    /// How many entries the archives of one file may have together.
    pub entries_max: u64,
    /// How many times its size a file may unpack to.
    pub ratio_max: u64,
    /// How long a file may take to its next article, in seconds.
    pub patience_s: u64,
    /// Under which names JSON holds the parts of an article.
    pub json: format::Fields,
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
    /// How much must be free where the data lies for the intake to go on, in MiB.
    pub free_min_mb: u64,
}

/// How the daemon is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlConfig {
    /// The socket.
    pub socket: PathBuf,
}

/// How the daemon is watched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Where metrics and health are served beside the control socket; empty for nowhere.
    pub listen: String,
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
    /// As the journal of systemd wants it where that reads it, else for people.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Where a configuration comes from, so that it can be read again.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file.
    pub file: Option<PathBuf>,
    /// The data directory that was given on the command line.
    pub data_dir: Option<PathBuf>,
    /// Variables of the environment; those of wirefold are heeded.
    pub variables: Vec<(OsString, OsString)>,
    /// Values given on the command line, each a dotted key and a value as a person types it.
    pub given: Vec<(String, String)>,
}

impl Sources {
    /// What they say over the defaults, with what is wrong with it.
    fn layers(&self, file: Option<&Path>) -> Result<Layers, ConfigError> {
        let mut layers = Layers::new();
        if let Some(path) = file {
            let text = fs::read_to_string(path);
            let text = text.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            layers.add_file(path, &text);
        }
        layers.add_variables(&self.variables);
        for (key, value) in &self.given {
            layers.add_typed(key, value, &Place::CommandLine);
        }
        Ok(layers)
    }
}

/// What a person said of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The key.
    pub key: String,
    /// Its value, as TOML writes it.
    pub value: String,
    /// Where it was said.
    pub place: Place,
}

/// The keys in which one configuration differs from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Those that a reload swaps in.
    pub swapped: Vec<String>,
    /// Those that take effect at the next start.
    pub at_restart: Vec<String>,
}

impl Config {
    /// The defaults, with a file's values over them where there is one, and the data directory over that.
    pub fn load(file: Option<&Path>, data_dir: Option<&Path>) -> Result<Self, ConfigError> {
        let (file, data_dir) = (file.map(Path::to_owned), data_dir.map(Path::to_owned));
        Self::read(&Sources { file, data_dir, ..Sources::default() })
    }

    /// The defaults, with what each of the sources says over them: the file, the environment, the command line.
    /// Whatever is wrong is told at once.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let config = Self::of(sources.layers(sources.file.as_deref())?)?.at(sources)?;
        if let Some(data_dir) = &sources.data_dir
            && let Err(may_be) = rules::Rule::Path.allows(&Value::String(data_dir.display().to_string()))
        {
            let what = format!("data_dir is '{}'; it must be {may_be}", data_dir.display());
            return Err(config.wrong("data_dir", what));
        }
        if fs::metadata(&config.data_dir).is_ok_and(|found| !found.is_dir()) {
            let what = format!("data_dir is '{}', which is no folder", config.data_dir.display());
            return Err(config.wrong("data_dir", what));
        }
        config.check_places()?;
        config.socket()?;
        Ok(config)
    }

    /// What of the same is right, and for the rest what is built in: enough to find what is to be asked where something else
    /// is wrong. Nothing may be started with it.
    pub fn to_ask(sources: &Sources) -> Result<Self, ConfigError> {
        let layers = sources.layers(sources.file.as_deref()).or_else(|_| sources.layers(None))?;
        let config = Self::built(layers)?.at(sources)?;
        Ok(Self { log: Self::built(Layers::new())?.log, ..config })
    }

    /// The same with its data directory, which may be given or may be that of the user.
    fn at(mut self, sources: &Sources) -> Result<Self, ConfigError> {
        if let Some(data_dir) = &sources.data_dir {
            data_dir.clone_into(&mut self.data_dir);
            // The command line comes with the variable in it.
            let is_variable = |(name, value): &(OsString, OsString)| {
                name == DATA_DIR_VARIABLE && value.as_os_str() == data_dir.as_os_str()
            };
            let variable = sources.variables.iter().any(is_variable).then(|| DATA_DIR_VARIABLE.to_owned());
            let place = variable.map_or(Place::CommandLine, Place::Variable);
            self.said.insert("data_dir".to_owned(), place);
        }
        if self.data_dir.as_os_str().is_empty() {
            self.data_dir = default_data_dir()?;
        }
        self.data_dir = std::path::absolute(&self.data_dir)
            .map_err(|source| ConfigError::Read { path: self.data_dir.clone(), source })?;
        Ok(self)
    }

    fn of(mut layers: Layers) -> Result<Self, ConfigError> {
        rules::check(&mut layers);
        if !layers.problems.is_empty() {
            layers.problems.sort_by_key(|problem| match problem.place {
                Some(Place::Line(_, line)) => line,
                _ => usize::MAX,
            });
            return Err(ConfigError::Wrong(layers.problems));
        }
        Self::built(layers)
    }

    fn built(layers: Layers) -> Result<Self, ConfigError> {
        let values = layers.flat();
        let defect = |e: toml::de::Error| vec![Problem { place: None, what: e.message().to_owned() }];
        let config: Self =
            Value::Table(layers.values).try_into().map_err(|e| ConfigError::Wrong(defect(e)))?;
        Ok(Self { said: layers.said, values, ..config })
    }

    /// What differs from the defaults because somebody said so, in the order of the keys.
    pub fn said(&self) -> Vec<Said> {
        let value = |key: &str| match self.values.get(key) {
            _ if key == "data_dir" => shown(&Value::String(self.data_dir.display().to_string())),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let built_in = Layers::new().flat();
        let differs =
            |key: &String| self.values.contains_key(key) && self.values.get(key) != built_in.get(key);
        let keys = self.said.iter().filter(|(key, place)| {
            *key != "inbox" && (differs(key) || *key == "data_dir" && !matches!(place, Place::Line(..)))
        });
        keys.map(|(key, place)| Said { key: key.clone(), value: value(key), place: place.clone() }).collect()
    }

    /// The keys in which this configuration differs from an older one.
    pub fn differences(&self, older: &Self) -> Differences {
        let mut differences = Differences::default();
        let keys: BTreeSet<&String> = self.values.keys().chain(older.values.keys()).collect();
        for key in keys.into_iter().filter(|key| !key.contains('[')) {
            if self.values.get(key) != older.values.get(key) {
                let list = match rules::takes(key) {
                    Takes::Reload => &mut differences.swapped,
                    Takes::Restart => &mut differences.at_restart,
                };
                list.push(key.clone());
            }
        }
        differences
    }

    /// This configuration with what a reload swaps in taken from a newer one.
    #[must_use]
    pub fn swapped(&self, newer: &Self) -> Self {
        let mut config = self.clone();
        config.inbox.clone_from(&newer.inbox);
        config.intake.clone_from(&newer.intake);
        config.log.level.clone_from(&newer.log.level);
        for key in newer.differences(self).swapped {
            config.values.remove(&key);
            config.values.extend(newer.values.get(&key).map(|value| (key, value.clone())));
        }
        config
    }

    /// The control socket; one that is not a whole path is meant from the data directory on.
    pub fn socket(&self) -> Result<PathBuf, ConfigError> {
        let said = &self.control.socket;
        let path = if said.as_os_str().is_empty() { self.default_socket() } else { self.data_dir.join(said) };
        let length = path.as_os_str().len();
        if length > SOCKET_PATH_MAX {
            let what = format!(
                "the control socket's path is {length} bytes long and may have {SOCKET_PATH_MAX}: {}; set [control] socket to a \
                shorter one",
                path.display()
            );
            return Err(self.wrong("control.socket", what));
        }
        Ok(path)
    }

    /// Where those look for the socket who know nothing but the data directory.
    pub fn default_socket(&self) -> PathBuf {
        self.data_dir.join("wirefold.sock")
    }

    /// Where the daemon of this data directory is asked. Beside the data is its socket or a link to it, so a data directory
    /// that somebody named leads to its own daemon, also where a configuration names the socket of another.
    pub fn asked_socket(&self) -> Result<PathBuf, ConfigError> {
        let beside = self.default_socket();
        let is_named = self.said.contains_key("data_dir") && beside.as_os_str().len() <= SOCKET_PATH_MAX;
        if is_named { Ok(beside) } else { self.socket() }
    }

    /// Where failed files go.
    pub fn failed_dir(&self) -> PathBuf {
        self.data_dir.join("failed")
    }

    /// Where metrics and health are served beside the control socket.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.listen.parse().ok()
    }

    /// The inboxes: those configured, else the one in the data directory.
    pub fn inbox_settings(&self) -> inbox::Settings {
        let ignore = &self.intake.ignore;
        let root = |i: &InboxConfig| inbox::Root {
            path: i.path.clone(),
            source: i.source.clone(),
            by_events: i.watch == Watch::Events,
            ignore: i.ignore.as_ref().unwrap_or(ignore).clone(),
            marker: i.done.clone().map(inbox::Marker::new),
        };
        let mut inboxes: Vec<_> = self.inbox.iter().map(root).collect();
        if inboxes.is_empty() {
            inboxes.push(inbox::Root::new(self.data_dir.join("inbox"), ignore.clone()));
        }
        inbox::Settings {
            inboxes,
            settle: Duration::from_millis(self.intake.settle_ms),
            rescan: Duration::from_secs(self.intake.rescan_s),
            pending_max: self.intake.pending_max,
            ..inbox::Settings::default()
        }
    }

    /// How files are read.
    pub fn reading(&self) -> format::Settings {
        let ReadConfig { article_bytes_max, nesting_max, entries_max, ratio_max, patience_s, json: fields } =
            self.read.clone();
        format::Settings {
            limits: format::Limits { article_bytes_max, nesting_max, entries_max, ratio_max },
            patience: Duration::from_secs(patience_s),
            fields,
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

    /// What one value alone does not show to be wrong.
    fn check_places(&self) -> Result<(), ConfigError> {
        let own = self.data_dir.join("inbox");
        let mut problems = Vec::new();
        for (at, inbox) in self.inbox.iter().enumerate() {
            let (path, shown) = (&inbox.path, inbox.path.display());
            let mut wrong =
                |key: &str, what: String| problems.push(self.problem(&format!("inbox[{at}].{key}"), what));
            if path.starts_with(&self.data_dir) && !path.starts_with(&own) {
                let what = "lies within the data directory, and only its folder 'inbox' may be one";
                wrong("path", format!("the inbox {shown} {what}"));
            }
            let ignore = inbox.ignore.as_ref().unwrap_or(&self.intake.ignore);
            if let Some(done) =
                inbox.done.as_ref().filter(|done| inbox::is_left_alone(ignore, &format!("x{done}")))
            {
                let what =
                    format!("names that end in {done} are left alone there, so no marker would be seen");
                wrong("done", what);
            }
            if self.inbox.iter().take(at).any(|earlier| earlier.path == *path) {
                wrong("path", format!("the inbox {shown} is named twice; name it once"));
            }
            let around = |outer: &&InboxConfig| path.starts_with(&outer.path) && outer.path != *path;
            if let Some(outer) = self.inbox.iter().find(around) {
                let outer = outer.path.display();
                wrong(
                    "path",
                    format!(
                        "the inbox {shown} lies within the inbox {outer}: its files would be taken twice"
                    ),
                );
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::Wrong(problems)) }
    }

    fn problem(&self, key: &str, what: String) -> Problem {
        Problem { place: self.said.get(key).cloned(), what }
    }

    fn wrong(&self, key: &str, what: String) -> ConfigError {
        ConfigError::Wrong(vec![self.problem(key, what)])
    }
}

fn default_data_dir() -> Result<PathBuf, ConfigError> {
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let share = of("XDG_DATA_HOME").or_else(|| of("HOME").map(|home| home.join(".local/share")));
    share.map(|share| share.join("wirefold")).ok_or(ConfigError::NoDataDir)
}

#[cfg(test)]
mod tests;
