//! A file cut into the raw bytes of its articles, one at a time and within a bound of memory.
//!
//! It does not read what it cuts: a broken line is cut out like any other and fails later, in `decode`. The pipeline
//! drives it, on a thread that may block.

use super::{Form, FormatError};
use crate::model::{RawItem, Reason};
use serde::de::IgnoredAny;
use std::io::{self, BufRead, Cursor, Read};

/// How much of an item that is too large is kept to show what it was: enough to recognize it by.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// An item that could not be cut out. Its neighbours are not touched by it.
#[derive(Debug)]
pub struct BadItem {
    /// Where it stands among the items of its file, from 0.
    pub index: u32,
    /// The line number, where the file is not itself the article.
    pub place: Option<u64>,
    /// What was kept of it, from its beginning: at most 64 KiB.
    pub head: Vec<u8>,
    /// Why.
    pub error: FormatError,
}

/// What can go wrong between two items.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// This item is lost, and the next one is not.
    #[error("{}", .0.error)]
    Bad(BadItem),
    /// The file cannot be read on. Nothing follows, and nothing is known of the rest.
    #[error("the file could not be read to its end: {0}")]
    Io(#[from] io::Error),
}

impl ItemError {
    /// The word and the sentence, as a receipt keeps them.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Bad(bad) => bad.error.reason(),
            Self::Io(_) => Reason::new("unreadable", self.to_string()),
        }
    }
}

/// The items of one file, in order. At most the bytes of one article, and a head of 64 KiB, are held at a time.
#[derive(Debug)]
pub struct Items<R> {
    input: Replay<R>,
    form: Form,
    bytes_max: usize,
    index: u32,
    line: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    InLines,
    Done,
}

impl<R: BufRead> Items<R> {
    /// Cuts this file of this form; no article may be longer than so many bytes.
    pub fn new(reader: R, form: Form, article_bytes_max: usize) -> Self {
        let input = Replay { lead: Cursor::default(), rest: reader };
        Self { input, form, bytes_max: article_bytes_max, index: 0, line: 0, state: State::Fresh }
    }

    fn step(&mut self) -> Option<Result<RawItem, ItemError>> {
        match (self.state, self.form) {
            (State::Done, _) => None,
            (State::Fresh, Form::Text | Form::Html) => {
                self.state = State::Done;
                Some(self.whole_file())
            }
            (State::Fresh, Form::JsonLines) => match self.laid_out_object() {
                Err(error) => Some(Err(error.into())),
                Ok(Some(bytes)) => {
                    self.state = State::Done;
                    Some(Ok(RawItem { index: 0, place: None, bytes }))
                }
                Ok(None) => {
                    self.state = State::InLines;
                    self.next_line()
                }
            },
            (State::InLines, _) => self.next_line(),
        }
    }

    fn whole_file(&mut self) -> Result<RawItem, ItemError> {
        let bytes = self.up_to_the_limit()?;
        if bytes.len() > self.bytes_max {
            return Err(self.too_large(None, bytes));
        }
        Ok(RawItem { index: 0, place: None, bytes })
    }

    /// Reads one byte more than an article may have, so that what is too long is known to be.
    fn up_to_the_limit(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = (self.bytes_max as u64).saturating_add(1);
        self.input.by_ref().take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A single object over several lines is one article and the file's only one. It is taken for that where the
    /// first line breaks off in mid-object and the file as a whole parses; else all is put back and cut into lines.
    fn laid_out_object(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let limit = (self.bytes_max as u64).saturating_add(1);
        loop {
            let line_start = bytes.len();
            let read = self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
            let is_blank = bytes.get(line_start..).is_none_or(|line| line.trim_ascii().is_empty());
            if read == 0 || !is_blank || bytes.len() > self.bytes_max {
                break;
            }
        }
        let breaks_off = object(&bytes).is_some_and(|o| o.is_err_and(|e| e.is_eof()));
        if breaks_off && bytes.len() <= self.bytes_max {
            let more = limit.saturating_sub(bytes.len() as u64);
            self.input.by_ref().take(more).read_to_end(&mut bytes)?;
            if bytes.len() <= self.bytes_max && object(&bytes).is_some_and(|o| o.is_ok()) {
                return Ok(Some(bytes));
            }
        }
        self.input.put_back(bytes);
        Ok(None)
    }

    fn next_line(&mut self) -> Option<Result<RawItem, ItemError>> {
        loop {
            let mut line = match self.input.read_line(self.bytes_max) {
                Err(error) => return Some(Err(error.into())),
                Ok(None) => return None,
                Ok(Some(line)) => line,
            };
            self.line += 1;
            if self.line == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
                line.bytes.drain(..3);
            }
            if line.is_cut || line.bytes.len() > self.bytes_max {
                return Some(Err(self.too_large(Some(self.line), line.bytes)));
            }
            if !line.bytes.trim_ascii().is_empty() {
                let item = RawItem { index: self.index, place: Some(self.line), bytes: line.bytes };
                self.index = self.index.saturating_add(1);
                return Some(Ok(item));
            }
        }
    }

