//! Archives of zip.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::file_of(b"PK\x03\x04", bytes));
