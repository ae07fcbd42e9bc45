//! What may be typed.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Folds the copies and rewrites of one wire story into one canonical record.
///
/// Drop news files into the inbox of a running daemon, or ingest them, and ask for the records.
#[derive(Debug, Parser)]
#[command(name = "wirefold", version, max_term_width = 100)]
pub struct Args {
    /// The configuration [default: what is built in].
    #[arg(long, global = true, env = "WIREFOLD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept [default: `$XDG_DATA_HOME/wirefold`].
    #[arg(long, global = true, env = "WIREFOLD_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon: watch the inboxes and fold what arrives, until a signal.
    Run,
    /// Take in files and folders now, and leave them where they are.
    Ingest(IngestArgs),
    /// List the records, newest first.
    List(ListArgs),
    /// Show one record with its articles.
    Show(ShowArgs),
    /// Write all records, one JSON object a line, in founding order.
    Export,
    /// Tell how things stand: backlog, counts by outcome, inboxes.
    Status(StatusArgs),
    /// Make the view anew from the journal.
    Rebuild,
    /// Keep an article in its record for good. For now only while no daemon runs.
    Pin(PinArgs),
    /// Let an article that was pinned go where it fits best again.
    Unpin(PinArgs),
}

/// What to ingest.
#[derive(Debug, clap::Args)]
pub struct IngestArgs {
    /// Files and folders. A folder's files are taken by name; hidden ones are left alone.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Trust publication times however old they are, as for an archive.
    #[arg(long)]
    pub archive: bool,
}

/// What to list.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// How many records at most.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Write JSON, one record a line, as `export` does.
    #[arg(long)]
    pub json: bool,
}

/// What to show.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// A record's id (wf-...), an alias of one, or an article's id.
    pub id: String,
    /// Write JSON: the record with the text and metadata of each of its articles.
    #[arg(long)]
    pub json: bool,
}

/// What to pin.
#[derive(Debug, clap::Args)]
pub struct PinArgs {
    /// The article's id, or its first digits.
    #[arg(value_name = "ARTICLE")]
    pub id: String,
}

/// How to tell it.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Args::command().debug_assert();
    }
}
