//! What kind of file this is, by its content alone. Names and suffixes lie; the first bytes seldom do.
//!
//! `cut` calls it with the head of a file, or of a part of one. It decides the shape and nothing else.

use super::{Form, FormatError, archive, charset, mail, mbox, objects, unpack::Packing, warc, wire};
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// How much of a file is looked at. The first tag of a page can stand behind kilobytes of comments; no header
/// that was met is longer than this.
pub const SNIFF_BYTES_MAX: usize = 64 << 10;

/// How many lines are asked whether the file as a whole is JSON Lines, where its first one is broken.
const JSON_LINES_ASKED: usize = 32;

/// First bytes that no text begins with, and what begins so.
const MAGICS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"BM\0\0", "a BMP image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"RIFF", "a RIFF file (WebP, WAV or AVI)"),
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (b"\x7fELF", "an ELF program"),
    (b"MZ\x90\0", "a Windows program"),
    (b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (b"\0asm", "a WebAssembly module"),
    (b"ID3", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"fLaC", "a FLAC recording"),
    (b"\x1aE\xdf\xa3", "a Matroska film"),
    (b"SQLite format 3\0", "an SQLite database"),
];

/// What accompanies articles in archives and never is one, by the word that a receipt counts it by. Nothing of what may hold some.
pub(super) fn no_article(looks_like: &str) -> Option<&'static str> {
    let has = |word: &str| looks_like.contains(word);
    match () {
        () if has("image") && !has("film") => Some("picture"),
        () if has("film") || has("recording") || has("RIFF") => Some("recording"),
        () if has("a PDF document") => Some("pdf"),
        () => None,
    }
}

/// The outermost elements of what is read, without their prefix.
const ROOTS: &[(&str, Shape)] = &[
    ("newsMessage", Shape::Elements(Form::NewsMlG2)),
    ("newsItem", Shape::Whole(Form::NewsMlG2)),
    ("packageItem", Shape::Whole(Form::NewsMlG2)),
    ("conceptItem", Shape::Whole(Form::NewsMlG2)),
    ("knowledgeItem", Shape::Whole(Form::NewsMlG2)),
    ("planningItem", Shape::Whole(Form::NewsMlG2)),
    ("catalogItem", Shape::Whole(Form::NewsMlG2)),
    ("NewsML", Shape::Elements(Form::NewsMl1)),
    ("nitf", Shape::Whole(Form::Nitf)),
    ("rss", Shape::Elements(Form::Feed)),
    ("rdf", Shape::Elements(Form::Feed)),
    ("channel", Shape::Elements(Form::Feed)),
    ("feed", Shape::Elements(Form::Feed)),
    ("entry", Shape::Whole(Form::Feed)),
    ("XMLNewsQueuedResponse", Shape::Elements(Form::Ritzau)),
];

/// The tags that pages and saved fragments begin with.
const PAGE_TAGS: &[&str] = &["html", "head", "body", "title", "meta", "script", "style", "article", "main"];
/// Tags that a fragment begins with. Angle brackets also name companies in newswire texts, so one of these
/// counts only where something is closed later on.
const FRAGMENT_TAGS: &[&str] = &[
    "p",
    "div",
    "span",
    "section",
    "header",
    "h1",
    "h2",
    "h3",
    "h4",
    "table",
    "ul",
    "ol",
    "a",
    "b",
    "i",
    "em",
    "strong",
    "br",
    "img",
    "figure",
    "blockquote",
    "center",
    "font",
    "iframe",
    "link",
    "nav",
];

/// How a file holds its articles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Compressed; what is inside is a file of its own.
    Packed(Packing),
    /// The file is the article.
    Whole(Form),
    /// One JSON object a line, each of them an article; or a single object, which may hold a list of them.
    Lines,
    /// An array of JSON objects, each of them an article.
    List,
    /// Elements of XML, each of them an article.
    Elements(Form),
    /// A tar; each file in it is a file of its own.
    Tar,
    /// A zip; each file in it is a file of its own.
    Zip,
    /// A web archive, WARC or ARC; each page in it is an article.
    Web,
    /// An mbox; each e-mail in it is an article.
    Mbox,
    /// A text wire; each message in it is an article.
    Messages,
}

