//! Items of ninjs.
#![no_main]

use wirefold::format::Form;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wirefold_fuzz::article(Form::Json, &[br#"{"uri": "u", "pubstatus": "usable", "#, bytes].concat());
});
