//! The view against a history told by hand.

use super::*;
use crate::{
    journal::Place,
    model::{
        Arrival, ArticleEvent, ArticleNo, Digest, Event, Link, MergeEvent, MoveEvent, Outcome, Receipt,
        RecordId, Relation, Score, Sighting, Time, Verdict,
    },
};

fn id(no: u32) -> Digest {
    Digest::of(&no.to_be_bytes())
}

fn record(founder: u32) -> RecordId {
    RecordId::founded_by(id(founder))
}

fn article(no: u32, record: RecordId, matched: Option<u32>, related: Vec<Link>) -> Event {
    Event::Article(Box::new(ArticleEvent {
        no: ArticleNo(no),
        id: id(no),
        text_digest: Digest::of(format!("text {no}").as_bytes()),
        arrival: Arrival(u64::from(no) + 1),
        index: 0,
        path: format!("{no}.txt"),
        item: None,
        at: Time::from_millis(1000 * i64::from(no)),
        time: Time::default(),
        source: None,
        title: None,
        published: None,
        url: None,
        lang: None,
        words: 10,
        verdict: Verdict {
            record,
            relation: matched.map(|_| Relation::Near),
            matched: matched.map(id),
            score: matched.map(|_| Score::ONE),
            evidence: None,
            related,
            near_misses: Vec::new(),
        },
        meta: serde_json::Map::new(),
        encoded: None,
        text: format!("text {no}"),
    }))
}

fn receipt(arrival: u64) -> Event {
    Event::Receipt(Receipt {
        arrival: Arrival(arrival),
        path: format!("{}.txt", arrival - 1),
        at: Time::default(),
        bytes: 9,
        digest: None,
        outcome: Outcome::Accepted,
        new: 1,
        repeats: 0,
        rejected: 0,
        passed_over: std::collections::BTreeMap::new(),
        reason: None,
        original: None,
    })
}

fn apply(store: &Store, events: &[Event]) {
    let changes: Vec<_> =
        events.iter().map(|e| Change::Event(e, place_of(e), Some(&b"profile"[..]))).collect();
    store.apply(&changes, Position::default()).unwrap();
}

/// Changes lie in a segment of their own.
fn place_of(event: &Event) -> Place {
    let is_change = matches!(event, Event::Merge(_) | Event::Move(_));
    Place { segment: if is_change { 2 } else { 1 }, ..Place::default() }
}

/// Where the journal has an article, and what put it where it is.
fn places(store: &Store, no: u32) -> (u32, u32) {
    let row = store.view().article(ArticleNo(no)).unwrap().unwrap();
    (row.place.segment, row.decided.segment)
}

/// Five articles: 0 with 1, 2 with 3 related to 0, and 4 alone related to 2.
fn told(folder: &Path) -> Store {
    let store = Store::open(folder, Trust::Nothing).unwrap();
    let link = |founder, score| Link { record: record(founder), score: Score::from_share(score) };
    apply(&store, &[article(0, record(0), None, vec![]), article(1, record(0), Some(0), vec![]), receipt(1)]);
    apply(&store, &[article(2, record(2), None, vec![link(0, 0.4)]), article(3, record(2), Some(2), vec![])]);
    apply(&store, &[article(4, record(4), None, vec![link(2, 0.5)])]);
    store
}

fn members(store: &Store, founder: u32) -> Vec<u32> {
    store.view().members(ArticleNo(founder)).unwrap().into_iter().map(|no| no.0).collect()
}

