//! JSON objects under the names of the configuration.
#![no_main]

use wirefold::format::Form;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wirefold_fuzz::article(Form::Json, bytes));
