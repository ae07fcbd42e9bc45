//! Five articles on one running story: three tell one event in their own words, one tells of before, one of after.
//! They must come out as three records whatever the order in which they arrive.

use crate::{
    answers::{Record, record_of},
    corpus::{files_in, fixture, shared},
    daemon::Daemon,
    place::Place,
    wait::within,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Cursor,
    path::Path,
    time::Duration,
};
use wirefold::{
    config::Config,
    detect::{Detector, Newcomer},
    fingerprint::fingerprint,
    format,
    model::{Article, ArticleId, ArticleNo, Digest, Event, Fingerprint, RecordId, Time},
    normalize::{normalize, title_of},
};

/// Which of five files, by name, tell one event. The first and the last are apart, and related to it.
const ONE_STORY: [usize; 3] = [1, 2, 3];

fn check_joined(records: &[Record], names: &[String]) {
    assert_eq!(records.len(), 3, "{records:#?}");
    assert_eq!(record_of(records, &names[1]).names(), ONE_STORY.map(|n| names[n].as_str()));
    for name in [&names[0], &names[4]] {
        assert_eq!(record_of(records, name).names(), [name], "on its own");
    }
}

fn check_related(records: &[Record], names: &[String]) {
    let story = record_of(records, &names[1]);
    for name in [&names[0], &names[4]] {
        let apart = record_of(records, name);
        assert!(
            apart.is_related_to(story) && story.is_related_to(apart),
            "{name} is not related: {records:#?}"
        );
    }
}