#[test]
fn a_merge_takes_members_links_and_names_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let merge = Event::Merge(MergeEvent {
        into: record(0),
        from: record(2),
        relation: Relation::Rewrite,
        matched: id(1),
        score: Score::from_share(0.7),
        evidence: None,
    });
    apply(&store, &[merge]);
    let view = store.view();
    assert_eq!(members(&store, 0), [0, 1, 2, 3]);
    assert_eq!(members(&store, 2), [0_u32; 0]);
    assert_eq!(view.founder(record(2)).unwrap(), Some(ArticleNo(0)));
    assert_eq!(view.record(ArticleNo(0)).unwrap().unwrap().aliases, [record(2)]);
    assert_eq!((view.later(record(2).0).unwrap().len(), view.later(record(0).0).unwrap().len()), (1, 0));
    assert_eq!(view.links(ArticleNo(0)).unwrap(), [(ArticleNo(4), Score::from_share(0.5))]);
    assert_eq!(view.links(ArticleNo(4)).unwrap(), [(ArticleNo(0), Score::from_share(0.5))]);
    let founder_of_the_other = view.article(ArticleNo(2)).unwrap().unwrap();
    assert_eq!(founder_of_the_other.relation, Some(Relation::Rewrite));
    assert_eq!([0, 1, 2, 3].map(|no| places(&store, no)), [(1, 1), (1, 1), (1, 2), (1, 1)]);
    let counts = view.counts().unwrap();
    assert_eq!((counts.canonical, counts.variants, counts.sightings), (2, 3, 5));
    assert_eq!(counts.relations, [0, 2, 0, 0, 1, 0]);
    check::whole(view).unwrap();
}

/// Reading side by side gives what looking up gives, in either order.
#[test]
fn records_are_gone_through_as_they_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let looked_up = |no| format!("{:?}", store.view().whole_record(ArticleNo(no)).unwrap().unwrap());
    let gone_through = |order| -> Vec<_> {
        store.view().records(order).map(|record| format!("{:?}", record.unwrap())).collect()
    };
    assert_eq!(gone_through(Order::Oldest), [0, 2, 4].map(looked_up));
    assert_eq!(gone_through(Order::Newest), [4, 2, 0].map(looked_up));
}

#[test]
fn an_article_is_found_by_the_end_of_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Trust::Nothing).unwrap();
    let Event::Article(mut told) = article(0, record(0), None, vec![]) else { unreachable!() };
    (told.path, told.item) = ("feeds/a.jsonl".to_owned(), Some("urn:x/7".to_owned()));
    apply(&store, &[Event::Article(told)]);
    let found = |name: &str| !store.view().articles_named(name, 2).unwrap().is_empty();
    for name in [
        "urn:x/7",
        "7",
        "a.jsonl#urn:x/7",
        "feeds/a.jsonl#urn:x/7",
        "./feeds/a.jsonl#urn:x/7",
        "/in/feeds/a.jsonl#urn:x/7",
    ] {
        assert!(found(name), "{name}");
    }
    for name in ["x/7", "", "/", "a.jsonl", "b/a.jsonl#urn:x/7", "77"] {
        assert!(!found(name), "{name}");
    }
}

/// Names that end alike are told apart by the file that they stand in, whatever signs are in it.
#[test]
fn items_of_the_same_number_are_told_apart_by_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Trust::Nothing).unwrap();
    let places = [("in/a.jsonl", Some("3")), ("in/b#1.jsonl", Some("3")), ("in/c#4.txt", None)];
    for (no, (path, item)) in (0..).zip(places) {
        let Event::Article(mut told) = article(no, record(no), None, vec![]) else { unreachable!() };
        (told.path, told.item) = (path.to_owned(), item.map(str::to_owned));
        apply(&store, &[Event::Article(told)]);
    }
    let named = |name: &str| -> Vec<u32> {
        store.view().articles_named(name, 9).unwrap().into_iter().map(|no| no.0).collect()
    };
    assert_eq!((named("a.jsonl#3"), named("b#1.jsonl#3"), named("c#4.txt")), (vec![0], vec![1], vec![2]));
    assert_eq!((named("3").len(), named("4.txt").len(), named("in/c#4.txt")), (2, 0, vec![2]));
}

/// A record has no name of its own as long as its founder's id says it.
#[test]
fn a_record_is_found_by_the_beginning_of_any_of_its_ids() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let found = |no: u32| -> Vec<u32> {
        let digits: String = id(no).to_string().chars().take(9).collect();
        store.view().founders_like(&digits, 9).unwrap().into_iter().map(|no| no.0).collect()
    };
    let all = || [0, 1, 2, 3, 4].map(found);
    assert_eq!(all(), [vec![0], vec![], vec![2], vec![], vec![4]]);
    let merge = Event::Merge(MergeEvent {
        into: record(0),
        from: record(2),
        relation: Relation::Rewrite,
        matched: id(1),
        score: Score::ONE,
        evidence: None,
    });
    apply(&store, &[merge]);
    assert_eq!(all(), [vec![0], vec![], vec![0], vec![], vec![4]]);
    assert_eq!(store.view().founders_like("", 9).unwrap().len(), 2);
}

