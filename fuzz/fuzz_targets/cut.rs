//! Whole files, however they are packed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::file(bytes));
