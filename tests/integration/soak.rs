//! Twenty files a second for as long as is asked, while files cannot be read, hold junk, the disk is full, the inbox is away,
//! and the configuration is read again: nothing is lost, and neither memory nor descriptors grow.

use crate::{
    corpus::Reporter,
    daemon::{Daemon, settled_within},
    full_disk::Mounted,
    place::{Place, Running, drop_whole, names_in},
    scale::{scale, seed},
    wait::{PATIENCE, pause},
};
use rustix::process::Signal;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use wirefold::{
    clock,
    model::{Digest, Time},
};

/// Between two files.
const BEAT: Duration = Duration::from_millis(50);
/// From this length on memory and descriptors are held to their bounds.
const JUDGED_FROM: Duration = Duration::from_mins(40);
/// So many articles the daemon has taken in before such a run begins: what sled keeps of the view in memory is full by then.
const BEFORE: u32 = 80_000;
/// The articles' own time goes by so much before the run and in it, and the windows are of a day: they are always full.
const BEFORE_MS: f64 = 10.0 * DAY_MS;
const RUN_MS: f64 = 19.0 * DAY_MS;
const DAY_MS: f64 = 86_400_000.0;
/// What the disk has: enough for an hour and an audit of it.
const DISK_MB: u32 = 3072;
/// Texts that are told again, and files that are sent again, are among so many last ones.
const REMEMBERED: usize = 500;

/// For what takes long with so much in the store.
const LONG: Duration = Duration::from_mins(20);

/// What could not be had for a while is tried again after so long at the latest.
const PUT_OFF_LONGEST: Duration = Duration::from_mins(1);

/// What is wrong for some seconds.
enum Fault {
    Unreadable,
    FullDisk,
    Away,
}

/// What is delivered, and what is done to it meanwhile.
struct Soak {
    place: Place,
    daemon: Daemon,
    random: fastrand::Rng,
    reporter: Reporter,
    /// Where the data has a disk of its own, it can be filled.
    disk: Option<Mounted>,
    fault: Option<(Fault, Instant)>,
    faults: BTreeMap<&'static str, u32>,
    last: Vec<(String, Vec<u8>)>,
    /// Files that were there when it began.
    before: u64,
    files: u64,
    junk: u64,
    sightings: BTreeMap<String, u64>,
}

/// Memory in kB and open descriptors.
#[derive(Clone, Copy)]
struct Sample {
    memory_kb: f64,
    descriptors: f64,
}

impl Soak {
    fn start(length: Duration) -> Option<Self> {
        let seed = seed();
        let mut place = Place::of_ordinary_user()?;
        let feed = place.path("feed");
        place.make_own(&feed);
        let inbox = format!("[[inbox]]\npath = '{}'\n", feed.display());
        place.configure(&format!(
            "[intake]\nsettle_ms = 20\nrescan_s = 5\n[match]\noverlap_days = 1\nrewrite_days = 1\n{inbox}"
        ));
        let disk = Mounted::on(place.data(), &format!("size={DISK_MB}m"));
        place.make_own(&place.data());
        let (mut reporter, daemon) = (Reporter::new(seed), Daemon::start(&place));
        if length >= JUDGED_FROM {
            fill_store(&place, &mut reporter);
        }
        let before = place.status().files.received;
        Some(Self {
            place,
            daemon,
            random: fastrand::Rng::with_seed(seed),
            reporter,
            disk,
            fault: None,
            faults: BTreeMap::new(),
            last: Vec::new(),
            before,
            files: 0,
            junk: 0,
            sightings: BTreeMap::new(),
        })
    }

    fn inbox(&self) -> PathBuf {
        let is_away = matches!(self.fault, Some((Fault::Away, _)));
        self.place.path(if is_away { "feed.away" } else { "feed" })
    }

