//! A file cut into the raw bytes of its articles, one at a time and within a bound of memory, however they are packed.
//!
//! It goes from the outside in: what is compressed is unpacked as it is read, what holds many is cut into its parts,
//! and each part is looked at like a file of its own. It does not read what it cuts: a broken article is cut out like
//! any other and fails later, in `decode`. The pipeline calls it, on a thread that may block.

use super::{
    Fields, Form, FormatError,
    archive::{self, Entry},
    charset, elements, json, lines, mbox, objects,
    sniff::{SNIFF_BYTES_MAX, Shape, no_article, sniff},
    unpack::{Budget, Counted, Packed},
    warc, wire,
};
use crate::model::ItemPlace;
use encoding_rs::{Encoding, UTF_8};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Cursor, Read, Seek},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// How much of an item that is too large is kept to show what it was: enough to recognize it by.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// What is looked at of a file to tell an archive, whose entries are counted first.
const PEEK_BYTES: u64 = 512;
/// What is unpacked is handed on in pieces of this size.
const BUFFER_BYTES: usize = 64 << 10;

/// How files are read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a file may be at most.
    pub limits: Limits,
    /// How long a file may take to its next article. Whoever hands over the file sees to it.
    pub patience: Duration,
    /// Under which names JSON holds the parts of an article.
    pub fields: Fields,
}

/// What a file may be at most. Whatever goes beyond is refused with a reason.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest article, in bytes.
    pub article_bytes_max: usize,
    /// How many archives and compressions may lie within one another.
    pub nesting_max: u32,
    /// How many entries the archives of one file may have together.
    pub entries_max: u64,
    /// How many times its size a file may unpack to.
    pub ratio_max: u64,
}

/// One article, cut out and not yet read.
#[derive(Debug)]
pub struct RawItem {
    /// Where it stands among the items of its file, from 0. With the arrival it keys the sighting.
    pub index: u32,
    /// What a person would call its place, where the file is not itself the article.
    pub place: Option<ItemPlace>,
    /// What it is.
    pub form: Form,
    /// The bytes as they were received.
    pub bytes: Vec<u8>,
    /// What its file says of it.
    pub around: Arc<Around>,
}

/// What stood around an article and belongs to it: an article is read together with it.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// What its file begins with, up to the first article.
    pub head: Vec<u8>,
    /// The charset that its file declares.
    pub charset: Option<&'static Encoding>,
    /// The address that it was fetched from.
    pub url: Option<String>,
}

/// An item that could not be cut out. Its neighbours are not touched by it.
#[derive(Debug)]
pub struct BadItem {
    /// Where it stands among the items of its file, from 0.
    pub index: u32,
    /// Its place, where the file is not itself the article.
    pub place: Option<ItemPlace>,
    /// What was kept of it, from its beginning: at most 64 KiB.
    pub head: Vec<u8>,
    /// Why.
    pub error: FormatError,
}

/// Goes through what is left, byte by byte, as far as there is more.
pub(super) fn each_byte(
    input: &mut dyn BufRead,
    mut each: impl FnMut(u8) -> Result<(), Stop>,
) -> Result<(), Stop> {
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let length = buffer.len();
        if length == 0 {
            return Ok(());
        }
        for byte in buffer {
            each(*byte)?;
        }
        input.consume(length);
    }
}

/// The bytes of one article as they were found.
#[derive(Debug)]
pub(super) enum Piece {
    /// From its beginning to its end.
    Whole(Vec<u8>),
    /// It is longer than an article may be; its beginning.
    TooLong(Vec<u8>),
    /// It has no end.
    CutShort(Vec<u8>),
    /// It is compressed in a way that is not read.
    Coded(Vec<u8>),
    /// It does not say how long it is.
    Unmeasured(Vec<u8>),
    /// It is no article, as this word says.
    NoArticle(&'static str),
}

/// Why nothing more is cut out.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody wants more.
    Unwanted,
    /// This part cannot be read on.
    Fault(FormatError),
    /// Nor can the whole file.
    End(FormatError),
}

