//! The first matcher: the same normalized text. The same raw bytes are no new article and never come here.

use crate::model::{ArticleNo, Digest};
use std::collections::HashMap;

/// Finds live articles by the digest of what is compared of them; of several the first.
#[derive(Default)]
pub(super) struct Exact(HashMap<Digest, Vec<ArticleNo>>);

impl Exact {
    /// A text without a word is like no other, though all of them are the same.
    pub fn insert(&mut self, text: Digest, no: ArticleNo, words: u32) {
        if words > 0 {
            self.0.entry(text).or_default().push(no);
        }
    }

    pub fn find(&self, text: Digest) -> Option<ArticleNo> {
        self.0.get(&text).and_then(|numbers| numbers.first()).copied()
    }

    pub fn remove(&mut self, text: Digest, no: ArticleNo) {
        if let Some(numbers) = self.0.get_mut(&text) {
            numbers.retain(|s| *s != no);
            if numbers.is_empty() {
                self.0.remove(&text);
            }
        }
    }
}
