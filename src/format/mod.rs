//! Bytes to articles. A file is sniffed by content, cut into items however it is packed, and each item is decoded to an
//! [`Article`]; one file of code a format.
//!
//! It knows neither paths nor the runtime, and reads nothing but what it is handed. The pipeline calls it, first
//! [`cut()`] and then [`decode`] for each item; the latter may run on many threads at once.

mod archive;
mod charset;
mod cut;
mod dates;
mod elements;
mod feed;
mod html;
mod json;
mod lines;
mod listing;
mod mail;
mod mbox;
mod meta;
mod nesting;
mod newsml_1;
mod newsml_g2;
mod ninjs;
mod nitf;
mod objects;
mod pagemeta;
mod ritzau;
mod sniff;
mod text;
mod unpack;
mod warc;
mod wire;
mod xml;

pub use cut::{Around, BadItem, EMPTY_FEED, Ended, Limits, RawItem, Settings, cut};
pub use dates::parse_time;
pub use json::Fields;
pub use listing::{FORMATS, Listed, Named, names};

use crate::model::{Article, Reason};
use std::io;

/// What an article is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Plain text.
    Text,
    /// A web page, or a piece of one.
    Html,
    /// A JSON object, ninjs among them.
    Json,
    /// An item of NewsML-G2.
    NewsMlG2,
    /// An item of NewsML 1.
    NewsMl1,
    /// A document of NITF.
    Nitf,
    /// An entry of RSS, RDF, Atom or a WordPress export.
    Feed,
    /// An article of Ritzau's queue.
    Ritzau,
    /// A message of ANPA 1312 or IPTC 7901.
    Wire,
    /// An e-mail.
    Mail,
}

impl Form {
    /// Which elements are articles, in files of several.
    const fn elements(self) -> elements::Names {
        let (of, may_nest): (&[&str], _) = match self {
            Self::NewsMlG2 => (&newsml_g2::ITEMS, false),
            Self::NewsMl1 => (&["NewsItem"], true),
            Self::Feed => (&["item", "entry"], false),
            Self::Ritzau => (&["RBNews"], false),
            Self::Text | Self::Html | Self::Json | Self::Nitf | Self::Wire | Self::Mail => (&[], false),
        };
        elements::Names { of, may_nest }
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
    #[error("it is longer than the {bytes_max} bytes that an article may have (read.article_bytes_max)")]
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
    /// The XML is broken.
    #[error("the XML is broken at byte {byte}: {what}")]
    Xml {
        /// Where, from the beginning of the article.
        byte: u64,
        /// What the parser said.
        what: String,
    },
    /// The object has none of the fields that hold text.
    #[error("it holds no text: it has none of the fields '{names}'")]
    NoField {
        /// Their names.
        names: String,
    },
    /// A field that should hold the text does not.
    #[error("it holds no text: the field '{name}' {what}")]
    BadField {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file ends, or the next article begins, before this one does.
    #[error("it is cut short: its end is missing")]
    CutShort,
    /// Archives and compressions lie too deep within one another.
    #[error("it is packed more than {nesting_max} times over (read.nesting_max)")]
    NestedTooDeep {
        /// The limit.
        nesting_max: u32,
    },
    /// Its archives have too many entries. What was read before that was known is kept.
    #[error(
        "its archives have more than {entries_max} entries (read.entries_max); pack fewer into one, or use JSON Lines"
    )]
    TooManyEntries {
        /// The limit.
        entries_max: u64,
    },
    /// It unpacks to far more than it is.
    #[error("it unpacks to more than {ratio_max} times its size, as no news does (read.ratio_max)")]
    Swells {
        /// The limit.
        ratio_max: u64,
    },
    /// It is compressed in a way that is not read.
    #[error("it is compressed in a way that is not read")]
    Coded,
    /// A record of a web archive has a broken header.
    #[error("its record in the archive does not say how long it is")]
    Unmeasured,
    /// There are more articles in the file than can be numbered.
    #[error("there are too many articles in it")]
    TooMany,
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
    /// The directory at the end of a zip is not there, or not what it should be.
    #[error(
        "it is no complete ZIP archive: the list of its files, which stands at its end, is missing or damaged"
    )]
    BadZip,
    /// It could not be read.
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
}

impl FormatError {
    /// The stable word for it, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotText { .. } | Self::Coded => "not-text",
            Self::TooLarge { .. } => "too-large",
            Self::Json { .. } | Self::JsonTooDeep { .. } | Self::NotAnObject { .. } => "bad-json",
            Self::NoText { .. } | Self::NoField { .. } | Self::BadField { .. } => "no-text",
            Self::Xml { .. } => "bad-xml",
            Self::CutShort => "cut-short",
            Self::BadZip => "bad-archive",
            Self::Unmeasured => "bad-record",
            Self::NestedTooDeep { .. } => "nested-too-deep",
            Self::TooMany | Self::TooManyEntries { .. } => "too-many",
            Self::Swells { .. } => "swells",
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
pub fn decode(item: &RawItem, fields: &Fields) -> Result<Article, FormatError> {
    let (bytes, around) = (item.bytes.as_slice(), &*item.around);
    let mut article = match item.form {
        Form::Text => text::decode(bytes)?,
        Form::Html => html::decode(bytes, around)?,
        Form::Json => json::decode(bytes, fields)?,
        Form::Wire => wire::decode(bytes)?,
        Form::Mail => mail::decode(bytes)?,
        Form::NewsMlG2 => in_xml(bytes, around, newsml_g2::decode)?,
        Form::NewsMl1 => in_xml(bytes, around, newsml_1::decode)?,
        Form::Nitf => in_xml(bytes, around, nitf::decode)?,
        Form::Feed => in_xml(bytes, around, feed::decode)?,
        Form::Ritzau => in_xml(bytes, around, ritzau::decode)?,
    };
    meta::note_markers(&mut article);
    Ok(article)
}

/// Decodes an element and what stood before it, both in the charset that the file declares.
fn in_xml(
    bytes: &[u8],
    around: &Around,
    read: fn(&str, &str) -> Result<Article, FormatError>,
) -> Result<Article, FormatError> {
    let declared = around.charset.or_else(|| charset::declared(bytes));
    let (slice, head) = (charset::decode(bytes, declared), charset::decode(&around.head, declared));
    let mut article = read(&slice.text, &head.text)?;
    slice.describe(&mut article.meta);
    Ok(article)
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
        let names = Fields::default();
        let error = json::decode(br#"{"id": 1, "text": }"#, &names).unwrap_err();
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
    }
}