impl From<FormatError> for Stop {
    fn from(error: FormatError) -> Self {
        Self::Fault(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// How the cutting of a file ended.
#[derive(Debug)]
pub struct Ended {
    /// How much of it holds no article and was passed over, by a word that says why.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Whether all items were wanted; an error where the file could not be read to its end, after what could be.
    pub end: Result<bool, FormatError>,
}

/// Cuts a file and hands over its items in order, until none is wanted.
pub fn cut(
    file: &mut (impl BufRead + Seek),
    settings: &Settings,
    each: &mut dyn FnMut(Result<RawItem, BadItem>) -> bool,
) -> Ended {
    let limits = &settings.limits;
    let budget = Budget::new(limits.ratio_max);
    let (fields, passed_over) = (&settings.fields, BTreeMap::new());
    let mut walk =
        Walk { limits, fields, each, budget: Rc::clone(&budget), index: 0, entries: 0, passed_over };
    let end = match walk.file(&mut Packed::new(file, &budget)) {
        Ok(()) => Ok(true),
        Err(Stop::Unwanted) => Ok(false),
        Err(Stop::Fault(_) | Stop::End(_)) if budget.is_spent() => {
            Err(FormatError::Swells { ratio_max: limits.ratio_max })
        }
        Err(Stop::Fault(error) | Stop::End(error)) => Err(error),
    };
    Ended { passed_over: walk.passed_over, end }
}

/// What is passed over of a feed without entries, as of one that is fetched now and then.
pub const EMPTY_FEED: &str = "empty-feed";

/// The way through one file.
struct Walk<'w> {
    limits: &'w Limits,
    fields: &'w Fields,
    each: &'w mut dyn FnMut(Result<RawItem, BadItem>) -> bool,
    budget: Rc<Budget>,
    index: u32,
    entries: u64,
    passed_over: BTreeMap<&'static str, u64>,
}

impl Walk<'_> {
    fn file(&mut self, file: &mut (impl BufRead + Seek)) -> Result<(), Stop> {
        let mut head = Vec::new();
        (&mut *file).take(PEEK_BYTES).read_to_end(&mut head)?;
        file.seek_relative(-i64::try_from(head.len()).unwrap_or(0))?;
        if let Ok(Shape::Zip) = sniff(&head) {
            // A zip is read from its end, so as not to unpack what is not wanted.
            return self.zip(file, None, 0);
        }
        if archive::is_tar(&head) {
            // Counted beforehand, so that one with too many is refused and not taken in by half. Where it is compressed
            // that would unpack it twice, so its entries are counted as they come.
            let entries_max = self.limits.entries_max;
            let entries = archive::tar_entries(file, entries_max);
            file.rewind()?;
            if entries > entries_max {
                return Err(FormatError::TooManyEntries { entries_max }.into());
            }
        }
        let (head, fault) = head_of(file);
        self.part(head, fault, file, None, 0)
    }

    /// Cuts a file, or a part of one that is like a file, so deep within others. Of what it begins with some was read
    /// already, and perhaps a fault met.
    fn part(
        &mut self,
        head: Vec<u8>,
        fault: Option<io::Error>,
        rest: &mut dyn BufRead,
        member: Option<&str>,
        depth: u32,
    ) -> Result<(), Stop> {
        if depth > self.limits.nesting_max {
            return Err(FormatError::NestedTooDeep { nesting_max: self.limits.nesting_max }.into());
        }
        let (shape, fault) = match (sniff(&head), fault) {
            (Err(_), Some(fault)) => return Err(fault.into()),
            (shape, fault) => (shape?, fault),
        };
        let is_wide = charset::is_wide(&head);
        let input = &mut Cursor::new(head).chain(Fault(fault)).chain(rest);
        match shape {
            Shape::Packed(packing) => {
                let unpacked = packing.reader(input, &self.budget)?;
                let mut unpacked = BufReader::with_capacity(BUFFER_BYTES, unpacked);
                let (head, fault) = head_of(&mut unpacked);
                self.part(head, fault, &mut unpacked, member, depth + 1)
            }
            Shape::Whole(form) => self.whole(input, member, form),
            Shape::Lines | Shape::List | Shape::Mbox | Shape::Messages | Shape::Web => {
                self.several(shape, input, member)
            }
            Shape::Elements(form) if is_wide => {
                // Tags are looked for in ASCII, so it is recoded, which takes the whole of it.
                let text = charset::decode(&self.up_to_the_limit(input)?, None).text;
                self.elements(&mut text.as_bytes(), member, form, Some(UTF_8))
            }
            Shape::Elements(form) => self.elements(input, member, form, None),
            Shape::Tar => archive::tar(input, &mut |name, entry| self.entry(name, entry, member, depth)),
            Shape::Zip => {
                let bytes = self.up_to_the_limit(input)?;
                self.zip(&mut Cursor::new(bytes), member, depth)
            }
        }
    }

    fn zip(&mut self, file: &mut (impl Read + Seek), member: Option<&str>, depth: u32) -> Result<(), Stop> {
        let budget = Rc::clone(&self.budget);
        archive::zip(file, self.limits.entries_max, &mut |name, entry| {
            let Entry::File(bytes) = entry else { return self.entry(name, entry, member, depth) };
            let mut counted = BufReader::with_capacity(BUFFER_BYTES, Counted::new(Box::new(bytes), &budget));
            self.entry(name, Entry::File(&mut counted), member, depth)
        })
    }

    /// Cuts an entry of an archive. One that cannot be read is one bad item, and its neighbours are read.
    fn entry(&mut self, name: &str, entry: Entry, within: Option<&str>, depth: u32) -> Result<(), Stop> {
        self.entries += 1;
        let entries_max = self.limits.entries_max;
        if self.entries > entries_max {
            return Err(Stop::End(FormatError::TooManyEntries { entries_max }));
        }
        let bytes = match entry {
            Entry::File(bytes) => bytes,
            Entry::Folder => return Ok(()),
            Entry::Other => {
                self.pass_over("not-a-file");
                return Ok(());
            }
        };
        let name = within.map_or_else(|| name.to_owned(), |within| format!("{within}/{name}"));
        let (head, fault) = head_of(bytes);
        if head.is_empty() && fault.is_none() {
            self.pass_over("empty");
            return Ok(());
        }
        let is_given_up = fault.as_ref().is_some_and(|f| f.kind() == io::ErrorKind::TimedOut);
        let before = (self.index, self.passed_over.values().sum::<u64>());
        match self.part(head.clone(), fault, bytes, Some(&name), depth + 1) {
            Err(Stop::Fault(error)) if self.budget.is_spent() || is_given_up => Err(Stop::End(error)),
            Err(Stop::Fault(FormatError::NotText { looks_like }))
                if let Some(why) = no_article(looks_like) =>
            {
                self.pass_over(why);
                Ok(())
            }
            Err(Stop::Fault(error)) => self.hand_over(Some(&ItemPlace::Member(name)), Err((head, error))),
            Ok(()) => {
                if before == (self.index, self.passed_over.values().sum()) {
                    self.pass_over("no-article");
                }
                Ok(())
            }
            stop => stop,
        }
    }

    /// Counts what holds no article and is passed over.
    fn pass_over(&mut self, why: &'static str) {
        *self.passed_over.entry(why).or_default() += 1;
    }

    /// What holds several articles as they stand.
    fn several(&mut self, shape: Shape, input: &mut dyn BufRead, member: Option<&str>) -> Result<(), Stop> {
        let bytes_max = self.limits.article_bytes_max;
        let around = Arc::default();
        match shape {
            Shape::Lines => {
                let fields = self.fields;
                lines::cut(input, bytes_max, &|bytes| json::has_text(bytes, fields), &mut |number, piece| {
                    self.piece(position(member, number).as_ref(), Form::Json, piece, &around)
                })
            }
            Shape::List => objects::cut(input, bytes_max, &mut |number, piece| {
                self.piece(position(member, Some(number)).as_ref(), Form::Json, piece, &around)
            }),
            Shape::Messages => wire::cut(input, bytes_max, &mut |number, piece| {
                self.piece(position(member, number).as_ref(), Form::Wire, piece, &around)
            }),
            Shape::Mbox => mbox::cut(input, bytes_max, &mut |number, piece| {
                self.piece(position(member, Some(number)).as_ref(), Form::Mail, piece, &around)
            }),
            _ => warc::cut(input, bytes_max, &Rc::clone(&self.budget), &mut |number, piece, around| {
                self.piece(position(member, Some(number)).as_ref(), Form::Html, piece, &Arc::new(around))
            }),
        }
    }

    fn whole(&mut self, input: &mut dyn BufRead, member: Option<&str>, form: Form) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        let limit = (self.limits.article_bytes_max as u64).saturating_add(1);
        input.take(limit).read_to_end(&mut bytes)?;
        let is_too_long = bytes.len() > self.limits.article_bytes_max;
        let piece = if is_too_long { Piece::TooLong(bytes) } else { Piece::Whole(bytes) };
        self.piece(position(member, None).as_ref(), form, piece, &Arc::default())
    }

