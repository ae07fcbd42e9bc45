//! Lines reduced to their words, for telling whether two say the same. `chrome`, `lexicon` and `normalize` itself use it.

/// What each byte of a plain line is folded to: a letter or digit in lower case, or what parts words.
#[expect(clippy::indexing_slicing, reason = "a byte of ASCII is one of 256 places")]
static FOLDED: [u8; 256] = {
    let mut folded = [b' '; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            folded[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    folded
};

/// So much of a line is folded in one go.
const PIECE_BYTES: usize = 256;

/// Appends the letters and digits of a line in lower case, its words parted by single spaces. All that is ASCII or
/// general punctuation parts words; marks and the letters of every script stay.
pub(super) fn fold(line: &str, into: &mut String) {
    let start = into.len();
    if line.is_ascii() {
        fold_ascii(line, into);
    } else {
        fold_any(line, into);
    }
    if into.len() > start && into.ends_with(' ') {
        into.pop();
    }
}

fn fold_any(line: &str, into: &mut String) {
    let start = into.len();
    for c in line.chars() {
        if c.is_ascii_alphanumeric() {
            into.push(c.to_ascii_lowercase());
        } else if c.is_ascii()
            || matches!(c, '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}')
        {
            if into.len() > start && !into.ends_with(' ') {
                into.push(' ');
            }
        } else {
            into.extend(c.to_lowercase());
        }
    }
}

/// The same for the plain case, without a decision at each byte: where words end nobody guesses.
fn fold_ascii(line: &str, into: &mut String) {
    let (mut piece, mut last) = ([0; PIECE_BYTES], b' ');
    for bytes in line.as_bytes().chunks(PIECE_BYTES) {
        let mut end = 0;
        for byte in bytes {
            let folded = FOLDED.get(usize::from(*byte)).copied().unwrap_or(b' ');
            if let Some(place) = piece.get_mut(end) {
                *place = folded;
            }
            // What comes after a space takes its place where it is another.
            end += usize::from(folded != b' ' || last != b' ');
            last = folded;
        }
        let folded = piece.get(..end).and_then(|piece| str::from_utf8(piece).ok());
        into.push_str(folded.unwrap_or_default());
    }
}

/// Whether two lines have the same words.
pub(super) fn alike(one: &str, other: &str) -> bool {
    // Most lines differ in their first letter.
    let first = |line: &str| line.bytes().next().filter(u8::is_ascii_alphanumeric);
    if let (Some(a), Some(b)) = (first(one), first(other))
        && !a.eq_ignore_ascii_case(&b)
    {
        return false;
    }
    let (mut a, mut b) = (String::new(), String::new());
    fold(one, &mut a);
    fold(other, &mut b);
    a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_remains() {
        let mut folded = "x".to_owned();
        fold(" \"L'Été — 12.5%\", a_b… 明日、雨 ", &mut folded);
        assert_eq!(folded, "xl été 12 5 a b 明日 雨");
        let (mut plain, mut marked) = (String::new(), String::new());
        fold(" A b--C3;d. ", &mut plain);
        fold(" A b--C3;d. …", &mut marked);
        assert_eq!((plain.as_str(), &plain), ("a b c3 d", &marked));
        assert!(alike("“Rain” soon!", "rain SOON") && !alike("Rain soon", "Rainsoon"));
    }
}
