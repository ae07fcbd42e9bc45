//! Lines of JSON, and the objects of a list.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::file_of(b"{\"", bytes));
