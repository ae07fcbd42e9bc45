//! What a stranger reads: every command's help, every error and every table, each held against a snapshot.

use crate::{
    corpus::fixture,
    daemon::{Daemon, settled},
    place::{Place, drop_whole, run},
    transcript::{Transcript, WIDTHS, check},
};
use clap::CommandFactory;
use std::{fmt::Write, fs, io, process::Command, time::Duration};
use wirefold::{
    bench::BenchError,
    cli::{Args, CliError, explain},
    config::ConfigError,
    control::ControlError,
    eval::EvalError,
    inbox::InboxError,
    journal::JournalError,
    pipeline::{OpenError, PipelineError},
    query::QueryError,
    service::ServiceError,
    store::{LockError, StoreError},
};

/// A place with the fixtures in it, under the names by which a person would give them.
fn with_fixtures() -> Place {
    let place = Place::brisk();
    let copied = Command::new("cp").arg("-r").arg(fixture("")).arg(place.path("news")).status().unwrap();
    assert!(copied.success());
    place
}

#[test]
fn the_help_of_every_command() {
    let place = Place::new();
    for command in std::iter::once(None).chain(Args::command().get_subcommands().map(Some)) {
        let line = command.map_or_else(|| "--help".to_owned(), |c| format!("{} --help", c.get_name()));
        let name = command.map_or_else(|| "help".to_owned(), |c| format!("help-{}", c.get_name()));
        Transcript::new(&place, 80).run(&line).fits().check(&name);
    }
}

#[test]
fn the_tables() {
    let place = with_fixtures();
    let mut ingesting = Transcript::new(&place, 80);
    ingesting.run("ingest news/seeds news/templates news/stories news/copies news/jsonl nowhere");
    ingesting.run("ingest news/seeds").check("ingest");
    let handed_to = with_fixtures();
    let daemon = Daemon::start(&handed_to);
    let mut handing = Transcript::new(&handed_to, 80);
    handing.run("ingest news/seeds news/templates news/stories news/copies news/jsonl nowhere");
    handing.run("ingest news/seeds").check("ingest");
    daemon.stop_well();
    for width in WIDTHS {
        Transcript::new(&place, width).run("list").run("list --limit 2").fits().check("list");
        let mut listed = Transcript::new(&place, width);
        listed.run("list --since 2h --source wire --title dam").run("list --min-variants 1 --sort variants");
        listed.run("list --relation rewrite").run("list --lang en --title kelduin --sort updated");
        listed.run("list --until 1d").run("list --title swing --sort oldest").fits().check("list-filtered");
        Transcript::new(&place, 50).run("list").run("explain dcbb 8052").run("requeue").run("status").fits();
        let mut shown = Transcript::new(&place, width);
        shown.run("show dcbb").run("show 02-padded.txt").run("show tw-0002").check("show");
        let mut diffed = Transcript::new(&place, width);
        diffed
            .run("diff 01-cut.txt")
            .run("diff copies/02-padded.txt")
            .run("diff dcbb")
            .run("diff 03-dateline.txt");
        diffed.run("diff market-monday.txt market-tuesday.txt").fits().check("diff");
        Transcript::new(&place, width)
            .run("explain dcbb")
            .run("explain wf-136b")
            .run("explain dcbb 8052")
            .check("explain");
        Transcript::new(&place, width).run("formats").fits().check("formats");
        Transcript::new(&place, width).run("trace dcbb").run("trace 02-padded.txt").fits().check("trace");
        Transcript::new(&place, width).run("status").check("status-stopped");
        let daemon = Daemon::start(&place);
        Transcript::new(&place, width)
            .run("status")
            .run("pin dcbb")
            .run("pin dcbb")
            .run("unpin dcbb")
            .run("unpin dcbb")
            .check("status-running");
        daemon.stop_well();
        Transcript::new(&place, width).run("eval news/labelled --errors 2").check("eval");
    }
    Transcript::new(&place, 80).run("rebuild").check("rebuild");
    let mut kept = Transcript::new(&place, 80);
    kept.run("audit")
        .run("backup copy")
        .run("backup copy")
        .run("restore copy")
        .run("requeue x")
        .check("kept");
}