    fn too_large(&mut self, place: Option<u64>, mut head: Vec<u8>) -> ItemError {
        head.truncate(HEAD_BYTES_MAX);
        let error = FormatError::TooLarge { bytes_max: self.bytes_max as u64 };
        let bad = BadItem { index: self.index, place, head, error };
        self.index = self.index.saturating_add(1);
        ItemError::Bad(bad)
    }
}

impl<R: BufRead> Iterator for Items<R> {
    type Item = Result<RawItem, ItemError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step();
        if matches!(item, None | Some(Err(ItemError::Io(_)))) {
            self.state = State::Done;
        }
        item
    }
}

/// Whether these bytes are one JSON object: the parser's error where they are not, nothing where they begin as
/// something else.
fn object(bytes: &[u8]) -> Option<Result<(), serde_json::Error>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    bytes.starts_with(b"{").then(|| serde_json::from_slice::<IgnoredAny>(bytes).map(drop))
}

struct Line {
    bytes: Vec<u8>,
    is_cut: bool,
}

/// A reader into which bytes can be put back.
#[derive(Debug)]
struct Replay<R> {
    lead: Cursor<Vec<u8>>,
    rest: R,
}

impl<R: BufRead> Replay<R> {
    fn put_back(&mut self, bytes: Vec<u8>) {
        self.lead = Cursor::new(bytes);
    }

    fn lead_is_spent(&self) -> bool {
        self.lead.position() >= self.lead.get_ref().len() as u64
    }

    /// The next line without its ending. Of one that is far too long the beginning is kept and the rest skipped.
    fn read_line(&mut self, bytes_max: usize) -> io::Result<Option<Line>> {
        let mut line = Line { bytes: Vec::new(), is_cut: false };
        let mut is_any = false;
        loop {
            let buffer = match self.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if buffer.is_empty() {
                break;
            }
            is_any = true;
            let end = buffer.iter().position(|b| *b == b'\n');
            let piece = end.and_then(|at| buffer.get(..at)).unwrap_or(buffer);
            // Up to four bytes more may be a byte order mark and the first half of the line's ending.
            let room = bytes_max.saturating_add(4).saturating_sub(line.bytes.len());
            line.bytes.extend(piece.iter().take(room));
            line.is_cut |= piece.len() > room;
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.consume(used);
            if end.is_some() {
                break;
            }
        }
        if line.bytes.last() == Some(&b'\r') && !line.is_cut {
            line.bytes.pop();
        }
        Ok(is_any.then_some(line))
    }
}

impl<R: BufRead> Read for Replay<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.lead_is_spent() { self.rest.read(into) } else { self.lead.read(into) }
    }
}

