//! `doctor`: what is wrong is found and told with what mends it, with and without a daemon, and nothing is changed.

use crate::{
    daemon::Daemon,
    place::{Place, Ran, names_in, run},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The findings by what was looked at, each a level and what is said; the exit code must follow from them.
fn findings(place: &Place) -> BTreeMap<String, Vec<(String, String)>> {
    let ran = place.run(["doctor", "--json"]);
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for finding in said["findings"].as_array().unwrap() {
        assert_eq!(finding["remedy"].is_string(), finding["level"] != "ok", "{finding}");
        let what = text(&finding["what"]) + "; " + &text(&finding["remedy"]);
        found.entry(text(&finding["check"])).or_default().push((text(&finding["level"]), what));
    }
    let has = |level: &str| found.values().flatten().any(|(found, _)| found == level);
    let worst = ["failure", "warning", "ok"].into_iter().find(|level| has(level));
    assert_eq!(said["level"].as_str(), worst);
    assert_eq!(ran.code(), i32::from(worst == Some("failure")), "{ran:?}");
    found
}

/// The only finding of a kind must be of this level and say this.
fn check(place: &Place, kind: &str, level: &str, words: &str) {
    let found = findings(place);
    let [(found_level, what)] = &found[kind][..] else { panic!("{kind}: {found:#?}") };
    assert!(
        found_level == level && what.contains(words),
        "{kind} is to be {level} with '{words}': {found:#?}"
    );
}

/// Every file and folder with its length, time and inode.
fn listed(folder: &Path) -> Vec<(PathBuf, u64, i64, i64, u64)> {
    let mut all = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        for name in names_in(&folder) {
            let path = folder.join(name);
            let found = fs::symlink_metadata(&path).unwrap();
            all.push((path.clone(), found.len(), found.mtime(), found.mtime_nsec(), found.ino()));
            if found.is_dir() {
                ahead.push(path);
            }
        }
    }
    all
}

fn with_a_story() -> Place {
    let place = Place::brisk();
    fs::write(place.path("given.txt"), "The ferry is late\n\nThe ferry to Anholt was late on Monday.\n")
        .unwrap();
    place.ingest(["given.txt"]);
    place
}

#[test]
fn a_sound_place_is_found_so_and_nothing_is_changed() {
    let empty = Place::brisk();
    assert!(
        findings(&empty).values().flatten().all(|(level, _)| level != "failure"),
        "before the first start"
    );
    assert!(!empty.data().exists(), "it makes nothing");
    let place = with_a_story();
    let before = listed(&place.data());
    let found = findings(&place);
    assert!(found.values().flatten().all(|(level, _)| level != "failure"), "{found:#?}");
    let kinds: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["canary", "clock", "configuration", "data", "inbox", "inotify", "socket", "space"]);
    check(&place, "canary", "ok", "became 2 records");
    check(&place, "socket", "ok", "no daemon runs");
    assert_eq!(listed(&place.data()), before);
    let ran: Ran = place.done(["doctor"]);
    assert!(
        ran.out.starts_with("ok       configuration  ") && ran.out.contains("\nok       canary  "),
        "{}",
        ran.out
    );
}

#[test]
fn a_daemon_is_asked_and_not_disturbed() {
    let place = with_a_story();
    let daemon = Daemon::start(&place);
    check(&place, "socket", "ok", "is running and answered in");
    check(&place, "inbox", "ok", "watched by events and scans");
    check(&place, "data", "ok", "may be written to");
    assert_eq!(place.status().pid, Some(daemon.pid()));
    daemon.stop_well();
}

#[test]
fn a_socket_that_was_left_or_is_none_is_told() {
    let place = with_a_story();
    Daemon::start(&place).kill();
    check(&place, "socket", "warning", "is what one left that was killed");
    let socket = place.data().join("wirefold.sock");
    fs::remove_file(&socket).unwrap();
    let daemon = Daemon::start(&place);
    fs::remove_file(&socket).unwrap();
    check(&place, "socket", "warning", &format!("process {} has the store", daemon.pid()));
    daemon.stop_well();
    fs::write(&socket, "notes").unwrap();
    check(&place, "socket", "failure", "no socket lies at");
}