#[test]
fn a_place_with_nothing_in_it() {
    let place = Place::brisk();
    let mut told = Transcript::new(&place, 80);
    told.run("list").run("show dcbb").run("export").run("status");
    let daemon = Daemon::start(&place);
    told.run("list").run("show dcbb").run("export");
    daemon.stop_well();
    told.run("rebuild").run("audit").run("trace a.txt").run("requeue --all").check("nothing-yet");
}

#[test]
fn wrong_command_lines() {
    let place = Place::new();
    let mut told = Transcript::new(&place, 80);
    told.run("lsit").run("ingest").run("show").run("list --limt 3").run("list --limit many");
    told.run("list --lang english");
    told.run("eval news --sweep match.join").run("eval news --sweep a=1,2 --sweep b=1").run("run now");
    told.check("wrong-command-lines");
}

#[test]
fn questions_without_an_answer() {
    let place = with_fixtures();
    place.ingest(["news/seeds", "news/stories"]);
    let mut told = Transcript::new(&place, 80);
    told.run("show b55").run("show zebra").run("show 0000").run("show wf-0000").run("explain dcbb dcbb");
    told.run("diff 136b").run("diff wf-136b").run("diff 8052").run("diff dcbb dcbb").run("show 8");
    told.run("list --since soon")
        .run("list --until 2026-13-01")
        .run("list --relation copy")
        .run("list --sort size");
    told.run("trace zebra.txt").run("trace wf-0000");
    fs::write(place.path("junk.txt"), [0xff, 0, 1, 2].repeat(40)).unwrap();
    place.run(["ingest", "news/jsonl", "junk.txt"]);
    told.run("show broken.jsonl").run("diff articles.jsonl").run("show junk.txt");
    told.run("explain dcbb wf-0000").run("pin wf-136b").run("pin xyz").run("pin 0000");
    told.run("eval nowhere").run("eval news/encodings").run("eval news/html");
    fs::write(place.path("bad.jsonl"), "{\"id\": \"1\", \"text\": 3}\n").unwrap();
    fs::write(place.path("empty.jsonl"), "").unwrap();
    told.run("eval bad.jsonl").run("eval empty.jsonl").run("bench nowhere").run("bench --files 0");
    told.check("no-answer");
}

#[test]
fn what_could_not_be_read() {
    let place = with_fixtures();
    fs::write(place.path("junk.txt"), [0xff, 0, 1, 2].repeat(40)).unwrap();
    let mut told = Transcript::new(&place, 80);
    place.run(["ingest", "news/jsonl", "junk.txt"]);
    let received = place.status().files.received;
    let daemon = Daemon::start(&place);
    told.run("requeue --all");
    drop_whole(&place.inbox().join("empty.zip"), b"PK\x03\x04 and then no more of it");
    settled(&place, received + 1);
    told.run("requeue").run("requeue --reason damaged").run("requeue nobody.txt").run("trace empty.zip");
    daemon.stop_well();
    told.run("requeue").run("requeue --all").check("unread");
}

