//! How long each reading command takes, from its start as a process to its end, with 10,000 made-up articles in and a
//! daemon up that answers; and that without a daemon it says the same.
//!
//! A plain harness, since what is measured is a command as a person runs it.
//!
//! `cargo bench --bench asking`, or `-- 100000` for another number of articles.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a program of its own, and prints a table"
)]

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use wirefold::{
    bench::processes::Program,
    generate::{Stream, json_line},
    query::RecordAnswer,
};

const ARTICLES: usize = 10_000;
/// A desk that has these within a few days.
const A_DAY: u32 = 2_000;
const TIMES: usize = 20;
/// What a command may take at most with 10,000 articles in.
const TARGET_MS: f64 = 50.;

fn main() {
    let articles = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ARTICLES);
    let dir = tempfile::tempdir().expect("a folder can be made");
    // It goes on for as long as there is somebody to be told figures, of which there are none here.
    let (told, _listening) = mpsc::channel(1);
    let path = Path::new(env!("CARGO_BIN_EXE_wirefold"));
    let program = Program::new(path, dir.path(), &told).expect("there is room for its configuration");
    let data = fill(&program, dir.path(), articles);
    let asked = Asked { program, data };
    let daemon = asked.program.daemon_in(&asked.data).expect("the daemon comes up");
    let commands = asked.commands();
    println!("{:<54} {:>9} {:>9} {:>9}", "with the daemon up", "median ms", "most ms", "bytes");
    let answers: Vec<Vec<u8>> = commands.iter().map(|command| asked.measure(dir.path(), command)).collect();
    drop(daemon);
    for (command, answer) in commands.iter().zip(answers) {
        let alone = asked.command(command).output().expect("the command runs");
        assert!(alone.stdout == answer, "{} says something else without a daemon", command.join(" "));
    }
    println!("without a daemon each said the same; required at {ARTICLES} articles: {TARGET_MS} ms at most");
}

/// Takes in made-up articles. Returns the data directory.
fn fill(program: &Program<'_>, dir: &Path, articles: usize) -> PathBuf {
    let file = dir.join("articles.jsonl");
    let mut to = BufWriter::new(fs::File::create(&file).expect("the articles can be written"));
    for article in Stream::new(1, A_DAY).take(articles) {
        writeln!(to, "{}", json_line(&article)).expect("the articles can be written");
    }
    to.flush().expect("the articles can be written");
    program.ingest("data", &file).expect("the articles are taken in").data_dir
}

/// A data directory, and the program that is asked for what is in it.
struct Asked<'f> {
    program: Program<'f>,
    data: PathBuf,
}

impl Asked<'_> {
    fn command(&self, arguments: &[impl AsRef<str>]) -> Command {
        let mut command = self.program.command(&self.data);
        command.args(arguments.iter().map(AsRef::as_ref));
        command
    }

    /// What a person asks, about records that have something to say.
    fn commands(&self) -> Vec<Vec<String>> {
        let listed = self.command(&["list", "--json", "--sort", "variants", "--limit", "1"]).output();
        let record: RecordAnswer =
            serde_json::from_slice(&listed.expect("the command runs").stdout).expect("there is a record");
        let variant =
            record.articles.iter().find(|article| article.relation.is_some()).expect("it has a variant");
        let title =
            record.title.iter().find_map(|title| title.split(' ').next_back()).expect("it has a title");
        let source =
            record.articles.iter().find_map(|article| article.source.as_deref()).expect("it has a source");
        let (id, variant) = (&*record.record.to_string(), &*variant.id.to_string());
        let all = [
            vec!["list"],
            vec!["list", "--json"],
            vec!["list", "--limit", "1000000"],
            vec!["list", "--title", title],
            vec!["list", "--source", source, "--sort", "updated"],
            vec!["list", "--min-variants", "2", "--sort", "variants"],
            vec!["list", "--relation", "rewrite", "--lang", "en"],
            vec!["list", "--meta", "urgency=4"],
            vec!["show", id],
            vec!["show", variant, "--json"],
            vec!["diff", variant],
            vec!["explain", variant],
            vec!["explain", id],
            vec!["trace", variant],
            vec!["export"],
        ];
        all.map(|words| words.into_iter().map(str::to_owned).collect()).into()
    }

    /// Asks again and again, and prints a row. The answer goes to a file, so that who reads it takes no time of its own.
    fn measure(&self, dir: &Path, command: &[String]) -> Vec<u8> {
        let path = dir.join("answer");
        let ask = || {
            let into = fs::File::create(&path).expect("a file can be made");
            let begun = Instant::now();
            let ended = self.command(command).stdout(into).status().expect("the command runs");
            (begun.elapsed(), ended)
        };
        assert!(ask().1.success(), "{} fails", command.join(" "));
        let answer = fs::read(&path).expect("the answer is there");
        let mut took: Vec<Duration> = (0..TIMES).map(|_| ask().0).collect();
        took.sort_unstable();
        let millis = |at: usize| took.get(at).map_or(0., |took| took.as_secs_f64() * 1e3);
        println!(
            "{:<54} {:>9.1} {:>9.1} {:>9}",
            command.join(" "),
            millis(TIMES / 2),
            millis(TIMES - 1),
            answer.len()
        );
        answer
    }
}
