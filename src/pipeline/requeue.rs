//! What could not be read, told with its reasons; and files that were set aside, sent back to their inboxes: all, by name or by
//! reason.
//!
//! Each file is first taken out of what was set aside, as a claim under its old number; then the journal says that it is
//! requeued; and only then it is put back. A start after a crash finds the claim, and the journal tells which it is to be. It
//! stays counted as it ended; what comes back is a new arrival.

use crate::{
    clock,
    inbox::{
        InboxError, Root, SetAside, TakenOut, answered, display_path, reasons_in, set_aside_in, take_out,
    },
    model::{Arrival, Event, ItemPlace, Outcome, RequeueEvent, Time},
    store::{ArrivalRow, View},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// So many are taken out before the journal speaks of them: a sync for all, and whoever waits hears of some soon.
const AT_ONCE: usize = 256;

/// Which files are meant; without a name and a reason, all.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Their paths under their inboxes, their names, or what they are called where they lie.
    pub names: Vec<String>,
    /// The code of their reason.
    pub reason: Option<String>,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requeued {
    /// Its path as it was.
    pub path: String,
    /// Where it is now; nothing where it stays where it was set aside.
    pub back: Option<String>,
    /// Why it stays.
    pub why: Option<String>,
}

/// Something that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The file's path as it was.
    pub path: String,
    /// Which item of the file it is; nothing where it is the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The inbox that it came by; nothing where it was given, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<String>,
    /// What it is called where it was set aside.
    #[serde(default)]
    pub called: String,
    /// When it came.
    pub at: Time,
    /// The code of its reason.
    pub code: String,
    /// The reason as a sentence.
    pub message: String,
    /// What of it was kept.
    pub kept: Kept,
}

/// A line of what could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listed {
    /// Something that could not be read.
    Unread(Unread),
    /// An inbox that does not answer; what was set aside there is not told.
    Silent {
        /// Its path.
        silent: String,
    },
}

/// What was kept of something that could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// The whole file, which can be put back.
    #[default]
    File,
    /// A part of it; the rest was taken in.
    Part,
    /// Nothing: it stayed where it was given.
    Nothing,
    /// Nothing any more: it was set aside, and lies there no longer.
    Gone,
}

/// What is read of a reason; the rest is for people.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Why {
    path: String,
    inbox: Option<String>,
    place: Option<ItemPlace>,
    at: Time,
    code: String,
    message: String,
    /// How long a part of a file is; nothing of a whole one.
    kept_bytes: Option<u64>,
}

/// Where files were set aside, and where they go back to.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of failed files.
    pub failed: PathBuf,
    /// The inboxes. What cannot leave its mount lies in a folder of its own there.
    pub inboxes: Vec<Root>,
    /// Those of them that are known not to answer, as a mount whose server is gone.
    pub silent: Vec<PathBuf>,
    /// How long one may leave a question unanswered before it counts as one of these.
    pub patience: Duration,
}

/// Tells of all that could not be read, in order of its arrival, and of the inboxes that do not answer, until nobody listens.
/// Left out are what was given on the command line and came in whole later, and the one bad item of a file that is told itself.
pub fn unread(mut places: Places, view: View<'_>, tell: &mut dyn FnMut(Listed) -> bool) {
    let mut found = reasons_in(&places.failed);
    for inbox in places.inboxes.clone() {
        let own = inbox.path.join(".wirefold/failed");
        found.extend(places.ask(&inbox.path, move |_| reasons_in(&own)).unwrap_or_default());
    }
    found.sort_by(|one, other| one.path.file_name().cmp(&other.path.file_name()));
    let found: Vec<_> = found.into_iter().filter_map(|aside| Some((read(&aside.reason)?, aside))).collect();
    let (mut whole, mut parts) = (BTreeSet::new(), BTreeMap::<Arrival, u64>::new());
    for (why, aside) in &found {
        if why.is_part() {
            *parts.entry(aside.arrival).or_default() += 1;
        } else {
            whole.insert(aside.arrival);
        }
    }
    let came_in = LazyCell::new(|| given_whole(view));
    for (why, aside) in found {
        let (kept, number) = (why.kept(&aside), aside.arrival);
        let is_told = why.is_part() && whole.contains(&number) && parts.get(&number) == Some(&1);
        let is_over = kept == Kept::Nothing && came_in.get(&why.path).is_some_and(|last| *last > number);
        if is_told || is_over {
            continue;
        }
        let called = aside.path.file_name().map(|name| display_path(Path::new(name))).unwrap_or_default();
        let Why { path, inbox, place, at, code, message, .. } = why;
        let item = place.map(|place| place.to_string());
        if !tell(Listed::Unread(Unread { path, item, inbox, called, at, code, message, kept })) {
            return;
        }
    }
    for inbox in places.silent {
        tell(Listed::Silent { silent: display_path(&inbox) });
    }
}