    /// Drops the next file, and says where it lies. `way` is how far the run is, from 0 to 1.
    fn deliver(&mut self, way: f64) -> PathBuf {
        let path = self.inbox().join(format!("{:06}.json", self.files));
        self.files += 1;
        let kind = self.random.u32(..50);
        if kind == 0 {
            self.junk += 1;
            drop_whole(&path, &[0xff, 0, 1, 2].repeat(40));
            return path;
        }
        let earlier = self.random.choice(&self.last).cloned();
        let (text, bytes) = match (kind, earlier) {
            (1..=3, Some(earlier)) => earlier,
            (4..=12, Some((earlier, _))) => Self::article(self.reporter.retouched(&earlier), way),
            _ => Self::article(self.reporter.story(), way),
        };
        *self.sightings.entry(Digest::of(&bytes).to_string()).or_default() += 1;
        drop_whole(&path, &bytes);
        self.last.push((text, bytes));
        if self.last.len() > REMEMBERED {
            self.last.remove(0);
        }
        path
    }

    fn article(text: String, way: f64) -> (String, Vec<u8>) {
        let file = article(&text, RUN_MS * (1.0 - way));
        (text, file.into_bytes())
    }

    /// Now and then something goes wrong, for some seconds.
    fn trouble(&mut self, dropped: &Path) {
        if self.fault.as_ref().is_some_and(|(_, until)| *until < Instant::now()) {
            self.mend();
        }
        if self.fault.is_some() || self.random.u32(..60) > 0 {
            return;
        }
        let fault = match self.random.u32(..4) {
            0 => {
                self.daemon.signal(Signal::HUP);
                *self.faults.entry("reloads").or_default() += 1;
                return;
            }
            1 if let Some(disk) = &self.disk => {
                disk.leave(100 << 20);
                *self.faults.entry("full disks").or_default() += 1;
                Fault::FullDisk
            }
            2 => {
                fs::rename(self.place.path("feed"), self.place.path("feed.away")).unwrap();
                *self.faults.entry("inboxes away").or_default() += 1;
                Fault::Away
            }
            _ if set_mode(dropped, 0).is_ok() => {
                *self.faults.entry("unreadable files").or_default() += 1;
                Fault::Unreadable
            }
            _ => return,
        };
        let lasts = Duration::from_millis(self.random.u64(500..4000));
        self.fault = Some((fault, Instant::now() + lasts));
    }

    fn mend(&mut self) {
        match self.fault.take() {
            Some((Fault::Unreadable, _)) => self.make_readable(),
            Some((Fault::FullDisk, _)) => {
                self.disk.iter().for_each(|disk| disk.resize(u64::from(DISK_MB) << 20));
            }
            Some((Fault::Away, _)) => {
                fs::rename(self.place.path("feed.away"), self.place.path("feed")).unwrap();
            }
            None => {}
        }
    }

    /// Makes every file readable, wherever it lies: one that was claimed just before is under another name by now.
    fn make_readable(&self) {
        for folder in ["feed", "feed/.wirefold"].map(|folder| self.place.path(folder)) {
            for path in names_in(&folder).iter().map(|name| folder.join(name)).filter(|path| path.is_file()) {
                // It may be moved or done with meanwhile.
                set_mode(&path, 0o644).ok();
            }
        }
    }

