//! wirefold folds the copies and rewrites of one wire story into one canonical record.

pub mod clock;
pub mod format;
pub mod model;
pub mod normalize;
