//! What all fuzz targets do: hand some bytes to the readers as the pipeline would, and see that they come back.

use std::{io::Cursor, sync::Arc};
use wirefold::format::{self, Around, Fields, Form, Limits, RawItem};

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

/// A whole file: sniffed, unpacked, cut, and each article read.
pub fn file(bytes: &[u8]) {
    let fields = fields();
    let mut next = 0;
    // What is wrong with a file is no concern here; that it is told is.
    let _ended = format::cut(&mut Cursor::new(bytes), &LIMITS, &mut |item| {
        let index = item.as_ref().map_or_else(|bad| bad.index, |item| item.index);
        assert_eq!(index, next, "items are numbered in order");
        next += 1;
        if let Ok(item) = item {
            assert!(item.bytes.len() <= LIMITS.article_bytes_max);
            check(&item, &fields);
        }
        true
    });
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
