//! wirefold folds the copies and rewrites of one wire story into one canonical record.

pub mod clock;
pub mod inbox;
pub mod model;
pub mod fingerprint;
pub mod journal;
pub mod store;
pub mod detect;
pub mod config;
