//! Web archives.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::file_of(b"WARC/1.0\r\n", bytes));
