//! What may be typed.

use super::when::{since, until};
use crate::{
    bench::Plan,
    clock::now,
    config::Sources,
    inbox::typed_path,
    model::{Relation, Time},
    query::Sort,
};
use clap::{
    Parser, Subcommand,
    builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser},
};
use std::path::PathBuf;

/// What stands over the options that every command has, which would else stand between a command's own.
const EVERYWHERE: &str = "With every command";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong command line, 65 some inputs could not be read (the rest \
    were taken in), 70 a defect, 75 busy (try again), 78 wrong configuration.";

const SIGNALS: &str = "SIGTERM and SIGINT (Ctrl-C) have it finish what is under way and end; a second one ends it at once. \
    SIGHUP has it read its configuration again, but where its standard input is a terminal: there it says that the terminal is \
    gone, and ends it too.";

/// Folds the copies and rewrites of one wire story into one canonical record.
///
/// Drop news files into the inbox of a running daemon, or ingest them, and ask for the records.
#[derive(Debug, Parser)]
#[command(name = "wirefold", version, max_term_width = 100, after_long_help = EXIT_CODES)]
pub struct Args {
    /// The configuration [default: what is built in].
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "WIREFOLD_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept [default: ~/.local/share/wirefold].
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "WIREFOLD_DATA_DIR", hide_env_values = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Where the configuration comes from: what was given, and the variables of this process.
    pub(super) fn sources(&self) -> Sources {
        let (mut file, data_dir) = (self.config.clone(), self.data_dir.clone());
        if let Command::Check(CheckArgs { file: Some(given), .. }) = &self.command {
            file = Some(given.clone());
        }
        Sources { file, data_dir, variables: std::env::vars_os().collect(), given: Vec::new() }
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon: watch the inboxes and fold what arrives, until a signal.
    #[command(after_help = SIGNALS)]
    Run,
    /// Take in files and folders now, and leave them where they are; a daemon that runs is handed their bytes.
    Ingest(IngestArgs),
    /// List the records, newest first.
    List(ListArgs),
    /// Show one record: its canonical article, then each variant with what it adds and drops.
    Show(ShowArgs),
    /// Show word by word what a variant adds to its canonical article and drops of it, or any article to another.
    Diff(DiffArgs),
    /// Say why an article is where it is, or how near two articles or records are.
    Explain(ExplainArgs),
    /// Write all records, one JSON object a line, in founding order.
    Export,
    /// Tell the whole story of a file: when it came, what became of each article, where it lies now.
    Trace(TraceArgs),
    /// Tell how things stand: backlog, rates, counts by outcome and relation, disk, memory, inboxes.
    Status(StatusArgs),
    /// Tell what is read, how it is recognized, and what metadata comes out.
    Formats(FormatsArgs),
    /// Say what is wrong with a configuration, with line and key, or that it can be used.
    Check(CheckArgs),
    /// Look at everything that wirefold needs here, and say what mends what is wrong. Changes nothing.
    Doctor(DoctorArgs),
    /// Prove that all that is kept agrees: journal, both laws of counting, originals, view.
    Audit(AuditArgs),
    /// Copy journal, originals and failed files to a folder while the daemon runs; the next time, what came since.
    Backup(BackupArgs),
    /// Bring a backup back into a data directory without data.
    Restore(BackupArgs),
    /// List what could not be read and why, or put files of it back into their inboxes, to be tried again.
    Requeue(RequeueArgs),
    /// Make the view anew from the journal.
    Rebuild,
    /// Measure on labelled articles how well it matches, in a store that is thrown away.
    Eval(EvalArgs),
    /// Measure with made-up articles how fast it is on this machine and disk, in a folder that goes when it is done.
    Bench(BenchArgs),
    /// Keep an article in its record for good.
    Pin(PinArgs),
    /// Let an article that was pinned go where it fits best again.
    Unpin(PinArgs),
}

impl Command {
    /// Whether it works with what is in the data directory, in which it may write.
    pub(super) const fn works_with_data(&self) -> bool {
        self.only_asks()
            || matches!(
                self,
                Self::Run
                    | Self::Ingest(_)
                    | Self::Requeue(_)
                    | Self::Rebuild
                    | Self::Pin(_)
                    | Self::Unpin(_)
            )
    }

