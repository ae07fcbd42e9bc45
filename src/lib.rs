//! wirefold folds the copies and rewrites of one wire story into one canonical record.

pub mod clock;
pub mod inbox;
pub mod model;