#[test]
fn configurations_that_cannot_be_used() {
    let mut said = String::new();
    let mut refuse = |config: &str, line: &str| {
        let place = Place::configured(config);
        fs::create_dir_all(place.path("feeds/sports")).unwrap();
        let ran = place.run(line.split(' '));
        let err = ran.err.replace(place.path("").to_str().unwrap(), "/place/");
        write!(said, "{config}\n$ wirefold {line}\n{err}[exit code {}]\n\n", ran.code()).unwrap();
    };
    refuse("[intake]\nsetle_ms = 1", "run");
    refuse("[mach]\njoin = 1", "run");
    refuse("[match]\njoin = 1.5", "run");
    refuse("[intake]\nrescan_s = 0", "run");
    refuse("[intake]\nsettle_ms = 'soon'", "run");
    refuse("[intake]\nsettle_ms = = 3", "run");
    refuse("[log]\nformat = 'xml'", "run");
    refuse("[log]\nlevel = 'inof'", "run");
    refuse("[intake]\nignore = ['a*b']", "run");
    refuse("[[inbox]]\npath = '/nowhere/at/all'", "run");
    refuse("[[inbox]]\npath = 'wirefold.toml'", "run");
    refuse("[[inbox]]\npath = 'feeds'\n[[inbox]]\npath = 'feeds/sports'", "run");
    refuse("[[inbox]]\npath = '/f/a'\n[[inbox]]\npath = '/f'\n[[inbox]]\npath = '/f'", "run");
    refuse(&format!("[control]\nsocket = '/{}'", "s".repeat(110)), "status");
    refuse("[match]\njoin = 1.5", "list");
    refuse("[metrics]\nlisten = '0.0.0.0:9464'", "run");
    refuse("[[inbox]]\npath = 'feeds'\nwatch = 'often'\nsorce = 'A'\n[[inbox]]\nsource = 'B'", "run");
    refuse("[intake]\nignore = '*.tmp'\n[match]\njoin = '0.6'\nmerging = 1", "check");
    let place = Place::new();
    let mut command = place.bare_command();
    command.args(["--data-dir", "~/news", "run"]);
    let ran = run(command);
    write!(said, "$ wirefold --data-dir '~/news' run\n{}[exit code {}]\n\n", ran.err, ran.code()).unwrap();
    fs::write(place.path("notes"), "text").unwrap();
    for (line, is_told_by) in
        [("--data-dir notes run", None), ("list", Some("notes")), ("--config home run", None)]
    {
        let mut command = place.bare_command();
        command.args(line.split(' ')).envs(is_told_by.map(|dir| ("WIREFOLD_DATA_DIR", dir)));
        let ran = run(command);
        let err = ran.err.replace(place.path("").to_str().unwrap(), "/place/");
        let before = is_told_by.map_or_else(String::new, |dir| format!("WIREFOLD_DATA_DIR={dir} "));
        write!(said, "$ {before}wirefold {line}\n{err}[exit code {}]\n\n", ran.code()).unwrap();
    }
    check("wrong-configurations", &said);
}

#[test]
fn what_a_configuration_sets() {
    let place = Place::configured(
        "[intake]\nsettle_ms = 20\nignore = [\"*.tmp\"]\n\n[[inbox]]\npath = \"/srv/feeds/agency\"\nsource = \"Agency\"\n\n[[inbox]]\npath = \"/mnt/desk\"\nwatch = \"scans\"\n",
    );
    fs::write(place.path("mine.toml"), "[mach]\njoin = 1\n").unwrap();
    let mut told = Transcript::new(&place, 80);
    told.run("check").run("check mine.toml").run("check nowhere.toml").check("check");
    let mut said = String::new();
    for (name, value) in [
        ("WIREFOLD_MATCH__JOIN", ".65"),
        ("WIREFOLD_MATCH__JION", ".65"),
        ("WIREFOLD_MATCH__JOIN", "much"),
        ("WIREFOLD_INBOX", "/srv/feeds"),
    ] {
        let mut command = place.bare_command();
        command.args(["--data-dir", "/data", "check"]).env(name, value);
        let ran = run(command);
        write!(said, "$ {name}={value} wirefold --data-dir /data check\n{}{}", ran.out, ran.err).unwrap();
        write!(said, "[exit code {}]\n\n", ran.code()).unwrap();
    }
    check("check-variables", &said);
}

#[test]
fn a_second_one_is_told_who_was_first() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    place.done(["backup", "copy"]);
    Transcript::new(&place, 80).run("run").run("rebuild").run("restore copy").check("second-one");
    daemon.stop_well();
}

/// Most of what it says is of this machine; what must hold of it everywhere is that it can be read.
#[test]
fn what_the_doctor_says() {
    let place = with_fixtures();
    for width in WIDTHS {
        Transcript::new(&place, width).run("doctor").fits();
    }
    let wrong = Place::configured("[intake]\nsetle_ms = 1\n[match]\njoin = 1.5\n");
    let mut command = wrong.command(["doctor"]);
    command.env("COLUMNS", "80");
    let said = run(command).out;
    let (configuration, rest) = said.split_once("\nwarning  data").unwrap_or_else(|| panic!("{said}"));
    check("doctor-80", &configuration.replace(wrong.path("").to_str().unwrap(), "/place/"));
    assert!(rest.contains("canary") && rest.contains("1 failure"), "it goes on by what is right: {said}");
}

