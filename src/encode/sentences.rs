//! Which sentences of a text are encoded.

/// So many are taken, from the first on: of the first 25 words, 80 words, 256 tokens, and five and twelve sentences, five
/// sentences served best.
const SENTENCES_MAX: usize = 5;
/// What has fewer words is a dateline, a byline or a piece cut off by an abbreviation.
const WORDS_MIN: usize = 5;
/// In scripts that do not part words, so many bytes stand for so many words: thirteen Han letters.
const BYTES_MIN: usize = 40;
/// A text of no sentence is taken as far as this, in bytes.
const HEAD_BYTES: usize = 200;

/// The first sentences of a normalized text, its headline among them; its beginning where it has none.
pub(super) fn first(text: &str) -> Vec<&str> {
    let is_long_enough = |s: &&str| s.split_whitespace().nth(WORDS_MIN - 1).is_some() || s.len() >= BYTES_MIN;
    let found: Vec<&str> =
        text.lines().flat_map(of_line).filter(is_long_enough).take(SENTENCES_MAX).collect();
    if !found.is_empty() {
        return found;
    }
    let head = text.get(..text.floor_char_boundary(HEAD_BYTES)).unwrap_or_default().trim();
    if head.is_empty() { Vec::new() } else { vec![head] }
}

/// The sentences of one line, trimmed.
fn of_line(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let sentence = rest.get(..end_of_first(rest)).filter(|s| !s.is_empty())?;
        rest = rest.get(sentence.len()..).unwrap_or_default();
        Some(sentence.trim())
    })
}

/// Where the first sentence ends: behind a full stop and the quotation mark after it, where a blank and then no small
/// letter or figure follows; or behind a full stop of a script that has no blanks. Abbreviations cut too; what is cut
/// off is mostly too short to be taken.
fn end_of_first(text: &str) -> usize {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '。' | '！' | '？' | '।' | '။' | '።' => return at + letter.len_utf8(),
            '.' | '!' | '?' => {
                while letters.next_if(|(_, next)| matches!(next, '"' | '\'' | ')')).is_some() {}
                let end = letters.peek().map_or(text.len(), |(end, _)| *end);
                let after = text.get(end..).unwrap_or_default();
                let begins = after.trim_start().chars().next();
                let goes_on = begins.is_some_and(|c| c.is_lowercase() || c.is_numeric());
                if !goes_on && after.starts_with(char::is_whitespace) {
                    return end;
                }
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_and_whole_sentences_are_taken() {
        let text = "Ferry aground off Port Ellery bank\nPORT ELLERY, Tuesday.\nThe ferry ran aground at 4.30 a.m. on \
                    Tuesday, the harbour master said. \"Nobody was hurt, and nobody will be.\" Tugs are on the way! ok";
        assert_eq!(
            first(text),
            [
                "Ferry aground off Port Ellery bank",
                "The ferry ran aground at 4.30 a.m. on Tuesday, the harbour master said.",
                "\"Nobody was hurt, and nobody will be.\"",
                "Tugs are on the way! ok"
            ]
        );
    }

    #[test]
    fn five_at_most_and_the_beginning_where_there_is_none() {
        let many = "One two three four five six. ".repeat(9);
        assert_eq!(first(&many).len(), SENTENCES_MAX);
        assert_eq!(first("Bank rate up"), ["Bank rate up"]);
        assert_eq!(first(" \n "), Vec::<&str>::new());
        assert_eq!(first(&"xé\n".repeat(150)).first().map(|head| head.len()), Some(199));
    }

    #[test]
    fn a_script_without_blanks_has_sentences_too() {
        let text = "消防员花了六个小时才扑灭港口仓库的大火。没有人在这场持续整夜的火灾中受伤。";
        assert_eq!(first(text).len(), 2);
    }
}
