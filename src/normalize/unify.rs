//! One spelling for what is written in many: spaces, quotes, dashes, line breaks. `normalize` and `title` call it.
//!
//! It knows nothing of what the lines say.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Lines of hard-wrapped text are seldom longer: terminals and wires broke at 64 to 80 columns.
const WRAP_COLUMNS_MAX: usize = 90;
/// So much of a text is looked at in one go for whether it is plain.
const PLAIN_BYTES: usize = 64;
/// A wrapped line that goes on is nearly full. Wires often cut the first one short, to put a dateline there.
const WRAP_COLUMNS_MIN: usize = 40;

/// Appends the paragraphs of a text, each as a line of its own.
///
/// A paragraph is a line, except in hard-wrapped text: there it goes on until a blank or an indented line.
pub(super) fn paragraphs(text: &str, into: &mut String) {
    let text = composed(text);
    let is_wrapped = is_wrapped(&text);
    let mut goes_on = false;
    for raw in raw_lines(&text) {
        if !is_wrapped || !goes_on || is_indented(raw) {
            goes_on = append(raw, Join::Line, into);
        } else {
            goes_on = append(raw, Join::Space, into);
        }
    }
}

/// Appends a text as a single line, whatever breaks it has; says whether anything of it was left to append.
pub(super) fn line(text: &str, into: &mut String) -> bool {
    append(&composed(text), Join::Line, into)
}

/// The lines of a text as they are, blank ones too. Files of old come with carriage returns alone.
pub(super) fn raw_lines(text: &str) -> impl Iterator<Item = &str> {
    let breaker = if text.contains('\n') { '\n' } else { '\r' };
    text.split(breaker)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    Line,
    Space,
}

/// Appends one raw line, if anything of it is left; says whether there was.
fn append(raw: &str, join: Join, into: &mut String) -> bool {
    let before = into.len();
    // A word broken at its hyphen goes on without a space.
    let is_broken_word = join == Join::Space && into.ends_with('-') && !into.ends_with(" -");
    if before > 0 && !is_broken_word {
        into.push(if join == Join::Line { '\n' } else { ' ' });
    }
    let start = into.len();
    let line = raw.trim();
    if is_plain(line) && !line.contains("  ") {
        into.push_str(line);
    } else {
        append_words(line, into);
    }
    if into.len() == start {
        into.truncate(before);
        return false;
    }
    true
}

/// Whether nothing in this text is ever spelt otherwise.
fn is_plain(text: &str) -> bool {
    // Each piece is gone through to its end, which takes no decision at every byte.
    let is_plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'`';
    let mut pieces = text.as_bytes().chunks(PLAIN_BYTES);
    pieces.all(|piece| piece.iter().fold(true, |all, byte| all & is_plain(*byte)))
}

fn append_words(line: &str, into: &mut String) {
    let start = into.len();
    let mut is_regrouped = false;
    for word in line.split_whitespace() {
        let parted = into.len();
        if parted > start {
            into.push(' ');
        }
        let word_start = into.len();
        if is_plain(word) {
            into.push_str(word);
        } else {
            is_regrouped |= append_spelt(word, into);
        }
        if into.len() == word_start {
            into.truncate(parted);
        }
    }
    if is_regrouped {
        recompose(start, into);
    }
}

/// Appends a word in its plain spelling; says whether letters now stand together that did not before.
fn append_spelt(word: &str, into: &mut String) -> bool {
    let mut is_regrouped = false;
    for c in word.chars() {
        match spelling(c) {
            None => into.push(c),
            Some(plain) => {
                into.push_str(plain);
                is_regrouped |= plain.len() != 1;
            }
        }
    }
    is_regrouped
}

/// What a character is spelt as, where that is not itself.
fn spelling(c: char) -> Option<&'static str> {
    let plain = match c {
        // Single quotes, primes and apostrophes.
        '`' | '\u{b4}' | '\u{2bc}' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2039}' | '\u{203a}' => "'",
        // Double ones, Chinese and full-width ones among them.
        '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{301d}'..='\u{301f}' | '\u{ff02}' => {
            "\""
        }
        // Hyphens and dashes, the minus sign, and those of Armenian, Hebrew and vertical text.
        '\u{58a}'
        | '\u{5be}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}' => "-",
        // Soft hyphens, zero-width spaces, word joiners, byte order marks, and the marks of direction.
        '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{feff}' => "",
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{fb05}' | '\u{fb06}' => "st",
        c if c.is_control() => "",
        _ => return None,
    };
    Some(plain)
}