/// Under which number each file last came in whole that was given on the command line, by its path. Where the view cannot tell,
/// none did.
fn given_whole(view: View<'_>) -> BTreeMap<String, Arrival> {
    let is_whole = |row: &ArrivalRow| {
        row.inbox.is_none() && matches!(row.outcome, Some(Outcome::Accepted | Outcome::Duplicate))
    };
    let given = view.arrivals().flatten().filter(|(_, row)| is_whole(row));
    given.map(|(arrival, row)| (row.path, arrival)).collect()
}

/// Puts the files back that are meant. `say` makes events durable, and says whether it could; `tell` hears of each file until
/// it says that nobody listens. An inbox that does not answer keeps its own files and no other's.
pub fn requeue(
    which: &Which,
    mut places: Places,
    say: &mut dyn FnMut(Vec<Event>) -> bool,
    tell: &mut dyn FnMut(Requeued) -> bool,
) {
    let (part, mut meant): (Vec<_>, Vec<_>) =
        set_aside(&places.failed).into_iter().partition(|(why, _)| why.is_part());
    for inbox in places.inboxes.clone() {
        let own = inbox.path.join(".wirefold/failed");
        meant.extend(places.ask(&inbox.path, move |_| set_aside(&own)).unwrap_or_default());
    }
    meant.retain(|(why, aside)| which.means(why, aside));
    let mut parts = BTreeMap::<Arrival, Vec<SetAside>>::new();
    for (_, part) in part {
        parts.entry(part.arrival).or_default().push(part);
    }
    let (at, mut is_heard) = (clock::now().whole_second(), true);
    while is_heard && !meant.is_empty() {
        let rest = meant.split_off(meant.len().min(AT_ONCE));
        let taken: Vec<_> =
            meant.into_iter().map(|(why, aside)| (places.take_out(&why, aside), why.path)).collect();
        meant = rest;
        let arrivals = taken.iter().filter_map(|(taken, _)| taken.as_ref().ok()).map(TakenOut::arrival);
        let events: Vec<_> = arrivals.map(|arrival| Event::Requeue(RequeueEvent { arrival, at })).collect();
        let is_said = events.is_empty() || say(events);
        for (taken, path) in taken {
            let arrival = taken.as_ref().ok().map(TakenOut::arrival);
            let back = match taken {
                Ok(taken) if !is_said => {
                    Err(places.set_aside_again(taken, "wirefold is stopping".to_owned()))
                }
                taken => taken.and_then(|taken| places.put_back(taken)),
            };
            if back.is_ok() {
                arrival.and_then(|arrival| parts.remove(&arrival)).iter().flatten().for_each(remove_part);
            }
            let (back, why) = (back.as_deref().map(display_path).ok(), back.err());
            is_heard &= tell(Requeued { path, back, why });
        }
    }
}

/// Removes what had been kept of a part of a file that is back whole: it is cut anew.
fn remove_part(part: &SetAside) {
    for path in [&part.path, &part.reason] {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(part = display_path(path), %error, "a part of a file that was put back could not be removed");
        }
    }
}

