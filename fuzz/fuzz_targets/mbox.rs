//! Mailboxes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::file_of(b"From a\nFrom: a\nTo: b\nSubject: c\n", bytes));
