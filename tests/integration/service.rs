//! As a service: what systemd is told, what a reload swaps in or refuses, metrics and health.

use crate::{
    corpus::Reporter,
    daemon::{Daemon, settled},
    place::{Place, append_to, drop_whole, run},
    transcript::{self, Transcript},
    wait::{PATIENCE, pause, within},
};
use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::Signal,
    time::{ClockId, clock_gettime},
};
use std::{
    collections::BTreeMap,
    fs::{self, Metadata, Permissions},
    io::{Read, Write},
    net::TcpStream,
    os::unix::{
        fs::MetadataExt,
        fs::PermissionsExt,
        net::{UnixDatagram, UnixStream},
    },
    path::Path,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// systemd, as far as a service can tell: it listens, and takes in all that it is told.
struct Systemd {
    messages: Receiver<String>,
    told: Vec<String>,
}

impl Systemd {
    /// Starts the daemon of a place as a service, with so long between signs of life.
    fn start(place: &Place, watchdog: Duration) -> (Self, Daemon) {
        let path = place.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (say, messages) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                if say.send(String::from_utf8(buffer[..length].to_vec()).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut command = place.command(["run"]);
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        (Self { messages, told: Vec::new() }, Daemon::launch_as(place, command))
    }

    /// The next message that says this, every message before it noted.
    fn hears(&mut self, what: &str) -> String {
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|e| panic!("no {what}: {e}; {:?}", self.told));
            self.told.push(message.clone());
            if message.lines().any(|line| line.starts_with(what)) {
                return message;
            }
        }
    }

    /// Whether it hears no sign of life for so long from now on.
    fn hears_no_sign_for(&mut self, time: Duration) -> bool {
        self.told.extend(self.messages.try_iter());
        pause(time);
        !self.messages.try_iter().any(|message| message.contains("WATCHDOG=1"))
    }
}

const MINUTE: Duration = Duration::from_mins(1);

/// What is answered to a GET over this stream: the status code and the body.
fn got(mut stream: impl Read + Write, path: &str) -> (u16, String) {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

pub fn get(place: &Place, path: &str) -> (u16, String) {
    got(UnixStream::connect(place.data().join("wirefold.sock")).unwrap(), path)
}

#[test]
fn systemd_is_told_when_it_is_ready_how_it_stands_and_when_it_stops() {
    // What lies there at the start may be half written, and so waits; what is renamed in does not.
    let place = Place::configured("[intake]\nsettle_ms = 3600000\n");
    let mut reporter = Reporter::new(1);
    fs::create_dir_all(place.inbox()).unwrap();
    drop_whole(&place.inbox().join("a.txt"), reporter.story().as_bytes());
    let (mut systemd, daemon) = Systemd::start(&place, MINUTE);
    let ready = systemd.hears("READY=1");
    assert!(ready.contains("STATUS=ready; 0 articles in 0 records; 1 file waiting"), "{ready}");
    assert!(!systemd.told.iter().any(|told| told.contains("STOPPING")));
    // Armed means that what lay there was found, and that what is dropped from now on is told of.
    drop_whole(&place.inbox().join("b.txt"), reporter.story().as_bytes());
    let status = systemd.hears("STATUS=ready; 1 article in 1 record; 1 file waiting");
    assert!(!status.contains("READY"), "{status}");
    daemon.stop_well();
    systemd.hears("STOPPING=1");
}

#[test]
fn signs_of_life_stop_while_the_writer_hangs() {
    let place = Place::brisk();
    let watchdog = Duration::from_millis(600);
    let (mut systemd, daemon) = Systemd::start(&place, watchdog);
    systemd.hears("READY=1");
    systemd.hears("WATCHDOG=1");
    systemd.hears("WATCHDOG=1");
    assert_eq!(get(&place, "/healthz"), (200, "ok\n".to_owned()));
    // Where the reason for an item that cannot be read is to be written there is a pipe: who opens it waits for somebody at
    // its other end, as on a disk that does not answer.
    let pipe = place.failed().join(".0000000000000001-2-a.jsonl.slice.reason.json.tmp");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let text = format!("{}\nnot json\n", Reporter::new(2).line());
    drop_whole(&place.inbox().join("a.jsonl"), text.as_bytes());
    let unwell = within(PATIENCE, "the writer found stuck", || {
        Some(get(&place, "/healthz")).filter(|(code, _)| *code == 503).map(|(_, why)| why)
    });
    assert!(unwell.starts_with("the stage 'commit' has been at one piece of work for"), "{unwell}");
    assert_eq!(get(&place, "/readyz").0, 503);
    systemd.hears("STATUS=the stage 'commit' has been");
    assert!(systemd.hears_no_sign_for(3 * watchdog), "it says that it lives while its writer hangs");
    let shown = place.done(["status"]).out;
    assert!(shown.contains("notice    the stage 'commit'"), "{shown}");
    // Once there is somebody at the other end the writer goes on, and finds that a pipe cannot be synced.
    let mut read_back = String::new();
    fs::File::open(&pipe).unwrap().read_to_string(&mut read_back).unwrap();
    assert!(read_back.contains("\"code\""), "{read_back}");
    let status = daemon.stop(Signal::TERM);
    assert_eq!(status.code(), Some(1), "a failed write ends it");
}

fn microseconds_now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000 + now.tv_nsec / 1000).unwrap()
}

