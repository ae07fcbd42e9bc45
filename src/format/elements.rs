//! The elements of an XML file that are its articles, cut out as they stand, one at a time.
//!
//! It knows tags, comments and CDATA and no more, so a broken element is cut out like any other and costs its
//! neighbours nothing. `cut` calls it with the names to look for; memory is bounded by the longest article.

use super::cut::{Piece, Stop, each_byte};
use std::io::BufRead;

/// What a file begins with is kept up to so many bytes: the start tags around its articles, and what it says of all of
/// them. Each article is read together with it.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Names longer than this are none that are looked for.
const NAME_BYTES_MAX: usize = 64;

/// Which elements are articles.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names {
    /// Their names, without prefix. Case does not matter: feeds of 1997 shout.
    pub of: &'static [&'static str],
    /// Whether one may lie within another and is part of it then. Where not, one that was left open ends where the next
    /// begins.
    pub may_nest: bool,
}

/// What was found of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'f> {
    /// Its number, from 1.
    pub number: u64,
    /// What stands before the first article.
    pub head: &'f [u8],
}

/// Hands over each element in turn. Returns how many there were.
pub(super) fn cut(
    input: &mut dyn BufRead,
    names: Names,
    bytes_max: usize,
    each: &mut Each,
) -> Result<u64, Stop> {
    let mut scan = Scan { names, bytes_max, ..Scan::default() };
    each_byte(input, |byte| {
        scan.hand_over(byte, each)?;
        if scan.swallowed.len() > bytes_max { scan.give_back(each) } else { Ok(()) }
    })?;
    while let State::Until(_) = scan.state {
        scan.give_back(each)?;
    }
    if let Some((number, piece)) = scan.cut_short() {
        each(&Found { number, head: &scan.head }, piece)?;
    }
    Ok(scan.number)
}

/// Takes an article with what stands before the first.
type Each<'e> = dyn FnMut(&Found, Piece) -> Result<(), Stop> + 'e;

/// Where in the markup the scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `<`, until it is known what it begins.
    Markup,
    Tag {
        is_end: bool,
        quote: Option<u8>,
        last: u8,
    },
    /// Until these bytes.
    Until(&'static [u8]),
    /// A document type, within so many brackets.
    DocType {
        brackets: u32,
        quote: Option<u8>,
    },
}

#[derive(Default)]
struct Scan {
    names: Names,
    bytes_max: usize,
    state: State,
    /// The markup since `<`, until its kind is known.
    token: Vec<u8>,
    /// The last three bytes, to know the end of comments and CDATA by.
    last: [u8; 3],
    /// What stands in the comment or CDATA that is open, until its end is found.
    swallowed: Vec<u8>,
    /// Ends that have been waited for in vain. Until one comes after all, what it would end is text.
    missing: Vec<&'static [u8]>,
    /// The article that is being cut out.
    item: Option<Vec<u8>>,
    is_too_long: bool,
    /// How many articles lie around this point.
    depth: u32,
    /// Whether the tag being read begins or ends an article.
    is_of_item: bool,
    number: u64,
    head: Vec<u8>,
}

impl Scan {
    fn hand_over(&mut self, byte: u8, each: &mut Each) -> Result<(), Stop> {
        match self.step(byte) {
            Some((number, piece)) => each(&Found { number, head: &self.head }, piece),
            None => Ok(()),
        }
    }

