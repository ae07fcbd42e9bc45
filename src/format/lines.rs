//! The lines of a JSON Lines file, cut out as they stand, one at a time; or the one object that a file is, and where that
//! is no article the objects of the list that it holds.
//!
//! A broken line is cut out like any other and fails later, in `decode`. `cut` calls it; memory is bounded by the
//! longest article.

use super::{
    cut::{Piece, Stop},
    objects,
};
use serde::de::IgnoredAny;
use std::io::{self, BufRead, Cursor, Read};

/// Hands over each line that is not blank with its number; or, without one, the single object that the file is; or the
/// objects of the list that it holds, where it is none of those that `is_article` knows.
pub(super) fn cut(
    input: &mut dyn BufRead,
    bytes_max: usize,
    is_article: &dyn Fn(&[u8]) -> bool,
    each: &mut dyn FnMut(Option<u64>, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut input = Replay::new(input);
    let Begun { bytes, is_one, is_laid_out, fault } = begin(&mut input, bytes_max);
    let is_cut = bytes.len() > bytes_max;
    if is_one && objects::is_list(&bytes) && (is_cut || !is_article(&bytes)) {
        input.put_back(bytes);
        objects::cut(&mut input, bytes_max, &mut |number, piece| each(Some(number), piece))?;
    } else if is_one && is_laid_out && !is_cut {
        each(None, Piece::Whole(bytes))?;
    } else {
        input.put_back(bytes);
        cut_lines(&mut input, bytes_max, each)?;
    }
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

fn cut_lines<R: BufRead>(
    input: &mut Replay<R>,
    bytes_max: usize,
    each: &mut dyn FnMut(Option<u64>, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut number = 0;
    while let Some(mut line) = input.read_line(bytes_max)? {
        number += 1;
        if number == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
            line.bytes.drain(..3);
        }
        if line.is_cut || line.bytes.len() > bytes_max {
            each(Some(number), Piece::TooLong(line.bytes))?;
        } else if !line.bytes.trim_ascii().is_empty() {
            each(Some(number), Piece::Whole(line.bytes))?;
        }
    }
    Ok(())
}

/// What a file begins with, read as far as it takes to tell a single object from lines, and a little more than an article
/// may have at most.
#[derive(Debug, Default)]
struct Begun {
    bytes: Vec<u8>,
    /// Whether it is a single object, as far as it was read.
    is_one: bool,
    /// Whether that goes over several lines.
    is_laid_out: bool,
    /// What went wrong after these bytes, which are good for all that.
    fault: Option<io::Error>,
}

/// A single object over several lines is taken for that where the first line breaks off in mid-object and the file as a
/// whole parses, or none of its lines does. On one line it matters only where it may be a list, and it is the file's only
/// one where nothing follows.
fn begin<R: BufRead>(input: &mut Replay<R>, bytes_max: usize) -> Begun {
    let mut begun = Begun::default();
    begun.read_line(input, bytes_max);
    let length = begun.bytes.len();
    let first = object(&begun.bytes).filter(|_| begun.fault.is_none());
    if first.is_some_and(|object| object.is_err_and(|error| error.is_eof())) && length <= bytes_max {
        let more = (bytes_max - length) as u64;
        begun.fault = input.by_ref().take(more.saturating_add(1)).read_to_end(&mut begun.bytes).err();
        let mut lines = begun.bytes.split(|b| *b == b'\n');
        begun.is_one = object(&begun.bytes).is_some_and(|o| o.is_ok())
            || !lines.any(|line| object(line).is_some_and(|o| o.is_ok()));
        begun.is_laid_out = true;
    } else if objects::is_list(&begun.bytes) {
        begun.read_line(input, bytes_max);
        begun.is_one = begun.bytes.get(length..).is_none_or(|after| after.trim_ascii().is_empty());
    }
    begun
}

impl Begun {
    /// Reads on to the end of the next line with anything in it, or a little beyond the limit.
    fn read_line<R: BufRead>(&mut self, input: &mut Replay<R>, bytes_max: usize) {
        let mut is_blank = true;
        while is_blank && self.fault.is_none() && self.bytes.len() <= bytes_max {
            let start = self.bytes.len();
            let room = (bytes_max - start) as u64;
            let read = input.by_ref().take(room.saturating_add(1)).read_until(b'\n', &mut self.bytes);
            is_blank = self.bytes.get(start..).is_none_or(|line| line.trim_ascii().is_empty());
            match read {
                Ok(0) => return,
                Ok(_) => {}
                Err(fault) => self.fault = Some(fault),
            }
        }
    }
}

/// Whether these bytes are one JSON object: the parser's error where they are not, nothing where they begin as
/// something else.
fn object(bytes: &[u8]) -> Option<Result<(), serde_json::Error>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    bytes.starts_with(b"{").then(|| serde_json::from_slice::<IgnoredAny>(bytes).map(drop))
}

/// A line without its ending.
pub(super) struct Line {
    pub bytes: Vec<u8>,
    /// Whether there was more of it.
    pub is_cut: bool,
}

/// A reader into which bytes can be put back.
#[derive(Debug)]
pub(super) struct Replay<R> {
    lead: Cursor<Vec<u8>>,
    rest: R,
}

impl<R: BufRead> Replay<R> {
    pub fn new(rest: R) -> Self {
        Self { lead: Cursor::default(), rest }
    }

    fn put_back(&mut self, bytes: Vec<u8>) {
        self.lead = Cursor::new(bytes);
    }

    fn lead_is_spent(&self) -> bool {
        self.lead.position() >= self.lead.get_ref().len() as u64
    }

    /// The next line without its ending. Of one that is far too long the beginning is kept and the rest skipped.
    pub fn read_line(&mut self, bytes_max: usize) -> io::Result<Option<Line>> {
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
            line.bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
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

    fn has_text(object: &[u8]) -> bool {
        object.windows(6).any(|w| w == b"\"text\"")
    }

    /// What came out, as `line:bytes`, with a mark behind what is too long.
    fn cut_all(bytes: &[u8], max: usize) -> Vec<String> {
        let mut pieces = Vec::new();
        // A tiny buffer makes every line cross its end.
        let mut input = BufReader::with_capacity(3, bytes);
        cut(&mut input, max, &has_text, &mut |number, piece| {
            let place = number.map_or("-".to_owned(), |n| n.to_string());
            pieces.push(match piece {
                Piece::Whole(bytes) => format!("{place}:{}", String::from_utf8_lossy(&bytes)),
                Piece::TooLong(_) => format!("{place}!"),
                other => panic!("{other:?}"),
            });
            Ok(())
        })
        .map_err(|_| ())
        .unwrap();
        pieces
    }

    #[test]
    fn lines_are_cut_with_their_numbers() {
        let file = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{broken\n{\"b\":2}";
        assert_eq!(cut_all(file, 99), ["1:{\"a\":1}", "4:{broken", "5:{\"b\":2}"]);
        assert_eq!(cut_all(b"", 99), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_too_long_spares_its_neighbours() {
        let file = b"{\"a\":1}\n{\"b\":\"very long indeed\"}\r\n{\"c\":3}\r\n";
        assert_eq!(cut_all(file, 7), ["1:{\"a\":1}", "2!", "3:{\"c\":3}"]);
        let first = b"{\"b\":\"very long indeed\"}\n{\"c\":3}";
        assert_eq!(cut_all(first, 7), ["1!", "2:{\"c\":3}"]);
        let marked = b"\xef\xbb\xbf{\"a\":1}\n";
        assert_eq!(cut_all(marked, 7), ["1:{\"a\":1}"]);
    }

    #[test]
    fn an_object_over_several_lines_is_one_item() {
        let file = "{\n \"a\": 1,\n \"b\": 2\n}\n";
        assert_eq!(cut_all(file.as_bytes(), 99), [format!("-:{file}")]);
        // Also where it is broken, which is one fault and not one a line.
        let broken = file.replace(',', "");
        assert_eq!(cut_all(broken.as_bytes(), 99), [format!("-:{broken}")]);
    }

    /// Each blank line is looked at once. Looking at all of them again for each new one took minutes here.
    #[test]
    fn a_million_blank_lines_take_no_time() {
        let file = ["\n".repeat(1 << 20), "{\"a\":1}\n".to_owned()].concat();
        assert_eq!(cut_all(file.as_bytes(), 2 << 20), [format!("{}:{{\"a\":1}}", (1 << 20) + 1)]);
    }

    /// It was taken for its list where that came first, and its text was lost.
    #[test]
    fn an_article_with_a_list_is_one_and_a_list_without_a_text_is_many() {
        let story = r#"{"items": [{"a": 1}, {"a": 2}], "text": "x"}"#;
        assert_eq!(cut_all(story.as_bytes(), 99), [format!("1:{story}")]);
        let laid_out = story.replace(", \"text", ",\n\"text");
        assert_eq!(cut_all(laid_out.as_bytes(), 99), [format!("-:{laid_out}")]);
        // Two of them are lines.
        let two = format!("{story}\n{story}");
        assert_eq!(cut_all(two.as_bytes(), 99), [format!("1:{story}"), format!("2:{story}")]);
        let feed = r#"{"title": "t", "items": [{"a": 1}, {"a": 2}]}"#;
        let items = ["1:{\"a\": 1}", "2:{\"a\": 2}"];
        assert_eq!(cut_all(feed.as_bytes(), 99), items);
        assert_eq!(cut_all(feed.replace(", ", ",\n").as_bytes(), 99), items);
        // What is longer than an article may be is none, and may still be a list of them.
        assert_eq!(cut_all(feed.as_bytes(), 30), items);
        assert_eq!(cut_all(feed.replace(", ", ",\n").as_bytes(), 30), items);
        assert_eq!(cut_all(story.replace("items", "other").as_bytes(), 30), ["1!"]);
    }

    /// All that was read to tell lines from a list was lost with the fault behind it.
    #[test]
    fn what_stands_before_a_fault_is_kept() {
        for (file, whole) in [
            ("{\"text\":\"a\"}\n{\"b\"", 1),
            ("{\"items\": [{\"a\": 1}]}\n{\"b\"", 1),
            ("{\"items\": [{\"a\": 1}, {\"a\": 2}, {\"b\"", 2),
            ("{\n\"items\": [{\"a\": 1}, {\"a\": 2}, {\"b\"", 2),
        ] {
            let mut found = 0;
            let mut input = BufReader::with_capacity(3, file.as_bytes().chain(Broken(false)));
            let end = cut(&mut input, 99, &has_text, &mut |_, piece| {
                found += usize::from(matches!(&piece, Piece::Whole(bytes) if bytes.ends_with(b"}")));
                Ok(())
            });
            assert_eq!((end.is_err(), found), (true, whole), "{file}");
        }
    }

    /// Fails once, and then has no more.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) { Ok(0) } else { Err(io::Error::other("gone")) }
        }
    }

    #[test]
    fn a_first_line_that_breaks_off_is_one_bad_line() {
        let file = b"\n{\"a\": \"cut\n{\"b\":2}\n";
        assert_eq!(cut_all(file, 99), ["2:{\"a\": \"cut", "3:{\"b\":2}"]);
        // Nor does it hide the rest where the file is longer than an article may be.
        assert_eq!(cut_all(file, 12), ["2:{\"a\": \"cut", "3:{\"b\":2}"]);
    }
}
