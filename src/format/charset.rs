//! Bytes to characters: byte order mark, declared charset, UTF-8, and only then a guess.
//!
//! It knows no formats; `text` and `html` call it. What is not plain, well-formed UTF-8 or UTF-16 is never
//! passed off as such: the charset goes into the article's metadata.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde_json::{Map, Value};

/// Where browsers look for a declared charset; some pages put it behind a kilobyte or two of comments.
const DECLARED_WITHIN_BYTES: usize = 4096;

/// Characters and how they were come by.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    /// The text, without a byte order mark.
    pub(super) text: String,
    /// The charset, where it is not Unicode.
    pub(super) legacy: Option<&'static str>,
    /// How many malformed sequences became U+FFFD.
    pub(super) replaced: usize,
}

impl Decoded {
    fn unicode(text: String) -> Self {
        Self { text, legacy: None, replaced: 0 }
    }

    /// Notes a legacy charset as `charset`, and characters that were lost as `charset_replaced`.
    pub(super) fn describe(&self, meta: &mut Map<String, Value>) {
        if let Some(name) = self.legacy {
            meta.insert("charset".to_owned(), name.into());
        }
        if self.replaced > 0 {
            meta.insert("charset_replaced".to_owned(), self.replaced.into());
        }
    }
}

/// Decodes bytes whose format declares this charset, if any.
pub(super) fn decode(bytes: &[u8], declared: Option<&'static Encoding>) -> Decoded {
    if let Some(decoded) = by_mark(bytes) {
        return decoded;
    }
    let declared = declared.filter(|d| *d != UTF_8);
    match (std::str::from_utf8(bytes), declared) {
        // UTF-8 that is well-formed by chance is next to impossible in a single-byte charset. Only a multi-byte one
        // that fits without a fault is believed against it.
        (Ok(text), Some(charset)) if !charset.is_single_byte() && !text.is_ascii() => {
            faultless(bytes, charset).unwrap_or_else(|| Decoded::unicode(text.to_owned()))
        }
        (Ok(text), _) if !has_escapes(bytes) => Decoded::unicode(text.to_owned()),
        (Err(_), Some(charset)) => {
            faultless(bytes, charset).or_else(|| damaged_utf8(bytes)).unwrap_or_else(|| guessed(bytes))
        }
        (Err(_), None) => damaged_utf8(bytes).unwrap_or_else(|| guessed(bytes)),
        (Ok(_), _) => guessed(bytes),
    }
}

/// Whether these bytes begin as UTF-16 or UTF-32 do, so that ASCII is not to be found in them as it stands.
pub(super) fn is_wide(head: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"];
    let is_marked = marks.iter().any(|mark| head.starts_with(mark));
    is_marked || utf32_without_mark(head).is_some() || utf16_without_mark(head).is_some()
}

/// The charset that a page or an XML file declares in its first bytes, as `<meta charset=...>` or in an XML
/// declaration. What declares UTF-16 in ASCII letters is not in UTF-16.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(DECLARED_WITHIN_BYTES))?;
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut rest = head.as_str();
    while let Some(at) = rest.find(['c', 'e']) {
        let (_, tail) = rest.split_at_checked(at)?;
        let value = tail.strip_prefix("charset").or_else(|| tail.strip_prefix("encoding"));
        if let Some(value) = value.and_then(|v| v.trim_start().strip_prefix('=')) {
            let label = value.trim_start().trim_start_matches(['"', '\'']);
            let label =
                label.split(|c: char| matches!(c, '"' | '\'' | ';' | '>' | '/' | '?') || c.is_whitespace());
            let charset = label.map(str::as_bytes).next().and_then(Encoding::for_label);
            if let Some(charset) = charset.filter(|c| c.is_ascii_compatible()) {
                return Some(charset);
            }
        }
        rest = tail.get(1..)?;
    }
    None
}

/// The charset of a byte order mark, or of the zeros that betray UTF-16 without one.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    // Western text has a zero in nearly every other byte; four pairs are the least that tell it from junk.
    let sample = bytes.get(..bytes.len().min(4096) & !1).filter(|s| s.len() >= 8)?;
    let pairs = sample.len() / 2;
    let zeros = |at: usize| sample.iter().skip(at).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 10 >= pairs * 7 && even * 20 <= pairs {
        Some(UTF_16LE)
    } else if even * 10 >= pairs * 7 && odd * 20 <= pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The order of bytes, where a text begins with two ASCII characters of four bytes each.
fn utf32_without_mark(bytes: &[u8]) -> Option<fn([u8; 4]) -> u32> {
    match bytes {
        [0, 0, 0, a, 0, 0, 0, b, ..] if *a != 0 && *b != 0 => Some(u32::from_be_bytes),
        [a, 0, 0, 0, b, 0, 0, 0, ..] if *a != 0 && *b != 0 => Some(u32::from_le_bytes),
        _ => None,
    }
}

