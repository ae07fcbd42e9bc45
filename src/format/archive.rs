//! The entries of tar and zip archives, handed over one at a time as streams.
//!
//! A name is a label and never a path: nothing is written anywhere. `cut` calls it, and decides what an entry is.

use super::{FormatError, cut::Stop};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// The longest name of an entry. Longer ones are cut; no file system has them.
const NAME_BYTES_MAX: u64 = 4096;
/// An entry is read in pieces of this size.
const BUFFER_BYTES: usize = 16 << 10;
/// The end record of a zip with the longest comment, and the two records before it of a large one.
const ZIP_END_BYTES: u64 = (22 + 65_535) + 20 + 56;

/// Takes an entry by its name.
pub(super) type Take<'t> = dyn FnMut(&str, Entry) -> Result<(), Stop> + 't;

/// What an entry is.
pub(super) enum Entry<'e> {
    /// A file; one that cannot be opened is a stream that fails.
    File(&'e mut dyn BufRead),
    Folder,
    /// A link or a device. It has no bytes and leads nowhere.
    Other,
}

/// Whether a file that begins so is a tar: its header says so where it must, and its sum is right. The word alone may
/// stand there in any text.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk::<512>() else { return false };
    let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
    // The field of the sum itself counts as blanks.
    let found = sum(header) - sum(&header[148..156]) + sum(b"        ");
    let said = String::from_utf8_lossy(&header[148..156]);
    let said = u32::from_str_radix(said.trim_matches([' ', '\0']), 8);
    header[257..].starts_with(b"ustar") && said == Ok(found)
}

/// Hands over the entries of a tar in order.
///
/// Extensions that carry long names are read here and not by the crate, which would take any length into memory.
pub(super) fn tar(input: &mut dyn BufRead, take: &mut Take) -> Result<(), Stop> {
    let mut archive = tar::Archive::new(input);
    let mut long_name = None;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            let mut name = Vec::new();
            (&mut entry).take(NAME_BYTES_MAX).read_to_end(&mut name)?;
            name.retain(|b| *b != 0);
            long_name = Some(name);
        } else if kind.is_pax_local_extensions() {
            let mut data = Vec::new();
            (&mut entry).take(4 * NAME_BYTES_MAX).read_to_end(&mut data)?;
            let path = tar::PaxExtensions::new(&data).flatten().find(|e| e.key_bytes() == b"path");
            long_name = path.map(|e| e.value_bytes().to_vec());
        } else {
            let name = label(&long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned()));
            if kind.is_file() || kind.is_contiguous() {
                let whole = Whole { left: entry.size(), inner: entry };
                take(&name, Entry::File(&mut BufReader::with_capacity(BUFFER_BYTES, whole)))?;
            } else if kind.is_dir() {
                take(&name, Entry::Folder)?;
            } else if !is_extension(kind) {
                take(&name, Entry::Other)?;
            }
        }
    }
    Ok(())
}

/// Whether a header says something of the entry that follows and is none itself.
fn is_extension(kind: tar::EntryType) -> bool {
    let is_pax = kind.is_pax_local_extensions() || kind.is_pax_global_extensions();
    is_pax || kind.is_gnu_longname() || kind.is_gnu_longlink()
}

/// How many entries a tar has, counted up to one more than may be. Only its headers are read.
pub(super) fn tar_entries(input: &mut (impl Read + Seek), entries_max: u64) -> u64 {
    let mut archive = tar::Archive::new(input);
    let Ok(entries) = archive.entries_with_seek() else { return 0 };
    let kinds = entries.raw(true).map_while(|entry| Some(entry.ok()?.header().entry_type()));
    let most = usize::try_from(entries_max).unwrap_or(usize::MAX).saturating_add(1);
    kinds.filter(|kind| !is_extension(*kind)).take(most).count() as u64
}

/// Hands over the entries of a zip in order. What cannot be opened is handed over as a stream that fails.
pub(super) fn zip(input: &mut (impl Read + Seek), entries_max: u64, take: &mut Take) -> Result<(), Stop> {
    if zip_entries(input)? > entries_max {
        return Err(FormatError::TooManyEntries { entries_max }.into());
    }
    let mut archive = zip::ZipArchive::new(input).map_err(|error| match error {
        zip::result::ZipError::InvalidArchive(_) => Stop::from(FormatError::BadZip),
        error => io::Error::from(error).into(),
    })?;
    for index in 0..archive.len() {
        let name =
            archive.by_index_data(index).map_or_else(|_| String::new(), |entry| label(entry.name_raw()));
        match archive.by_index(index) {
            Ok(entry) if entry.is_file() => {
                take(&name, Entry::File(&mut BufReader::with_capacity(BUFFER_BYTES, entry)))?;
            }
            Ok(entry) if entry.is_dir() => take(&name, Entry::Folder)?,
            Ok(_) => take(&name, Entry::Other)?,
            Err(error) => take(&name, Entry::File(&mut BufReader::new(Unreadable(Some(error.into())))))?,
        }
    }
    Ok(())
}

/// How many entries a zip says it has, before the crate reads them all into memory.
fn zip_entries(input: &mut (impl Read + Seek)) -> io::Result<u64> {
    let length = input.seek(SeekFrom::End(0))?;
    input.seek(SeekFrom::Start(length.saturating_sub(ZIP_END_BYTES)))?;
    let mut end = Vec::new();
    input.take(ZIP_END_BYTES).read_to_end(&mut end)?;
    input.rewind()?;
    let record = |magic: &[u8]| end.windows(4).rposition(|w| w == magic).and_then(|at| end.get(at..));
    let count = record(b"PK\x05\x06")
        .and_then(|r| r.get(10..12)?.first_chunk())
        .map_or(0, |n| u16::from_le_bytes(*n));
    let large =
        record(b"PK\x06\x06").and_then(|r| r.get(32..40)?.first_chunk()).map(|n| u64::from_le_bytes(*n));
    Ok(large.filter(|_| count == u16::MAX).unwrap_or_else(|| count.into()))
}

/// A name as a person may see it.
fn label(name: &[u8]) -> String {
    let name = name.get(..name.len().min(4096)).unwrap_or_default();
    String::from_utf8_lossy(name).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// An entry that says so where the archive ends within it.
struct Whole<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if count == 0 && self.left > 0 && !into.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// What cannot be opened.
struct Unreadable(Option<io::Error>);

impl Read for Unreadable {
    fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text was taken for a tar where one of its words happened to lie there.
    #[test]
    fn a_word_in_the_right_place_makes_no_tar() {
        let text = format!("{}ustar sets out for the islands.{}", "a".repeat(257), " And back.".repeat(40));
        assert!(text.get(257..262) == Some("ustar") && !is_tar(text.as_bytes()));
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_path("a.txt").unwrap();
        header.set_size(0);
        header.set_cksum();
        archive.append(&header, io::empty()).unwrap();
        assert!(is_tar(&archive.into_inner().unwrap()));
    }

    #[test]
    fn a_name_is_shown_without_what_steers_a_terminal() {
        assert_eq!(label(b"a\x1b[2J/\xff.txt"), "a\u{fffd}[2J/\u{fffd}.txt");
    }
}
