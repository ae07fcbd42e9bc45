//! What all fuzz targets do: hand some bytes to the readers as the pipeline would, and see that they come back.

use std::{io::Cursor, sync::Arc, time::Duration};
use wirefold::format::{self, Around, Fields, Form, Limits, RawItem, Settings};

/// Small, so that the limits are met.
const LIMITS: Limits = Limits { article_bytes_max: 1 << 16, nesting_max: 3, entries_max: 100, ratio_max: 200 };

/// The names that the tests use; the configuration has some more.
fn fields() -> Fields {
    let one = |name: &str| vec![name.to_owned()];
    Fields {
        id: one("id"),
        title: one("title"),
        text: one("text"),
        html: one("html"),
        published: one("published"),
        source: one("source"),
        url: one("url"),
        lang: one("lang"),
    }
}

fn settings() -> Settings {
    Settings { limits: LIMITS, patience: Duration::MAX, fields: fields() }
}

/// A whole file: sniffed, unpacked, cut, and each article read.
pub fn file(bytes: &[u8]) {
    let settings = settings();
    let mut next = 0;
    // What is wrong with a file is no concern here; that it is told is.
    let _ended = format::cut(&mut Cursor::new(bytes), &settings, &mut |item| {
        let index = item.as_ref().map_or_else(|bad| bad.index, |item| item.index);
        assert_eq!(index, next, "items are numbered in order");
        next += 1;
        if let Ok(item) = item {
            assert!(item.bytes.len() <= LIMITS.article_bytes_max);
            check(&item, &settings.fields);
        }
        true
    });
}

/// The same of a file that begins so, for what is not soon found by chance.
pub fn file_of(head: &[u8], rest: &[u8]) {
    file(&[head, rest].concat());
}

/// What a file is taken for, up to its first article.
pub fn sniff(bytes: &[u8]) {
    let ended = format::cut(&mut Cursor::new(bytes), &settings(), &mut |_| false);
    if let Err(error) = ended.end {
        assert!(!error.code().is_empty() && !error.to_string().is_empty());
    }
}

/// A tar whose headers say that they are some, with the sum that they have.
pub fn tar(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(header) = bytes.get_mut(at..at + 512) {
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let size = String::from_utf8_lossy(&header[124..135]);
        let size = usize::from_str_radix(size.trim_matches([' ', '\0']), 8).unwrap_or(0);
        at = at.saturating_add(512).saturating_add(size.div_ceil(512).saturating_mul(512));
        if at > bytes.len() {
            break;
        }
    }
    file(&bytes);
}

/// One article of this form.
pub fn article(form: Form, bytes: &[u8]) {
    let bytes = bytes.get(..bytes.len().min(LIMITS.article_bytes_max)).unwrap_or_default().to_vec();
    check(&RawItem { index: 0, place: None, form, bytes, around: Arc::new(Around::default()) }, &fields());
}

fn check(item: &RawItem, fields: &Fields) {
    match format::decode(item, fields) {
        Ok(article) => assert!(!article.text.trim().is_empty(), "an article has words"),
        Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
    }
}
