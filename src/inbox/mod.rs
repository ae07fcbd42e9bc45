//! The inboxes: where files arrive, and the only place that knows notify.
//!
//! Owns watching, scanning, settling, claiming, disposing and recovering, for one or more inboxes. It must not
//! know what is in a file, nor the journal, the store or the configuration: it moves names and looks at sizes and
//! times. `service` runs [`Inboxes::watch`]; `pipeline` reads what was claimed, and disposes of it or sets it aside.
//!
//! ```text
//! <inbox>/a/b.txt                               a file that waits; `a` is its source
//! <inbox>/a/b.txt.done                          its marker, in an inbox whose files have some
//! <inbox>/.wirefold/0000000000000017-a%2fb.txt  the same file once claimed as arrival 17
//! <inbox>/.wirefold/0000000000000017/a/b.txt    the same where the other name would be longer than 255 bytes
//! <inbox>/.wirefold/failed/                     what could be neither read nor moved to the failed folder
//! <inbox>/.wirefold/lock                        locked by the process that claims here
//! <failed>/0000000000000017-b.txt               a file set aside, and beside it
//! <failed>/0000000000000017-b.txt.reason.json   why
//! <failed>/0000000000000017-4-b.txt.slice       item 4, from 1, of a file whose other items were good
//! ```
//!
//! Events are hints. A scan at start, of each new folder, after any loss and on a timer finds what they missed. A
//! claim is a rename within the inbox's own mount, so a file is always in exactly one place, under its whole name.

mod canary;
mod claim;
mod crew;
mod error;
mod failed;
mod folders;
mod hint;
mod keeper;
mod leash;
mod lying;
mod marker;
mod names;
mod open;
mod pending;
mod recover;
mod requeue;
mod root;
mod scan;
mod stamp;
mod state;
#[cfg(test)]
mod tests;
mod watch;

pub use claim::{Arrivals, Claimed, sync_claims};
pub use error::{InboxError, is_transient};
pub use failed::{FailedDir, SliceName};
pub use leash::answered;
pub use lying::{Around, Lying, Reach, SetAside, reasons_in, set_aside_in, waiting_as, what_keeps};
pub use marker::Marker;
pub use names::{display_path, is_left_alone, is_pattern, shown_path, typed_path};
pub use open::{Inboxes, Root, Settings, would_open};
pub use recover::{claimed_files, claims_in};
pub use requeue::{TakenOut, take_out};
pub use scan::{Survey, survey};
pub use stamp::{FileKind, open_regular};
pub use state::{InboxState, RootState, Watching};
