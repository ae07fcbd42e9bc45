//! Lines reduced to their words, for telling whether two say the same. `chrome`, `lexicon` and `normalize` itself use it.

/// Appends the letters and digits of a line in lower case, its words parted by single spaces. All that is ASCII or
/// general punctuation parts words; marks and the letters of every script stay.
pub(super) fn fold(line: &str, into: &mut String) {
    let start = into.len();
    if line.is_ascii() {
        fold_ascii(line, into);
        return;
    }
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
    if into.len() > start && into.ends_with(' ') {
        into.pop();
    }
}

/// The same for the plain case, word by word.
fn fold_ascii(line: &str, into: &mut String) {
    let start = into.len();
    let mut word_start = 0;
    let ends = line.bytes().enumerate().filter(|(_, b)| !b.is_ascii_alphanumeric()).map(|(at, _)| at);
    for end in ends.chain([line.len()]) {
        if end > word_start {
            if into.len() > start {
                into.push(' ');
            }
            into.push_str(line.get(word_start..end).unwrap_or_default());
        }
        word_start = end + 1;
    }
    if let Some(folded) = into.get_mut(start..) {
        folded.make_ascii_lowercase();
    }
}

/// Whether two lines have the same words.
pub(super) fn alike(one: &str, other: &str) -> bool {
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