/// A configuration with these inboxes, each with its name for a source.
fn with_inboxes(place: &Place, names: &[&str], rest: &str) -> String {
    let inbox = |name: &&str| {
        let path = place.path(name);
        fs::create_dir_all(&path).unwrap();
        format!("[[inbox]]\npath = '{}'\nsource = '{name}'\n", path.display())
    };
    format!("{rest}\n[intake]\nsettle_ms = 20\n{}", names.iter().map(inbox).collect::<String>())
}

fn write_config(place: &Place, text: &str) {
    fs::write(place.path("wirefold.toml"), text).unwrap();
}

fn deliver(place: &Place, inbox: &str, reporter: &mut Reporter) {
    drop_whole(&place.path(inbox).join(format!("{inbox}.txt")), reporter.story().as_bytes());
}

#[test]
fn a_reload_swaps_in_the_inboxes_and_the_level_of_the_log() {
    let mut place = Place::new();
    let mut reporter = Reporter::new(3);
    place.configure(&with_inboxes(&place, &["one", "two"], ""));
    let (mut systemd, daemon) = Systemd::start(&place, MINUTE);
    systemd.hears("READY=1");
    deliver(&place, "one", &mut reporter);
    settled(&place, 1);
    fs::create_dir_all(place.inbox()).unwrap();
    drop_whole(&place.inbox().join("left.txt"), b"Nobody takes this in.\n");
    assert!(!daemon.log().contains("finished"), "an article is a line only at debug");

    // A claim that an earlier run left in an inbox that is new is taken in, but not under its number: that is
    // the next to be given to another file.
    let left = place.path("three/.wirefold");
    let changed = with_inboxes(&place, &["two", "three"], "[log]\nlevel = 'debug'\n[match]\njoin = 0.7");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("0000000000000002-left.txt"), reporter.story()).unwrap();
    write_config(&place, &changed);
    let before = microseconds_now();
    daemon.signal(Signal::HUP);
    let reloading = systemd.hears("RELOADING=1");
    let told = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!((before..=microseconds_now()).contains(&told.parse().unwrap()), "{reloading}");
    let ready = systemd.hears("READY=1");
    assert!(ready.contains("changed, and in force from the next start: match.join"), "{ready}");
    deliver(&place, "two", &mut reporter);
    deliver(&place, "three", &mut reporter);
    deliver(&place, "one", &mut reporter);
    settled(&place, 4);
    assert!(place.path("one/one.txt").exists(), "it is an inbox no longer");
    let sources: Vec<_> =
        place.export().into_iter().map(|record| record.articles[0].source.clone()).collect();
    let named = |name: &str| sources.iter().filter(|source| source.as_deref() == Some(name)).count();
    assert_eq!((named("one"), named("two"), named("three")), (1, 1, 2), "{sources:?}");
    let log = daemon.log();
    assert!(log.contains("the configuration was reloaded") && log.contains("finished"), "{log}");
    assert!(log.contains("what lies here is not taken in") && log.contains("waiting=1"), "{log}");
    assert!(log.contains("a file went back to its inbox and is taken in again"), "{log}");
    assert!(log.contains("decided") && log.contains("relation=\"canonical\""), "{log}");
    assert!(
        place
            .done(["status"])
            .out
            .contains("notice    changed, and in force from the next start: match.join")
    );
    daemon.stop_well();
}

