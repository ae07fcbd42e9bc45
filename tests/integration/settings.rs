//! What is wrong with a configuration or a command line is said in words, with an exit code, before anything is made.

use crate::{
    corpus::fixture,
    daemon::Daemon,
    place::{Place, Ran, Running, run},
};
use std::{fs, time::Duration};

/// A daemon that has not refused by then runs.
const REFUSED_WITHIN: Duration = Duration::from_secs(15);

fn with_config(text: &str, command: &str) -> (Place, Ran) {
    let place = Place::configured(text);
    let ran = Running::start(place.command([command])).end_within(REFUSED_WITHIN);
    (place, ran)
}

/// Exit 78, every one of these phrases on standard error, nothing on standard output, and nothing made.
fn check_refused(refused: &(Place, Ran), phrases: &[&str]) {
    check_ended(78, refused, phrases);
}

fn check_ended(code: i32, (place, ran): &(Place, Ran), phrases: &[&str]) {
    assert_eq!(ran.code(), code, "{ran:?}");
    assert_eq!(ran.out, "");
    for phrase in phrases {
        assert!(ran.err.contains(phrase), "'{phrase}' is missing in: {}", ran.err);
    }
    assert!(ran.err.starts_with("wirefold: "), "{}", ran.err);
    assert!(!place.data().join("journal").exists(), "something was made");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let config = "wirefold.toml";
    for command in ["run", "list", "export", "status", "rebuild"] {
        let refused = with_config("[intake]\nsetle_ms = 1\n", command);
        check_refused(&refused, &[config, "'intake.setle_ms'", "'intake.settle_ms'", "hint: "]);
    }
    check_refused(&with_config("[mach]\njoin = 0.5\n", "run"), &["'mach'", "'match'"]);
    check_refused(&with_config("[[inbox]]\npaht = '/x'\n", "run"), &["'inbox[0].paht'", "'inbox[0].path'"]);
}

#[test]
fn a_bad_value_is_named_with_what_it_may_be() {
    check_refused(&with_config("[match]\njoin = 1.5\n", "run"), &["match.join", "1.5", "from 0 to 1"]);
    check_refused(&with_config("[match]\njoin = nan\n", "run"), &["match.join", "from 0 to 1"]);
    check_refused(&with_config("[intake]\nrescan_s = 0\n", "run"), &["intake.rescan_s", "from 1 to 86400"]);
    check_refused(&with_config("[intake]\nsettle_ms = -1\n", "run"), &["wirefold.toml", "settle_ms"]);
    check_refused(&with_config("[intake]\nsettle_ms = 'soon'\n", "run"), &["wirefold.toml", "settle_ms"]);
    check_refused(&with_config("[log]\nformat = 'xml'\n", "run"), &["wirefold.toml", "format", "human"]);
    check_refused(&with_config("[intake]\nignore = ['a*b']\n", "run"), &["a*b"]);
}

#[test]
fn check_says_what_a_configuration_sets_or_all_that_is_wrong_with_it() {
    let text = "[intake]\nsettle_ms = 20\n\n[[inbox]]\npath = '/srv/feeds'\nsource = 'Agency'\n";
    let (place, ran) = with_config(text, "check");
    // The configuration is right, and a start would fail all the same: a script that deploys it must hear of that.
    assert_eq!((ran.code(), ran.out.contains("the inbox '/srv/feeds' does not exist")), (1, true), "{ran:?}");
    fs::create_dir(place.path("feeds")).unwrap();
    let here = text.replace("/srv/feeds", &place.path("feeds").display().to_string());
    assert_eq!(with_config(&here, "check").1.code(), 0);
    let file = place.path("wirefold.toml").display().to_string();
    for line in [
        format!("{file} can be used "),
        format!(" intake.settle_ms = 20 ({file}, line 2) "),
        format!(" inbox[0].path = \"/srv/feeds\" ({file}, line 5) "),
    ] {
        assert!(
            ran.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(&line),
            "'{line}' is missing in {}",
            ran.out
        );
    }
    let wrong = "[intake]\nsettle_ms = 20\nrescan = 3\n[match]\njoin = 7\n[metrics]\nlisten = '0.0.0.0:80'\n";
    check_refused(
        &with_config(wrong, "check"),
        &[
            "3 things",
            "line 3: there is no key 'intake.rescan'",
            "line 5: match.join",
            "line 7: metrics.listen",
        ],
    );
    let place = Place::new();
    fs::write(place.path("other.toml"), "[log]\nlevle = 'debug'\n").unwrap();
    let ran = place.run(["check", "other.toml"]);
    check_refused(&(place, ran), &["other.toml, line 2: there is no key 'log.levle'"]);
}