    /// Whether it reads and changes nothing.
    pub(super) const fn only_asks(&self) -> bool {
        matches!(
            self,
            Self::List(_)
                | Self::Show(_)
                | Self::Diff(_)
                | Self::Explain(_)
                | Self::Export
                | Self::Trace(_)
                | Self::Status(_)
        )
    }
}

/// What to ingest.
#[derive(Debug, clap::Args)]
pub struct IngestArgs {
    /// Files and folders. A folder's files are taken by name; hidden ones, *.tmp, *.part, *.filepart and *~ are left alone.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Trust publication times however old they are, as for an archive.
    #[arg(long)]
    pub archive: bool,
}

/// What to list.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "ART, SRC and REL count a record's articles, its sources where they are known, and the records \
    related to it. Times are UTC."
)]
pub struct ListArgs {
    /// Only records of which an article came in since then: a date, a time, or a span before now, such as 2h or 3d.
    #[arg(long, value_name = "WHEN", value_parser = |typed: &str| since(typed, now()))]
    pub since: Option<Time>,
    /// Only records of which an article came in before then. A date counts to its end.
    #[arg(long, value_name = "WHEN", value_parser = |typed: &str| until(typed, now()))]
    pub until: Option<Time>,
    /// Only records with an article that was received from this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Only records with an article in this language, as in en.
    #[arg(long, value_name = "CODE", value_parser = language)]
    pub lang: Option<String>,
    /// Only records with so many variants or more.
    #[arg(long, value_name = "N", value_parser = whole_number)]
    pub min_variants: Option<usize>,
    /// Only records with a variant that stands so to what it was matched with.
    #[arg(long, value_name = "RELATION", value_parser = one_of(Relation::ALL.map(|r| (r.name(), r))))]
    pub relation: Option<Relation>,
    /// Only records with an article whose title has all these words, or words that begin with them.
    #[arg(long, value_name = "WORDS")]
    pub title: Option<String>,
    /// Only records with an article whose metadata says so, as in pubstatus=embargoed; `formats` lists the names. More than
    /// one may be given.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_value)]
    pub meta: Vec<(String, String)>,
    /// By first arrival, the newest or the oldest first; by last arrival; or by the number of variants.
    #[arg(long, value_name = "BY", default_value = "newest", value_parser = one_of(Sort::ALL.map(|s| (s.name(), s))))]
    pub sort: Sort,
    /// How many records at most [default: 50 in the table, all in JSON].
    #[arg(long, value_name = "N", value_parser = more_than_none)]
    pub limit: Option<usize>,
    /// Write JSON, one record a line, as `export` does.
    #[arg(long)]
    pub json: bool,
}

/// What to show.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// An article's id or a record's (wf-...), shortened to what is unique; a path, or an article's own id in its file.
    #[arg(value_parser = path_or_id())]
    pub id: String,
    /// How many variants at most [default: 50 for people, all in JSON].
    #[arg(long, value_name = "N", value_parser = whole_number)]
    pub limit: Option<usize>,
    /// Write JSON: the record with the text and metadata of each of its articles.
    #[arg(long)]
    pub json: bool,
}

/// What to compare.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// A variant, to be held against its canonical article; an id or a path, as for `show`.
    #[arg(value_parser = path_or_id())]
    pub id: String,
    /// Any other article, to be held against the first.
    #[arg(value_name = "OTHER", value_parser = path_or_id())]
    pub other: Option<String>,
    /// Write JSON: both texts in stretches that stayed, were dropped or were added.
    #[arg(long)]
    pub json: bool,
}

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// An article or a record, by an id or a path, as for `show`.
    #[arg(value_parser = path_or_id())]
    pub id: String,
    /// Another one, to compare it with.
    #[arg(value_name = "OTHER", value_parser = path_or_id())]
    pub other: Option<String>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to pin.
#[derive(Debug, clap::Args)]
pub struct PinArgs {
    /// The article, by its id or a path, as for `show`.
    #[arg(value_name = "ARTICLE", value_parser = path_or_id())]
    pub id: String,
}

/// How to tell what is read.
#[derive(Debug, clap::Args)]
pub struct FormatsArgs {
    /// Write JSON, one object a format.
    #[arg(long)]
    pub json: bool,
}

/// How to audit.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It exits with 1 where anything is wrong. A backup is audited where it lies, with --data-dir."
)]
pub struct AuditArgs {
    /// Mend what other copies hold: the view from the journal, lost articles from their originals. The daemon must be stopped.
    #[arg(long)]
    pub repair: bool,
    /// Write JSON: what was counted and each finding, with what would mend it.
    #[arg(long)]
    pub json: bool,
}

/// Which backup.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The folder of the backup.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// What to put back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without NAME, --reason and --all it changes nothing, and lists what could not be read: when it came, the code \
    of its reason, and the reason."
)]
pub struct RequeueArgs {
    /// Files by their path, their name, or what they are called in failed/.
    #[arg(value_name = "NAME", value_parser = path_or_id())]
    pub names: Vec<String>,
    /// Only files that failed for the reason of this code, as in too-large; the list has the codes.
    #[arg(long, value_name = "CODE")]
    pub reason: Option<String>,
    /// All that failed.
    #[arg(long, conflicts_with_all = ["names", "reason"])]
    pub all: bool,
}

/// What to trace.
#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// A file's path or name, its SHA-256 or an article's id, shortened to what is unique, a record's (wf-...), or an article's
    /// own id in its file.
    #[arg(value_name = "PATH|DIGEST|ID", value_parser = path_or_id())]
    pub what: String,
    /// Write JSON, one object a file.
    #[arg(long)]
    pub json: bool,
}