#[test]
fn a_reload_that_is_wrong_changes_nothing_and_says_so() {
    let mut place = Place::new();
    place.configure(&with_inboxes(&place, &["one"], ""));
    let (mut systemd, daemon) = Systemd::start(&place, MINUTE);
    systemd.hears("READY=1");
    let refused = |systemd: &mut Systemd, text: &str, why: &str| {
        write_config(&place, text);
        daemon.signal(Signal::HUP);
        systemd.hears("RELOADING=1");
        let ready = systemd.hears("READY=1");
        assert!(
            ready.contains("STATUS=ready; ") && ready.contains("the configuration was not reloaded: "),
            "{ready}"
        );
        assert!(ready.contains(why) && ready.lines().count() == 2, "{ready}");
        let page = get(&place, "/metrics").1;
        assert!(page.contains("wirefold_reloads_total{outcome=\"done\"} 0\n"), "{page}");
    };
    refused(
        &mut systemd,
        "[intake]\nsettle = 3\n[match]\njoin = 7\n",
        "wirefold.toml, line 2: there is no key 'intake.settle'",
    );
    let nowhere = format!("[[inbox]]\npath = '{}'\n", place.path("nowhere").display());
    refused(&mut systemd, &nowhere, "nowhere' does not exist");
    // It waits for a restart, and must not be what the restart fails by.
    let no_model = with_inboxes(&place, &["one"], "[match.encoder]\nmodel = '/no/such/model'\n");
    refused(&mut systemd, &no_model, "sentence encoder");
    let checked = place.run(["check"]);
    assert_eq!(checked.code(), 78, "{checked:?}");
    assert!(checked.err.contains("sentence encoder"), "{checked:?}");
    refused(&mut systemd, &nowhere, "nowhere' does not exist");
    Transcript::new(&place, 80).run("status").check("status-notice");
    let log = daemon.log();
    assert!(log.contains("the configuration was not reloaded; the one in force stays so"), "{log}");
    assert!(!log.contains("\\n"), "a sentence of several lines is one in the log: {log}");
    deliver(&place, "one", &mut Reporter::new(4));
    settled(&place, 1);
    // Mended, it is taken, and nothing is left to be said.
    write_config(&place, &with_inboxes(&place, &["one"], ""));
    daemon.signal(Signal::HUP);
    let ready = systemd.hears("READY=1");
    assert!(!ready.contains("not reloaded"), "{ready}");
    daemon.stop_well();
}

/// The figures of a page, each by its name and labels, and checked as Prometheus would: every sample belongs to a
/// family that was declared before it, once, and the buckets of a histogram grow to its count.
fn read_prometheus(page: &str) -> BTreeMap<String, f64> {
    let (mut figures, mut family, mut families) =
        (BTreeMap::new(), (String::new(), String::new()), Vec::new());
    let mut last_bucket: Option<(String, f64)> = None;
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(
                help.split_once(' ').is_some_and(|(_, text)| text.ends_with('.') || text.contains(';')),
                "{line}"
            );
            continue;
        }
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(!families.contains(&name.to_owned()), "{name} is declared twice");
            assert!(kind != "counter" || name.ends_with("_total"), "{line}");
            families.push(name.to_owned());
            family = (name.to_owned(), kind.to_owned());
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number in: {line}"));
        let name = series.split('{').next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
        let suffix = name
            .strip_prefix(family.0.as_str())
            .unwrap_or_else(|| panic!("{line} stands under {}", family.0));
        let suffixes: &[&str] = if family.1 == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(suffixes.contains(&suffix), "{line}");
        if let Some((_, labels)) = series.split_once('{') {
            let labels = labels.strip_suffix('}').unwrap();
            assert!(labels.split("\",").all(|label| label.contains("=\"")), "{line}");
        }
        if suffix == "_bucket" {
            let of = series.split("le=").next().unwrap().to_owned();
            let least = last_bucket.take().filter(|(before, _)| *before == of).map_or(0., |(_, value)| value);
            assert!(value >= least, "{line} is less than {least}");
            last_bucket = Some((of, value));
        } else if suffix == "_count" {
            assert_eq!(last_bucket.take().map(|(_, all)| all), Some(value), "{line}");
        }
        assert!(figures.insert(series.to_owned(), value).is_none(), "{line} stands twice");
    }
    figures
}