#[test]
fn a_variable_comes_before_the_file_and_a_wrong_one_is_named() {
    let place = Place::configured("[match]\njoin = 0.5\n");
    let checked = |name: &str, value: &str| {
        let mut command = place.command(["check"]);
        command.env(name, value);
        run(command)
    };
    let good = checked("WIREFOLD_MATCH__JOIN", ".65");
    assert!(good.out.contains("  match.join = 0.65 (WIREFOLD_MATCH__JOIN)\n"), "{good:?}");
    let wrong = checked("WIREFOLD_MATCH__JION", ".65");
    assert_eq!(wrong.code(), 78);
    assert!(wrong.err.contains("WIREFOLD_MATCH__JION: there is no such variable"), "{wrong:?}");
    assert!(wrong.err.contains("did you mean WIREFOLD_MATCH__JOIN?"), "{wrong:?}");
}

#[test]
fn a_misspelt_log_level_is_refused() {
    check_refused(
        &with_config("[log]\nlevel = 'info,wirefold::inbox=lots'\n", "run"),
        &["log.level", "lots"],
    );
    check_refused(&with_config("[log]\nlevel = 'inof'\n", "run"), &["log.level", "inof"]);
}

#[test]
fn bad_toml_is_said_with_its_line() {
    check_refused(&with_config("[intake]\nsettle_ms = = 3\n", "run"), &["wirefold.toml", "line 2"]);
    let mut absent = Place::new();
    absent.configure("");
    fs::remove_file(absent.path("wirefold.toml")).unwrap();
    let ran = absent.run(["run"]);
    check_refused(&(absent, ran), &["wirefold.toml", "because: "]);
}

#[test]
fn a_socket_path_that_is_too_long_is_said_before_anything_is_made() {
    let long = "s".repeat(110);
    let config = format!("[control]\nsocket = '/{long}'\n");
    for command in ["run", "list", "status"] {
        check_refused(&with_config(&config, command), &["111 bytes", "107", "[control] socket"]);
    }
    let place = Place::new();
    let deep = place.path(&long);
    let mut command = place.bare_command();
    command.arg("--data-dir").arg(&deep).arg("run");
    let ran = run(command);
    check_refused(&(place, ran), &["wirefold.sock", "107"]);
    assert!(!deep.exists());
}

#[test]
fn an_inbox_that_cannot_be_used_is_said_in_words() {
    let place = Place::new();
    let missing = place.path("feeds");
    let config = |path: &std::path::Path| format!("[[inbox]]\npath = '{}'\n", path.display());
    let said = |text: &str| {
        let mut there = Place::new();
        there.configure(text);
        let ran = there.run(["run"]);
        (there, ran)
    };
    let shown = missing.display().to_string();
    // It may be a mount that is not there yet, so a service is to try again: not 78.
    check_ended(1, &said(&config(&missing)), &[&shown, "does not exist"]);
    fs::write(&missing, "").unwrap();
    check_refused(&said(&config(&missing)), &[&shown, "is not a folder"]);
    fs::remove_file(&missing).unwrap();
    fs::create_dir_all(missing.join("inner")).unwrap();
    let both = config(&missing) + &config(&missing.join("inner"));
    check_refused(&said(&both), &[&shown, "lies within"]);
}

#[test]
fn a_bad_command_line_is_code_2() {
    let place = Place::new();
    for args in [&["walk"][..], &["ingest"], &["list", "--limit", "many"], &["show"], &["run", "--fast"]] {
        let ran = place.run(args);
        assert_eq!((ran.code(), ran.out.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(ran.err.starts_with("error: ") && ran.err.contains("--help"), "{ran:?}");
    }
    assert!(!place.data().exists());
}

#[test]
fn asking_before_there_is_anything_says_what_to_do() {
    let place = Place::new();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["export"],
        &["status"],
        &["show", "wf-0000000000000000"],
        &["rebuild"],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code(), ran.out.as_str()), (1, ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains("there is no data in") && ran.err.contains("wirefold run"), "{ran:?}");
    }
    assert!(!place.data().exists(), "asking makes nothing");
}

