//! The second stage, on all cores: raw bytes to an article, its normalized text and its fingerprint.

use super::job::{Chunk, Cut, Prepared, Ready, Refused};
use crate::{
    fingerprint::fingerprint,
    format::{self, Form},
    model::{Article, ArticleEvent, Digest, Fingerprint, RawItem},
    normalize::{normalize, title_of},
};

/// Measures all items of a chunk.
pub(super) fn prepare(chunk: Chunk) -> Prepared {
    let items = chunk.items.into_iter().map(|cut| match cut {
        Cut::Item(item) => ready(chunk.form, item),
        Cut::Bad(refused) => Err(refused),
    });
    Prepared { job: chunk.job, items: items.collect(), end: chunk.end }
}

fn ready(form: Form, item: RawItem) -> Result<Box<Ready>, Refused> {
    let mut article = match format::decode(form, &item.bytes) {
        Ok(article) => article,
        Err(error) => {
            let RawItem { index, place, bytes } = item;
            return Err(Refused { index, place, bytes, reason: error.reason() });
        }
    };
    if article.title.is_none() {
        article.title = title_of(&article.text);
    }
    let (text_digest, fingerprint) = measure(&article);
    let (index, place, id) = (item.index, item.place, Digest::of(&item.bytes));
    Ok(Box::new(Ready { index, place, id, text_digest, article, fingerprint }))
}

fn measure(article: &Article) -> (Digest, Fingerprint) {
    let normalized = normalize(article);
    (normalized.digest(), fingerprint(&normalized))
}

/// The fingerprint of an article that the journal tells of.
pub(super) fn fingerprint_of(event: &ArticleEvent) -> Fingerprint {
    let article = Article { title: event.title.clone(), text: event.text.clone(), ..Article::default() };
    measure(&article).1
}
