//! Plain text: the whole file is the article. Called by `decode`.

use super::{FormatError, charset};
use crate::model::Article;

/// Reads a plain text. Where its charset had to be guessed, or bytes of it had to be replaced, `meta` says so.
pub(super) fn decode(bytes: &[u8]) -> Result<Article, FormatError> {
    let decoded = charset::decode(bytes, None);
    if decoded.text.trim().is_empty() {
        return Err(FormatError::Empty);
    }
    if !decoded.text.contains(char::is_alphanumeric) {
        return Err(FormatError::NoText { why: "there are no words in it" });
    }
    let mut article = Article::default();
    decoded.describe(&mut article.meta);
    article.text = decoded.text;
    Ok(article)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_untouched_and_the_title_is_left_to_normalize() {
        let article = decode("\u{feff}Rain “soon”\r\n\r\nIt will rain.\r\n".as_bytes()).unwrap();
        assert_eq!(article.text, "Rain “soon”\r\n\r\nIt will rain.\r\n");
        assert_eq!(article.title, None);
        assert!(article.meta.is_empty());
    }

    #[test]
    fn white_space_is_empty() {
        assert_eq!(decode(b" \n\t\n").unwrap_err().code(), "empty");
        assert_eq!(decode("\u{feff}\u{2003}".as_bytes()).unwrap_err().code(), "empty");
        assert_eq!(decode(b"\xff\xfe\0").unwrap_err().code(), "no-text");
        assert_eq!(decode(b"* * *\n").unwrap_err().code(), "no-text");
    }
}
