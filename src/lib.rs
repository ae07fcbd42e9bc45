//! wirefold folds the copies and rewrites of one wire story into one canonical record.
//!
//! News files are dropped into a watched inbox; each goes through the stages in the order in which the modules
//! stand here, and what comes out is a record: a canonical article and its variants, each with the evidence for
//! why it is there. `ARCHITECTURE.md` has the whole picture and the invariants.

pub mod clock;
pub mod metrics;
pub mod model;

pub mod detect;
pub mod encode;
pub mod fingerprint;
pub mod format;
pub mod inbox;
pub mod journal;
pub mod normalize;
pub mod pipeline;
pub mod store;

pub mod generate;

pub mod backup;
pub mod bench;
pub mod cli;
pub mod config;
pub mod control;
pub mod doctor;
pub mod eval;
pub mod query;
pub mod service;

/// What is taken and given back most are texts and lists, by one thread for another: a run takes a tenth less time than
/// with the system's own allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