#[test]
fn a_configuration_that_cannot_be_used_is_a_finding() {
    let place = Place::configured("[intake]\nsetle_ms = 1\n");
    check(&place, "configuration", "failure", "settle_ms");
    let place = Place::configured(&format!("[control]\nsocket = '/{}'\n", "s".repeat(110)));
    check(&place, "configuration", "failure", "111 bytes");
}

#[test]
fn an_inbox_that_is_not_there_or_no_folder_is_told() {
    let place = Place::configured("[[inbox]]\npath = '/nowhere/at/all'\n");
    check(&place, "inbox", "failure", "is not there; make it, or mount it");
    let mut place = Place::new();
    place.configure(&format!("[[inbox]]\npath = '{}'\n", place.path("wirefold.toml").display()));
    check(&place, "inbox", "failure", "is no folder");
}

#[test]
fn a_clock_that_was_set_back_is_told() {
    let place = with_a_story();
    let segment = place.data().join("journal/00000001.jsonl.zst");
    let tomorrow = fs::metadata(&segment).unwrap().modified().unwrap() + std::time::Duration::from_hours(24);
    fs::File::options().append(true).open(segment).unwrap().set_modified(tomorrow).unwrap();
    check(&place, "clock", "failure", "it was set back");
}

#[test]
fn rights_are_told_to_whom_they_are_missing() {
    let Some(place) = Place::of_ordinary_user() else { return };
    check(&place, "data", "warning", "is open to every user");
    fs::set_permissions(place.data(), Permissions::from_mode(0o550)).unwrap();
    check(&place, "data", "failure", "may not be written to: Permission denied");
    fs::set_permissions(place.data(), Permissions::from_mode(0o750)).unwrap();
    place.run(["list"]);
    fs::create_dir(place.inbox()).unwrap();
    if rustix::process::geteuid().is_root() {
        check(&place, "inbox", "failure", "files cannot be claimed from");
        std::os::unix::fs::chown(place.data(), Some(0), None).unwrap();
        check(&place, "data", "warning", "belongs to root");
    }
}

/// Root can write everywhere, and left files that the service could not open; doctor looked at the top folder alone.
#[test]
fn only_the_owner_of_the_data_writes_there() {
    let Some(place) = Place::of_ordinary_user() else { return };
    if !rustix::process::geteuid().is_root() {
        println!("skipped: this needs two users");
        return;
    }
    fs::write(place.path("a.txt"), "The ferry is late\n\nThe ferry to Anholt was late on Monday.\n").unwrap();
    for args in [&["ingest", "a.txt"][..], &["run"]] {
        let ran = run(place.command_as_tester(args));
        assert_eq!(ran.code(), 1, "{ran:?}");
        assert!(ran.err.contains(" belongs to nobody, who could not open what root makes there"), "{ran:?}");
        assert!(ran.err.contains("'sudo -u nobody wirefold ...'"), "{ran:?}");
    }
    assert_eq!(names_in(&place.data()), [""; 0], "nothing was made");
    place.ingest(["a.txt"]);
    let ran = run(place.command_as_tester(["rebuild"]));
    assert!(ran.err.contains(" belongs to nobody"), "{ran:?}");
    assert_eq!(place.export().len(), 1);
    let said = run(place.command_as_tester(["doctor", "--json"])).out;
    let again = format!("runuser -u nobody -- wirefold --config '{}'", place.path("wirefold.toml").display());
    let with_data = format!("--data-dir '{}' doctor", place.data().display());
    assert!(said.contains(&again) && said.contains(&with_data), "what is to be asked is the same: {said}");
    // What people drop is theirs; a segment that another has made is nobody's to append to.
    fs::set_permissions(place.data(), Permissions::from_mode(0o750)).unwrap();
    fs::write(place.inbox().join("roots.txt"), "x").unwrap();
    check(&place, "data", "ok", "may be written to");
    std::os::unix::fs::chown(place.data().join("journal/00000001.jsonl.zst"), Some(0), Some(0)).unwrap();
    check(
        &place,
        "data",
        "failure",
        "files that do not belong to nobody, who may not be able to open them: 1, as ",
    );
}