/// Tells the shape of a file from its head, which is the whole file or its first [`SNIFF_BYTES_MAX`] bytes.
pub fn sniff(head: &[u8]) -> Result<Shape, FormatError> {
    if let Some(packing) = Packing::of(head) {
        return Ok(Shape::Packed(packing));
    }
    if archive::is_tar(head) {
        return Ok(Shape::Tar);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return sniff_zip(head);
    }
    if warc::is_archive(head) {
        return Ok(Shape::Web);
    }
    if let Some((_, looks_like)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(FormatError::NotText { looks_like });
    }
    if charset::is_wide(head) {
        let text = charset::decode(head, None).text;
        return match sniff_text(&text, head.len())? {
            Shape::Lines | Shape::List => Err(FormatError::NotText {
                looks_like: "JSON in UTF-16 or UTF-32; wirefold reads it in UTF-8",
            }),
            shape => Ok(shape),
        };
    }
    refuse_binary(head)?;
    let text = match head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head) {
        // Only ASCII decides below, so that bytes of a legacy charset need not be understood yet.
        plain if plain.is_ascii() => String::from_utf8_lossy(plain),
        other => Cow::Owned(String::from_utf8_lossy(other).into_owned()),
    };
    sniff_text(&text, head.len())
}

/// Office documents and books are zips too, told by their first entry.
fn sniff_zip(head: &[u8]) -> Result<Shape, FormatError> {
    let first = head.get(30..).unwrap_or_default();
    let is_office = [&b"[Content_Types].xml"[..], b"_rels/", b"mimetypeapplication/"]
        .iter()
        .any(|n| first.starts_with(n));
    if is_office {
        Err(FormatError::NotText { looks_like: "an Office document or a book" })
    } else {
        Ok(Shape::Zip)
    }
}

fn refuse_binary(head: &[u8]) -> Result<(), FormatError> {
    if head.get(4..8) == Some(b"ftyp") {
        return Err(FormatError::NotText { looks_like: "an MP4 film or HEIC image" });
    }
    if head.contains(&0) {
        return Err(FormatError::NotText { looks_like: "binary data (it has zero bytes)" });
    }
    // Agency wires frame their texts with SOH, STX, ETX, EOT and SYN, and ISO-2022-JP uses ESC: these do not count.
    // Of random bytes one in eleven is one of the others; one in twenty is half of that.
    let is_control = |b: &&u8| {
        **b < 0x20 && !matches!(**b, 1..=4 | b'\t' | b'\n' | b'\r' | 0x0c | 0x16 | 0x1b) || **b == 0x7f
    };
    if head.iter().filter(is_control).count() * 20 > head.len() {
        return Err(FormatError::NotText { looks_like: "binary data (it is full of control bytes)" });
    }
    Ok(())
}

fn sniff_text(text: &str, head_bytes: usize) -> Result<Shape, FormatError> {
    let top = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if top.is_empty() {
        // White space to the end of the head says nothing about a file that goes on.
        return if head_bytes < SNIFF_BYTES_MAX {
            Err(FormatError::Empty)
        } else {
            Ok(Shape::Whole(Form::Text))
        };
    }
    if top.starts_with('<') {
        return sniff_markup(top);
    }
    if top.starts_with('[') && objects::is_list(top.as_bytes()) {
        return Ok(Shape::List);
    }
    if looks_like_json_lines(top) {
        return Ok(Shape::Lines);
    }
    if mbox::is_mbox(text) {
        return Ok(Shape::Mbox);
    }
    if wire::is_message(text) {
        return Ok(Shape::Messages);
    }
    Ok(Shape::Whole(if mail::is_message(text) { Form::Mail } else { Form::Text }))
}