#[test]
fn the_environment_says_where_data_and_configuration_are() {
    let place = Place::new();
    let article = place.path("a.txt");
    fs::write(&article, "A single line of news about nothing much.\n").unwrap();
    let ingest = |vars: &[(&str, &str)]| {
        let mut command = place.bare_command();
        command.env_remove("HOME").envs(vars.iter().copied()).arg("ingest").arg(&article);
        run(command)
    };
    let path = |name: &str| place.path(name).display().to_string();
    assert_eq!(ingest(&[("XDG_DATA_HOME", &path("xdg")), ("HOME", &path("h"))]).code(), 0);
    assert!(place.path("xdg/wirefold/journal").is_dir() && !place.path("h").exists());
    assert_eq!(ingest(&[("HOME", &path("h"))]).code(), 0);
    assert!(place.path("h/.local/share/wirefold/journal").is_dir());
    assert_eq!(ingest(&[("WIREFOLD_DATA_DIR", &path("d"))]).code(), 0);
    assert!(place.path("d/journal").is_dir());
    let nowhere = ingest(&[]);
    assert_eq!(nowhere.code(), 78, "{nowhere:?}");
    assert!(
        nowhere.err.contains("no data directory") && nowhere.err.contains("WIREFOLD_DATA_DIR"),
        "{nowhere:?}"
    );
    fs::write(place.path("c.toml"), format!("data_dir = '{}'\n", path("configured"))).unwrap();
    assert_eq!(ingest(&[("WIREFOLD_CONFIG", &path("c.toml"))]).code(), 0);
    assert!(place.path("configured/journal").is_dir());
}

/// Not even `status` was answered, when an operator needed it most.
#[test]
fn what_is_only_asked_is_answered_with_a_wrong_configuration_too() {
    let mut place = Place::brisk();
    place.ingest([fixture("stories/01-harbour-fire.txt")]);
    let daemon = Daemon::start(&place);
    place.configure("[intake]\nsetle_ms = 5\n[match]\njoin = 7\n");
    for command in
        [&["status"][..], &["list"], &["show", "01-harbour-fire.txt"], &["trace", "01-harbour-fire.txt"]]
    {
        let ran = place.run(command);
        assert_eq!(ran.code(), 0, "{ran:?}");
        assert!(ran.err.contains("did you mean 'intake.settle_ms'?"), "{ran:?}");
        assert!(ran.err.contains("the question is answered all the same"), "{ran:?}");
    }
    check_ended(78, &(Place::new(), place.run(["ingest", "wirefold.toml"])), &["intake.settle_ms"]);
    daemon.stop_well();
    // To ask is to write now, with windows that nobody can know.
    check_ended(78, &(Place::new(), place.run(["list"])), &["match.join"]);
    // Nothing names a data directory, and no daemon is there.
    let mut command = place.bare_command();
    command.arg("--config").arg(place.path("wirefold.toml")).arg("status");
    check_ended(78, &(Place::new(), run(command)), &["intake.settle_ms"]);
}

/// It left a lock and a folder for failed files wherever it was tried.
#[test]
fn a_first_start_that_is_refused_leaves_nothing_behind() {
    let two = "[[inbox]]\npath = '/nowhere/at/all'\n[[inbox]]\npath = '/nowhere/else'\n";
    let (place, ran) = with_config(two, "run");
    assert!(ran.err.contains("wirefold: the inbox '/nowhere/at/all' does not exist"), "{ran:?}");
    assert!(
        ran.err.contains("the inbox '/nowhere/else' does not exist"),
        "the first was named alone: {ran:?}"
    );
    assert!(!place.data().exists());
}

/// It was said to be all right, and the start failed.
#[test]
fn an_inbox_that_another_daemon_holds_is_told_by_check() {
    let mut first = Place::brisk();
    let inbox = first.path("feeds");
    fs::create_dir(&inbox).unwrap();
    let text = format!("[[inbox]]\npath = '{}'\n", inbox.display());
    first.configure(&text);
    let daemon = Daemon::start(&first);
    let second = Place::configured(&text);
    let ran = second.run(["check"]);
    assert!(ran.code() == 1 && ran.out.contains("in use by another wirefold"), "{ran:?}");
    first.done(["check"]);
    daemon.stop_well();
}