fn handed_in_part(what: &str, files: u64, is_temporary: bool) -> CliError {
    ServiceError::HandedInPart { what: what.to_owned(), files, is_temporary }.into()
}

/// What no command brings about without a broken disk, a full one or a defect.
#[test]
fn errors_that_are_hard_to_come_by() {
    let path = || "/srv/news/x".into();
    let full = || io::Error::from_raw_os_error(28);
    let bad_json = || serde_json::from_str::<u8>("x").unwrap_err();
    let journal = || JournalError::Io { action: "write", path: path(), source: full() };
    let damaged =
        || JournalError::Damaged { path: path(), offset: 4096, what: "its sum is wrong".to_owned() };
    let store = || StoreError::Damaged { key: "a\\x00".to_owned(), what: "its checksum is wrong".to_owned() };
    let stage = PipelineError::Stage { stage: "read", what: "index out of bounds".to_owned() };
    let errors: Vec<CliError> = vec![
        ConfigError::NoDataDir.into(),
        ControlError::Silent.into(),
        ControlError::Broken("connection reset".to_owned()).into(),
        ControlError::Busy.into(),
        ControlError::Address { address: ([127, 0, 0, 1], 9464).into(), source: full() }.into(),
        ControlError::Socket { action: "make", path: path(), source: full() }.into(),
        ControlError::Socket { action: "connect to", path: path(), source: io::Error::from_raw_os_error(13) }
            .into(),
        ServiceError::NoRoom { what: "3 MiB are free at /srv, and 128 are asked for".to_owned(), files: 2 }
            .into(),
        handed_in_part("is stopping", 1, true),
        handed_in_part("ended in the middle", 0, true),
        handed_in_part(
            "can take in no more for now: no copy can be made in its data directory: No space left on device",
            12,
            true,
        ),
        handed_in_part("can take in no more: it does not understand what was handed over", 12, false),
        QueryError::Store(store()).into(),
        QueryError::Store(StoreError::Inconsistent("2 articles, and 3 are counted".to_owned())).into(),
        QueryError::Journal(damaged()).into(),
        QueryError::Thread(io::Error::from_raw_os_error(11)).into(),
        BenchError::Stuck { left: 3, dropped: 200, seconds: 60 }.into(),
        EvalError::Folder(full()).into(),
        CliError::Interrupted,
        CliError::Answer(bad_json()),
        CliError::Output(full()),
        CliError::Runtime(full()),
        ServiceError::Lock(LockError::Io { path: path(), source: full() }).into(),
        ServiceError::Open(OpenError::Journal(journal())).into(),
        ServiceError::Open(OpenError::Store(store())).into(),
        ServiceError::Open(OpenError::Gone { folder: path() }).into(),
        ServiceError::Inbox(InboxError::NotWritable { path: path(), source: full() }).into(),
        ServiceError::Inbox(InboxError::InUse { path: path() }).into(),
        ServiceError::Inbox(InboxError::Tangled { path: path() }).into(),
        ServiceError::Inbox(InboxError::Io { what: "claim", path: path(), source: full() }).into(),
        ServiceError::Pipeline(PipelineError::Journal(journal())).into(),
        ServiceError::Pipeline(PipelineError::Store(store())).into(),
        ServiceError::Pipeline(stage).into(),
        ServiceError::Pipeline(PipelineError::Reason(bad_json())).into(),
        ServiceError::Io { action: "make", path: path(), source: full() }.into(),
        ServiceError::Task { name: "intake", what: "it panicked".to_owned() }.into(),
        ServiceError::Aborted.into(),
        ServiceError::Stuck(Duration::from_secs(20)).into(),
    ];
    let said = errors.iter().fold(String::new(), |said, error| {
        let (told, exit) = explain(error);
        said + &format!("{told}\n[exit code {}]\n\n", exit as u8)
    });
    check("hard-to-come-by", &said);
}
