//! Bytes to articles. A file is sniffed by content, cut into items, and each item is decoded to an
//! [`Article`]; one file of code a format.
//!
//! It knows neither paths nor the runtime, and reads nothing but what it is handed. The pipeline calls it, in the
//! order [`sniff()`], [`Items`], [`decode`]; the last one may run on many threads at once.

mod charset;
mod dates;
mod html;
mod items;
mod jsonl;
mod nesting;
mod pagemeta;
mod sniff;
mod text;

pub use dates::parse_time;
pub use items::{BadItem, ItemError, Items};
pub use sniff::{SNIFF_BYTES_MAX, sniff};

use crate::model::{Article, Reason};
use std::{fmt, io};

/// A way in which files hold articles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Plain text: the file is the article.
    Text,
    /// A saved web page: the file is the article.
    Html,
    /// One JSON object a line, each of them an article; or a single object laid out over several lines.
    JsonLines,
}

impl Form {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Text, Self::Html, Self::JsonLines];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::JsonLines => "json-lines",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a file or an item of it gave no article. All but [`FormatError::Io`] are the fault of the input.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// There is nothing in it but white space.
    #[error("there is nothing in it")]
    Empty,
    /// It is not text, or text of a kind that holds no article as it stands.
    #[error("it is not an article's text: it looks like {looks_like}")]
    NotText {
        /// What it looks like, as a noun with its article.
        looks_like: &'static str,
    },
    /// It is longer than an article may be.
    #[error("it is longer than the {bytes_max} bytes that an article may have")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The line is not JSON.
    #[error("the JSON is broken {}", json_fault(source))]
    Json {
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The object nests its values deeper than the journal can keep them.
    #[error("its JSON is nested more than {depth_max} deep")]
    JsonTooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// The line is JSON and no object.
    #[error("the JSON is {found}, and not an object with the fields of an article")]
    NotAnObject {
        /// What it is, as a noun with its article.
        found: &'static str,
    },
    /// The object or the page holds no text.
    #[error("it holds no text: {why}")]
    NoText {
        /// What was looked for and not found.
        why: &'static str,
    },
    /// The page nests its tags deeper than any article does; parsing it would take time out of all proportion.
    #[error("its tags are nested more than {depth_max} deep")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// The page has so many tags, so deeply nested or left open, that parsing it would take out of all proportion.
    #[error("it has too many tags, nested too deep or left open, to be parsed in good time")]
    TooTangled,
    /// The HTML parser gave up in the middle.
    #[error("the HTML parser failed on it: {message}")]
    Panicked {
        /// Its last words.
        message: String,
    },
    /// It could not be read.
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
}

impl FormatError {
    /// The stable word for it, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotText { .. } => "not-text",
            Self::TooLarge { .. } => "too-large",
            Self::Json { .. } | Self::JsonTooDeep { .. } | Self::NotAnObject { .. } => "bad-json",
            Self::NoText { .. } => "no-text",
            Self::TooDeep { .. } | Self::TooTangled | Self::Panicked { .. } => "bad-html",
            Self::Io(_) => "unreadable",
        }
    }

    /// The word and the sentence, as a receipt keeps them.
    pub fn reason(&self) -> Reason {
        Reason::new(self.code(), self.to_string())
    }
}

/// Reads one item. An article's own fields are taken as they are; nothing is normalized.
///
/// A plain text gets no title here: whether its first line is one depends on what of the text is site chrome,
/// which only `normalize` knows.
pub fn decode(form: Form, bytes: &[u8]) -> Result<Article, FormatError> {
    match form {
        Form::Text => text::decode(bytes),
        Form::Html => html::decode(bytes),
        Form::JsonLines => jsonl::decode(bytes),
    }
}

/// The parser's sentence with the place in front; its line number is dropped where there is but one line.
fn json_fault(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let whole = error.to_string();
    let sentence = whole.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&whole);
    if line > 1 {
        format!("at line {line}, column {column}: {sentence}")
    } else {
        format!("at column {column}: {sentence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_names_its_column_and_not_the_line_within_itself() {
        let error = decode(Form::JsonLines, br#"{"id": 1, "text": }"#).unwrap_err();
        assert_eq!(
            error.reason(),
            Reason::new("bad-json", "the JSON is broken at column 19: expected value")
        );
    }

    #[test]
    fn every_error_has_a_code_and_a_sentence() {
        let error = FormatError::from(io::Error::other("the disk is gone"));
        assert_eq!(error.reason(), Reason::new("unreadable", "it could not be read: the disk is gone"));
        assert_eq!(FormatError::TooLarge { bytes_max: 9 }.code(), "too-large");
        assert_eq!(Form::ALL.map(Form::name), ["text", "html", "json-lines"]);
    }
}