/// What was set aside in a folder, files and parts of some, each with why.
fn set_aside(folder: &Path) -> Vec<(Why, SetAside)> {
    set_aside_in(folder).into_iter().map(|aside| (why(&aside), aside)).collect()
}

const SILENT: &str = "its inbox does not answer";

impl Places {
    /// Asks something of an inbox; nothing where that does not answer, which it is then not asked again.
    fn ask<T: Send + 'static>(
        &mut self,
        inbox: &Path,
        ask: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Option<T> {
        if self.silent.iter().any(|silent| silent == inbox) {
            return None;
        }
        let answer = answered(self.patience, ask).ok().flatten();
        if answer.is_none() {
            self.silent.push(inbox.to_owned());
        }
        answer
    }

    fn take_out(&mut self, why: &Why, aside: SetAside) -> Result<TakenOut, String> {
        let inbox = self.home(why)?;
        let (path, shown) = (inbox.path.clone(), why.path.clone());
        self.done(&path, move |goes_on| take_out(&aside, inbox, &shown, goes_on))
    }

    fn put_back(&mut self, taken: TakenOut) -> Result<PathBuf, String> {
        let (inbox, going) = (taken.inbox().to_owned(), taken.clone());
        self.done(&inbox, move |_| going.put_back()).map_err(|why| self.set_aside_again(taken, why))
    }

    /// Sets a file aside again that cannot go back, and says why it cannot, and where it lies if not there.
    fn set_aside_again(&mut self, taken: TakenOut, why: String) -> String {
        let (inbox, claim) = (taken.inbox().to_owned(), display_path(taken.claim()));
        match self.done(&inbox, move |goes_on| taken.set_aside_again(goes_on)) {
            Ok(()) => why,
            Err(error) => format!("{why}; it lies at {claim}, and cannot be set aside again: {error}"),
        }
    }

    /// What comes of doing something in an inbox, or why nothing does.
    fn done<T: Send + 'static>(
        &mut self,
        inbox: &Path,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, String> {
        let done = self.ask(inbox, work).ok_or_else(|| SILENT.to_owned())?;
        done.map_err(|error| match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })
    }

    /// The inbox that a file came from; where that is not known and there is but one, that one.
    fn home(&self, why: &Why) -> Result<Root, String> {
        let home = match (&why.inbox, &*self.inboxes) {
            (Some(shown), _) => self.inboxes.iter().find(|inbox| display_path(&inbox.path) == *shown),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let home = home.ok_or_else(|| {
            let inbox = why.inbox.as_ref().map_or_else(String::new, |inbox| format!(" {inbox}"));
            format!("its inbox{inbox} is none of those that are configured")
        })?;
        if self.silent.contains(&home.path) { Err(SILENT.to_owned()) } else { Ok(home.clone()) }
    }
}

/// The reason of a file, or of a part of one. Where it is lost the file is known by its name alone, and taken for a whole one:
/// to put back what is none does no harm.
fn why(aside: &SetAside) -> Why {
    read(&aside.reason).filter(|why| !why.path.is_empty()).unwrap_or_else(|| {
        let name = aside.path.file_name().map(|name| display_path(Path::new(name))).unwrap_or_default();
        let path = name.split_once('-').map_or(name.as_str(), |(_, name)| name).to_owned();
        Why { path, ..Why::default() }
    })
}

impl Why {
    /// Whether it is the reason of a part of a file, whatever that is called.
    fn is_part(&self) -> bool {
        self.kept_bytes.is_some()
    }

    /// What is there of what it is the reason of.
    fn kept(&self, aside: &SetAside) -> Kept {
        match fs::symlink_metadata(&aside.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.inbox.is_none() => Kept::Nothing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::Gone,
            _ if self.is_part() => Kept::Part,
            _ => Kept::File,
        }
    }
}