fn by_mark(bytes: &[u8]) -> Option<Decoded> {
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\0\0") {
        return Some(utf32(rest, u32::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(b"\0\0\xfe\xff") {
        return Some(utf32(rest, u32::from_be_bytes));
    }
    if let Some(number) = utf32_without_mark(bytes) {
        return Some(utf32(bytes, number));
    }
    let (charset, length) =
        Encoding::for_bom(bytes).or_else(|| utf16_without_mark(bytes).map(|charset| (charset, 0)))?;
    let rest = bytes.get(length..)?;
    if charset == UTF_8 && std::str::from_utf8(rest).is_err() {
        return Some(lossy(rest));
    }
    let (text, _) = charset.decode_without_bom_handling(rest);
    let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
    Some(Decoded { text: text.into_owned(), legacy: None, replaced })
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Decoded {
    let mut decoded = Decoded::unicode(String::with_capacity(bytes.len() / 4));
    for quad in bytes.chunks(4) {
        let code = <[u8; 4]>::try_from(quad).ok().map(number);
        let letter = code.and_then(char::from_u32);
        decoded.replaced += usize::from(letter.is_none());
        decoded.text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    decoded
}

fn faultless(bytes: &[u8], charset: &'static Encoding) -> Option<Decoded> {
    let text = charset.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned();
    Some(Decoded { text, legacy: Some(charset.name()), replaced: 0 })
}

/// UTF-8 with a few broken sequences, as a cut in the middle of a letter leaves it. To read the whole of it in a
/// legacy charset would spoil every good letter for the sake of the bad ones.
fn damaged_utf8(bytes: &[u8]) -> Option<Decoded> {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    // In a legacy charset, sequences that happen to be good UTF-8 are rare beside those that are not.
    (good >= 3 * bad).then(|| lossy(bytes))
}

fn lossy(bytes: &[u8]) -> Decoded {
    let replaced = bytes.utf8_chunks().filter(|c| !c.invalid().is_empty()).count();
    Decoded { text: String::from_utf8_lossy(bytes).into_owned(), legacy: None, replaced }
}

fn guessed(bytes: &[u8]) -> Decoded {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let charset = detector.guess(None, Utf8Detection::Deny);
    let (text, _) = charset.decode_without_bom_handling(bytes);
    let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
    let legacy = (charset != UTF_8 && !bytes.is_ascii() || has_escapes(bytes)).then(|| charset.name());
    Decoded { text: text.into_owned(), legacy, replaced }
}

/// ISO-2022-JP is ASCII to the eye, but for its escapes.
fn has_escapes(bytes: &[u8]) -> bool {
    bytes.contains(&0x1b) && bytes.is_ascii() && bytes.windows(2).any(|w| w == b"\x1b$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    const RUSSIAN: &str = "Погода на завтра: утром дождь, днём облачно, вечером ясно и холодно.";

    #[test]
    fn every_unicode_form_reads_alike() {
        let text = "Wetter: 7 °C, „trüb“ 🌧";
        let utf16 = |number: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(number).collect::<Vec<_>>();
        let utf32 =
            |number: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| number(c.into())).collect::<Vec<_>>();
        let forms = [
            text.as_bytes().to_vec(),
            ["\u{feff}".as_bytes(), text.as_bytes()].concat(),
            [b"\xff\xfe".as_slice(), &utf16(u16::to_le_bytes)].concat(),
            [b"\xfe\xff".as_slice(), &utf16(u16::to_be_bytes)].concat(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            utf32(u32::to_le_bytes),
            utf32(u32::to_be_bytes),
            [b"\xff\xfe\0\0".as_slice(), &utf32(u32::to_le_bytes)].concat(),
            [b"\0\0\xfe\xff".as_slice(), &utf32(u32::to_be_bytes)].concat(),
        ];
        for bytes in forms {
            assert_eq!(decode(&bytes, None), Decoded::unicode(text.to_owned()), "{bytes:?}");
        }
    }

    #[test]
    fn a_legacy_charset_is_guessed_and_named() {
        let (bytes, ..) = WINDOWS_1251.encode(RUSSIAN);
        let decoded = decode(&bytes, None);
        assert_eq!((decoded.text.as_str(), decoded.legacy), (RUSSIAN, Some("windows-1251")));
        let (bytes, ..) = WINDOWS_1252.encode("Le président a été réélu à Genève, “dit-il”");
        assert_eq!(decode(&bytes, None).legacy, Some("windows-1252"));
        let mut meta = Map::new();
        decoded.describe(&mut meta);
        assert_eq!(meta.get("charset"), Some(&Value::from("windows-1251")));
    }

    #[test]
    fn a_declaration_is_found() {
        let name = |bytes| declared(bytes).map(Encoding::name);
        assert_eq!(name(b"<?xml version='1.0' encoding='koi8-r'?>"), Some("KOI8-R"));
        assert_eq!(
            name(b"<meta http-equiv=x content='text/html; charset=iso-8859-1'>"),
            Some("windows-1252")
        );
        assert_eq!((name(b"<p>no charset here"), name(b"<?xml encoding='utf-16'?>")), (None, None));
    }

    #[test]
    fn a_cut_letter_costs_one_letter_and_not_the_text() {
        let cut = RUSSIAN.as_bytes().strip_suffix("й.".as_bytes()).unwrap_or(RUSSIAN.as_bytes());
        let cut = &cut[..cut.len() - 2];
        let decoded = decode(cut, None);
        assert!(decoded.text.starts_with("Погода на завтра"));
        assert_eq!((decoded.legacy, decoded.replaced), (None, 1));
    }

    #[test]
    fn a_declared_charset_yields_to_well_formed_utf8() {
        assert_eq!(decode("Genève".as_bytes(), Some(WINDOWS_1252)).text, "Genève");
        let (bytes, ..) = WINDOWS_1252.encode("Genève");
        assert_eq!(decode(&bytes, Some(WINDOWS_1252)).text, "Genève");
        let (bytes, ..) = SHIFT_JIS.encode("明日は雨のち曇り");
        assert_eq!(decode(&bytes, Some(SHIFT_JIS)).text, "明日は雨のち曇り");
    }
}
