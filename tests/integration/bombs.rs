//! Files made to exhaust whoever reads them, of any size, made without the size that they unpack to.
//!
//! The tests make small ones; `benches/hostile.rs` makes those of the real sizes.

use flate2::{Compress, Compression, FlushCompress, write::GzEncoder};
use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

const MIB: usize = 1 << 20;

/// These bytes in gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = GzEncoder::new(Vec::new(), Compression::best());
    member.write_all(bytes).unwrap();
    member.finish().unwrap()
}

/// An article as a line of JSON, and after it so many MiB of blank lines, made of one member of gzip over and over.
pub fn gzip_of_blank_lines(path: &Path, mib: u64) {
    let blank = [" ".repeat(1023).as_bytes(), b"\n"].concat().repeat(MIB / 1024);
    let rest = gzip(&blank).repeat(usize::try_from(mib).unwrap());
    fs::write(path, [gzip(b"{\"text\": \"A story.\"}\n"), rest].concat()).unwrap();
}

/// A gzip of a gzip of so many MiB of one letter: the outer one unpacks to something small.
pub fn gzip_in_gzip(path: &Path, mib: u64) {
    let inner = gzip(&vec![b'a'; MIB]).repeat(usize::try_from(mib).unwrap());
    fs::write(path, gzip(&inner)).unwrap();
}

/// A gzip of a gzip of a gzip of a tar with a story in an entry whose name leads out of any folder; as many stories.
pub fn gzip_of_gzip_of_gzip(path: &Path, stories: u64) {
    let mut archive = tar::Builder::new(Vec::new());
    for number in 0..stories {
        append(&mut archive, b"../../etc/passwd", format!("Story {number} of a ferry.").as_bytes());
    }
    let mut packed = archive.into_inner().unwrap();
    for _ in 0..3 {
        packed = gzip(&packed);
    }
    fs::write(path, packed).unwrap();
}

/// A zip of one entry of so many MiB, made of one block of deflate over and over.
pub fn zip(path: &Path, mib: u64) {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(MIB);
    deflate.compress_vec(&vec![0; MIB], &mut block, FlushCompress::Full).unwrap();
    let mut data = block.repeat(usize::try_from(mib).unwrap());
    data.extend([3, 0]);
    // The sizes stand in the extra field of Zip64, as more than 4 GiB must.
    let (size, packed) = ((mib << 20).to_le_bytes(), (data.len() as u64).to_le_bytes());
    let extra = [&[1, 0, 16, 0][..], &size, &packed].concat();
    let common = [&[45, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &[0; 4], &[0xff; 8], &[5, 0, 20, 0]].concat();
    let local = [b"PK\x03\x04".as_slice(), &common, b"a.txt", &extra].concat();
    let central = [b"PK\x01\x02\x2d\0".as_slice(), &common, &[0; 14], b"a.txt", &extra].concat();
    let at = u32::try_from(local.len() + data.len()).unwrap().to_le_bytes();
    let length = u32::try_from(central.len()).unwrap().to_le_bytes();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &length, &at, &[0, 0]].concat();
    fs::write(path, [local, data, central, end].concat()).unwrap();
}

/// So many MiB on one line.
pub fn line(path: &Path, mib: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for _ in 0..mib {
        file.write_all(&vec![b'x'; MIB]).unwrap();
    }
    file.into_inner().unwrap();
}

/// The same as a line of JSON.
pub fn line_of_json(path: &Path, mib: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(b"{\"text\": \"").unwrap();
    for _ in 0..mib {
        file.write_all(&vec![b'x'; MIB]).unwrap();
    }
    file.write_all(b"\"}\n").unwrap();
    file.into_inner().unwrap();
}

/// A tar of so many stories.
pub fn tar(path: &Path, entries: u64) {
    tar_into(BufWriter::new(File::create(path).unwrap()), entries).into_inner().unwrap();
}

/// The same in gzip, whose entries cannot be counted before they are read.
pub fn tar_in_gzip(path: &Path, entries: u64) {
    let file = BufWriter::new(File::create(path).unwrap());
    tar_into(GzEncoder::new(file, Compression::fast()), entries).finish().unwrap().into_inner().unwrap();
}

fn tar_into<W: std::io::Write>(into: W, entries: u64) -> W {
    let mut archive = tar::Builder::new(into);
    for number in 0..entries {
        append(&mut archive, format!("{number}.txt").as_bytes(), format!("Story {number}.").as_bytes());
    }
    archive.into_inner().unwrap()
}

/// The crate's own way refuses names that would lead out of a folder.
fn append<W: std::io::Write>(archive: &mut tar::Builder<W>, name: &[u8], bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    archive.append(&header, bytes).unwrap();
}

/// A page of so many tags within one another.
pub fn tower_of_html(path: &Path, levels: u64) {
    let times = |tag: &str| tag.repeat(usize::try_from(levels).unwrap());
    fs::write(path, format!("<html><body>{}x{}", times("<div>"), times("</div>"))).unwrap();
}

/// A feed with an entry of so many tags within one another.
pub fn tower_of_xml(path: &Path, levels: u64) {
    let times = |tag: &str| tag.repeat(usize::try_from(levels).unwrap());
    let item = format!("<item>{}{}</item>", times("<b>"), times("</b>"));
    fs::write(path, format!("<rss><channel>{item}</channel></rss>")).unwrap();
}

/// A NITF whose text is one entity, made of entities: so many of them ten times over.
pub fn laughs(path: &Path, entities: u64) {
    let entity = |n: u64| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
    let all = (1..=entities).map(entity).collect::<Vec<_>>().concat();
    let nitf = format!(
        "<!DOCTYPE nitf [<!ENTITY l0 'ha'>{all}]><nitf><head><title>Laughs</title></head><body><body.content>\
         <p>&l{entities};</p></body.content></body></nitf>"
    );
    fs::write(path, nitf).unwrap();
}