/// Articles share rows, and what is told of one leaves the others as they were.
#[test]
fn metadata_stays_with_its_article() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let Event::Article(mut last) = article(5, record(5), None, vec![]) else { unreachable!() };
    last.meta.insert("urgency".to_owned(), 4.into());
    apply(&store, &[Event::Article(last)]);
    let again = Sighting {
        id: id(5),
        arrival: Arrival(9),
        index: 0,
        path: "again.txt".into(),
        source: Some("a".into()),
        at: Time::from_millis(60_000),
    };
    let of_its_neighbour = Sighting { id: id(4), ..again.clone() };
    apply(&store, &[Event::Sighting(again), Event::Sighting(of_its_neighbour)]);
    let said: Vec<_> = store.view().metadata().map(|said| said.unwrap()).collect();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].0, said[0].1["urgency"].as_i64()), (ArticleNo(5), Some(4)));
    let sightings = |no| store.view().article(ArticleNo(no)).unwrap().unwrap().sightings;
    assert_eq!([0, 1, 2, 3, 4, 5].map(sightings), [1, 1, 1, 1, 2, 2]);
    check::whole(store.view()).unwrap();
}

#[test]
fn a_move_within_the_same_batch_as_its_article_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let moved = Event::Move(MoveEvent {
        id: id(5),
        from: record(0),
        to: record(2),
        relation: Relation::Rewrite,
        matched: id(2),
        score: Score::from_share(0.7),
        evidence: None,
    });
    apply(&store, &[article(5, record(0), Some(0), vec![]), moved]);
    assert_eq!((members(&store, 0), members(&store, 2)), (vec![0, 1], vec![2, 3, 5]));
    assert_eq!(places(&store, 5), (1, 2));
    assert_eq!(store.view().counts().unwrap().relations, [0, 2, 0, 0, 1, 0]);
    check::whole(store.view()).unwrap();
}

#[test]
fn a_repeat_is_counted_and_dated() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let again = Event::Sighting(Sighting {
        id: id(1),
        arrival: Arrival(9),
        index: 0,
        path: "again.txt".into(),
        source: None,
        at: Time::from_millis(60_000),
    });
    apply(&store, &[again]);
    let (_, row) = store.view().article_by_id(id(1)).unwrap().unwrap();
    assert_eq!((row.sightings, row.last_seen), (2, Time::from_millis(60_000)));
    let counts = store.view().counts().unwrap();
    assert_eq!(counts.sightings, counts.canonical + counts.variants + counts.repeats);
    assert_eq!((counts.received, counts.accepted), (6, 1));
    assert_eq!(store.view().open_arrivals().unwrap().len(), 5);
}

#[test]
fn a_missing_row_fails_the_whole_check() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    check::whole(store.view()).unwrap();
    store.db.remove(codec::articles(ArticleNo(4))).unwrap();
    let said = check::whole(store.view()).unwrap_err().to_string();
    assert!(said.contains("4 articles where 5 were counted"), "{said}");
}

/// What a start needs of the articles in the windows, read side by side, is what looking it up gives: where a record is its
/// founder's, went over into another, or has a founder that is in no window any more.
#[test]
fn live_articles_are_gone_through_with_their_records() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let live = || {
        let mut live = Vec::new();
        let read = store.view().each_live(|Live { profile, founder, record, revised }| {
            assert_eq!((profile, revised), (&b"profile"[..], None));
            live.push((founder.0, record));
            Ok(())
        });
        read.map(|()| live)
    };
    let alone = (4, record(4));
    assert_eq!(live().unwrap(), [(0, record(0)), (0, record(0)), (2, record(2)), (2, record(2)), alone]);
    let merge = MergeEvent {
        into: record(2),
        from: record(0),
        relation: Relation::Rewrite,
        matched: id(3),
        score: Score::ONE,
        evidence: None,
    };
    apply(&store, &[Event::Merge(merge)]);
    assert_eq!(live().unwrap(), [vec![(2, record(2)); 4], vec![alone]].concat());
    let evicted = [0, 2].map(|no| Change::Evicted(ArticleNo(no)));
    store.apply(&evicted, Position::default()).unwrap();
    assert_eq!(live().unwrap(), [(2, record(2)), (2, record(2)), alone]);
    store.db.remove(codec::articles(ArticleNo(4))).unwrap();
    assert!(live().unwrap_err().to_string().contains("article 4 has a profile and no row"));
}

