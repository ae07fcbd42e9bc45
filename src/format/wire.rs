//! Text wires framed with control characters: IPTC 7901, as agencies of Europe send it, and ANPA 1312, as those of
//! America do. Called by `decode`.

use super::{
    FormatError, charset,
    cut::{Piece, Stop, each_byte},
    dates::parse_wire_time,
    meta::Note,
};
use crate::model::Article;
use std::io::BufRead;

const SOH: char = '\u{1}';
const STX: char = '\u{2}';
const ETX: char = '\u{3}';
/// Separates the story number from the selector, in ANPA 1312 only.
const US: char = '\u{1f}';

/// Whether a text begins as a wire message does: its header, opened by SOH, goes on to STX.
pub(super) fn is_message(text: &str) -> bool {
    let header = text.trim_start_matches(['\u{16}', '\0', '\r', '\n', ' ']).strip_prefix(SOH);
    let header = header.and_then(|rest| rest.split_once(STX)).map(|(header, _)| header);
    // The longest header of the two standards has under 200 characters.
    header.is_some_and(|h| h.chars().count() < 400)
}

/// Hands over each message of a wire as it was recorded, with its number from 1; without one, where the file is the only
/// message. Each begins with its SOH; what fills the line between them belongs to none.
pub(super) fn cut(
    input: &mut dyn BufRead,
    bytes_max: usize,
    each: &mut dyn FnMut(Option<u64>, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (mut message, mut is_too_long, mut begun) = (Vec::<u8>::new(), false, 0);
    each_byte(input, |byte| {
        if char::from(byte) == SOH {
            if begun > 0 {
                let mut bytes = std::mem::take(&mut message);
                while bytes.last().is_some_and(|b| matches!(b, 0x16 | 0) || b.is_ascii_whitespace()) {
                    bytes.pop();
                }
                each(Some(begun), piece(bytes, std::mem::take(&mut is_too_long)))?;
            }
            begun += 1;
        }
        if message.len() < bytes_max {
            message.push(byte);
        } else {
            is_too_long = true;
        }
        Ok(())
    })?;
    each((begun > 1).then_some(begun), piece(message, is_too_long))
}

fn piece(bytes: Vec<u8>, is_too_long: bool) -> Piece {
    if is_too_long { Piece::TooLong(bytes) } else { Piece::Whole(bytes) }
}

/// Reads one message.
pub(super) fn decode(bytes: &[u8]) -> Result<Article, FormatError> {
    let decoded = charset::decode(bytes, None);
    let message = decoded.text.split_once(SOH).map_or(decoded.text.as_str(), |(_, rest)| rest);
    let (header, rest) = message.split_once(STX).unwrap_or(("", message));
    let (body, trailer) = rest.split_once(ETX).unwrap_or((rest, ""));
    let mut article = Article::default();
    decoded.describe(&mut article.meta);
    let text =
        if header.contains(US) { anpa(header, body, &mut article) } else { iptc(header, body, &mut article) };
    let trailer = readable(trailer);
    if let Some((agency, _)) = trailer.split_once('-').filter(|(a, _)| (2..=5).contains(&a.len())) {
        article.note("provider", Some(agency));
    }
    article.published = parse_wire_time(trailer.trim());
    article.finish(text, "the message has no text")
}

/// Header: number, priority, category, word count, keyword; then a slugline. The first line of the text is the headline
/// where it ends in an equals sign.
fn iptc(header: &str, body: &str, article: &mut Article) -> String {
    let header = readable(header);
    let mut lines = header.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut words = lines.next().unwrap_or_default().split_whitespace();
    article.note("transmission", words.next());
    article.note("urgency", words.next().filter(|p| p.len() == 1 && p.bytes().all(|b| b.is_ascii_digit())));
    article.note_all("subjects", words.next().filter(|c| c.len() == 1).map(str::to_owned));
    article.note("slugline", lines.next().map(|slug| slug.trim_end_matches('/')));
    let body = readable(body);
    let body = body.trim_start();
    let (first, rest) = body.split_once('\n').unwrap_or((body, ""));
    match first.trim_end().strip_suffix('=') {
        Some(headline) => {
            article.title = Some(headline.trim().to_owned()).filter(|h| !h.is_empty());
            paragraphs(rest)
        }
        None => paragraphs(body),
    }
}

/// Header: story number and selector, then priority, category and keyword. Lines before the text that begin with a caret
/// are about the story: its slugline, headline, notes, summary and byline. Within the text they are headings.
fn anpa(header: &str, body: &str, article: &mut Article) -> String {
    let (number, selector) = header.split_once(US).unwrap_or((header, ""));
    article.note("transmission", Some(readable(number)));
    let selector = readable(selector);
    let mut words = selector.lines().nth(1).unwrap_or_default().split_whitespace();
    article.note("priority", words.next());
    article.note_all("subjects", words.next().map(str::to_owned));
    let body = readable(body);
    let (mut rest, mut notes, mut by) = (String::new(), Vec::new(), Vec::new());
    for line in body.lines() {
        let Some(said) = line.trim().strip_prefix('^') else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let said = said.trim_end_matches(['<', '=']).trim();
        if said.is_empty() {
            continue;
        }
        if !rest.trim().is_empty() {
            rest.extend(["\n", said, "\n\n"]);
        } else if article.noted("slugline").is_none() {
            // The word count ends the slugline.
            let slug = said.rsplit_once(',').filter(|(_, count)| count.bytes().all(|b| b.is_ascii_digit()));
            article.note("slugline", Some(slug.map_or(said, |(slug, _)| slug)));
        } else if article.title.is_none() {
            article.title = Some(said.to_owned());
        } else if let Some(note) = said.strip_prefix("Eds:") {
            notes.push(note.trim().to_owned());
        } else if said.starts_with("By ") || !by.is_empty() {
            by.push(said.to_owned());
        } else if said.starts_with("AP Photo") || article.noted("description").is_some() {
            notes.push(said.to_owned());
        } else {
            article.note("description", Some(said));
        }
    }
    article.note("ednote", Some(notes.join("\n")));
    article.note("byline", Some(by.join(", ")));
    paragraphs(&rest)
}

/// The text without the characters that steer the line.
fn readable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Lines are broken to fit a screen; an indent or an empty line begins a paragraph.
fn paragraphs(text: &str) -> String {
    let mut laid_out = String::with_capacity(text.len());
    let mut is_new = true;
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() {
            is_new = true;
            continue;
        }
        let is_item = words.starts_with(['-', '#', '*']);
        if !laid_out.is_empty() {
            laid_out.push_str(if is_new || line.starts_with(['\t', ' ']) {
                "\n\n"
            } else if is_item {
                "\n"
            } else {
                " "
            });
        }
        laid_out.push_str(words);
        is_new = false;
    }
    laid_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_message_of_iptc_7901_is_read() {
        let message = b"\x01hna017 4 i 21 ferry   hna 017\r\n\nPort-ferry/\r\n\x02Ferry fares to rise =\r\n\n   Port Town (hna) - Fares rise\r\n\
            on Monday.\r\n\n   The board said so.\r\n- by a tenth\r\n\x03220930 GMT Nov 26\r\n\x7f\x04";
        let article = decode(message).unwrap();
        assert_eq!(article.title.as_deref(), Some("Ferry fares to rise"));
        assert_eq!(
            article.text,
            "Port Town (hna) - Fares rise on Monday.\n\nThe board said so.\n- by a tenth"
        );
        assert_eq!(article.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T09:30:00Z"));
        let said = serde_json::json!({"transmission": "hna017", "urgency": "4", "subjects": ["i"], "slugline": "Port-ferry"});
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }

    #[test]
    fn a_message_of_anpa_1312_is_read() {
        let message = b"\x16\x16\x01H0017\x1fwire\r\nf l\x13\x11 BC-Ferry 1stLd-Writethru   11-22 0021\r\n\x02^BC-Ferry, 1st Ld-Writethru,21<\r\n\
            ^Ferry fares to rise<\r\n^Eds: Adds fares.<\r\n^By A. WRITER=\r\n^Harbour News=\r\n\t   PORT TOWN (HN) _ Fares rise.\r\n\
            \t   The board said so.\r\n\x03HN-PT-11-22-26 0930GMT<\r\n\x04";
        let article = decode(message).unwrap();
        assert_eq!(article.title.as_deref(), Some("Ferry fares to rise"));
        assert_eq!(article.text, "PORT TOWN (HN) _ Fares rise.\n\nThe board said so.");
        assert_eq!(
            (article.published.map(|t| t.to_string()).as_deref(), article.source.as_deref()),
            (Some("2026-11-22T09:30:00Z"), Some("HN"))
        );
        let said = serde_json::json!({
            "transmission": "H0017", "priority": "f", "subjects": ["l"], "slugline": "BC-Ferry, 1st Ld-Writethru",
            "ednote": "Adds fares.", "byline": "By A. WRITER, Harbour News", "provider": "HN"
        });
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }

    /// Those in the middle were taken for more of the header and dropped.
    #[test]
    fn lines_with_a_caret_within_a_text_are_headings() {
        let message = b"\x01H1\x1fwire\r\nf l\r\n\x02^BC-Ferry,21<\r\n^Fares rise<\r\n^AP Photo X1<\r\n^A summary.<\r\n^And more.<\r\n\
            \tPORT TOWN (HN) _ Fares rise.\r\n^THE BOARD<\r\n\tIt said so.\r\n^Eds: Not for the islands.<\r\n\x03";
        let article = decode(message).unwrap();
        assert_eq!(
            article.text,
            "PORT TOWN (HN) _ Fares rise.\n\nTHE BOARD\n\nIt said so.\n\nEds: Not for the islands."
        );
        assert_eq!(
            (article.noted("description"), article.noted("ednote")),
            (Some("A summary."), Some("AP Photo X1\nAnd more."))
        );
    }

    #[test]
    fn a_recorded_wire_is_cut_into_its_messages() {
        let cut_all = |file: &[u8]| {
            let mut pieces = Vec::new();
            cut(&mut io::BufReader::with_capacity(3, file), 20, &mut |number, piece| {
                pieces.push(match piece {
                    Piece::Whole(bytes) => (number, String::from_utf8(bytes).unwrap()),
                    _ => (number, "too long".to_owned()),
                });
                Ok(())
            })
            .map_err(|_| ())
            .unwrap();
            pieces
        };
        let one = "\u{16}\u{16}\u{1}a\u{2}b\u{3}c\u{4}\n";
        assert_eq!(cut_all(one.as_bytes()), [(None, one.to_owned())]);
        let several = format!("{one}{one}\u{1}d\u{2}{}", "e".repeat(30));
        let message = |n, text: &str| (Some(n), text.to_owned());
        assert_eq!(
            cut_all(several.as_bytes()),
            [
                message(1, "\u{16}\u{16}\u{1}a\u{2}b\u{3}c\u{4}"),
                message(2, "\u{1}a\u{2}b\u{3}c\u{4}"),
                message(3, "too long")
            ]
        );
    }

    #[test]
    fn a_message_is_told_by_its_header() {
        assert!(
            is_message("\u{16}\u{16}\u{1}a\u{2}b")
                && !is_message("a\u{1}b\u{2}")
                && !is_message("\u{1}\u{3}")
        );
        assert_eq!(decode(b"\x01a\x02 \x03").unwrap_err().code(), "no-text");
    }

    /// Fuzzing found it: a line with nothing but its caret was taken for the headline, and that for the text.
    #[test]
    fn a_caret_alone_is_no_headline() {
        let decoded = decode(b"\x01H1\x1fwire\r\nf l\r\n\x02^BC-Ferry,21<\r\n^\x03");
        assert_eq!(decoded.unwrap_err().code(), "no-text");
        let said =
            decode(b"\x01H1\x1fwire\r\nf l\r\n\x02^BC-Ferry,21<\r\n^<\r\n^Fares rise<\r\n\x03").unwrap();
        assert_eq!(said.title.as_deref(), Some("Fares rise"));
    }
}