    /// Goes once more through what stands in a comment or CDATA whose end does not come within the length of an article:
    /// it was left open, and would swallow all that follows.
    fn give_back(&mut self, each: &mut Each) -> Result<(), Stop> {
        let State::Until(end) = std::mem::take(&mut self.state) else { return Ok(()) };
        self.missing.push(end);
        for byte in std::mem::take(&mut self.swallowed) {
            self.hand_over(byte, each)?;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Option<(u64, Piece)> {
        self.last = [self.last[1], self.last[2], byte];
        if !self.missing.is_empty() {
            let last = self.last;
            self.missing.retain(|end| !last.ends_with(end));
        }
        match self.state {
            State::Text if byte == b'<' => {
                self.state = State::Markup;
                self.is_of_item = false;
                self.token.clear();
                self.token.push(byte);
                None
            }
            State::Markup => self.markup(byte),
            State::Tag { is_end, quote, last } => {
                self.keep(byte);
                self.tag(byte, is_end, quote, last)
            }
            State::Until(end) => {
                self.swallowed.push(byte);
                if self.last.ends_with(end) {
                    self.state = State::Text;
                    for byte in std::mem::take(&mut self.swallowed) {
                        self.keep(byte);
                    }
                }
                None
            }
            State::DocType { brackets, quote } => {
                self.doc_type(byte, brackets, quote);
                None
            }
            State::Text => {
                self.keep(byte);
                None
            }
        }
    }

    /// Decides what a `<` begins, once enough of it was seen.
    fn markup(&mut self, byte: u8) -> Option<(u64, Piece)> {
        let is_name =
            byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'/' | b'!' | b'[');
        if is_name || byte == b'?' {
            self.token.push(byte);
        }
        let state = match self.token.as_slice() {
            b"<?" => self.until(b"?>"),
            b"<!--" => self.until(b"-->"),
            b"<![CDATA[" => self.until(b"]]>"),
            [b'<', b'!', rest @ ..] => {
                let is_open = b"--".starts_with(rest) || b"[CDATA[".starts_with(rest);
                if is_open && is_name {
                    return None;
                }
                if self.number > 0 {
                    // Past the beginning there is none; whatever it is ends like a tag.
                    self.flush();
                    if !is_name {
                        self.keep(byte);
                    }
                    return self.tag(byte, false, None, 0);
                }
                State::DocType { brackets: 0, quote: None }
            }
            _ if is_name && self.token.len() <= NAME_BYTES_MAX => {
                // A slash right after a name ends it.
                if byte != b'/' || self.token.len() == 2 {
                    return None;
                }
                self.token.pop();
                return self.begin_tag(byte);
            }
            _ if !is_name => return self.begin_tag(byte),
            _ => State::Tag { is_end: self.token.get(1) == Some(&b'/'), quote: None, last: 0 },
        };
        self.state = state;
        self.flush();
        if let State::DocType { brackets, quote } = state {
            self.doc_type(byte, brackets, quote);
        }
        None
    }

    fn until(&self, end: &'static [u8]) -> State {
        if self.missing.contains(&end) { State::Text } else { State::Until(end) }
    }

    /// The name of a tag is complete: this byte follows it.
    fn begin_tag(&mut self, byte: u8) -> Option<(u64, Piece)> {
        let is_end = self.token.get(1) == Some(&b'/');
        let name = self.token.get(if is_end { 2 } else { 1 }..).unwrap_or_default();
        let local = name.rsplit(|b| *b == b':').next().unwrap_or_default();
        let name_is_empty = name.is_empty();
        self.is_of_item = self.names.of.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(local));
        let mut before = None;
        if self.is_of_item && !is_end {
            if self.depth > 0 && !self.names.may_nest {
                before = self.cut_short();
            }
            self.depth += 1;
            if self.depth == 1 {
                (self.item, self.is_too_long) = (Some(Vec::new()), false);
                self.number += 1;
                if self.head.len() == HEAD_BYTES_MAX {
                    // What was cut off there may not end in the middle of a tag.
                    let end = self.head.iter().rposition(|b| *b == b'<').unwrap_or(0);
                    self.head.truncate(end);
                }
            }
        }
        if name_is_empty {
            // No tag: a `<` that stands for itself.
            self.state = State::Text;
            self.flush();
            self.keep(byte);
            return before;
        }
        self.flush();
        self.keep(byte);
        // Only an end tag ends an article here, and only a start tag the one before it.
        self.tag(byte, is_end, None, 0).or(before)
    }

    fn tag(&mut self, byte: u8, is_end: bool, quote: Option<u8>, last: u8) -> Option<(u64, Piece)> {
        let quote = match quote {
            Some(open) if open == byte => None,
            // A quote opens only after an equals sign; elsewhere it is a slip, and would swallow the file.
            None if matches!(byte, b'"' | b'\'') && last == b'=' => Some(byte),
            other => other,
        };
        if byte != b'>' || quote.is_some() {
            let last = if byte.is_ascii_whitespace() { last } else { byte };
            self.state = State::Tag { is_end, quote, last };
            return None;
        }
        self.state = State::Text;
        let ends_here = is_end || last == b'/';
        if !self.is_of_item || !ends_here || self.depth == 0 {
            return None;
        }
        self.depth -= 1;
        if self.depth > 0 {
            return None;
        }
        let item = self.item.take()?;
        Some((self.number, if self.is_too_long { Piece::TooLong(item) } else { Piece::Whole(item) }))
    }

    fn doc_type(&mut self, byte: u8, brackets: u32, quote: Option<u8>) {
        self.state = match (quote, byte) {
            (Some(open), _) if open == byte => State::DocType { brackets, quote: None },
            (None, b'"' | b'\'') => State::DocType { brackets, quote: Some(byte) },
            (None, b'[') => State::DocType { brackets: brackets + 1, quote: None },
            (None, b']') => State::DocType { brackets: brackets.saturating_sub(1), quote: None },
            (None, b'>') if brackets == 0 => State::Text,
            _ => return,
        };
    }

    fn flush(&mut self) {
        let token = std::mem::take(&mut self.token);
        // A document type is of no use to anyone.
        if !matches!(self.state, State::DocType { .. }) {
            for byte in &token {
                self.keep(*byte);
            }
        }
        self.token = token;
        self.token.clear();
    }

