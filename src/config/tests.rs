//! What a configuration says, and how what is wrong with one is told.

use super::*;

fn of(text: &str) -> Result<Config, ConfigError> {
    with(text, &[])
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut layers = Layers::new();
    layers.add_file(Path::new("my.toml"), text);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    layers.add_variables(&variables);
    let mut config = Config::of(layers)?;
    if config.data_dir.as_os_str().is_empty() {
        config.data_dir = "/data".into();
    }
    config.check_places().map(|()| config)
}

fn said(text: &str) -> String {
    of(text).unwrap_err().to_string()
}

#[test]
fn the_embedded_file_is_whole_and_valid() {
    let config = of("").unwrap();
    assert_eq!(config.intake.settle_ms, 500);
    assert_eq!(config.inbox_settings().inboxes[0].ignore, ["*.tmp", "*.part", "*.filepart", "*~"]);
    assert_eq!(of(DEFAULTS).unwrap().values, config.values);
    let uncommented = |line: &str| {
        ["# [[", "# path", "# source", "# watch", "# ignore"].iter().any(|head| line.starts_with(head))
    };
    let with_an_inbox: Vec<_> = DEFAULTS
        .lines()
        .map(|line| if uncommented(line) { line.trim_start_matches("# ") } else { line })
        .collect();
    let inboxes = of(&with_an_inbox.join("\n")).unwrap().inbox;
    assert_eq!((inboxes.len(), inboxes[0].watch, inboxes[1].watch), (2, Watch::Events, Watch::Scans));
}

#[test]
fn a_file_changes_only_what_it_names() {
    let config = of("[intake]\nsettle_ms = 0\n[[inbox]]\npath = '/feeds'\nsource = 'Agency'").unwrap();
    assert_eq!((config.intake.settle_ms, config.intake.rescan_s), (0, 30));
    assert_eq!(config.inbox_settings().inboxes[0].source.as_deref(), Some("Agency"));
}

#[test]
fn each_inbox_has_its_own_source_way_and_patterns() {
    let text = "[intake]\nignore = ['*.tmp']\n[[inbox]]\npath = '/a'\nwatch = 'scans'\nignore = ['*.lock']\n[[inbox]]\npath = '/b'";
    let inboxes = of(text).unwrap().inbox_settings().inboxes;
    assert_eq!((inboxes[0].by_events, inboxes[0].ignore.as_slice()), (false, &["*.lock".to_owned()][..]));
    assert_eq!((inboxes[1].by_events, inboxes[1].ignore.as_slice()), (true, &["*.tmp".to_owned()][..]));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
    assert_eq!(
        said("[intake]\n\nsetle_ms = 1"),
        "my.toml, line 3: there is no key 'intake.setle_ms'; did you mean 'intake.settle_ms'?"
    );
    assert_eq!(
        said("[intake]\nkafka_brokers = 1"),
        "my.toml, line 2: there is no key 'intake.kafka_brokers'"
    );
    assert!(said("[matc]").contains("did you mean 'match'?"));
    assert!(said("[[inbx]]\npath = '/x'").contains("did you mean 'inbox'?"));
    assert_eq!(
        said("[[inbox]]\npath = '/x'\n[[inbox]]\npath = '/y'\nsorce = 'Y'"),
        "my.toml, line 5: there is no key 'inbox[1].sorce'; did you mean 'inbox[1].source'?"
    );
}

