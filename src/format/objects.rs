//! The objects of a JSON list, cut out as they stand, one at a time: the elements of an array, or of an array that an
//! object holds under one of the names that feeds use.
//!
//! It counts brackets and knows strings, and no more of JSON. `cut` calls it; memory is bounded by the longest article.

use super::cut::{Piece, Stop, each_byte};
use std::io::BufRead;

/// The names under which feeds hold their articles, at the first or second level.
const LISTS: [&str; 8] = ["item", "items", "articles", "entries", "results", "stories", "news", "posts"];
/// The names of objects that hold such a list.
const HOLDERS: [&str; 3] = ["data", "response", "feed"];
/// Keys longer than this are none of those.
const KEY_BYTES_MAX: usize = 32;

/// Whether what begins so is a list: an array of objects, or an object that holds one. An article may hold one too.
pub(super) fn is_list(head: &[u8]) -> bool {
    let mut scan = Scan::default();
    for byte in head {
        scan.step(*byte, 0);
        if scan.is_over || scan.items > 0 {
            break;
        }
    }
    scan.items > 0
}

/// Hands over each object in turn, with its number from 1. What follows the list is no part of it, but handed over too.
pub(super) fn cut(
    input: &mut dyn BufRead,
    bytes_max: usize,
    each: &mut dyn FnMut(u64, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut scan = Scan::default();
    each_byte(input, |byte| {
        if let Some(piece) = scan.step(byte, bytes_max) {
            each(scan.items, piece)?;
        }
        Ok(())
    })?;
    match scan.item.take() {
        Some(item) if scan.is_too_long => each(scan.items, Piece::TooLong(item)),
        Some(item) => each(scan.items, Piece::CutShort(item)),
        None => Ok(()),
    }
}

/// What is open around a point, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Object,
    /// An array whose objects are articles.
    List,
    Other,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

#[derive(Default)]
struct Scan {
    /// The outermost levels; deeper ones are only counted.
    levels: Vec<Level>,
    depth: usize,
    quote: Quote,
    /// The last string seen, which is a key where a colon follows.
    string: Vec<u8>,
    key: Option<Vec<u8>>,
    item: Option<Vec<u8>>,
    item_depth: usize,
    is_too_long: bool,
    items: u64,
    /// Whether the outermost array or object has ended.
    is_over: bool,
}

/// Levels in which an article can begin: an array in an object in an object, and the article.
const LEVELS_MAX: usize = 4;

impl Scan {
    fn step(&mut self, byte: u8, bytes_max: usize) -> Option<Piece> {
        if self.quote != Quote::Outside {
            self.keep(byte, bytes_max);
            match byte {
                _ if self.quote == Quote::Escaped => self.quote = Quote::Inside,
                b'\\' => self.quote = Quote::Escaped,
                b'"' => self.quote = Quote::Outside,
                _ if self.string.len() <= KEY_BYTES_MAX => self.string.push(byte),
                _ => {}
            }
            return None;
        }
        match byte {
            b'{' | b'[' => {
                self.open(byte);
                self.keep(byte, bytes_max);
            }
            b'}' | b']' => {
                self.keep(byte, bytes_max);
                return self.close();
            }
            b'"' => {
                self.quote = Quote::Inside;
                self.string.clear();
                self.keep(byte, bytes_max);
            }
            b':' => {
                self.colon();
                self.keep(byte, bytes_max);
            }
            _ => self.keep(byte, bytes_max),
        }
        None
    }

    fn colon(&mut self) {
        if self.item.is_some() || self.levels.last() != Some(&Level::Object) || self.depth > self.levels.len()
        {
            return;
        }
        self.key = Some(self.string.clone());
    }

    fn open(&mut self, byte: u8) {
        let key = self.key.take();
        let key_is = |names: &[&str]| key.as_ref().is_some_and(|k| names.iter().any(|n| n.as_bytes() == k));
        let parent = self.levels.last().copied().filter(|_| self.depth == self.levels.len());
        let level = match (byte, parent) {
            (b'{', Some(Level::List)) => self.begin(),
            (b'{', None) if self.is_over && self.depth == 0 => self.begin(),
            (b'{', None) if self.depth == 0 => Level::Object,
            (b'{', Some(Level::Object)) if key_is(&HOLDERS) => Level::Object,
            (b'[', None) if self.depth == 0 => Level::List,
            (b'[', Some(Level::Object)) if key_is(&LISTS) => Level::List,
            _ => Level::Other,
        };
        self.depth += 1;
        if self.levels.len() < LEVELS_MAX && self.levels.len() + 1 == self.depth {
            self.levels.push(level);
        }
    }

    fn begin(&mut self) -> Level {
        if self.item.is_none() {
            (self.item, self.item_depth, self.is_too_long) = (Some(Vec::new()), self.depth, false);
            self.items += 1;
        }
        Level::Other
    }

    fn close(&mut self) -> Option<Piece> {
        self.depth = self.depth.saturating_sub(1);
        self.levels.truncate(self.depth);
        self.key = None;
        self.is_over |= self.depth == 0;
        if self.item.is_none() || self.depth > self.item_depth {
            return None;
        }
        let item = self.item.take()?;
        Some(if self.is_too_long { Piece::TooLong(item) } else { Piece::Whole(item) })
    }

    fn keep(&mut self, byte: u8, bytes_max: usize) {
        match &mut self.item {
            Some(item) if item.len() < bytes_max => item.push(byte),
            Some(_) => self.is_too_long = true,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn cut_all(file: &str, max: usize) -> Vec<String> {
        let mut pieces = Vec::new();
        let mut input = io::BufReader::with_capacity(3, file.as_bytes());
        cut(&mut input, max, &mut |number, piece| {
            let (bytes, mark) = match piece {
                Piece::Whole(bytes) => (bytes, ""),
                Piece::TooLong(bytes) => (bytes, "..."),
                Piece::CutShort(bytes) => (bytes, "|"),
                other => panic!("{other:?}"),
            };
            pieces.push(format!("{number}:{}{mark}", String::from_utf8(bytes).unwrap()));
            Ok(())
        })
        .map_err(|_| ())
        .unwrap();
        pieces
    }

    #[test]
    fn objects_of_a_list_are_cut_out_as_they_stand() {
        let array = r#"[{"a": "}]\"{"}, 7, {"b": [{"c": {}}]} ,{}]"#;
        assert_eq!(cut_all(array, 99), [r#"1:{"a": "}]\"{"}"#, r#"2:{"b": [{"c": {}}]}"#, "3:{}"]);
        let feed = r#"{"version": 1, "tags": [{"t": 1}], "items": [{"id": 1}, {"id": 2}], "items2": [{}]}"#;
        assert_eq!(cut_all(feed, 99), [r#"1:{"id": 1}"#, r#"2:{"id": 2}"#]);
        let deep = r#"{"data": {"meta": {"items": [{}]}, "items": [{"item": {"uri": "x"}}]}}"#;
        assert_eq!(cut_all(deep, 99), [r#"1:{"item": {"uri": "x"}}"#]);
    }

    #[test]
    fn one_that_is_too_long_or_cut_short_spares_its_neighbours() {
        let file = r#"[{"a":1}, {"b": "very long"}, {"c":3}, {"d"#;
        assert_eq!(cut_all(file, 8), [r#"1:{"a":1}"#, r#"2:{"b": "v..."#, r#"3:{"c":3}"#, r#"4:{"d|"#]);
    }

    #[test]
    fn a_list_is_told_by_its_first_object() {
        assert!(is_list(br#"[ {"a""#) && is_list(br#"{"total": 1, "item": [ {"#));
        assert!(!is_list(br#"{"id": 1}{"items": [{}]}"#) && !is_list(br#"{"tags": [{}]}"#));
        assert!(!is_list(b"[1, 2]"));
    }

    #[test]
    fn what_follows_a_list_is_not_lost() {
        let file = r#"{"items": [{"id": 1}], "text": "x"} {"id": 2, "items": [{"x": 3}]}"#;
        assert_eq!(cut_all(file, 99), [r#"1:{"id": 1}"#, r#"2:{"id": 2, "items": [{"x": 3}]}"#]);
    }
}