fn names_of(folder: &Path) -> Vec<String> {
    files_in(folder).iter().map(|f| f.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

fn check_ingest(folder: &Path) -> Vec<Record> {
    let place = Place::new();
    let ran = place.ingest([folder]);
    assert!(ran.out.starts_with("5 files in "), "{ran:?}");
    check_joined(&place.export(), &names_of(folder));
    let listed = Record::read_all(&place.done(["list", "--json"]).out);
    let mut exported = place.export();
    exported.reverse();
    assert_eq!(listed, exported, "list writes the same objects, newest first");
    listed
}

/// With the built-in configuration, settling and all, within the five seconds that a newcomer is promised.
fn check_daemon(folder: &Path) -> Vec<Record> {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    for file in files_in(folder) {
        fs::copy(&file, place.inbox().join(file.file_name().unwrap())).unwrap();
    }
    let records = within(Duration::from_secs(5), "three records of five articles", || {
        let records = Record::read_all(&place.done(["list", "--json"]).out);
        (records.iter().map(|r| r.articles.len()).sum::<usize>() == 5).then_some(records)
    });
    check_joined(&records, &names_of(folder));
    daemon.stop_well();
    records
}

#[test]
fn the_five_are_three_records_by_ingest() {
    check_ingest(&fixture("seeds"));
    if let Some(folder) = shared("seeds") {
        check_related(&check_ingest(&folder), &names_of(&folder));
    }
}

#[test]
fn the_five_are_three_records_within_five_seconds_of_being_dropped() {
    check_daemon(&fixture("seeds"));
    if let Some(folder) = shared("seeds") {
        check_related(&check_daemon(&folder), &names_of(&folder));
    }
}

#[test]
fn what_came_before_and_after_is_related() {
    check_related(&check_ingest(&fixture("seeds")), &names_of(&fixture("seeds")));
}

#[test]
fn the_five_are_three_records_in_all_120_orders() {
    check_orders(&fixture("seeds"), false);
    if let Some(folder) = shared("seeds") {
        check_orders(&folder, true);
    }
}

fn check_orders(folder: &Path, are_related: bool) {
    let measured: Vec<Measured> = files_in(folder).iter().map(|file| Measured::read(file)).collect();
    let mut orders = Vec::new();
    permute(&mut (0..measured.len()).collect::<Vec<_>>(), 0, &mut orders);
    assert_eq!(orders.len(), 120);
    for order in orders {
        let outcome = decide(order.iter().map(|n| &measured[*n]));
        let record = |n: usize| outcome.records[&measured[n].id];
        let story = record(1);
        let joined: Vec<usize> = (0..5).filter(|n| record(*n) == story).collect();
        assert_eq!(joined, ONE_STORY, "in the order {order:?}");
        assert_ne!(record(0), record(4), "in the order {order:?}");
        for apart in [record(0), record(4)] {
            let pair = (apart.min(story), apart.max(story));
            let is_related = outcome.related.contains(&pair);
            assert!(is_related || !are_related, "{apart} is not related in the order {order:?}");
        }
    }
}

fn permute(order: &mut Vec<usize>, fixed: usize, all: &mut Vec<Vec<usize>>) {
    if fixed == order.len() {
        all.push(order.clone());
    }
    for next in fixed..order.len() {
        order.swap(fixed, next);
        permute(order, fixed + 1, all);
        order.swap(fixed, next);
    }
}

/// An article as the pipeline hands it to the detector.
struct Measured {
    id: ArticleId,
    text_digest: Digest,
    article: Article,
    fingerprint: Fingerprint,
}

impl Measured {
    fn read(file: &Path) -> Self {
        let bytes = fs::read(file).unwrap();
        let reading = Config::load(None, Some(Path::new("/nowhere"))).unwrap().reading();
        let mut items = Vec::new();
        let whole = format::cut(&mut Cursor::new(bytes), &reading, &mut |item| {
            items.push(item.unwrap());
            true
        });
        let ([item], true) = (&items[..], whole.end.unwrap()) else { panic!("one article") };
        let mut article = format::decode(item, &reading.fields).unwrap();
        article.title = article.title.or_else(|| title_of(&article.text));
        let normalized = normalize(&article);
        let (text_digest, fingerprint) = (normalized.digest(), fingerprint(&normalized));
        Self { id: Digest::of(&item.bytes), text_digest, article, fingerprint }
    }
}

/// Where every article ended, and which records are related.
struct Outcome {
    records: BTreeMap<ArticleId, RecordId>,
    related: BTreeSet<(RecordId, RecordId)>,
}

fn decide<'m>(arriving: impl Iterator<Item = &'m Measured>) -> Outcome {
    let settings = Config::load(None, Some(Path::new("/nowhere"))).unwrap().detect_settings();
    let mut detector = Detector::new(settings);
    let (mut records, mut links) = (BTreeMap::new(), Vec::new());
    let mut now_called: BTreeMap<RecordId, RecordId> = BTreeMap::new();
    for (no, measured) in (0..).zip(arriving) {
        let newcomer = Newcomer {
            no: ArticleNo(no),
            id: measured.id,
            text_digest: measured.text_digest,
            time: Time::from_millis(1_760_000_000_000 + 1000 * i64::from(no)),
            published: measured.article.published,
            source: measured.article.source.as_deref(),
            fingerprint: &measured.fingerprint,
        };
        let decision = detector.decide(&newcomer, None);
        records.insert(measured.id, decision.verdict.record);
        links.extend(decision.verdict.related.iter().map(|link| (decision.verdict.record, link.record)));
        for change in decision.changes {
            match change {
                Event::Merge(merge) => {
                    records.values_mut().filter(|r| **r == merge.from).for_each(|r| *r = merge.into);
                    now_called.insert(merge.from, merge.into);
                }
                Event::Move(moved) => drop(records.insert(moved.id, moved.to)),
                other => panic!("{other:?} is not a change"),
            }
        }
    }
    let current = |mut id: RecordId| {
        while let Some(next) = now_called.get(&id) {
            id = *next;
        }
        id
    };
    let related = links.into_iter().map(|(a, b)| (current(a), current(b))).map(|(a, b)| (a.min(b), a.max(b)));
    Outcome { related: related.collect(), records }
}