    fn up_to_the_limit(&self, input: &mut dyn BufRead) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        let bytes_max = self.limits.article_bytes_max as u64;
        input.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            return Err(FormatError::TooLarge { bytes_max }.into());
        }
        Ok(bytes)
    }

    fn elements(
        &mut self,
        input: &mut dyn BufRead,
        member: Option<&str>,
        form: Form,
        charset: Option<&'static Encoding>,
    ) -> Result<(), Stop> {
        let bytes_max = self.limits.article_bytes_max;
        let (mut around, mut is_empty): (Option<Arc<Around>>, _) = (None, true);
        elements::cut(input, form.elements(), bytes_max, &mut |found, piece| {
            is_empty = false;
            let around = around.get_or_insert_with(|| {
                let charset = charset.or_else(|| charset::declared(found.head));
                Arc::new(Around { head: found.head.to_vec(), charset, url: None })
            });
            self.piece(position(member, Some(found.number)).as_ref(), form, piece, around)
        })?;
        // One that is fetched now and then has none now and then; an entry of an archive is counted there.
        if is_empty && form == Form::Feed && member.is_none() {
            self.pass_over(EMPTY_FEED);
        }
        Ok(())
    }

    /// Hands over one article, or says why it is none.
    fn piece(
        &mut self,
        place: Option<&ItemPlace>,
        form: Form,
        piece: Piece,
        around: &Arc<Around>,
    ) -> Result<(), Stop> {
        let bytes_max = self.limits.article_bytes_max as u64;
        let content = match piece {
            Piece::Whole(bytes) => Ok((form, bytes, Arc::clone(around))),
            Piece::TooLong(head) => Err((head, FormatError::TooLarge { bytes_max })),
            Piece::CutShort(head) => Err((head, FormatError::CutShort)),
            Piece::Coded(head) => Err((head, FormatError::Coded)),
            Piece::Unmeasured(head) => Err((head, FormatError::Unmeasured)),
            Piece::NoArticle(why) => {
                self.pass_over(why);
                return Ok(());
            }
        };
        self.hand_over(place, content)
    }

    fn hand_over(&mut self, place: Option<&ItemPlace>, content: Content) -> Result<(), Stop> {
        let (index, place) = (self.index, place.cloned());
        self.index = index.checked_add(1).ok_or(Stop::End(FormatError::TooMany))?;
        let item = match content {
            Ok((form, bytes, around)) => Ok(RawItem { index, place, form, bytes, around }),
            Err((mut head, error)) => {
                head.truncate(HEAD_BYTES_MAX);
                Err(BadItem { index, place, head, error })
            }
        };
        if (self.each)(item) { Ok(()) } else { Err(Stop::Unwanted) }
    }
}

