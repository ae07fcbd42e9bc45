//! `backup` and `restore`: a consistent copy while a daemon writes, added to the next time, and brought back whole.

use crate::{
    audit::clean,
    corpus::{Reporter, files_in, fixture},
    daemon::{Daemon, settled},
    place::{Place, drop_whole, names_in},
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

/// The same place with its data elsewhere.
fn told(place: &Place, data: &str, args: &[&str]) -> (i32, String) {
    let mut command = place.bare_command();
    command.arg("--data-dir").arg(place.path(data)).args(args);
    let ran = crate::place::run(command);
    (ran.code(), ran.out + &ran.err)
}

fn restored_export(place: &Place, data: &str) -> String {
    let (code, said) = told(place, data, &["restore", "copy"]);
    assert!(code == 0 && said.contains(" are back"), "{said}");
    let (code, audit) = told(place, data, &["audit"]);
    assert!(code == 0 && !audit.contains("not kept any longer"), "{audit}");
    told(place, data, &["export"]).1
}

#[test]
fn a_backup_of_a_daemon_at_work_is_consistent_and_grows_by_what_came_since() {
    let place = Place::brisk();
    let mut reporter = Reporter::new(11);
    let daemon = Daemon::start(&place);
    drop_whole(&place.inbox().join("junk.txt"), &[0xff, 0, 1, 2].repeat(40));
    for n in 0..60 {
        drop_whole(&place.inbox().join(format!("{n}.txt")), reporter.story().as_bytes());
        if n % 20 == 19 {
            // In the middle of the work, at no particular moment.
            place.done(["backup", "copy"]);
            let (code, said) = told(&place, "copy", &["audit"]);
            assert!(code == 0 && !said.contains("not kept any longer"), "{said}");
        }
    }
    settled(&place, 61);
    place.done(["backup", "copy"]);
    let again = place.done(["backup", "copy"]).out;
    assert!(again.contains("; 0 B copied this time"), "there is nothing new: {again}");
    daemon.stop_well();
    let before = place.export_text();
    assert_eq!(restored_export(&place, "back"), before);
    // A view was made in it, and a lock.
    for question in [&["list"][..], &["status"], &["ingest", "copy"], &["rebuild"]] {
        let (code, said) = told(&place, "copy", question);
        assert!(code == 1 && said.contains("copy is a backup") && said.contains("restore"), "{said}");
    }
    let mut failed = [names_in(&place.failed()), names_in(&place.path("back/failed"))];
    for names in &mut failed {
        names.sort();
    }
    assert!(failed[0].len() == 2 && failed[0] == failed[1], "what failed lies nowhere else: {failed:?}");
    assert!(!place.path("copy/db").exists() && !place.path("copy/lock").exists(), "an audit leaves no trace");
    clean(&place);
}

/// What could not leave its inbox's mount, and what has a name that is no text, were in no backup.
#[test]
fn all_that_was_set_aside_is_in_a_backup_wherever_it_lies() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    let junk = [&b"near.txt"[..], b"\xff\\x2f.txt"];
    for name in junk {
        drop_whole(&place.inbox().join(OsStr::from_bytes(name)), &[0xff, 0, 1, 2].repeat(40));
    }
    settled(&place, 2);
    daemon.stop_well();
    let near = place.inbox().join(".wirefold/failed");
    fs::create_dir_all(&near).unwrap();
    let all = names_in(&place.failed());
    assert_eq!(all.len(), 4);
    for name in all.iter().filter(|name| name.contains("near")) {
        fs::rename(place.failed().join(name), near.join(name)).unwrap();
    }
    place.done(["backup", "copy"]);
    let again = place.done(["backup", "copy"]).out;
    assert!(again.contains("; 0 B copied this time"), "there is nothing new: {again}");
    restored_export(&place, "back");
    assert_eq!(names_in(&place.path("back/failed")), all);
    // Back with all else that failed, it finds its way into its inbox.
    fs::remove_dir_all(place.failed()).unwrap();
    fs::remove_dir_all(&near).unwrap();
    fs::rename(place.path("back/failed"), place.failed()).unwrap();
    place.done(["requeue", "--all"]);
    for name in junk {
        assert!(place.inbox().join(OsStr::from_bytes(name)).exists());
    }
}

/// An audit called it clean: what is left of a journal that ends between two frames is whole.
#[test]
fn a_backup_that_lost_the_end_of_its_journal_is_told_as_such() {
    let place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    let journal = place.data().join("journal/00000001.jsonl.zst");
    let frame_ends = fs::metadata(&journal).unwrap().len();
    place.ingest(files_in(&fixture("copies")));
    place.done(["backup", "copy"]);
    let cut = fs::File::options().write(true).open(place.path("copy/journal/00000001.jsonl.zst")).unwrap();
    cut.set_len(frame_ends).unwrap();
    let (code, said) = told(&place, "copy", &["audit"]);
    assert!(code == 1 && said.contains("the backup was cut short: journal/00000001.jsonl.zst has"), "{said}");
}

