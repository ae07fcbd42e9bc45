//! What earlier versions left: a store of every format that was released opens and says what it said, and one of a later
//! format is refused and not touched.

use crate::{
    audit::clean,
    corpus::{files_in, fixture},
    place::Place,
};
use std::{collections::BTreeMap, fs, path::Path};

/// The formats that were released, each a folder of `tests/fixtures/released`.
const RELEASED: [&str; 1] = ["1"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { _ = fs::copy(entry.path(), to).unwrap() }
    }
}

/// A place with the store of a release, as that left it.
fn of_release(release: &str) -> Place {
    let place = Place::brisk();
    copy(&fixture("released").join(release).join("data"), &place.data());
    let view = place.data().join("db/db");
    let packed = view.with_extension("zst");
    fs::write(&view, zstd::decode_all(fs::File::open(&packed).unwrap()).unwrap()).unwrap();
    fs::remove_file(packed).unwrap();
    place
}

/// Every file of these folders with its bytes.
fn all_of(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let folders = ["journal", "originals", "failed", "db"].map(|folder| place.data().join(folder));
    let files = folders.iter().flat_map(|folder| files_in(folder)).filter(|path| path.is_file());
    files.map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect()
}

#[test]
fn a_store_of_every_released_format_opens_and_says_what_it_said() {
    for release in RELEASED {
        let said = fs::read_to_string(fixture("released").join(release).join("export.jsonl")).unwrap();
        for has_view in [true, false] {
            let place = of_release(release);
            if !has_view {
                fs::remove_dir_all(place.data().join("db")).unwrap();
            }
            assert_eq!(place.export_text(), said, "format {release}, with its view: {has_view}");
            clean(&place);
            place.ingest(files_in(&fixture("stories")));
            assert_eq!(place.status().files.accepted, 13, "what it had is known, and it grows");
            clean(&place);
        }
    }
}

/// An older version took what it did not know for a write that had been cut short, and cut it off.
#[test]
fn a_journal_of_a_later_format_is_refused_in_words_and_not_touched() {
    let place = of_release("1");
    place.done(["status"]);
    let later =
        "{\"frame\":99,\"format\":2,\"at\":\"2031-01-01T00:00:00Z\",\"lines\":1}\n{\"unheard\":\"of\"}\n";
    let frame = zstd::encode_all(later.as_bytes(), 3).unwrap();
    fs::write(place.data().join("journal/00000002.jsonl.zst"), frame).unwrap();
    let before = all_of(&place);
    let story = fixture("stories/05-lake-fish.txt");
    let commands: [&[&str]; 8] = [
        &["status"],
        &["list"],
        &["run"],
        &["rebuild"],
        &["audit"],
        &["ingest", story.to_str().unwrap()],
        &["trace", "05-lake-fish.txt"],
        &["backup", "copy"],
    ];
    for command in commands {
        let ran = place.run(command);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            ran.code() == 1 && said.contains("is of format 2, and this wirefold knows 1"),
            "{command:?}: {ran:?}"
        );
        assert!(all_of(&place) == before, "{command:?} has changed something");
    }
}