    fn sample(&self) -> Sample {
        let process = PathBuf::from(format!("/proc/{}", self.daemon.pid()));
        let status = fs::read_to_string(process.join("status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let memory_kb = memory.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        let descriptors = fs::read_dir(process.join("fd")).unwrap().count();
        Sample { memory_kb, descriptors: f64::from(u32::try_from(descriptors).unwrap()) }
    }

    fn tell(&self, samples: &[Sample]) {
        if let Some(Sample { memory_kb, descriptors }) = samples.last() {
            let (files, mb, faults) = (self.files, memory_kb / 1024.0, &self.faults);
            println!("{files} files; {mb:.1} MB, {descriptors} descriptors; {faults:?}");
        }
    }

    /// Waits for the last file, and checks that each is there as often as it was dropped.
    fn finish(mut self) {
        self.mend();
        let files = self.before + self.files;
        let status = settled_within(PUT_OFF_LONGEST + PATIENCE, &self.place, files);
        assert_eq!(status.pid, Some(self.daemon.pid()), "it is the same daemon");
        assert_eq!((status.files.received, status.files.failed), (files, self.junk), "{status:?}");
        assert_eq!(names_in(&self.place.path("feed")), [".wirefold"], "in the inbox");
        check_clean(&self.place);
        let records = self.place.export();
        let articles = records.iter().flat_map(|record| &record.articles);
        let dropped = articles.filter(|article| !article.path.ends_with("before.jsonl"));
        let found: BTreeMap<_, _> = dropped.map(|a| (a.id.clone(), a.sightings)).collect();
        assert!(found == self.sightings, "each article is there as often as it was dropped");
        self.daemon.stop_well();
        // What was finished with while its inbox was away is let go of at the next start.
        Daemon::start(&self.place).stop_well();
        let mut left = names_in(&self.place.path("feed/.wirefold"));
        // A canary that was not heard yet when it stopped is sent anew by the next start.
        left.retain(|name| name != "canary");
        assert_eq!(left, ["lock"], "claims");
        check_clean(&self.place);
    }
}

/// A text as an article of so long ago.
#[expect(clippy::cast_possible_truncation, reason = "a month of milliseconds")]
fn article(text: &str, age_ms: f64) -> String {
    let title = text.lines().next().unwrap();
    let published = Time::from_millis(clock::now().millis() - age_ms as i64);
    json!({ "title": title, "text": text, "published": published, "source": "Soak" }).to_string()
}

/// All is as it should be, however much that is.
fn check_clean(place: &Place) {
    let ran = Running::start(place.command(["audit"])).end_within(LONG);
    assert!(ran.code() == 0 && ran.out.contains("all is as it should be"), "{ran:?}");
}

/// Has the daemon take in what one holds that has been in use for long.
fn fill_store(place: &Place, reporter: &mut Reporter) {
    let age = |n: u32| RUN_MS + BEFORE_MS * (1.0 - f64::from(n) / f64::from(BEFORE));
    let lines: Vec<_> = (0..BEFORE).map(|n| article(&reporter.story(), age(n))).collect();
    fs::write(place.path("before.jsonl"), lines.join("\n")).unwrap();
    let ran = Running::start(place.command(["ingest", "before.jsonl"])).end_within(LONG);
    assert_eq!(ran.code(), 0, "{ran:?}");
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// The mean of a quarter of all samples, counted from 1.
fn quarter(samples: &[Sample], which: usize, of: impl Fn(&Sample) -> f64) -> f64 {
    let length = samples.len() / 4;
    let quarter = &samples[(which - 1) * length..which * length];
    quarter.iter().map(of).sum::<f64>() / f64::from(u32::try_from(length).unwrap())
}

#[test]
fn a_soak_loses_nothing_and_grows_nothing() {
    let length = Duration::from_secs(scale("SOAK_SECONDS", 8));
    let Some(mut soak) = Soak::start(length) else { return };
    let (began, mut samples, mut told) = (Instant::now(), Vec::new(), 0);
    let mut next = began;
    while began.elapsed() < length {
        let path = soak.deliver(began.elapsed().as_secs_f64() / length.as_secs_f64());
        soak.trouble(&path);
        if soak.files % 20 == 0 {
            samples.push(soak.sample());
        }
        if began.elapsed().as_secs() / 60 > told {
            told += 1;
            soak.tell(&samples);
        }
        next += BEAT;
        pause(next.saturating_duration_since(Instant::now()));
    }
    soak.tell(&samples);
    let memory = [2, 4].map(|which| quarter(&samples, which, |sample| sample.memory_kb) / 1024.0);
    let descriptors = [2, 4].map(|which| quarter(&samples, which, |sample| sample.descriptors));
    println!("means of the second and the last quarter: {memory:.1?} MB, {descriptors:.2?} descriptors");
    soak.finish();
    if length >= JUDGED_FROM {
        assert!(memory[1] <= memory[0] * 1.05, "memory grows");
        assert!(descriptors[1] <= descriptors[0] + 1.0, "descriptors grow");
    }
}