/// An article that revises another is known as one, and whoever reads stops where it says so.
#[test]
fn a_live_revision_names_what_it_revises() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Trust::Nothing).unwrap();
    let mut revision = article(1, record(0), Some(0), vec![]);
    if let Event::Article(revision) = &mut revision {
        revision.verdict.relation = Some(Relation::Revision);
    }
    apply(&store, &[article(0, record(0), None, vec![]), revision]);
    let mut revised = Vec::new();
    let take = |live: Live<'_>| {
        revised.push(live.revised);
        Ok(())
    };
    store.view().each_live(take).unwrap();
    assert_eq!(revised, [None, Some(id(0))]);
    let refused = store.view().each_live(|_| Err(StoreError::Inconsistent("enough".to_owned())));
    assert!(refused.unwrap_err().to_string().contains("enough"));
}

/// Rows may have reached the disk in a power cut, and what they point at not.
#[test]
fn a_profile_that_is_not_what_it_was_fails_the_whole_check() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let profile = |no| store.view().profile(ArticleNo(no));
    assert_eq!(profile(3).unwrap().unwrap(), b"profile");
    store.apply(&[Change::Evicted(ArticleNo(3))], Position::default()).unwrap();
    let live: Vec<_> = store.view().profile_rows().flat_map(Result::unwrap).map(|(no, _)| no.0).collect();
    assert_eq!((profile(3).unwrap(), &*live), (None, &[0, 1, 2, 4][..]));
    check::whole(store.view()).unwrap();
    fs::write(profiles::folder_in(folder.path()).join("00000001"), b"profileprofilepro").unwrap();
    assert!(profile(2).unwrap_err().is_damage());
    let said = check::whole(store.view()).unwrap_err().to_string();
    assert!(said.contains("profiles/00000001"), "{said}");
}

#[test]
fn a_view_that_is_junk_is_an_error_or_empty_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(told(&path));
    fs::write(path.join("db"), vec![0x5A; 1 << 16]).unwrap();
    for snapshot in fs::read_dir(&path).unwrap().flatten() {
        if snapshot.file_name().to_string_lossy().starts_with("snap") {
            fs::write(snapshot.path(), b"junk").unwrap();
        }
    }
    // An empty one is as good: the whole journal is then applied to it.
    if let Ok(store) = Store::open(&path, Trust::Nothing) {
        assert_eq!(store.view().counts().unwrap(), Counts::default());
    }
    let new = folder.path().join("db.new");
    drop(told(&new));
    let aside = Store::replace(&path, &new).unwrap().unwrap();
    assert!(aside.ends_with("db.damaged-1") && aside.exists() && !new.exists());
    assert_eq!(Store::open(&path, Trust::Nothing).unwrap().view().counts().unwrap().articles(), 5);
}

#[test]
fn what_speaks_of_something_lost_does_what_it_still_can() {
    let folder = tempfile::tempdir().unwrap();
    let store = told(folder.path());
    let lost = RecordId(7);
    let sighting = Event::Sighting(Sighting {
        id: Digest::of(b"lost"),
        arrival: Arrival(9),
        index: 0,
        path: "again.txt".into(),
        source: None,
        at: Time::default(),
    });
    let merge = Event::Merge(MergeEvent {
        into: record(0),
        from: RecordId(8),
        relation: Relation::Rewrite,
        matched: id(1),
        score: Score::ONE,
        evidence: None,
    });
    let link = Link { record: lost, score: Score::ONE };
    apply(&store, &[article(50, lost, Some(3), vec![link]), sighting, merge]);
    assert_eq!(members(&store, 50), [50]);
    assert_eq!(store.view().founder(lost).unwrap(), Some(ArticleNo(50)));
    assert_eq!(store.view().counts().unwrap().next_article, ArticleNo(51));
    check::whole(store.view()).unwrap();
}
