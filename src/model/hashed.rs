//! Maps whose keys are hashes or running numbers already, so that nothing is gained by hashing them well.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map by term, shingle or number.
pub type TermMap<V> = HashMap<u32, V, SpreadHasher>;

/// Builds the hasher of such maps.
pub type SpreadHasher = BuildHasherDefault<Spread>;

/// The hasher of keys that are hashes: it spreads their bits and no more. The keys come from texts, so a text could be
/// made whose terms collide; it would be slow to compare, and no more.
#[derive(Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, hash: u32) {
        self.write_u64(u64::from(hash));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = (self.0 ^ hash).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
