//! The second stage, on all cores: raw bytes to an article, its normalized text and its fingerprint.

use super::job::{Chunk, Cut, Prepared, Ready, Refused};
use crate::{
    encode::Encoder,
    fingerprint::{fingerprint, language_of},
    format::{self, Fields, RawItem},
    model::{Article, ArticleEvent, Digest, Fingerprint, Language, Reason},
    normalize::{normalize, title_of},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Measures all items of a chunk.
pub(super) fn prepare(chunk: Chunk, fields: &Fields, encoder: Option<&Encoder>) -> Prepared {
    let items = chunk.items.into_iter().map(|cut| match cut {
        Cut::Item(item) => guarded(item, fields, encoder),
        Cut::Bad(refused) => Err(refused),
    });
    Prepared { job: chunk.job, items: items.collect(), end: chunk.end }
}

/// A defect that one article brings to light must not keep the others out, at every start anew.
fn guarded(item: RawItem, fields: &Fields, encoder: Option<&Encoder>) -> Result<Box<Ready>, Refused> {
    let defect = |_| {
        let said = "reading it brought a defect of wirefold to light; please report it";
        Err(Reason::new("internal", said))
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| ready(&item, fields, encoder))).unwrap_or_else(defect);
    let RawItem { index, place, bytes, .. } = item;
    outcome.map_err(|reason| Refused { index, place, bytes, reason })
}

fn ready(item: &RawItem, fields: &Fields, encoder: Option<&Encoder>) -> Result<Box<Ready>, Reason> {
    let mut article = format::decode(item, fields).map_err(|error| error.reason())?;
    if article.title.is_none() {
        article.title = title_of(&article.text);
    }
    let normalized = normalize(&article);
    let (text_digest, mut fingerprint) = (normalized.digest(), fingerprint(&normalized));
    if article.lang.is_none() {
        // English is told by its words, which are counted anyway.
        let is_english = fingerprint.language == Language::ENGLISH;
        let lang = if is_english { Some("en") } else { language_of(&article.text) };
        article.lang = lang.map(str::to_owned);
    }
    fingerprint.encoded = encoder.and_then(|encoder| encoder.encode(&normalized, article.lang.as_deref()));
    let (index, place, id) = (item.index, item.place.clone(), Digest::of(&item.bytes));
    Ok(Box::new(Ready { index, place, id, text_digest, article, fingerprint }))
}

/// The fingerprint of an article that the journal tells of. What an encoder made of it is taken as it stands there, so
/// that a view is made anew without the model, and with the same bits on any machine.
pub(super) fn fingerprint_of(event: &ArticleEvent) -> Fingerprint {
    let article = Article { title: event.title.clone(), text: event.text.clone(), ..Article::default() };
    Fingerprint { encoded: event.encoded.clone(), ..fingerprint(&normalize(&article)) }
}