#[test]
fn a_value_outside_its_range_is_named_with_the_range() {
    assert_eq!(said("[match]\njoin = 1.5"), "my.toml, line 2: match.join is 1.5; it must be from 0 to 1");
    assert_eq!(said("match.join = 2"), "my.toml, line 1: match.join is 2.0; it must be from 0 to 1");
    assert_eq!(
        said("[intake]\nsettle_ms = -1"),
        "my.toml, line 2: intake.settle_ms is -1; it must be from 0 to 3600000"
    );
    assert_eq!(
        said("[intake]\nsettle_ms = 'soon'"),
        "my.toml, line 2: intake.settle_ms is 'soon'; it must be a whole number"
    );
    assert!(said("[log]\nformat = 'xml'").ends_with("log.format is 'xml'; it must be auto or human or json"));
    assert!(said("[intake]\nignore = ['a*b']").contains("a * at the start"));
    assert!(said("[[inbox]]\npath = '/x'\nwatch = 'often'").contains("line 3: inbox[0].watch is 'often'"));
    assert!(said("inbox = '/x'").contains("inbox must be a list of tables"));
    assert!(said("[[inbox]]\nsource = 'A'").contains("my.toml, line 1: inbox[0] has no path"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    assert_eq!(
        said("[match]\njoin = 1.5\nmerg = 1"),
        "2 things in the configuration are wrong\n  \
         my.toml, line 2: match.join is 1.5; it must be from 0 to 1\n  \
         my.toml, line 3: there is no key 'match.merg'; did you mean 'match.merge'?"
    );
}

#[test]
fn what_would_make_no_sense_is_refused() {
    assert_eq!(
        said("data_dir = '/d'\n[[inbox]]\npath = '/d/journal'"),
        "my.toml, line 3: the inbox /d/journal lies within the data directory, and only its folder 'inbox' may be one"
    );
    assert!(of("data_dir = '/d'\n[[inbox]]\npath = '/d/inbox/agency'").is_ok());
    assert_eq!(
        said("[[inbox]]\npath = '/in'\ndone = '.tmp'"),
        "my.toml, line 3: names that end in .tmp are left alone there, so no marker would be seen"
    );
    assert!(
        said("[[inbox]]\npath = '/in'\ndone = '*.ok'").contains("it must be the end of a name, as .done")
    );
    assert!(of("[[inbox]]\npath = '/in'\ndone = '.ok'").is_ok());
    assert_eq!(
        said("data_dir = '~/wf'"),
        "my.toml, line 1: data_dir is '~/wf'; it must be a whole path: ~ means something to a shell alone"
    );
    assert!(
        said("[[inbox]]\npath = '~/feeds'")
            .contains("line 2: inbox[0].path is '~/feeds'; it must be a whole path")
    );
    assert!(of("data_dir = '/srv/~old'").is_ok());
    assert_eq!(
        said("[[inbox]]\npath = '/f/a'\n[[inbox]]\npath = '/f'"),
        "my.toml, line 2: the inbox /f/a lies within the inbox /f: its files would be taken twice"
    );
    assert!(
        said("[[inbox]]\npath = '/f'\n[[inbox]]\npath = '/f'")
            .contains("line 4: the inbox /f is named twice")
    );
    assert!(said("[log]\nlevel = 'loud'").contains("log.level is 'loud'; it must be error, warn"));
    assert!(of("[log]\nlevel = 'info,wirefold::inbox=debug'").is_ok());
}

#[test]
fn metrics_are_served_to_this_machine_alone() {
    let listen = |address: &str| of(&format!("[metrics]\nlisten = '{address}'"));
    for address in ["127.0.0.1:9464", "[::1]:0", "127.8.8.8:1"] {
        assert!(listen(address).unwrap().metrics_address().is_some());
    }
    assert_eq!(of("").unwrap().metrics_address(), None);
    for address in ["0.0.0.0:9464", "[::]:9464", "192.168.0.4:9464", "localhost:9464", "9464", "127.0.0.1"] {
        let said = listen(address).unwrap_err().to_string();
        assert!(
            said.contains("line 2: metrics.listen is '") && said.contains("this machine alone"),
            "{said}"
        );
    }
}

#[test]
fn a_variable_comes_before_the_file() {
    let config = with(
        "[match]\njoin = 0.7\nmerge = 0.7",
        &[
            ("WIREFOLD_MATCH__JOIN", ".57"),
            ("WIREFOLD_LOG__LEVEL", "debug"),
            ("WIREFOLD_MATCH__MERGING", "false"),
            ("WIREFOLD_INTAKE__IGNORE", "[\"*.x\"]"),
            ("WIREFOLD_INBOX", "[{ path = \"/a\", source = \"A\" }, { path = \"/b\" }]"),
            ("WIREFOLD_DATA_DIR", "/d"),
            ("PATH", "/bin"),
        ],
    );
    let config = config.unwrap();
    let m = &config.matching;
    assert_eq!(
        (m.join.to_bits(), m.merge.to_bits(), m.merging),
        (0.57_f64.to_bits(), 0.7_f64.to_bits(), false)
    );
    assert_eq!(
        (config.log.level.as_str(), config.intake.ignore.as_slice()),
        ("debug", &["*.x".to_owned()][..])
    );
    assert_eq!((config.inbox.len(), config.inbox[0].source.as_deref()), (2, Some("A")));
    let said: Vec<_> =
        config.said().iter().map(|s| format!("{} = {} ({})", s.key, s.value, s.place)).collect();
    assert!(said.contains(&"match.merge = 0.7 (my.toml, line 3)".to_owned()), "{said:?}");
    assert!(said.contains(&"match.join = 0.57 (WIREFOLD_MATCH__JOIN)".to_owned()), "{said:?}");
}

#[test]
fn a_wrong_variable_is_named() {
    let said = |name, value| with("", &[(name, value)]).unwrap_err().to_string();
    assert_eq!(
        said("WIREFOLD_MATCH__JION", "1"),
        "WIREFOLD_MATCH__JION: there is no such variable; did you mean WIREFOLD_MATCH__JOIN?"
    );
    assert!(said("WIREFOLD_MATCH", "1").contains("WIREFOLD_MATCH: there is no such variable"));
    assert!(said("WIREFOLD_INBOXES", "[]").contains("did you mean WIREFOLD_INBOX?"));
    assert!(!said("WIREFOLD_FOO", "1").contains("did you mean"), "nothing is near");
    assert_eq!(
        said("WIREFOLD_MATCH__JOIN", "much"),
        "WIREFOLD_MATCH__JOIN: match.join is 'much'; it must be a number"
    );
    assert_eq!(
        said("WIREFOLD_INTAKE__RESCAN_S", "0"),
        "WIREFOLD_INTAKE__RESCAN_S: intake.rescan_s is 0; it must be from 1 to 86400"
    );
    let inbox = said("WIREFOLD_INBOX", "[{ path = \"/a\", watch = \"often\" }]");
    assert!(inbox.starts_with("WIREFOLD_INBOX: inbox[0].watch is 'often'"), "{inbox}");
    assert!(said("WIREFOLD_INBOX", "/a").contains("inbox must be a list of tables"));
}

#[test]
fn a_value_typed_on_the_command_line_comes_before_the_file() {
    let given = |key: &str, value: &str| {
        let mut layers = Layers::new();
        layers.add_file(Path::new("my.toml"), "[match]\njoin = 0.7");
        layers.add_typed(key, value, &Place::CommandLine);
        Config::of(layers)
    };
    assert_eq!(given("match.join", ".57").unwrap().matching.join.to_bits(), 0.57_f64.to_bits());
    assert!(!given("match.merging", "false").unwrap().matching.merging);
    let said = |key, value| given(key, value).unwrap_err().to_string();
    assert!(said("match.joint", "1").starts_with("the command line: there is no key 'match.joint'"));
    assert_eq!(said("match.join", "much"), "the command line: match.join is 'much'; it must be a number");
}

#[test]
fn a_reload_swaps_in_what_it_can_and_names_the_rest() {
    let older = of("[match]\njoin = 0.7").unwrap();
    let newer = of(
        "[log]\nlevel = 'debug'\n[intake]\nsettle_ms = 1\n[[inbox]]\npath = '/a'\n[control]\nsocket = '/s'",
    );
    let newer = newer.unwrap();
    let Differences { swapped, at_restart } = newer.differences(&older);
    assert_eq!(swapped, ["inbox", "intake.settle_ms", "log.level"]);
    assert_eq!(at_restart, ["control.socket", "match.join"]);
    let after = older.swapped(&newer);
    assert_eq!((after.intake.settle_ms, after.inbox.len(), after.log.level.as_str()), (1, 1, "debug"));
    assert_eq!(after.matching.join.to_bits(), 0.7_f64.to_bits());
    let left = newer.differences(&after);
    assert_eq!(
        (left.swapped.len(), left.at_restart),
        (0, at_restart),
        "what waits for a restart is said again"
    );
}

#[test]
fn a_socket_is_meant_from_the_data_directory_on() {
    let socket =
        |said: &str| of(&format!("data_dir = '/d'\n[control]\nsocket = '{said}'")).unwrap().socket().unwrap();
    assert_eq!(socket(""), Path::new("/d/wirefold.sock"));
    assert_eq!(socket("wirefold.sock"), Path::new("/d/wirefold.sock"), "no link to itself is made");
    assert_eq!(socket("/run/w.sock"), Path::new("/run/w.sock"));
}

#[test]
fn a_long_socket_path_is_an_error_in_words() {
    let config = of(&format!("[control]\nsocket = '/{}'", "x".repeat(120))).unwrap();
    let said = config.socket().unwrap_err().to_string();
    assert!(
        said.starts_with("my.toml, line 2: ") && said.contains("121 bytes long and may have 107"),
        "{said}"
    );
}

#[test]
fn a_data_directory_is_told_by_who_named_it() {
    let said = |variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let sources = Sources { data_dir: Some("/d".into()), variables, ..Sources::default() };
        Config::read(&sources).unwrap().said()[0].place.to_string()
    };
    assert_eq!(said(&[("WIREFOLD_DATA_DIR", "/d")]), "WIREFOLD_DATA_DIR");
    assert_eq!(said(&[("WIREFOLD_DATA_DIR", "/other")]), "the command line", "which comes before it");
    assert_eq!(said(&[]), "the command line");
}

/// One was told at a time.
#[test]
fn every_fault_of_place_is_told_at_once() {
    let text = "data_dir = '/d'\n[[inbox]]\npath = '/d/journal'\n[[inbox]]\npath = '/f'\n[[inbox]]\npath = '/f/a'\ndone = '.tmp'";
    let said = said(text);
    for what in
        ["3 things", "line 3: the inbox /d/journal", "line 7: the inbox /f/a lies within", "line 8: names"]
    {
        assert!(said.contains(what), "{said}");
    }
}