/// NFC. Most texts are in it, which is told much faster than done.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// What was dropped may have stood between a letter and its mark.
fn recompose(start: usize, into: &mut String) {
    let Some(Cow::Owned(again)) = into.get(start..).map(composed) else { return };
    into.truncate(start);
    into.push_str(&again);
}

/// Whether the lines of this text are broken for the width of a screen and not by paragraph.
///
/// That takes paragraphs that are set off by indentation or blank lines. A normalized text has neither, and so is
/// never taken for wrapped again, short as its lines may be.
fn is_wrapped(text: &str) -> bool {
    let (mut lines, mut long, mut is_set_off) = (0_usize, 0_usize, false);
    let (mut runs_on, mut breaks_mid_sentence, mut columns) = (0_usize, 0_usize, 0_usize);
    let mut before = "";
    for raw in raw_lines(text) {
        let line = raw.trim();
        if line.is_empty() {
            is_set_off |= lines > 0;
        } else {
            lines += 1;
            long += usize::from(line.len() > WRAP_COLUMNS_MAX && line.chars().count() > WRAP_COLUMNS_MAX);
            let indented = is_indented(raw);
            is_set_off |= indented;
            if !before.is_empty() && !indented {
                runs_on += 1;
                columns += before.chars().count();
                breaks_mid_sentence += usize::from(!ends_sentence(before));
            }
        }
        before = line;
    }
    // One line in twenty may be an address or a table that could not be broken.
    is_set_off
        && runs_on > 0
        && long * 20 <= lines
        && columns >= WRAP_COLUMNS_MIN * runs_on
        && breaks_mid_sentence * 2 >= runs_on
}

fn is_indented(raw: &str) -> bool {
    raw.starts_with([' ', '\t', '\u{a0}', '\u{3000}'])
}

/// Whether a line ends as sentences do, under whatever quotes and brackets close after it.
pub(super) fn ends_sentence(line: &str) -> bool {
    let is_closing =
        |c: char| matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』') || c.is_whitespace();
    line.trim_end_matches(is_closing)
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '।', '۔', '؟', '።', '：', ':', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> String {
        let mut out = String::new();
        paragraphs(text, &mut out);
        out
    }

    #[test]
    fn one_spelling() {
        assert_eq!(lines("“Don’t” – he\u{a0}said —\t „so“ «là»"), "\"Don't\" - he said - \"so\" \"là\"");
        assert_eq!(lines("ef\u{ad}fi\u{fb01}cient \u{200b} zero\u{feff}width\u{7}"), "effificient zerowidth");
        assert_eq!(lines("cafe\u{301} e\u{200b}\u{301}"), "café é");
    }

    #[test]
    fn joiners_and_marks_stay_with_their_letters() {
        for text in ["क्‍ष नेपालमा", "می‌خواهم", "ภาษาไทย", "ትግርኛ"]
        {
            assert_eq!(lines(text), text);
        }
    }

    #[test]
    fn a_line_is_a_paragraph() {
        assert_eq!(lines("One.\r\n\r\n  Two.\r\nThree.\n\n\n"), "One.\nTwo.\nThree.");
        assert_eq!(lines("One.\rTwo.\r"), "One.\nTwo.");
    }

    const WIRE: &str = "The port said it would mend the old pier and\n\
                        buy two cranes before the winter storms begin, at a cost of\n\
                        nine mln crowns.\n    It said the Wester-\nholm yard would build them and that the work would take up\n\
                        to five months.\n END";

    #[test]
    fn hard_wrapped_paragraphs_are_joined() {
        let joined = lines(WIRE);
        assert_eq!(joined.lines().count(), 3);
        assert!(joined.contains("pier and buy two") && joined.contains("Wester-holm"));
        assert_eq!(lines(&joined), joined);
    }

    #[test]
    fn tables_and_short_lines_are_not() {
        let table = "Net 12 vs 13\n    Revs 100 vs 90\n    Nine months\n    Net 40 vs 39";
        assert_eq!(lines(table).lines().count(), 4);
        let page = "Home\nNews\nSport\n\nThe ferry is late.\nNobody knows why.\n\nMore soon.";
        assert_eq!(lines(page).lines().count(), 6);
    }

    #[test]
    fn sentences_end_under_quotes() {
        assert!(
            ends_sentence("so he said.\")")
                && ends_sentence("雨。")
                && !ends_sentence("Sport")
                && !ends_sentence("")
        );
    }
}
