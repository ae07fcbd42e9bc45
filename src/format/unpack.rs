//! Compressed bytes to plain ones, as a stream, within a ratio that no news has.
//!
//! `cut` calls it; the crates of the formats do the work. A part that swells without end is stopped by a count that
//! all parts of one file share, so that neither many small bombs nor nested ones get past it.

use std::{
    cell::Cell,
    io::{self, BufRead, Read, Seek, SeekFrom},
    rc::Rc,
};

/// A file may unpack to so much whatever its ratio: the longest article that is read by default, four times.
const FREE_BYTES: u64 = 64 << 20;
/// The memory that an xz file may ask for, in KiB; `xz -9` asks for 65 MiB.
const XZ_KIB_MAX: u32 = 128 << 10;
/// The window that a zstd file may ask for, as a power of two; `zstd --ultra -22` asks for 2^27 bytes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// A kind of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, one member or many.
    Gzip,
    /// RFC 8878, one frame or many.
    Zstd,
    /// One stream or many.
    Bzip2,
    /// One stream or many.
    Xz,
}

/// The first bytes of each kind.
const MAGICS: [(&[u8], Packing); 4] = [
    (b"\x1f\x8b", Packing::Gzip),
    (b"\x28\xb5\x2f\xfd", Packing::Zstd),
    (b"BZh", Packing::Bzip2),
    (b"\xfd7zXZ\0", Packing::Xz),
];

impl Packing {
    /// The kind that a file beginning so has.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, packing)| *packing)
    }

    /// Reads what was packed, counted against the file's budget.
    pub(super) fn reader<'i>(
        self,
        input: &'i mut dyn BufRead,
        budget: &Rc<Budget>,
    ) -> io::Result<Counted<'i>> {
        let inner: Box<dyn Read + 'i> = match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_KIB_MAX)),
            Self::Zstd => {
                let mut reader = zstd::stream::read::Decoder::with_buffer(input)?;
                reader.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(reader)
            }
        };
        Ok(Counted::new(inner, budget))
    }
}

/// The body of a page in a coding of HTTP; nothing where the coding is not known.
pub(super) fn decoded<'b>(bytes: &'b [u8], coding: &str, budget: &Rc<Budget>) -> Option<Counted<'b>> {
    let inner: Box<dyn Read + 'b> = match coding {
        "gzip" | "x-gzip" => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
        // With the header of zlib, as the standard has it, or without, as some servers do.
        "deflate" if bytes.first().is_some_and(|b| b & 0x0f == 8) => {
            Box::new(flate2::bufread::ZlibDecoder::new(bytes))
        }
        "deflate" => Box::new(flate2::bufread::DeflateDecoder::new(bytes)),
        "zstd" => Box::new(zstd::stream::read::Decoder::with_buffer(bytes).ok()?),
        _ => return None,
    };
    Some(Counted::new(inner, budget))
}

/// How much was read of a file, and how much it was unpacked to.
#[derive(Debug)]
pub(super) struct Budget {
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    ratio_max: u64,
    free_bytes: u64,
    is_spent: Cell<bool>,
}

impl Budget {
    pub fn new(ratio_max: u64) -> Rc<Self> {
        Self::with(ratio_max, FREE_BYTES)
    }

    fn with(ratio_max: u64, free_bytes: u64) -> Rc<Self> {
        Rc::new(Self {
            packed: Cell::new(0),
            unpacked: Cell::new(0),
            ratio_max,
            free_bytes,
            is_spent: Cell::new(false),
        })
    }

    /// Whether the file was stopped for swelling too much.
    pub fn is_spent(&self) -> bool {
        self.is_spent.get()
    }

    fn unpacked(&self, bytes: usize) -> io::Result<()> {
        let unpacked = self.unpacked.get().saturating_add(bytes as u64);
        self.unpacked.set(unpacked);
        if unpacked > self.free_bytes.max(self.packed.get().saturating_mul(self.ratio_max)) {
            self.is_spent.set(true);
            let said = format!("it unpacks to more than {} times its size", self.ratio_max);
            return Err(io::Error::other(said));
        }
        Ok(())
    }
}

/// Counts what is unpacked through it.
pub(super) struct Counted<'i> {
    inner: Box<dyn Read + 'i>,
    budget: Rc<Budget>,
}

impl<'i> Counted<'i> {
    pub fn new(inner: Box<dyn Read + 'i>, budget: &Rc<Budget>) -> Self {
        Self { inner, budget: Rc::clone(budget) }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.budget.unpacked(count)?;
        Ok(count)
    }
}

/// Counts what is read of the file itself.
pub(super) struct Packed<'s, S> {
    inner: &'s mut S,
    budget: Rc<Budget>,
}

impl<'s, S> Packed<'s, S> {
    pub fn new(inner: &'s mut S, budget: &Rc<Budget>) -> Self {
        Self { inner, budget: Rc::clone(budget) }
    }

    fn count(&self, bytes: usize) {
        self.budget.packed.set(self.budget.packed.get().saturating_add(bytes as u64));
    }
}

impl<S: Read> Read for Packed<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.count(count);
        Ok(count)
    }
}

impl<S: BufRead> BufRead for Packed<'_, S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.count(bytes);
        self.inner.consume(bytes);
    }
}

impl<S: Seek> Seek for Packed<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }

    fn seek_relative(&mut self, offset: i64) -> io::Result<()> {
        self.inner.seek_relative(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
        let budget = Budget::with(200, 1 << 20);
        let mut file = packed;
        let mut file = Packed::new(&mut file, &budget);
        let packing = Packing::of(packed).unwrap();
        let mut plain = Vec::new();
        packing.reader(&mut file, &budget)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn every_kind_is_read_with_all_its_parts() {
        let twice = |packed: Vec<u8>| [packed.clone(), packed].concat();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(b"rain ").unwrap();
        for packed in [gzip(b"rain "), zstd::encode_all(&b"rain "[..], 1).unwrap(), bzip2.finish().unwrap()] {
            assert_eq!(unpack(&twice(packed)).unwrap(), b"rain rain ");
        }
        // `printf 'rain ' | xz --check=none`
        let xz = hex::decode(XZ).unwrap();
        assert_eq!(unpack(&twice(xz)).unwrap(), b"rain rain ");
        assert_eq!(Packing::of(b"rain"), None);
    }

    const XZ: &str = "fd377a585a000000ff12d9410200210116000000742fe5a30100047261696e200000000000011505b0a7596706729e7a010000000000595a";

    #[test]
    fn what_swells_without_end_is_stopped() {
        let bomb = gzip(&vec![0; (1 << 20) + 1]);
        assert_eq!(unpack(&bomb).unwrap_err().to_string(), "it unpacks to more than 200 times its size");
    }
}
