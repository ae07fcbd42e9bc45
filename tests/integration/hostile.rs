//! Files made to exhaust whoever reads them: each ends in a clear receipt and in bounded memory, and what lies beside it
//! is taken in. Sizes and limits are smaller here than in the world; `benches/hostile.rs` has the real ones.

use crate::{
    bombs,
    corpus::fixture,
    daemon::Daemon,
    place::{Place, Ran},
};
use std::{ffi::OsStr, fs, path::Path};

/// What a daemon may take at most, whatever it is given.
const MEMORY_MIB_MAX: u64 = 512;

/// A daemon with small limits, which is given hostile files.
struct Given {
    place: Place,
    daemon: Daemon,
    files: u64,
}

impl Given {
    fn new() -> Self {
        let place = Place::configured("[read]\narticle_bytes_max = 1048576\nentries_max = 1000\n");
        let daemon = Daemon::start(&place);
        Self { place, daemon, files: 0 }
    }

    /// Has it take in a hostile file of this size beside a good one; what is said of the former.
    fn beside_a_story(&mut self, name: &str, make: fn(&Path, u64), size: u64) -> Ran {
        make(&self.place.path(name), size);
        let story = fixture("stories/01-harbour-fire.txt");
        let ran = self.place.run([OsStr::new("ingest"), OsStr::new(name), story.as_os_str()]);
        self.files += 2;
        assert_eq!(self.place.status().files.received, self.files, "{ran:?}");
        ran
    }

    /// The same, where nothing of the file can be read, for a reason of which this is a part.
    fn fails(&mut self, name: &str, make: fn(&Path, u64), size: u64, why: &str) {
        let before = self.place.status().files;
        let ran = self.beside_a_story(name, make, size);
        assert!(ran.out.contains(why), "{name}: {ran:?}");
        let after = self.place.status().files;
        assert_eq!((after.failed, after.partly), (before.failed + 1, before.partly), "{name}: {ran:?}");
    }

    /// The same, where something of it can be read, and the rest not, for this reason.
    fn is_read_in_part(&mut self, name: &str, make: fn(&Path, u64), size: u64, why: &str) {
        let before = self.place.status().files;
        let ran = self.beside_a_story(name, make, size);
        assert!(ran.out.contains(why), "{name}: {ran:?}");
        let after = self.place.status().files;
        assert_eq!((after.failed, after.partly), (before.failed, before.partly + 1), "{name}: {ran:?}");
    }

    /// It is alive and has stayed small.
    fn ends_well(self) {
        let peak = self.daemon.memory_mib_peak();
        assert!(peak > 0 && peak < MEMORY_MIB_MAX, "it took {peak} MiB");
        self.daemon.stop_well();
    }
}

#[test]
fn what_swells_without_end_is_stopped() {
    let mut given = Given::new();
    let swells = "it unpacks to more than 200 times its size";
    given.is_read_in_part("blank.gz", bombs::gzip_of_blank_lines, 10 << 10, swells);
    given.fails("zip.zip", bombs::zip, 10 << 10, "it looks like binary data");
    given.fails("twice.gz", bombs::gzip_in_gzip, 10 << 10, "longer than the 1048576 bytes");
    given.ends_well();
}

#[test]
fn a_line_without_end_is_too_large() {
    let mut given = Given::new();
    given.fails("line.txt", bombs::line, 10, "it is longer than the 1048576 bytes that an article may have");
    given.fails("line.jsonl", bombs::line_of_json, 10, "longer than the 1048576 bytes");
    given.ends_well();
}

#[test]
fn an_archive_of_too_many_entries_is_refused() {
    let mut given = Given::new();
    let why = "its archives have more than 1000 entries";
    given.fails("many.tar", bombs::tar, 1001, why);
    // Where they could not be counted beforehand, those up to the limit are kept.
    given.is_read_in_part("many.tar.gz", bombs::tar_in_gzip, 1001, why);
    given.ends_well();
}

#[test]
fn towers_of_tags_fall() {
    let mut given = Given::new();
    given.fails("tower.html", bombs::tower_of_html, 10_000, "its tags are nested more than 512 deep");
    given.fails("tower.rss", bombs::tower_of_xml, 10_000, "nested more than");
    given.ends_well();
}

#[test]
fn no_entity_is_expanded() {
    let place = Place::new();
    bombs::laughs(&place.path("laughs.xml"), 9);
    place.ingest(["laughs.xml"]);
    let record = &place.export()[0];
    assert_eq!(place.show(&record.record)["articles"][0]["text"], "&l9;");
}

#[test]
fn an_entry_that_leads_out_of_its_folder_is_a_name_and_no_path() {
    let place = Place::new();
    // A gzip of a gzip of a gzip is read like any other.
    bombs::gzip_of_gzip_of_gzip(&place.path("out.tar.gz.gz.gz"), 1);
    place.ingest(["out.tar.gz.gz.gz"]);
    let article = &place.export()[0].articles[0];
    assert_eq!(
        (article.path.as_str(), article.item.as_deref()),
        ("out.tar.gz.gz.gz", Some("../../etc/passwd"))
    );
    assert!(!fs::read_to_string("/etc/passwd").unwrap_or_default().contains("of a ferry"));
}
