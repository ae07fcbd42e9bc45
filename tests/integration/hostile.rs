//! Files made to exhaust whoever reads them: each ends in a clear receipt, and what lies beside it is taken in.

use crate::{
    corpus::fixture,
    place::{Place, Ran},
};
use flate2::{Compress, Compression, FlushCompress, write::GzEncoder};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

const MIB: usize = 1 << 20;

/// Takes in a hostile file beside a good one; what is said of the former.
fn beside_a_story(place: &Place, hostile: &str) -> Ran {
    let story = fixture("stories/01-harbour-fire.txt");
    let ran = place.run([OsStr::new("ingest"), OsStr::new(hostile), story.as_os_str()]);
    assert_eq!(place.status().files.received, 2, "{ran:?}");
    ran
}

/// An article as a line of JSON, and after it that much of blank lines, made of one member of gzip over and over.
fn gzip_bomb(path: &Path, mib: usize) {
    let pack = |bytes: &[u8]| {
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        member.write_all(bytes).unwrap();
        member.finish().unwrap()
    };
    let blank = [" ".repeat(1023).as_bytes(), b"\n"].concat().repeat(MIB / 1024);
    fs::write(path, [pack(b"{\"text\": \"A story.\"}\n"), pack(&blank).repeat(mib)].concat()).unwrap();
}

/// A zip of one entry that unpacks to so much, made of one block of deflate over and over.
fn zip_bomb(path: &Path, mib: u32) {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(MIB);
    deflate.compress_vec(&vec![b'a'; MIB], &mut block, FlushCompress::Full).unwrap();
    let mut data = block.repeat(mib as usize);
    data.extend([3, 0]);
    let size = (mib << 20).to_le_bytes();
    let packed = u32::try_from(data.len()).unwrap().to_le_bytes();
    let common = [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &[0; 4], &packed, &size, &[5, 0, 0, 0]].concat();
    let local = [b"PK\x03\x04".as_slice(), &common, b"a.txt"].concat();
    let central = [b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 14], b"a.txt"].concat();
    let at = u32::try_from(local.len() + data.len()).unwrap().to_le_bytes();
    let length = u32::try_from(central.len()).unwrap().to_le_bytes();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &length, &at, &[0, 0]].concat();
    fs::write(path, [local, data, central, end].concat()).unwrap();
}

#[test]
fn what_swells_without_end_is_stopped() {
    let place = Place::new();
    gzip_bomb(&place.path("bomb.gz"), 10 << 10);
    let ran = beside_a_story(&place, "bomb.gz");
    assert!(ran.out.contains("it unpacks to more than 200 times its size"), "{ran:?}");
    assert_eq!((place.status().files.partly, place.export().len()), (1, 2), "what came before is kept");
    let place = Place::new();
    zip_bomb(&place.path("bomb.zip"), 2 << 10);
    let ran = beside_a_story(&place, "bomb.zip");
    assert!(ran.out.contains("none of its 1 items could be read"), "{ran:?}");
}

#[test]
fn a_line_without_end_is_too_large() {
    let place = Place::new();
    let mut file = BufWriter::new(File::create(place.path("line.txt")).unwrap());
    for _ in 0..100 {
        file.write_all(&vec![b'x'; MIB]).unwrap();
    }
    file.into_inner().unwrap();
    let ran = beside_a_story(&place, "line.txt");
    assert!(ran.out.contains("it is longer than the 16777216 bytes that an article may have"), "{ran:?}");
}

#[test]
fn an_archive_of_too_many_entries_is_refused() {
    let place = Place::new();
    let mut archive = tar::Builder::new(BufWriter::new(File::create(place.path("many.tar")).unwrap()));
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    // The count ends at the limit, so it does not matter how many come after.
    for number in 0..100_001_u32 {
        header.set_path(format!("{number}.txt")).unwrap();
        header.set_cksum();
        archive.append(&header, std::io::empty()).unwrap();
    }
    archive.into_inner().unwrap();
    let ran = beside_a_story(&place, "many.tar");
    assert!(ran.out.contains("its archives have more than 100000 entries"), "{ran:?}");
}

#[test]
fn towers_of_tags_and_entities_that_laugh_fall() {
    let place = Place::new();
    let tower = format!("<html><body>{}x{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
    fs::write(place.path("tower.html"), tower).unwrap();
    let ran = beside_a_story(&place, "tower.html");
    assert!(ran.out.contains("its tags are nested more than 512 deep"), "{ran:?}");

    let place = Place::new();
    let tower = format!("<rss><channel><item>{}</item></channel></rss>", "<b>".repeat(10_000));
    fs::write(place.path("tower.rss"), tower).unwrap();
    let ran = beside_a_story(&place, "tower.rss");
    assert!(ran.out.contains("none of its 1 items could be read"), "{ran:?}");

    let place = Place::new();
    let entity = |n: u32| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
    let entities = (1..10).map(entity).collect::<Vec<_>>().concat();
    let laughs = format!(
        "<!DOCTYPE nitf [<!ENTITY l0 'ha'>{entities}]><nitf><head><title>Laughs</title></head><body><body.content><p>&l9;</p>\
         </body.content></body></nitf>"
    );
    fs::write(place.path("laughs.xml"), laughs).unwrap();
    place.ingest(["laughs.xml"]);
    let record = &place.export()[0];
    assert_eq!(place.show(&record.record)["articles"][0]["text"], "&l9;", "no entity is expanded");
}

#[test]
fn an_entry_that_leads_out_of_its_folder_is_a_name_and_no_path() {
    let place = Place::new();
    let mut archive = tar::Builder::new(Vec::new());
    let story = fs::read(fixture("stories/02-goalkeeper-cup.txt")).unwrap();
    let name = b"../../../outside.txt";
    let mut header = tar::Header::new_gnu();
    header.set_size(story.len() as u64);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    archive.append(&header, story.as_slice()).unwrap();
    // A gzip of a gzip of a gzip is read like any other.
    let mut packed = archive.into_inner().unwrap();
    for _ in 0..3 {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&packed).unwrap();
        packed = gzip.finish().unwrap();
    }
    fs::write(place.path("out.tar.gz.gz.gz"), packed).unwrap();
    place.ingest(["out.tar.gz.gz.gz"]);
    let article = &place.export()[0].articles[0];
    assert_eq!(
        (article.path.as_str(), article.item.as_deref()),
        ("out.tar.gz.gz.gz", Some("../../../outside.txt"))
    );
    assert!(!place.path("../../../outside.txt").exists());
}