    fn keep(&mut self, byte: u8) {
        match &mut self.item {
            Some(item) if item.len() < self.bytes_max => item.push(byte),
            Some(_) => self.is_too_long = true,
            None if self.number == 0 && self.head.len() < HEAD_BYTES_MAX => self.head.push(byte),
            None => {}
        }
    }

    /// The article that was left open.
    fn cut_short(&mut self) -> Option<(u64, Piece)> {
        self.depth = 0;
        let item = self.item.take()?;
        Some((self.number, if self.is_too_long { Piece::TooLong(item) } else { Piece::CutShort(item) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    const ITEMS: Names = Names { of: &["item"], may_nest: false };

    fn cut_all(file: &str, names: Names, max: usize) -> (Vec<String>, String) {
        let (mut pieces, mut before) = (Vec::new(), String::new());
        let mut input = BufReader::with_capacity(3, file.as_bytes());
        cut(&mut input, names, max, &mut |found, piece| {
            before = String::from_utf8_lossy(found.head).into_owned();
            pieces.push(match piece {
                Piece::Whole(bytes) => String::from_utf8(bytes).unwrap(),
                Piece::TooLong(bytes) => format!("{}...", String::from_utf8(bytes).unwrap()),
                Piece::CutShort(bytes) => {
                    format!("{}|", String::from_utf8(bytes).unwrap())
                }
                other => panic!("{other:?}"),
            });
            Ok(())
        })
        .map_err(|_| ())
        .unwrap();
        (pieces, before)
    }

    #[test]
    fn elements_are_cut_out_as_they_stand() {
        let file = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a '<item>'>]><rss a='x>y'><!-- <item> -->\
                    <item>one <![CDATA[</item>]]></item>\n<p:item a='>'/><items/><item >2 < 3</item ></rss>";
        let (pieces, head) = cut_all(file, ITEMS, 99);
        assert_eq!(
            pieces,
            ["<item>one <![CDATA[</item>]]></item>", "<p:item a='>'/>", "<item >2 < 3</item >"]
        );
        assert_eq!(head, "<?xml version='1.0'?><rss a='x>y'><!-- <item> -->");
    }

    #[test]
    fn one_that_is_too_long_or_left_open_spares_its_neighbours() {
        let file = "<rss><item>1</item><item>a very long one</item><item>3<item>4</item><item>5";
        let (pieces, _) = cut_all(file, ITEMS, 16);
        assert_eq!(
            pieces,
            ["<item>1</item>", "<item>a very lon...", "<item>3|", "<item>4</item>", "<item>5|"]
        );
    }

    /// What followed went with it.
    #[test]
    fn a_comment_or_cdata_that_is_left_open_swallows_no_neighbour() {
        for open in ["<!-- ", "<![CDATA[", "<?x ", "<!-- <![CDATA[ <?x "] {
            let file = format!("<rss><item>1{open}</item><item>2</item></rss>");
            let pieces = [format!("<item>1{open}</item>"), "<item>2</item>".to_owned()];
            assert_eq!(cut_all(&file, ITEMS, 99).0, pieces);
            // Nor where there is more of it than an article may have.
            let more =
                format!("<rss><item>1{open}</item><item>2</item>{}<item>3</item></rss>", "x".repeat(99));
            assert_eq!(cut_all(&more, ITEMS, 99).0[..2], pieces);
            assert_eq!(cut_all(&more, ITEMS, 99).0[2], "<item>3</item>");
            // What comes later is read as ever, once such an end has come.
            let later = format!("{more} -->]]>?><item><![CDATA[</item>]]></item>");
            assert_eq!(cut_all(&later, ITEMS, 99).0[3..], ["<item><![CDATA[</item>]]></item>"]);
            let between = format!("<rss><item>1</item>{open}<item>2</item></rss>");
            assert_eq!(cut_all(&between, ITEMS, 99).0, ["<item>1</item>", "<item>2</item>"]);
        }
        let shouting = cut_all("<CHANNEL><ITEM>1</ITEM></CHANNEL>", ITEMS, 99);
        assert_eq!(shouting.0, ["<ITEM>1</ITEM>"]);
    }

    #[test]
    fn what_is_declared_within_an_article_stays_in_it() {
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        let item = format!("<item><!ENTITY x \"><!><{long}/><b/></item>");
        assert_eq!(cut_all(&format!("<rss>{item}<item/>"), ITEMS, 999).0, [item, "<item/>".to_owned()]);
    }

    #[test]
    fn one_may_lie_within_another() {
        let names = Names { of: &["item"], may_nest: true };
        let (pieces, _) = cut_all("<a><item><item/><item>x</item></item><item>y</item></a>", names, 99);
        assert_eq!(pieces, ["<item><item/><item>x</item></item>", "<item>y</item>"]);
    }

    #[test]
    fn without_any_there_is_nothing() {
        assert!(cut_all("<rss><channel/></rss>", ITEMS, 99).0.is_empty());
        assert!(cut_all("< <<! <!-- ", ITEMS, 99).0.is_empty());
    }
}