fn sniff_markup(top: &str) -> Result<Shape, FormatError> {
    let (rest, is_xml) = skip_prolog(top);
    let name = tag_name(rest).unwrap_or_default();
    let local = name.rsplit(':').next().unwrap_or_default();
    if let Some((_, shape)) = ROOTS.iter().find(|(root, _)| root.eq_ignore_ascii_case(local)) {
        return Ok(*shape);
    }
    let is_one_of = |tags: &[&str]| tags.iter().any(|tag| tag.eq_ignore_ascii_case(name));
    let is_page = starts_with_ignoring_case(rest, "<!doctype html") || is_one_of(PAGE_TAGS);
    if is_page || is_one_of(FRAGMENT_TAGS) && (rest.contains("</") || rest.contains("/>")) {
        return Ok(Shape::Whole(Form::Html));
    }
    let first_tag = rest.split('>').next().unwrap_or_default();
    if is_xml || starts_with_ignoring_case(rest, "<!doctype") || first_tag.contains(" xmlns") {
        return Err(FormatError::NotText { looks_like: "XML of a kind that is not read" });
    }
    Ok(Shape::Whole(Form::Text))
}

/// Goes past the XML declaration, processing instructions, comments and any document type but that of pages; says
/// whether there was a declaration.
fn skip_prolog(top: &str) -> (&str, bool) {
    let (mut rest, is_xml) = (top, top.starts_with("<?xml"));
    loop {
        let is_doctype = starts_with_ignoring_case(rest, "<!doctype")
            && !starts_with_ignoring_case(rest, "<!doctype html");
        let end = if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else if is_doctype {
            // With declarations of its own it ends in their bracket.
            let tag_end = rest.find('>').unwrap_or(0);
            if rest.find('[').is_some_and(|at| at < tag_end) { "]>" } else { ">" }
        } else {
            return (rest, is_xml);
        };
        match rest.split_once(end) {
            Some((_, after)) => rest = after.trim_start(),
            None => return ("", is_xml),
        }
    }
}

/// The name of the tag that the text begins with, if it is formed like one.
fn tag_name(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, ':' | '.' | '-' | '_'))?;
    let (name, after) = inside.split_at_checked(end)?;
    let closes = after.starts_with(['>', '/']) || after.starts_with(char::is_whitespace);
    (closes && inside.contains('>')).then_some(name)
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// The first line decides where it is whole. Where it is broken its neighbours do, so that one bad line at the top
/// does not turn a feed into a text.
fn looks_like_json_lines(top: &str) -> bool {
    if begins_like_object(top) || top.lines().next().is_some_and(is_object) {
        return true;
    }
    let lines = top.lines().map(str::trim).filter(|l| !l.is_empty()).take(JSON_LINES_ASKED);
    let (mut asked, mut objects) = (0_usize, 0_usize);
    for line in lines {
        asked += 1;
        objects += usize::from(begins_like_object(line));
    }
    objects * 2 > asked || top.starts_with('{') && objects > 0
}

fn is_object(line: &str) -> bool {
    line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok()
}

