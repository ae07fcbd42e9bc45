//! Files that were set aside, sent back to their inboxes: all, by name or by reason.
//!
//! That it is done is journalled before a file moves. It stays counted as it ended; what comes back is a new arrival.

use crate::{
    clock,
    inbox::{SetAside, display_path, put_back_aside, set_aside_in},
    model::{Event, RequeueEvent},
};
use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

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

/// What is read of a reason; the rest is for people.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Why {
    path: String,
    inbox: Option<String>,
    code: String,
}

/// Puts the files back that are meant, of those in `failed` and in the inboxes' own folders for what cannot leave their
/// mount. `say` makes events durable, and says whether it could; `tell` hears of each file until it says that nobody listens.
pub fn requeue(
    which: &Which,
    (failed, inboxes): (&Path, &[PathBuf]),
    say: &mut dyn FnMut(Vec<Event>) -> bool,
    tell: &mut dyn FnMut(Requeued) -> bool,
) {
    let own = inboxes.iter().map(|inbox| inbox.join(".wirefold/failed"));
    let folders: Vec<_> = std::iter::once(failed.to_owned()).chain(own).collect();
    let meant = folders.iter().flat_map(|folder| set_aside_in(folder)).filter(|aside| !aside.is_slice);
    let meant: Vec<_> =
        meant.map(|aside| (why(&aside), aside)).filter(|(why, aside)| which.means(why, aside)).collect();
    let (homes, homeless): (Vec<_>, Vec<_>) = meant
        .into_iter()
        .map(|(why, aside)| (home(&why, inboxes), why, aside))
        .partition(|(home, ..)| home.is_some());
    let at = clock::now().whole_second();
    let event = |arrival| Event::Requeue(RequeueEvent { arrival, at });
    let events: Vec<_> = homes.iter().map(|(_, _, aside)| event(aside.arrival)).collect();
    let is_said = events.is_empty() || say(events);
    for (home, why, aside) in homes.into_iter().chain(homeless) {
        let back = match home {
            None => Err("its inbox is none of those that are configured".to_owned()),
            Some(_) if !is_said => Err("wirefold is stopping".to_owned()),
            Some(inbox) => put_back_aside(&aside, inbox, &why.path).map_err(|error| match error.source() {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            }),
        };
        let (back, stays) = (back.as_deref().map(display_path).ok(), back.err());
        if !tell(Requeued { path: why.path, back, why: stays }) {
            break;
        }
    }
}

/// The reason of a file. Where it is lost the file is known by its name alone.
fn why(aside: &SetAside) -> Why {
    let read = fs::read(&aside.reason).ok().and_then(|text| serde_json::from_slice::<Why>(&text).ok());
    read.filter(|why| !why.path.is_empty()).unwrap_or_else(|| {
        let name = aside.path.file_name().map(|name| display_path(Path::new(name))).unwrap_or_default();
        let path = name.split_once('-').map_or(name.as_str(), |(_, name)| name).to_owned();
        Why { path, ..Why::default() }
    })
}

/// The inbox that a file came from; where that is not known and there is but one, that one.
fn home<'i>(why: &Why, inboxes: &'i [PathBuf]) -> Option<&'i PathBuf> {
    match (&why.inbox, inboxes) {
        (Some(shown), _) => inboxes.iter().find(|inbox| display_path(inbox) == *shown),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

impl Which {
    fn means(&self, why: &Why, aside: &SetAside) -> bool {
        let is_named = |name: &String| {
            let name = Path::new(name);
            Path::new(&why.path).ends_with(name) || aside.path.ends_with(name)
        };
        (self.names.is_empty() || self.names.iter().any(is_named))
            && self.reason.as_ref().is_none_or(|code| *code == why.code)
    }
}
