//! The first matcher: the same bytes, and the same normalized text. The same bytes are no new article and are asked for by the
//! pipeline alone.

use super::postings::{Found, Postings};
use crate::model::{ArticleNo, Digest, low_half};
use std::iter::once;

/// Finds live articles by the digests of their bytes and of what is compared of them; in it are both kinds, known by 32 bits.
#[derive(Default)]
pub(super) struct Exact(Postings<(), 0>);

impl Exact {
    /// Takes in an article with the digests that it is found by. Numbers must rise.
    pub fn insert(&mut self, no: ArticleNo, digests: impl Iterator<Item = Digest>) {
        self.0.insert(no, (), digests.map(|digest| (key(digest), 0)));
    }

    pub fn remove(&mut self, no: ArticleNo, digests: impl Iterator<Item = Digest>) {
        self.0.remove(no, || digests.map(key));
    }

    /// The articles that may have this digest, the oldest first.
    pub fn find(&self, digest: Digest) -> Vec<ArticleNo> {
        let found = self.0.of(once(key(digest)));
        let postings = found.iter().flat_map(Found::postings);
        postings.filter_map(|posting| Some(self.0.article(self.0.place(*posting))?.0)).collect()
    }
}

fn key(digest: Digest) -> u32 {
    low_half(digest.head())
}