/// Whether this begins as `{ "key" :`, over line breaks if need be.
fn begins_like_object(text: &str) -> bool {
    let key = text.strip_prefix('{').and_then(|inside| inside.trim_start().strip_prefix('"'));
    let Some(key) = key else { return false };
    let mut is_escaped = false;
    let end = key.find(|c| {
        let closes = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        closes
    });
    end.and_then(|at| key.get(at + 1..)).is_some_and(|after| after.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        match sniff(text.as_bytes()).unwrap() {
            Shape::Whole(form) => form,
            other => panic!("{text} is {other:?}"),
        }
    }

    fn refusal(bytes: &[u8]) -> String {
        sniff(bytes).unwrap_err().to_string()
    }

    #[test]
    fn nothing_is_empty() {
        for bytes in [b"".as_slice(), b" \r\n\t ", b"\xef\xbb\xbf", b"\xff\xfe"] {
            assert_eq!(sniff(bytes).unwrap_err().code(), "empty", "{bytes:?}");
        }
        assert_eq!(sniff(&vec![b' '; SNIFF_BYTES_MAX]).unwrap(), Shape::Whole(Form::Text));
    }

    #[test]
    fn binary_junk_is_named() {
        assert!(refusal(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").contains("PNG"));
        assert!(refusal(b"%PDF-1.7 and so on").contains("PDF"));
        assert!(refusal(b"PK\x03\x04                          [Content_Types].xml").contains("Office"));
        assert!(refusal(b"\0\0\0 ftypisom").contains("MP4"));
        assert!(refusal(b"some text\0with a hole").contains("zero bytes"));
        let noise: Vec<u8> =
            (0..2000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2] | 1).collect();
        assert_eq!(sniff(&noise).unwrap_err().code(), "not-text");
    }

    #[test]
    fn text_is_what_is_nothing_else() {
        for text in [
            "A plain story.",
            "<Harbour Lines Ltd> said it ordered two ferries.",
            "<B> shares rose.",
            "How to write <html> tags: a guide.",
            "{Editor's note: this is a correction.} The story follows.",
            "[Update] Trains run again.",
            "\u{1}wire text of many words in half a frame\u{3}\u{4}, as agencies send them out\r\n",
        ] {
            assert_eq!(form(text), Form::Text, "{text}");
        }
        assert_eq!(sniff(b"Le pr\xe9sident a \xe9t\xe9 \xe9lu").unwrap(), Shape::Whole(Form::Text));
        let wide: Vec<u8> = "Eine Meldung".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(sniff(&wide).unwrap(), Shape::Whole(Form::Text));
    }

    #[test]
    fn pages_are_html() {
        for text in [
            "<!DOCTYPE html>\n<html></html>",
            "\u{feff}\n  <!-- saved -->\n<HTML lang=en>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\"><html xmlns=\"y\">",
            "<p>One.</p><p>Two.</p>",
            "<div class='story'>text</div>",
            "<title>News</title>",
        ] {
            assert_eq!(form(text), Form::Html, "{text}");
        }
        assert!(refusal(b"<?xml version=\"1.0\"?><svg:svg/>").contains("XML"));
        assert!(refusal(b"<sitemap xmlns=\"urn:x\">").contains("XML"));
    }

    #[test]
    fn news_formats_are_told_by_their_outermost_element() {
        for (text, shape) in [
            ("<?xml version='1.0'?><!-- a --><newsMessage xmlns='x'>", Shape::Elements(Form::NewsMlG2)),
            ("<nar:newsItem guid='a'>", Shape::Whole(Form::NewsMlG2)),
            ("<!DOCTYPE NewsML SYSTEM 'x.dtd' [<!ENTITY a 'b'>]>\n<NewsML>", Shape::Elements(Form::NewsMl1)),
            ("<!DOCTYPE nitf SYSTEM 'nitf.dtd'><nitf>", Shape::Whole(Form::Nitf)),
            ("<rdf:RDF xmlns='x'>", Shape::Elements(Form::Feed)),
            ("\n<feed>", Shape::Elements(Form::Feed)),
            ("\u{16}\u{16}\u{1}a\u{2}story\u{3}", Shape::Messages),
        ] {
            assert_eq!(sniff(text.as_bytes()).unwrap(), shape, "{text}");
        }
        assert_eq!(sniff(b"PK\x03\x04\x14").unwrap(), Shape::Zip);
        assert_eq!(sniff(b"WARC/1.1\r\n").unwrap(), Shape::Web);
        assert_eq!(sniff(b"\x1f\x8b\x08").unwrap(), Shape::Packed(Packing::Gzip));
    }

    #[test]
    fn json_lines_survive_a_broken_first_line() {
        for text in [
            "{\"id\": 1, \"text\": \"a\"}\n{\"id\": 2}",
            "{}\n{\"id\": 2}",
            "{\"id\": 1, \"text\": \"cut of",
            "{broken\n{\"id\": 2, \"text\": \"b\"}\n{\"id\": 3}",
            "not json at all\n{\"id\": 2}\n{\"id\": 3}\n",
            "{\n  \"title\": \"laid out\",\n  \"text\": \"b\"\n}",
            "\u{feff}\n\n{ \"a \\\" b\" : 1}",
        ] {
            assert_eq!(sniff(text.as_bytes()).unwrap(), Shape::Lines, "{text}");
        }
        assert_eq!(sniff(b"[\n {\"id\": 1}]").unwrap(), Shape::List);
        let wide: Vec<u8> = "{\"id\": 1234}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(refusal(&wide).contains("UTF-8"));
    }
}