#[test]
fn metrics_tell_what_was_done_on_the_socket_and_on_an_address() {
    let place = Place::configured("[intake]\nsettle_ms = 20\n[metrics]\nlisten = '127.0.0.1:0'\n");
    let daemon = Daemon::start(&place);
    let mut reporter = Reporter::new(5);
    let story = reporter.story();
    let broken = format!("{}\nnot json\n", reporter.line());
    for (name, text) in
        [("a.txt", story.as_str()), ("b.txt", &story), ("c.jsonl", &broken), ("d.bin", "\0\u{1}\0")]
    {
        drop_whole(&place.inbox().join(name), text.as_bytes());
        let done = u64::from(name.as_bytes()[0] - b'a') + 1;
        settled(&place, done);
    }
    let page = within(PATIENCE, "the files counted", || {
        let (code, page) = get(&place, "/metrics");
        assert_eq!(code, 200);
        // What the disk holds is added up every few seconds.
        let is_done =
            page.contains("wirefold_file_seconds_count 4\n") && !page.contains("part=\"view\"} 0\n");
        is_done.then_some(page)
    });
    let figures = read_prometheus(&page);
    let figure =
        |name: &str| figures.get(name).copied().unwrap_or_else(|| panic!("{name} is missing in\n{page}"));
    let expected = [
        ("wirefold_files_total{outcome=\"accepted\"}", 1.),
        ("wirefold_files_total{outcome=\"duplicate\"}", 1.),
        ("wirefold_files_total{outcome=\"partly\"}", 1.),
        ("wirefold_files_total{outcome=\"failed\"}", 1.),
        ("wirefold_articles_total{relation=\"canonical\"}", 2.),
        ("wirefold_articles_total{relation=\"rewrite\"}", 0.),
        ("wirefold_articles_total{relation=\"repeat\"}", 1.),
        ("wirefold_items_rejected_total", 1.),
        ("wirefold_store_records", 2.),
        ("wirefold_store_articles", 2.),
        ("wirefold_index_articles", 2.),
        ("wirefold_backlog_files", 0.),
        ("wirefold_ready", 1.),
    ];
    for (name, value) in expected {
        assert!((figure(name) - value).abs() < 1e-9, "{name} is {} and should be {value}", figure(name));
    }
    for stage in ["read", "prepare", "detect", "commit", "dispose"] {
        assert!(
            figure(&format!("wirefold_stage_seconds_count{{stage=\"{stage}\"}}")) >= 4.,
            "{stage}\n{page}"
        );
    }
    for part in ["originals", "journal", "view"] {
        assert!(figure(&format!("wirefold_commit_seconds_sum{{part=\"{part}\"}}")) > 0., "{part}\n{page}");
    }
    let inbox = place.inbox().display().to_string();
    for name in ["wirefold_inbox_up", "wirefold_inbox_waiting_files", "wirefold_inbox_found_by_scan_total"] {
        figure(&format!("{name}{{inbox=\"{inbox}\"}}"));
    }
    assert!(
        figure("wirefold_disk_bytes{part=\"view\"}") > 0.
            && figure("wirefold_disk_free_bytes") > 0.
            && figure("wirefold_last_commit_timestamp_seconds") > 1.7e9
    );
    let mut names: Vec<String> = page.lines().map(without_value).collect();
    names.dedup();
    transcript::check("metrics", &(names.join("\n") + "\n").replace(&inbox, "/place/data/inbox"));
    check_address(&place, &daemon);
    daemon.stop_well();
}

/// A line of figures with its number left out; of a histogram's buckets only the last is worth a line.
fn without_value(line: &str) -> String {
    let Some((series, _)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
        return line.to_owned();
    };
    if series.contains("_bucket") && !series.contains("+Inf") {
        "...".to_owned()
    } else {
        format!("{series} N")
    }
}

/// What is served at the address that the log tells: the same to watch, and nothing to ask or order.
fn check_address(place: &Place, daemon: &Daemon) {
    let log = daemon.log();
    let address = log.split("127.0.0.1:").nth(1).unwrap();
    let port: u16 = address.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    let at = |path: &str| got(TcpStream::connect(("127.0.0.1", port)).unwrap(), path);
    let names = |page: &str| read_prometheus(page).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&at("/metrics").1), names(&get(place, "/metrics").1));
    assert_eq!((at("/healthz"), at("/readyz")), ((200, "ok\n".to_owned()), (200, "ok\n".to_owned())));
    assert_eq!((at("/ask").0, at("/pin").0, at("/").0), (404, 404, 404));
    assert_eq!(get(place, "/ask").0, 405, "there it is answered, to a POST");
}

#[test]
fn an_inbox_that_is_gone_makes_it_not_ready() {
    let mut place = Place::new();
    place.configure(&with_inboxes(&place, &["one"], ""));
    let daemon = Daemon::start(&place);
    assert_eq!(get(&place, "/readyz"), (200, "ok\n".to_owned()));
    let (inbox, away) = (place.path("one"), place.path("away"));
    fs::rename(&inbox, &away).unwrap();
    let why = within(PATIENCE, "the inbox missed", || {
        Some(get(&place, "/readyz")).filter(|(code, _)| *code == 503).map(|(_, why)| why)
    });
    assert!(why.starts_with(&format!("the inbox {} cannot be read: ", inbox.display())), "{why}");
    assert_eq!(get(&place, "/healthz").0, 200, "to start it anew would not bring the inbox back");
    fs::rename(&away, &inbox).unwrap();
    within(PATIENCE, "the inbox found again", || (get(&place, "/readyz").0 == 200).then_some(()));
    daemon.stop_well();
}

