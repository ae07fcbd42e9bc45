//! Whether a digest can be in the view at all: a Bloom filter in memory over the keys of articles, texts and files.
//!
//! Nearly all that arrives is new, and each of its digests lies on a page of its own, at random. To learn from sled that it is
//! not there took a third of the time of a million articles, and a sixth of 100,000. The filter says so without sled. It
//! errs to one side only: what it lacks is not in the view, while about one in a hundred of what it has is not there either.
//!
//! Owns nothing on the disk. It is filled from the keys by a thread of its own, and lacks nothing until that has ended.

use super::{StoreError, codec};
use std::{
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// The first layer takes so many keys; each that follows takes twice as many as the one before it.
const FIRST_KEYS: usize = 1 << 18;
/// So many keys share a word of 64 bits, and each sets so many of them: 16 bits a key, in one line of the cache.
const KEYS_A_WORD: usize = 4;
const BITS_A_KEY: u32 = 4;

/// The digests of a view.
#[derive(Default)]
pub(super) struct Digests {
    known: Arc<Known>,
    learner: Option<Learner>,
}

#[derive(Default)]
struct Known {
    layers: RwLock<Vec<Layer>>,
    /// Whether all keys of the view are in it.
    is_whole: AtomicBool,
}

impl Digests {
    /// Those of a view: all of them where it is empty, else none yet.
    pub fn of(tree: &sled::Tree) -> Self {
        let is_whole = AtomicBool::new(tree.is_empty());
        let known = Arc::new(Known { is_whole, ..Known::default() });
        Self { known, learner: None }
    }

    /// Whether there is surely no row under this key.
    pub fn lack(&self, key: &[u8]) -> bool {
        self.known.is_whole.load(Ordering::Acquire)
            && codec::is_of_digest(key)
            && !self.known.layers.read().unwrap_or_else(PoisonError::into_inner).iter().any(|l| l.has(key))
    }

    /// Takes in a key, which must be done before its row is written.
    pub fn add(&self, key: &[u8]) {
        self.known.add(key);
    }

    /// Takes in the keys of a view on a thread of its own. What is added meanwhile is kept.
    pub fn learn(&mut self, tree: &sled::Tree) -> io::Result<()> {
        if self.known.is_whole.load(Ordering::Acquire) {
            return Ok(());
        }
        let (tree, known, is_unwanted) =
            (tree.clone(), Arc::clone(&self.known), Arc::<AtomicBool>::default());
        let ends = Arc::clone(&is_unwanted);
        let learning = thread::Builder::new().name("digests".to_owned());
        let thread = learning.spawn(move || match known.learn(&tree, &ends) {
            Ok(()) => {}
            // Whoever asks for a row that cannot be read is told; here it only is slower.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the filter of digests is not filled, so that new articles take longer: the view has keys that cannot be read"),
        })?;
        self.learner = Some(Learner { is_unwanted, thread: Some(thread) });
        Ok(())
    }
}

impl Known {
    fn add(&self, key: &[u8]) {
        if !codec::is_of_digest(key) {
            return;
        }
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        if layers.last().is_none_or(|layer| layer.room == 0) {
            let keys = FIRST_KEYS << layers.len();
            layers.push(Layer { words: vec![0; keys / KEYS_A_WORD], room: keys });
        }
        if let Some(last) = layers.last_mut() {
            last.add(key);
        }
    }

    fn learn(&self, tree: &sled::Tree, is_unwanted: &AtomicBool) -> Result<(), StoreError> {
        for letter in codec::DIGESTS {
            for key in tree.scan_prefix([letter]).keys() {
                if is_unwanted.load(Ordering::Relaxed) {
                    return Ok(());
                }
                self.add(&key?);
            }
        }
        self.is_whole.store(true, Ordering::Release);
        Ok(())
    }
}

/// The filling thread, which ends with the view: it holds sled open.
struct Learner {
    is_unwanted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Learner {
    fn drop(&mut self) {
        self.is_unwanted.store(true, Ordering::Relaxed);
        // What it had to say it has said.
        self.thread.take().map(JoinHandle::join);
    }
}

/// A filter for so many keys.
struct Layer {
    words: Vec<u64>,
    room: usize,
}

impl Layer {
    fn add(&mut self, key: &[u8]) {
        let (at, bits) = self.place(key);
        if let Some(word) = self.words.get_mut(at) {
            *word |= bits;
        }
        self.room = self.room.saturating_sub(1);
    }

    fn has(&self, key: &[u8]) -> bool {
        let (at, bits) = self.place(key);
        self.words.get(at).is_none_or(|word| word & bits == bits)
    }

    /// The word of a key and its bits there. A digest is as good as its own hash.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is below the number of words")]
    fn place(&self, key: &[u8]) -> (usize, u64) {
        let digest = key.get(1..).and_then(<[u8]>::first_chunk).map_or(0, |head| u128::from_be_bytes(*head));
        let (head, tail) = ((digest >> 64) as u64, digest as u64);
        let at = (u128::from(head) * self.words.len() as u128) >> 64;
        let bits =
            (0..BITS_A_KEY).map(|nth| 1 << (tail >> (6 * nth) & 63)).fold(0, |bits, bit: u64| bits | bit);
        (at as usize, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn keys(numbers: std::ops::Range<u32>) -> impl Iterator<Item = Vec<u8>> {
        numbers.map(|no| codec::id(Digest::of(&no.to_be_bytes())))
    }

    fn tree() -> sled::Db {
        sled::Config::new().temporary(true).open().unwrap()
    }

    #[test]
    fn it_has_all_that_came_and_little_else() {
        let (many, tree) = (u32::try_from(2 * FIRST_KEYS).unwrap(), tree());
        let digests = Digests::of(&tree);
        keys(0..many).for_each(|key| digests.add(&key));
        assert_eq!(keys(0..many).filter(|key| digests.lack(key)).count(), 0);
        let strangers = keys(many..2 * many).filter(|key| !digests.lack(key)).count();
        assert!(strangers < FIRST_KEYS / 50, "it takes {strangers} for known");
    }

    #[test]
    fn it_lacks_nothing_before_it_has_learned_all_and_asks_of_nothing_but_digests() {
        let tree = tree();
        for key in keys(0..9) {
            tree.insert(key, b"").unwrap();
        }
        let mut digests = Digests::of(&tree);
        assert_eq!(keys(0..99).filter(|key| digests.lack(key)).count(), 0);
        digests.learn(&tree).unwrap();
        let thread = digests.learner.as_mut().and_then(|learner| learner.thread.take());
        thread.unwrap().join().unwrap();
        assert_eq!(keys(0..9).filter(|key| digests.lack(key)).count(), 0);
        assert!(keys(9..99).filter(|key| digests.lack(key)).count() > 80);
        assert!(!digests.lack(codec::META));
    }
}