impl<R: BufRead> BufRead for Replay<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.lead_is_spent() { self.rest.fill_buf() } else { self.lead.fill_buf() }
    }

    fn consume(&mut self, used: usize) {
        if self.lead_is_spent() {
            self.rest.consume(used);
        } else {
            self.lead.consume(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// What came out, as `index:place:bytes` or `index:place!code`.
    fn cut(form: Form, bytes: &[u8], max: usize) -> Vec<String> {
        // A tiny buffer makes every line cross its end.
        let items = Items::new(BufReader::with_capacity(3, bytes), form, max);
        let place = |p: Option<u64>| p.map_or("-".to_owned(), |n| n.to_string());
        items
            .map(|item| match item {
                Ok(i) => format!("{}:{}:{}", i.index, place(i.place), String::from_utf8_lossy(&i.bytes)),
                Err(ItemError::Bad(b)) => format!("{}:{}!{}", b.index, place(b.place), b.error.code()),
                Err(ItemError::Io(e)) => format!("io {e}"),
            })
            .collect()
    }

    #[test]
    fn a_text_or_page_is_one_item() {
        assert_eq!(cut(Form::Text, b"\xef\xbb\xbfone\ntwo\n", 99), ["0:-:\u{feff}one\ntwo\n"]);
        assert_eq!(cut(Form::Html, b"<p>", 3), ["0:-:<p>"]);
        assert_eq!(cut(Form::Text, b"four", 3), ["0:-!too-large"]);
    }

    #[test]
    fn lines_are_cut_with_their_numbers() {
        let file = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{broken\n{\"b\":2}";
        assert_eq!(cut(Form::JsonLines, file, 99), ["0:1:{\"a\":1}", "1:4:{broken", "2:5:{\"b\":2}"]);
        assert_eq!(cut(Form::JsonLines, b"", 99), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_too_long_spares_its_neighbours() {
        let file = b"{\"a\":1}\n{\"b\":\"very long indeed\"}\r\n{\"c\":3}\r\n";
        assert_eq!(cut(Form::JsonLines, file, 7), ["0:1:{\"a\":1}", "1:2!too-large", "2:3:{\"c\":3}"]);
        let first = b"{\"b\":\"very long indeed\"}\n{\"c\":3}";
        assert_eq!(cut(Form::JsonLines, first, 7), ["0:1!too-large", "1:2:{\"c\":3}"]);
        let marked = b"\xef\xbb\xbf{\"a\":1}\n";
        assert_eq!(cut(Form::JsonLines, marked, 7), ["0:1:{\"a\":1}"]);
    }

    #[test]
    fn what_is_kept_of_a_long_line_is_bounded() {
        let file = vec![b'x'; 3 * HEAD_BYTES_MAX];
        let Some(Err(ItemError::Bad(bad))) =
            Items::new(file.as_slice(), Form::JsonLines, HEAD_BYTES_MAX).next()
        else {
            panic!("the line is too long");
        };
        assert_eq!(bad.head.len(), HEAD_BYTES_MAX);
    }

    #[test]
    fn an_object_over_several_lines_is_one_item() {
        let file = "{\n \"a\": 1,\n \"b\": 2\n}\n";
        assert_eq!(cut(Form::JsonLines, file.as_bytes(), 99), [format!("0:-:{file}")]);
    }

    /// Each blank line is looked at once. Looking at all of them again for each new one took minutes here.
    #[test]
    fn a_million_blank_lines_take_no_time() {
        let file = ["\n".repeat(1 << 20), "{\"a\":1}\n".to_owned()].concat();
        let mut items = Items::new(BufReader::new(file.as_bytes()), Form::JsonLines, 2 << 20);
        assert_eq!(items.next().unwrap().unwrap().place, Some((1 << 20) + 1));
    }

    #[test]
    fn a_first_line_that_breaks_off_is_one_bad_line() {
        let file = b"\n{\"a\": \"cut\n{\"b\":2}\n";
        assert_eq!(cut(Form::JsonLines, file, 99), ["0:2:{\"a\": \"cut", "1:3:{\"b\":2}"]);
        // Nor does it hide the rest where the file is longer than an article may be.
        assert_eq!(cut(Form::JsonLines, file, 12), ["0:2:{\"a\": \"cut", "1:3:{\"b\":2}"]);
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

    #[test]
    fn a_disk_that_fails_is_no_bad_article_and_ends_the_file() {
        let file = Failing(Cursor::new(b"{\"a\":1}\n{\"b\"".to_vec()));
        let mut items = Items::new(BufReader::new(file), Form::JsonLines, 99);
        assert_eq!(items.next().unwrap().unwrap().place, Some(1));
        let error = items.next().unwrap().unwrap_err();
        assert_eq!(error.reason(), Reason::new("unreadable", "the file could not be read to its end: gone"));
        assert!(items.next().is_none());
    }
}