/// An article with its form and what stood around it, or the beginning of what is none and why.
type Content = Result<(Form, Vec<u8>, Arc<Around>), (Vec<u8>, FormatError)>;

/// What a part begins with, and what went wrong in reading so far. What was read before a fault is kept.
fn head_of(input: &mut dyn BufRead) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let fault = input.take(SNIFF_BYTES_MAX as u64).read_to_end(&mut head).err();
    (head, fault)
}

/// What went wrong after the bytes before it, told to whoever reads so far.
struct Fault(Option<io::Error>);

impl Read for Fault {
    fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Fault {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _bytes: usize) {}
}

/// What a person would call the place of an article: the entry of an archive that it is, or its number in a file.
fn position(member: Option<&str>, number: Option<u64>) -> Option<ItemPlace> {
    match (member, number) {
        (None, None) => None,
        (None, Some(number)) => Some(ItemPlace::Number(number)),
        (Some(member), None) => Some(ItemPlace::Member(member.to_owned())),
        (Some(member), Some(number)) => Some(ItemPlace::Member(format!("{member}:{number}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { article_bytes_max: 99, nesting_max: 4, entries_max: 9, ratio_max: 200 };

    fn with(limits: &Limits) -> Settings {
        let fields = Fields { text: vec!["text".to_owned()], ..Fields::default() };
        Settings { limits: *limits, patience: Duration::MAX, fields }
    }

    /// What came out, as `index:place:bytes` or `index:place!code`, and the file's own error at the end.
    fn cut_all(bytes: &[u8], limits: &Limits) -> Vec<String> {
        let place = |p: &Option<ItemPlace>| p.as_ref().map_or("-".to_owned(), ToString::to_string);
        let mut items = Vec::new();
        // A tiny buffer makes everything cross its end.
        let mut file = BufReader::with_capacity(3, Cursor::new(bytes));
        let end = cut(&mut file, &with(limits), &mut |item| {
            items.push(match item {
                Ok(i) => format!("{}:{}:{}", i.index, place(&i.place), String::from_utf8_lossy(&i.bytes)),
                Err(b) => format!("{}:{}!{}", b.index, place(&b.place), b.error.code()),
            });
            true
        });
        items.extend(end.passed_over.into_iter().map(|(why, count)| format!("{count} {why}")));
        items.extend(end.end.err().map(|error| format!("!{}", error.code())));
        items
    }

    fn with_max(article_bytes_max: usize) -> Limits {
        Limits { article_bytes_max, ..LIMITS }
    }

    #[test]
    fn a_text_or_page_is_one_item() {
        assert_eq!(cut_all(b"\xef\xbb\xbfone\ntwo\n", &LIMITS), ["0:-:\u{feff}one\ntwo\n"]);
        assert_eq!(cut_all(b"<html>", &with_max(6)), ["0:-:<html>"]);
        assert_eq!(cut_all(b"four", &with_max(3)), ["0:-!too-large"]);
        assert_eq!(cut_all(b" \n", &LIMITS), ["!empty"]);
    }

    #[test]
    fn lines_lists_and_elements_are_cut_with_their_numbers() {
        assert_eq!(cut_all(b"{\"a\":1}\n\n{broken\n", &LIMITS), ["0:1:{\"a\":1}", "1:3:{broken"]);
        assert_eq!(cut_all(b"[{\"a\":1},\n{\"b\"", &LIMITS), ["0:1:{\"a\":1}", "1:2!cut-short"]);
        let feed = b"<rss><channel><item>1</item><item>2";
        assert_eq!(cut_all(feed, &LIMITS), ["0:1:<item>1</item>", "1:2!cut-short"]);
        let wide: Vec<u8> = "<rss><item>1</item></rss>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(cut_all(&wide, &LIMITS), ["0:1:<item>1</item>"]);
        assert_eq!(cut_all(b"<newsItem guid='a'/>", &LIMITS), ["0:-:<newsItem guid='a'/>"]);
    }

    #[test]
    fn what_is_kept_of_a_long_item_is_bounded() {
        let file = vec![b'x'; 3 * HEAD_BYTES_MAX];
        let mut kept = 0;
        let mut file = Cursor::new(file);
        cut(&mut file, &with(&with_max(HEAD_BYTES_MAX + 9)), &mut |item| {
            kept = item.err().map_or(0, |bad| bad.head.len());
            true
        })
        .end
        .unwrap();
        assert_eq!(kept, HEAD_BYTES_MAX);
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        io::Write::write_all(&mut packed, bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_cut_as_it_is_unpacked() {
        let (mut packed, mut times) = (b"A story.".to_vec(), 0);
        while times < LIMITS.nesting_max {
            packed = gzip(&packed);
            times += 1;
        }
        assert_eq!(cut_all(&packed, &LIMITS), ["0:-:A story."]);
        assert_eq!(cut_all(&gzip(&packed), &LIMITS), ["!nested-too-deep"]);
        let lines = gzip(b"{\"a\":1}\n{\"a\":2}\n");
        assert_eq!(cut_all(&lines, &LIMITS), ["0:1:{\"a\":1}", "1:2:{\"a\":2}"]);
        assert_eq!(cut_all(&lines[..lines.len() - 3], &LIMITS).last().unwrap(), "!unreadable");
    }

    fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            // The crate's own way refuses names that would lead out of a folder.
            let place = header.as_old_mut().name.get_mut(..name.len()).unwrap();
            place.copy_from_slice(name.as_bytes());
            header.set_cksum();
            archive.append(&header, *bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            io::Write::write_all(&mut archive, bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    const ENTRIES: [(&str, &[u8]); 5] = [
        ("../../etc/passwd", b"A story."),
        ("empty.txt", b""),
        ("a/picture.jpg", b"\xff\xd8\xff\xe0"),
        ("a/b.jsonl", b"{\"a\":1}\n{\"a\":2}\n"),
        ("long.txt", &[b'x'; 100]),
    ];

    #[test]
    fn entries_of_archives_are_files_of_their_own() {
        let items = [
            "0:../../etc/passwd:A story.",
            "1:a/b.jsonl:1:{\"a\":1}",
            "2:a/b.jsonl:2:{\"a\":2}",
            "3:long.txt!too-large",
            "1 empty",
            "1 picture",
        ];
        assert_eq!(cut_all(&tar(&ENTRIES), &LIMITS), items);
        assert_eq!(cut_all(&zip(&ENTRIES), &LIMITS), items);
        assert_eq!(cut_all(&gzip(&tar(&ENTRIES)), &LIMITS), items);
        let inner = zip(&[("x.txt", b"X.")]);
        let limits = with_max(999);
        let outer = tar(&[("in.zip", &inner), ("y.txt", b"Y.")]);
        assert_eq!(
            cut_all(&zip(&[("o.tar.gz", &gzip(&outer))]), &limits),
            ["0:o.tar.gz/in.zip/x.txt:X.", "1:o.tar.gz/y.txt:Y."]
        );
    }

    #[test]
    fn an_archive_with_too_many_entries_is_refused() {
        let many: Vec<(String, Vec<u8>)> =
            (0..10).map(|n| (format!("{n}.txt"), format!("Story {n}.").into_bytes())).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        for archive in [tar(&many), zip(&many)] {
            assert_eq!(cut_all(&archive, &LIMITS), ["!too-many"]);
            assert_eq!(cut_all(&archive, &Limits { entries_max: 10, ..LIMITS }).len(), 10);
        }
        // Within another archive, or compressed, they are counted as they come, and those before the limit are kept.
        let limits = Limits { entries_max: 9, ..with_max(1 << 20) };
        for (archive, kept) in [(zip(&[("a.tar", &tar(&many))]), 8), (gzip(&tar(&many)), 9)] {
            let found = cut_all(&archive, &limits);
            assert_eq!((found.len(), found[kept].as_str()), (kept + 1, "!too-many"));
        }
    }

    #[test]
    fn what_holds_no_article_is_counted_by_reason() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut add = |name: &str, kind, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes).unwrap();
        };
        add("feeds", tar::EntryType::Directory, b"");
        add("link", tar::EntryType::Symlink, b"");
        add("feeds/none.xml", tar::EntryType::Regular, b"<rss><channel/></rss>");
        // A name of that length has a header of its own before the entry.
        add(&"a".repeat(200), tar::EntryType::Regular, b"A.");
        let archive = archive.into_inner().unwrap();
        let found =
            [format!("0:{}:A.", "a".repeat(200)), "1 no-article".to_owned(), "1 not-a-file".to_owned()];
        assert_eq!(cut_all(&archive, &Limits { entries_max: 4, ..LIMITS }), found);
        assert_eq!(cut_all(&archive, &Limits { entries_max: 3, ..LIMITS }), ["!too-many"]);
    }

    #[test]
    fn a_broken_entry_costs_its_neighbours_nothing() {
        let mut archive = zip(&[("a.txt", &b"AAAA ".repeat(30)), ("b.txt", b"B.")]);
        let data = archive.windows(5).position(|w| w == b"a.txt").unwrap() + 8;
        archive[data..data + 4].fill(0xff);
        assert_eq!(cut_all(&archive, &with_max(999)), ["0:a.txt!unreadable", "1:b.txt:B."]);
        let mut cut_off = tar(&[("a.txt", b"A."), ("b.txt", &[b'x'; 600])]);
        cut_off.truncate(512 + 512 + 512 + 100);
        assert_eq!(cut_all(&cut_off, &with_max(999)), ["0:a.txt:A.", "1:b.txt!unreadable", "!unreadable"]);
    }

    #[test]
    fn mails_and_pages_are_cut_out() {
        let mbox = "From a\nFrom: a\nTo: b\nSubject: c\n\nOne.\n\nFrom b\nTo: x\n\nTwo.\n";
        assert_eq!(
            cut_all(mbox.as_bytes(), &LIMITS),
            ["0:1:From: a\nTo: b\nSubject: c\n\nOne.\n\n", "1:2:To: x\n\nTwo.\n"]
        );
        let warc = "WARC/1.0\r\nWARC-Type: resource\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\n<p>A</p>\r\n\r\n";
        assert_eq!(cut_all(&gzip(warc.as_bytes()), &LIMITS), ["0:1:<p>A</p>"]);
    }

    #[test]
    fn it_ends_when_nobody_wants_more() {
        let mut seen = 0;
        let wanted = cut(&mut Cursor::new(b"{\"a\":1}\n{\"a\":2}\n"), &with(&LIMITS), &mut |_| {
            seen += 1;
            false
        });
        assert_eq!((wanted.end.unwrap(), seen), (false, 1));
    }

    struct Failing(Cursor<Vec<u8>>);

    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(io::Error::other("gone")),
                n => Ok(n),
            }
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_disk_that_fails_is_no_bad_article_and_ends_the_file() {
        let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(SNIFF_BYTES_MAX));
        let file = Failing(Cursor::new(line.repeat(2).into_bytes()));
        let mut seen = 0;
        let error = cut(&mut BufReader::new(file), &with(&with_max(1 << 20)), &mut |_| {
            seen += 1;
            true
        })
        .end
        .unwrap_err();
        assert_eq!((error.code(), seen), ("unreadable", 2));
        assert_eq!(error.to_string(), "it could not be read: gone");
    }
}
