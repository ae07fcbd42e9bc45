//! Damage anywhere on the disk: never a panic, never wrong data without a word, and what another copy holds comes back.

use crate::{
    answers::Record,
    corpus::{Reporter, files_in, fixture},
    place::{Place, Ran},
    restart::copy_folder,
    scale::{scale, seed},
};
use std::{collections::BTreeMap, fs, path::PathBuf};
use wirefold::{
    journal::{Position, Replay},
    model::Event,
};

/// So many bytes are zeroed at most: a block of most disks.
const BLOCK_BYTES: usize = 4096;

/// A store with files of one article and of many, repeats, and some that could not be read.
fn store() -> Place {
    let place = Place::configured("[commit]\ngroup_articles_max = 8\n");
    let mut reporter = Reporter::new(21);
    let lines: Vec<_> = (0..60).map(|_| reporter.line()).collect();
    fs::write(place.path("many.jsonl"), lines.join("\n")).unwrap();
    fs::write(place.path("junk.txt"), [0xff, 0, 1, 2].repeat(40)).unwrap();
    place.ingest(files_in(&fixture("stories")));
    place.ingest(["many.jsonl"]);
    place.ingest(files_in(&fixture("copies")));
    place.ingest(files_in(&fixture("stories")));
    let ran = place.run([PathBuf::from("ingest"), fixture("jsonl/broken.jsonl"), place.path("junk.txt")]);
    assert_eq!(ran.code(), 65, "{ran:?}");
    place
}

/// Damages a random file of a folder, and says how, and whether anything is lost by it.
fn damage(place: &Place, folder: &str, random: &mut fastrand::Rng) -> (String, bool) {
    let mut files = files_in(&place.data().join(folder));
    if folder == "db" {
        files.extend(files_in(&place.data().join("db/profiles")));
    }
    let files: Vec<_> =
        files.iter().filter(|f| f.metadata().is_ok_and(|m| m.is_file() && m.len() > 0)).collect();
    let file = *random.choice(&files).unwrap();
    let mut bytes = fs::read(file).unwrap();
    let whole = zstd::decode_all(&*bytes).ok();
    // What sled has made room for and not written is nought.
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let at = random.usize(..used);
    let how = match random.u32(..3) {
        0 => {
            bytes[at] ^= 1 << random.u32(..8);
            "a flipped bit"
        }
        1 => {
            bytes.truncate(at);
            "cut off"
        }
        _ => {
            let end = bytes.len().min(at + random.usize(1..=BLOCK_BYTES));
            bytes[at..end].fill(0);
            "a zeroed block"
        }
    };
    // Some bits of a frame mean nothing, and what is zeroed may have been nought.
    let is_lossy = folder != "db" && zstd::decode_all(&*bytes).ok() != whole;
    fs::write(file, bytes).unwrap();
    let how =
        format!("{how} at byte {at} of {used} of {}", file.strip_prefix(place.data()).unwrap().display());
    (how, is_lossy)
}

/// What the journal holds as far as it can be read: each article's title and text, and how often it was seen.
#[derive(Default)]
struct Held {
    texts: BTreeMap<String, (Option<String>, String)>,
    sightings: BTreeMap<String, u64>,
}

impl Held {
    fn of(place: &Place) -> Self {
        let mut held = Self::default();
        let mut replay = Replay::from(&place.data().join("journal"), Position::default()).unwrap();
        while let Some(frame) = replay.next_frame().unwrap() {
            for event in frame.events {
                let id = match event {
                    Event::Article(article) => {
                        held.texts.insert(article.id.to_string(), (article.title, article.text));
                        article.id
                    }
                    Event::Sighting(sighting) => sighting.id,
                    _ => continue,
                };
                *held.sightings.entry(id.to_string()).or_default() += 1;
            }
        }
        held
    }
}

fn unharmed(ran: Ran, what: &str) -> Ran {
    let panicked = ran.err.contains("panicked") || ran.out.contains("panicked") || ran.code() == 70;
    assert!(!panicked, "{what}: {ran:?}");
    ran
}

/// How often each article was seen, as it is told.
fn seen(export: &str) -> BTreeMap<String, u64> {
    Record::read_all(export).into_iter().flat_map(|r| r.articles).map(|a| (a.id, a.sightings)).collect()
}

#[test]
fn damage_anywhere_is_told_and_what_another_copy_holds_comes_back() {
    let place = store();
    let (before, kept) = (place.export_text(), place.path("kept"));
    copy_folder(&place.data(), &kept);
    let mut random = fastrand::Rng::with_seed(seed());
    let texts = Held::of(&place).texts;
    let some = texts.keys().nth(7).unwrap();
    let text = place.show(some);
    let mut told: BTreeMap<&str, [u32; 3]> = BTreeMap::new();
    for round in 0..scale("DAMAGE", 10) {
        fs::remove_dir_all(place.data()).unwrap();
        copy_folder(&kept, &place.data());
        let folder = ["journal", "originals", "db"][usize::try_from(round).unwrap() % 3];
        let (how, is_lossy) = damage(&place, folder, &mut random);
        let (what, left) = (format!("round {round}: {how}"), Held::of(&place).sightings);
        let export = unharmed(place.run(["export"]), &what);
        let audit = unharmed(place.run(["audit"]), &what);
        let show = unharmed(place.run(["show", some, "--json"]), &what);
        let is_right = export.code() == 0 && export.out == before;
        let is_told = !export.err.is_empty() || audit.code() == 1;
        assert!(is_right || !export.err.is_empty(), "{what}: another export without a word; {audit:?}");
        assert!(!is_lossy || is_told, "{what}: {export:?} {audit:?}");
        let shown: Option<serde_json::Value> = serde_json::from_str(&show.out).ok();
        assert!(show.code() == 1 || shown.as_ref() == Some(&text) || is_told, "{what}: {show:?}");
        let repair = unharmed(place.run(["audit", "--repair"]), &what);
        let after = unharmed(place.run(["export"]), &what);
        assert!(Held::of(&place).texts == texts, "{what}: other texts; {audit:?} {repair:?}");
        let shown = place.show(some);
        let shown = shown["articles"].as_array().unwrap().iter().find(|article| article["id"] == **some);
        assert_eq!(shown.unwrap()["text"], texts[some].1, "{what}");
        let seen = seen(&after.out);
        assert!(seen.keys().eq(texts.keys()), "{what}: {audit:?} {repair:?} {after:?}");
        // What came in once more is seen once more; what could still be read is not forgotten.
        let forgotten = left.iter().find(|(id, times)| seen[*id] < **times);
        assert!(forgotten.is_none(), "{what}: {forgotten:?}; {audit:?} {repair:?}");
        assert!(folder == "journal" || after.out == before, "{what}: {audit:?} {repair:?} {after:?}");
        let last = unharmed(place.run(["audit"]), &what);
        let is_original = last.code() == 1 && folder == "originals";
        assert!(last.code() == 0 || is_original, "{what}: {audit:?} {repair:?} {last:?}");
        unharmed(place.run(["rebuild"]), &what);
        assert!(place.export_text() == after.out, "{what}: a rebuild gives another export");
        let counts = told.entry(folder).or_default();
        counts[0] += 1;
        counts[1] += u32::from(is_told);
        counts[2] += u32::from(!is_right);
    }
    for (folder, [rounds, told, wrong]) in told {
        println!("{folder}: {rounds} damaged, {told} told of, {wrong} of them with another or no export");
    }
}
