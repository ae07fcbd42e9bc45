//! The vocabulary of wirefold as types: what the stages hand to each other, and what the journal keeps.
//!
//! No I/O, no clock, no threads. Every other module may use this one; it uses none of them.

mod article;
mod encoded;
mod event;
mod evidence;
mod fingerprint;
mod hashed;
mod id;
pub mod prior;
mod receipt;
mod score;
mod time;

pub use article::{Article, ItemPlace, Normalized, Version, ends_alike, place_of};
pub use encoded::{Direction, Encoded};
pub use event::{
    ArrivalEvent, ArticleEvent, Event, Link, MendedEvent, MergeEvent, MoveEvent, NearMiss, PinEvent,
    Rejection, RequeueEvent, Sighting, Step, Verdict,
};
pub use evidence::{ComparedFigures, ComparedNames, Evidence, Form, Parts, Relation, SharedTerm};
pub use fingerprint::{Fingerprint, Language, SKETCH_ONE_IN, Slot, TermCount, TermKind, low_half};
pub use hashed::{SpreadHasher, TermMap};
pub use id::{Arrival, ArticleId, ArticleNo, Digest, ParseIdError, RecordId};
pub use receipt::{Original, Outcome, Reason, Receipt};
pub use score::{LogOdds, Score};
pub use time::Time;