/// How to tell it.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

/// How to tell it.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Write JSON: the worst level, and each finding with its check, level, what and remedy.
    #[arg(long)]
    pub json: bool,
}

/// What to check.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The file [default: the one that --config names].
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print every key with its meaning, unit, range and default: a file to begin with.
    #[arg(long, conflicts_with = "file")]
    pub keys: bool,
}

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// A folder with articles.jsonl (a line: id, text, perhaps title, published, source, url, cluster), and where known
    /// pairs.jsonl (a, b, same, perhaps kind) and wild.jsonl (a, b, label); or a folder of such folders.
    #[arg(value_name = "DIR")]
    pub path: PathBuf,
    /// Write JSON, one object a set and setting.
    #[arg(long)]
    pub json: bool,
    /// List so many of the worst false joins, and of the worst misses, with their evidence.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub errors: usize,
    /// Measure with each of these values of a setting, as in match.join=.55,.60,.65. Given more than once, with as many
    /// values each, the settings move together.
    #[arg(long, value_name = "KEY=A,B,C", value_parser = sweep)]
    pub sweep: Vec<Sweep>,
    /// Take in these articles first, so that the store is not empty.
    #[arg(long, value_name = "FILE")]
    pub background: Option<PathBuf>,
    /// Measure also the articles in N other orders.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub shuffles: u32,
}

/// What to measure with.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// A folder on the disk to measure, the current one unless it is said; 100,000 articles need 2 GB of it for a while.
    #[arg(value_name = "DIR")]
    pub place: Option<PathBuf>,
    /// Take in so many articles that are a file each.
    #[arg(long, value_name = "N", default_value_t = Plan::default().files, value_parser = some)]
    pub files: usize,
    /// Take in so many articles as JSON Lines, and measure a daemon that has them.
    #[arg(long, value_name = "N", default_value_t = Plan::default().articles, value_parser = some)]
    pub articles: usize,
    /// Drop files into its inbox for so many seconds each at 1, 20 and 200 a second.
    #[arg(long, value_name = "N", default_value_t = Plan::default().seconds, value_parser = some)]
    pub seconds: usize,
    /// Write JSON, one object a figure.
    #[arg(long)]
    pub json: bool,
}

/// A number of things, at least one.
fn some(typed: &str) -> Result<usize, String> {
    typed
        .parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| "it must be a whole number from 1 on".to_owned())
}

/// A setting and the values that it is to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Its dotted key.
    pub key: String,
    /// The values, as they were typed.
    pub values: Vec<String>,
}

/// One of some words, each with what it means.
fn one_of<T: Clone + Send + Sync + 'static, const N: usize>(
    words: [(&'static str, T); N],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words.clone().map(|(word, _)| word)).try_map(move |typed| {
        let meant = words.iter().find(|(word, _)| *word == typed);
        meant.map(|(_, meant)| meant.clone()).ok_or("there is no such word")
    })
}

/// A path as it is shown, or an id. The name of a file is bytes, and need not be text.
fn path_or_id() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|typed| typed_path(&typed))
}

fn whole_number(typed: &str) -> Result<usize, &'static str> {
    typed.parse().map_err(|_| "it must be a whole number")
}

fn more_than_none(typed: &str) -> Result<usize, &'static str> {
    whole_number(typed).ok().filter(|n| *n > 0).ok_or("it must be a whole number, 1 or more")
}

/// A code as the articles have it: two or three letters, perhaps with a region.
fn language(typed: &str) -> Result<String, &'static str> {
    let code = typed.split(['-', '_']).next().unwrap_or_default();
    let is_code = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphabetic());
    is_code
        .then(|| typed.to_owned())
        .ok_or("it must be a code of two or three letters, as in en, de or pt-BR")
}

fn named_value(typed: &str) -> Result<(String, String), String> {
    let (name, value) = typed.split_once('=').ok_or("it must be NAME=VALUE, as in urgency=4")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn sweep(typed: &str) -> Result<Sweep, String> {
    let (key, values) = typed.split_once('=').ok_or("it must be KEY=A,B,C, as in match.join=.55,.60")?;
    let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
    if values.iter().any(String::is_empty) {
        return Err(format!("{key} has an empty value"));
    }
    Ok(Sweep { key: key.trim().to_owned(), values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_sweep_is_a_key_and_its_values() {
        let values = |v: &[&str]| v.iter().map(|v| (*v).to_owned()).collect();
        assert_eq!(
            sweep("match.join=.5, .6"),
            Ok(Sweep { key: "match.join".to_owned(), values: values(&[".5", ".6"]) })
        );
        assert!(sweep("match.join").unwrap_err().contains("KEY=A,B,C"));
        assert!(sweep("match.join=.5,").unwrap_err().contains("empty value"));
    }
}