/// Where the articles of one story do not come together, the thresholds are looked at.
#[test]
fn a_canary_that_does_not_come_through_is_told() {
    let place = Place::configured("[match.encoder]\nmodel = '/no/such/model'\n");
    check(&place, "canary", "failure", "does not come through");
    let place = Place::configured("[read]\narticle_bytes_max = 1024\n[match]\njoin = 0\nlink = 0\n");
    let level = findings(&place)["canary"][0].0.clone();
    assert_ne!(level, "failure", "thresholds are not broken, only odd");
}

/// Nobody had tried to read what lies in an inbox, so all was well until a daemon was up.
#[test]
fn what_a_daemon_could_not_take_is_told_before_there_is_one() {
    let Some(place) = Place::of_ordinary_user() else { return };
    fs::set_permissions(place.data(), Permissions::from_mode(0o750)).unwrap();
    fs::create_dir_all(place.inbox()).unwrap();
    std::os::unix::fs::chown(place.inbox(), Some(65534), None).ok();
    place.ingest([place.path("wirefold.toml")]);
    let file = place.inbox().join("secret.txt");
    fs::write(&file, "Nobody may read this.\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    check(&place, "inbox", "warning", "1 file cannot be taken by this user: ");
    let status = place.done(["status"]).out;
    assert!(status.contains("1 could not be claimed") && status.contains("cannot be read"), "{status}");
    let traced = place.done(["trace", "secret.txt"]).out;
    assert!(traced.contains("it stays in its inbox: it cannot be read: Permission denied"), "{traced}");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let traced = place.done(["trace", "secret.txt"]).out;
    assert!(traced.contains("for a daemon that takes it"), "{traced}");
}

#[test]
fn inboxes_that_no_start_would_take_are_told() {
    let mut place = Place::new();
    let (outer, inner) = (place.path("feeds"), place.path("feeds/sports"));
    fs::create_dir_all(&inner).unwrap();
    let inbox = |path: &Path| format!("[[inbox]]\npath = '{}'\n", path.display());
    let other_name = place.path("sports");
    std::os::unix::fs::symlink(&inner, &other_name).unwrap();
    place.configure(&(inbox(&outer) + &inbox(&other_name)));
    let found = findings(&place);
    assert!(
        found["inbox"].iter().any(|(level, what)| level == "failure" && what.contains("lies within")),
        "{found:#?}"
    );
    place.configure(&inbox(&inner));
    fs::create_dir(inner.join(".wirefold")).unwrap();
    let lock = fs::File::create(inner.join(".wirefold/lock")).unwrap();
    lock.lock().unwrap();
    let found = findings(&place);
    assert!(found["inbox"].iter().any(|(_, what)| what.contains("end the other daemon")), "{found:#?}");
}

/// All was said to be well, and a start was refused.
#[test]
fn a_backup_is_told_as_one() {
    let place = with_a_story();
    place.done(["backup", "copy"]);
    let mut command = place.bare_command();
    command.args(["--data-dir", "copy", "doctor"]);
    let ran = run(command);
    assert!(ran.code() == 1 && ran.out.contains("is a backup") && ran.out.contains("restore"), "{ran:?}");
}

/// It looked at the inbox that is built in, which nobody had asked about.
#[test]
fn where_there_is_no_configuration_to_go_by_nothing_else_is_looked_at() {
    let mut place = Place::brisk();
    place.configure("");
    let mut command = place.bare_command();
    command.arg("--config").arg(place.path("none.toml")).args(["doctor", "--json"]);
    let ran = run(command);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    let found = said["findings"].as_array().unwrap();
    assert!(ran.code() == 1 && found.len() == 1 && found[0]["check"] == "configuration", "{ran:?}");
}

/// All was well with a folder that nobody has.
#[test]
fn a_data_directory_that_somebody_named_and_is_not_there_is_doubted() {
    let place = Place::brisk();
    let mut command = place.bare_command();
    command.arg("--data-dir").arg(place.path("mistyped")).arg("doctor");
    let ran = run(command);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("warning data") && said.contains("is not there; a start would make it"), "{ran:?}");
}