/// Whether it was ready hung on whether the last file that was tried was one of these.
#[test]
fn a_folder_that_keeps_its_files_leaves_the_inbox_ready() {
    let Some(place) = Place::of_ordinary_user() else { return };
    place.make_own(&place.inbox());
    let daemon = Daemon::start(&place);
    let shut = place.inbox().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::write(shut.join("kept.txt"), "It may be read and not moved.").unwrap();
    fs::set_permissions(&shut, Permissions::from_mode(0o555)).unwrap();
    within(PATIENCE, "it is refused", || {
        get(&place, "/metrics")
            .1
            .lines()
            .any(|l| l.starts_with("wirefold_inbox_refused_files") && l.ends_with(" 1"))
            .then_some(())
    });
    assert_eq!(get(&place, "/readyz"), (200, "ok\n".to_owned()));
    fs::set_permissions(&shut, Permissions::from_mode(0o755)).unwrap();
    daemon.stop_well();
}

/// The log of a daemon that was started and stopped, with this told of the stream that it goes to.
fn log_of(place: &Place, journal_stream: impl Fn(&Metadata) -> String) -> String {
    let log = place.path("daemon.log");
    let found = append_to(&log).metadata().unwrap();
    let mut command = place.command(["run"]);
    command.env("JOURNAL_STREAM", journal_stream(&found));
    let mut daemon = Daemon::launch_as(place, command);
    daemon.wait_ready();
    daemon.stop_well();
    fs::read_to_string(log).unwrap()
}

#[test]
fn the_log_is_in_the_form_for_who_reads_it() {
    let year = |line: &str| line.starts_with("20");
    let of_this_file = |found: &Metadata| format!("{}:{}", found.dev(), found.ino());
    let journal = log_of(&Place::new(), of_this_file);
    assert!(
        journal.contains("<6>ready articles=0 records=0 socket=")
            && journal.lines().all(|line| line.starts_with("<6>")),
        "{journal}"
    );
    let person = log_of(&Place::new(), |found| format!("{}:{}", found.dev(), found.ino() + 1));
    assert!(person.lines().all(|line| year(line) && line.contains(" INFO ")), "{person}");
    let program = log_of(&Place::configured("[log]\nformat = 'json'\n"), of_this_file);
    for line in program.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["level"] == "INFO" && year(object["timestamp"].as_str().unwrap()), "{line}");
    }
    assert!(program.contains("\"message\":\"ready\""), "{program}");
}

/// The service listens in /run, and a person knows its data directory.
#[test]
fn who_knows_the_data_directory_finds_a_socket_that_lies_elsewhere() {
    let mut place = Place::new();
    fs::create_dir(place.path("run")).unwrap();
    let socket = place.path("run/wirefold.sock");
    place.configure(&format!("[control]\nsocket = '{}'\n", socket.display()));
    let by_data_dir = |place: &Place| {
        let mut command = place.bare_command();
        command.arg("--data-dir").arg(place.data()).arg("status");
        run(command)
    };
    let daemon = Daemon::start(&place);
    assert!(by_data_dir(&place).out.contains(" running for "));
    daemon.kill();
    // What a dead daemon left is in nobody's way.
    place.configure("");
    let daemon = Daemon::start(&place);
    assert!(by_data_dir(&place).out.contains(" running for "));
    daemon.stop_well();
    place.configure(&format!("[control]\nsocket = '{}'\n", socket.display()));
    Daemon::start(&place).stop_well();
    assert!(place.data().join("wirefold.sock").symlink_metadata().is_err(), "it is removed at the end");
}

#[test]
fn an_address_that_is_taken_is_said_in_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let place = Place::configured(&format!("[metrics]\nlisten = '{address}'\n"));
    let ran = place.run(["run"]);
    assert_eq!(ran.code(), 1, "another program may go away: {ran:?}");
    assert!(ran.err.contains(&format!("wirefold: cannot listen for metrics at {address}")), "{ran:?}");
    assert!(
        ran.err.contains("because: ") && !Path::new(&place.data().join("wirefold.sock")).exists(),
        "{ran:?}"
    );
}