fn read(reason: &Path) -> Option<Why> {
    fs::read(reason).ok().and_then(|text| serde_json::from_slice(&text).ok())
}

impl Which {
    fn means(&self, why: &Why, aside: &SetAside) -> bool {
        let is_named = |name: &String| {
            let name = Path::new(name.strip_prefix("./").unwrap_or(name));
            Path::new(&why.path).ends_with(name)
                || [&aside.path, &aside.reason].iter().any(|p| p.ends_with(name))
        };
        (self.names.is_empty() || self.names.iter().any(is_named))
            && self.reason.as_ref().is_none_or(|code| *code == why.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A disk that answers nothing that would change it, as a share whose server is gone.
    struct Frozen(PathBuf);

    impl Frozen {
        /// Nothing, and a printed line, where none can be made.
        fn on(path: PathBuf) -> Option<Self> {
            let image = path.with_extension("image");
            fs::create_dir(&path).unwrap();
            fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
            let did = |program: &str, args: &[&str], last: &[&Path]| {
                let ran = Command::new(program).args(args).args(last).output();
                ran.is_ok_and(|ran| ran.status.success())
            };
            let is_mounted = did("mkfs.ext4", &["-q", "-F"], &[&image])
                && did("mount", &["-o", "loop"], &[&image, &path])
                && fs::create_dir(path.join(".wirefold")).is_ok();
            let frozen = Self(path);
            if is_mounted && did("fsfreeze", &["-f"], &[&frozen.0]) {
                return Some(frozen);
            }
            println!("skipped: this needs the right to mount a file system and to freeze it");
            None
        }
    }

    impl Drop for Frozen {
        fn drop(&mut self) {
            Command::new("fsfreeze").arg("-u").arg(&self.0).output().ok();
            Command::new("umount").arg("-l").arg(&self.0).output().ok();
        }
    }

    /// A folder of failed files with these numbers, each from its inbox.
    fn put_aside<const N: usize>(failed: &Path, files: [(u64, &PathBuf); N]) {
        fs::create_dir(failed).unwrap();
        for (number, inbox) in files {
            let file = failed.join(format!("{number:016}-{number}.txt"));
            let why = serde_json::json!({ "path": format!("{number}.txt"), "inbox": inbox, "code": "x" });
            fs::write(&file, "text").unwrap();
            fs::write(format!("{}.reason.json", file.display()), why.to_string()).unwrap();
        }
    }

    /// It heard of all that were meant before any had moved: of those too that could not be, and of those left where they were
    /// as nobody listened any more.
    #[test]
    fn the_journal_hears_of_what_is_taken_out_before_it_is_back() {
        let dir = tempfile::tempdir().unwrap();
        let [none, inbox, failed] = ["none", "inbox", "failed"].map(|name| dir.path().join(name));
        fs::create_dir(&inbox).unwrap();
        put_aside(&failed, [(1, &none), (2, &inbox), (3, &inbox)]);
        let patience = Duration::from_secs(30);
        let inboxes = [&none, &inbox].map(|path| Root::new(path.clone(), Vec::new())).into();
        let places = Places { failed: failed.clone(), inboxes, silent: Vec::new(), patience };
        let mut said = Vec::new();
        let mut say = |events: Vec<Event>| {
            assert_eq!(set_aside(&failed).len(), 1);
            assert!(!inbox.join("2.txt").exists() && !inbox.join("3.txt").exists());
            said.extend(events.into_iter().map(|event| match event {
                Event::Requeue(event) => event.arrival.0,
                other => panic!("{other:?}"),
            }));
            true
        };
        requeue(&Which::default(), places, &mut say, &mut |_| false);
        assert!(!none.exists(), "nothing is made where an inbox is away");
        assert_eq!(said, [2, 3]);
        assert!(inbox.join("2.txt").exists() && inbox.join("3.txt").exists());
    }

    /// It lay in neither place, and a second requeue found nothing that was meant.
    #[test]
    fn what_cannot_go_back_is_set_aside_still_and_goes_once_it_can() {
        let dir = tempfile::tempdir().unwrap();
        let [inbox, failed] = ["inbox", "failed"].map(|name| dir.path().join(name));
        let sub = inbox.join("sub");
        fs::create_dir(&inbox).unwrap();
        put_aside(&failed, [(1, &inbox)]);
        let reason = failed.join("0000000000000001-1.txt.reason.json");
        let why = fs::read_to_string(&reason).unwrap().replace("1.txt", "sub/1.txt");
        fs::write(reason, why).unwrap();
        let root = Root::new(inbox.clone(), Vec::new());
        let places = Places {
            failed: failed.clone(),
            inboxes: vec![root],
            silent: Vec::new(),
            patience: Duration::from_secs(30),
        };
        let order = |say: &mut dyn FnMut(Vec<Event>) -> bool| {
            let mut told = Vec::new();
            requeue(&Which::default(), places.clone(), say, &mut |requeued| {
                told.push(requeued);
                true
            });
            assert_eq!(told.len(), 1);
            told.remove(0)
        };
        let stays = |told: &Requeued| {
            assert!(told.back.is_none() && told.why.is_some(), "{told:?}");
            assert_eq!((set_aside(&failed).len(), fs::read_dir(&failed).unwrap().count()), (1, 2));
            assert_eq!(fs::read_dir(inbox.join(".wirefold")).unwrap().count(), 0);
        };
        fs::write(&sub, "a file").unwrap();
        stays(&order(&mut |_| panic!("it does not go back")));
        fs::remove_file(&sub).unwrap();
        stays(&order(&mut |_| false));
        // Somebody puts a file there between the word and the deed.
        stays(&order(&mut |_| {
            fs::remove_dir(&sub).unwrap();
            fs::write(&sub, "a file").is_ok()
        }));
        fs::remove_file(&sub).unwrap();
        // Here it cannot be set aside again either.
        let told = order(&mut |_| {
            fs::remove_dir(&sub).unwrap();
            fs::write(&sub, "a file").unwrap();
            fs::rename(&failed, dir.path().join("away")).is_ok()
        });
        let lies = inbox.join(".wirefold/0000000000000001-sub%2f1.txt");
        assert!(told.why.is_some_and(|why| why.contains(&display_path(&lies))) && lies.exists());
    }

    /// One dead mount held up the whole order, and with it the thread of whoever had asked.
    #[test]
    fn an_inbox_that_does_not_answer_keeps_its_own_files_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let [dead, alive, failed] = ["dead", "alive", "failed"].map(|name| dir.path().join(name));
        fs::create_dir(&alive).unwrap();
        put_aside(&failed, [(1, &dead), (2, &dead), (3, &alive)]);
        let Some(frozen) = Frozen::on(dead.clone()) else { return };
        let patience = Duration::from_millis(300);
        let inboxes = [&dead, &alive].map(|path| Root::new(path.clone(), Vec::new())).into();
        let places = Places { failed: failed.clone(), inboxes, silent: Vec::new(), patience };
        let mut told = Vec::new();
        requeue(&Which::default(), places.clone(), &mut |_| true, &mut |requeued| {
            told.push(requeued);
            true
        });
        let stays = |told: &Requeued| told.back.is_none() && told.why.as_deref() == Some(SILENT);
        assert!(told.len() == 3 && told[..2].iter().all(stays), "{told:?}");
        assert_eq!(fs::read(alive.join("3.txt")).unwrap(), b"text");
        // What nobody waits for any more is not done behind his back.
        drop(frozen);
        assert_eq!(set_aside(&failed).len(), 2);

        // Who is known not to answer is not even asked, and nothing is said of its files.
        let places = Places { silent: vec![dead], ..places };
        let mut say = |_: Vec<Event>| panic!("nothing is put back");
        requeue(&Which::default(), places, &mut say, &mut |requeued| stays(&requeued));
    }
}
