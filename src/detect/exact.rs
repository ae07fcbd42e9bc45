//! The first matcher: the same normalized text. The same raw bytes are no new article; they are found here for whoever asks for
//! one by its id.

use super::postings::{Found, Postings};
use crate::model::{ArticleNo, Digest, low_half};
use std::iter::once;

/// Finds live articles by the digests of their bytes and of what is compared of them; in it are both kinds, known by 32 bits.
#[derive(Default)]
pub(super) struct Exact(Postings<(), 0>);

impl Exact {
    /// Of articles in order, with the digests that each is found by.
    pub fn holding<A: Copy, D: Iterator<Item = Digest>>(
        articles: &[A],
        no: impl Fn(A) -> ArticleNo,
        digests: impl Fn(A) -> D,
    ) -> Self {
        let keys = |article| digests(article).map(|digest| (key(digest), 0));
        Self(Postings::holding(articles, |article| (no(article), ()), keys))
    }

    /// Takes in an article with the digests that it is found by. Numbers must rise.
    pub fn insert(&mut self, no: ArticleNo, digests: impl Iterator<Item = Digest>) {
        self.0.insert(no, (), digests.map(|digest| (key(digest), 0)));
    }

    pub fn remove(&mut self, no: ArticleNo, digests: impl Iterator<Item = Digest>) {
        self.0.remove(no, || digests.map(key));
    }

    /// The oldest of the articles that may have this digest which is meant.
    pub fn first(&self, digest: Digest, is_meant: impl Fn(ArticleNo) -> bool) -> Option<ArticleNo> {
        let found = self.0.of(once(key(digest)));
        let mut postings = found.iter().flat_map(Found::postings);
        postings.find_map(|posting| {
            let (no, ()) = self.0.article(self.0.place(*posting))?;
            is_meant(no).then_some(no)
        })
    }
}

fn key(digest: Digest) -> u32 {
    low_half(digest.head())
}
