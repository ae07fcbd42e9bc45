//! What kind of file it is.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::sniff(bytes));