/// Only files were copied, so of a link nothing was left but why it had been set aside.
#[test]
fn a_link_that_was_set_aside_is_in_a_backup_as_a_link() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    symlink("/nowhere/\u{f6}", place.inbox().join("link.txt")).unwrap();
    settled(&place, 1);
    daemon.stop_well();
    for _ in 0..2 {
        let said = place.done(["backup", "copy"]).out;
        assert!(said.starts_with("3 files of "), "the journal, a reason and the link: {said}");
    }
    restored_export(&place, "back");
    let all = names_in(&place.failed());
    assert_eq!((all.len(), names_in(&place.path("back/failed"))), (2, all.clone()));
    assert_eq!(fs::read_link(place.path("back/failed").join(&all[0])).unwrap(), Path::new("/nowhere/\u{f6}"));
}

/// What was cut short had not yet said what it is: the copy is still that of the time before.
#[test]
fn a_backup_that_was_cut_short_is_the_one_before_and_can_be_gone_on_with() {
    let place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    let first = place.export_text();
    place.done(["backup", "copy"]);
    let manifest = fs::read(place.path("copy/backup.json")).unwrap();
    place.ingest(files_in(&fixture("copies")));
    place.done(["backup", "copy"]);
    fs::write(place.path("copy/backup.json"), manifest).unwrap();
    assert_eq!(restored_export(&place, "first"), first);
    place.done(["backup", "copy"]);
    assert_eq!(restored_export(&place, "second"), place.export_text());
}

#[test]
fn what_is_no_backup_of_this_is_not_written_over() {
    let (place, other) = (Place::brisk(), Place::brisk());
    place.ingest(files_in(&fixture("stories")));
    other.ingest(files_in(&fixture("copies")));
    fs::create_dir(place.path("mine")).unwrap();
    fs::write(place.path("mine/notes.txt"), "mine").unwrap();
    let refused = |place: &Place, args: &[&Path], said: &str| {
        let ran = place.run(args);
        assert!(ran.code() == 1 && ran.err.contains(said), "{said} is not in {ran:?}");
    };
    let (backup, restore) = (Path::new("backup"), Path::new("restore"));
    refused(&place, &[backup, Path::new("mine")], "is not empty and holds no backup");
    refused(&place, &[backup, &place.data().join("copy")], "must not lie within one another");
    place.done(["backup", "copy"]);
    refused(&other, &[backup, &place.path("copy")], "holds a backup of something else");
    let begun = fs::File::create(place.path("copy/backup.begun")).unwrap();
    begun.lock().unwrap();
    let ran = place.run(["backup", "copy"]);
    assert!(ran.code() == 75 && ran.err.contains("another backup into"), "{ran:?}");
    drop(begun);
    // All that is left of a journal that was moved away may be in the packs.
    fs::rename(place.data().join("journal"), place.path("journal")).unwrap();
    fs::rename(place.data().join("db"), place.path("db")).unwrap();
    refused(&place, &[restore, &place.path("copy")], "there is data in");
    fs::rename(place.path("journal"), place.data().join("journal")).unwrap();
    refused(&place, &[restore, Path::new("copy")], "there is data in");
    refused(&Place::brisk(), &[restore, &place.path("mine")], "there is no backup.json in it");
    refused(&Place::brisk(), &[backup, Path::new("copy")], "there is no data in");
    let pack = files_in(&place.path("copy/originals")).remove(0);
    let whole = fs::read(&pack).unwrap();
    fs::write(&pack, &whole[..whole.len() - 1]).unwrap();
    refused(&Place::brisk(), &[restore, &place.path("copy")], "were written");
    assert_eq!(fs::read(place.path("mine/notes.txt")).unwrap(), b"mine");
}

/// Nothing tells what it should hold, so nothing was missed; and a view was made in it.
#[test]
fn a_backup_that_lost_its_list_is_told_as_such() {
    let place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    place.done(["backup", "copy"]);
    fs::remove_file(place.path("copy/backup.json")).unwrap();
    let (code, said) = told(&place, "copy", &["audit"]);
    assert!(code == 1 && said.contains("there is no backup.json"), "{said}");
    assert!(!place.path("copy/db").exists() && !place.path("copy/lock").exists());
}

#[test]
fn what_is_refused_leaves_no_folder() {
    let place = Place::brisk();
    place.ingest(files_in(&fixture("stories")));
    let within = place.data().join("copy");
    assert_eq!(place.run(["backup".as_ref(), within.as_os_str()]).code(), 1);
    assert!(!within.exists());
    for from in ["nowhere", "data"] {
        let (code, said) = told(&place, "back", &["restore", from]);
        assert!(code == 1 && !place.path("back").exists(), "{said}");
    }
}

/// It was told as left where it had been given, which it never was.
#[test]
fn what_is_not_in_a_backup_is_told_as_no_longer_there() {
    let place = Place::brisk();
    let daemon = Daemon::start(&place);
    symlink("/nowhere", place.inbox().join("link")).unwrap();
    settled(&place, 1);
    daemon.stop_well();
    let link = names_in(&place.failed()).into_iter().find(|name| name.ends_with("link")).unwrap();
    fs::remove_file(place.failed().join(link)).unwrap();
    let listed = place.done(["requeue"]).out;
    assert!(listed.contains("(no longer there)"), "{listed}");
}
