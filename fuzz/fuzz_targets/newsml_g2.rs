//! Items of NewsML-G2.
#![no_main]

use wirefold::format::Form;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::article(Form::NewsMlG2, bytes));
