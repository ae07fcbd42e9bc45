//! One article as a JSON object, its fields under names that the configuration lists. Called by `decode` with one line,
//! one element of a list, or one object over several lines. Objects in the way of ninjs go to `ninjs`.

use super::{FormatError, dates, html, meta::Note as _, ninjs};
use crate::model::Article;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How deep an object may nest, itself counted. The parser reads 127 levels and no more, also when the journal is
/// read again, where the object lies some levels within an event. Of a feed's own extras, 64 are far more than enough.
const DEPTH_MAX: usize = 64;

/// Under which names objects hold the parts of an article. The first name of each list that is there counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Its own id.
    pub id: Vec<String>,
    /// The headline.
    pub title: Vec<String>,
    /// The text, as it stands.
    pub text: Vec<String>,
    /// The text with markup, where there is none without.
    pub html: Vec<String>,
    /// When it was published.
    pub published: Vec<String>,
    /// Who published it.
    pub source: Vec<String>,
    /// Its address.
    pub url: Vec<String>,
    /// Its language.
    pub lang: Vec<String>,
}

/// Reads an object with `id`, `title`, `text` or `html`, `published`, `source`, `url` and `lang`, under whatever names.
///
/// Where the text is missing or blank the markup stands in for it. Every other field goes to `meta` under its own name,
/// and so does a known field whose value cannot be used (a title that is a number, a time that no one can read): an
/// article is not refused for its trimmings. A field that is null or blank counts as absent.
pub(super) fn decode(bytes: &[u8], names: &Fields) -> Result<Article, FormatError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value = serde_json::from_slice(bytes).map_err(|source| FormatError::Json { source })?;
    if depth(&value) > DEPTH_MAX {
        return Err(FormatError::JsonTooDeep { depth_max: DEPTH_MAX });
    }
    let mut fields = match unwrapped(value) {
        Value::Object(fields) => fields,
        Value::Null => return Err(FormatError::NotAnObject { found: "null" }),
        Value::Bool(_) => return Err(FormatError::NotAnObject { found: "a truth value" }),
        Value::Number(_) => return Err(FormatError::NotAnObject { found: "a number" }),
        Value::String(_) => return Err(FormatError::NotAnObject { found: "a string" }),
        Value::Array(_) => return Err(FormatError::NotAnObject { found: "an array" }),
    };
    if ninjs::is_item(&fields, filled_text(&fields, names).is_some()) {
        return ninjs::read(fields);
    }
    let text = text(&mut fields, names)?;
    let mut article = Article { text, ..Article::default() };
    article.item = take(&mut fields, &names.id, |v| match v {
        Value::Number(n) => Some(n.to_string()),
        other => string(other),
    });
    article.title = take(&mut fields, &names.title, string);
    article.published = take(&mut fields, &names.published, |v| match v {
        Value::Number(n) => dates::parse_time(&n.to_string()),
        Value::String(s) => dates::parse_time(s),
        _ => None,
    });
    article.source = take(&mut fields, &names.source, string);
    article.url = take(&mut fields, &names.url, string);
    article.lang = take(&mut fields, &names.lang, |v| v.as_str().and_then(html::primary_language));
    article.meta = fields;
    // Under that name anything may stand here.
    let until =
        article.noted("embargoed").filter(|until| dates::parse_time(until).is_some()).map(str::to_owned);
    article.note_embargo(until);
    Ok(article)
}

/// Whether an object is an article with a text of its own, and not a list of articles with a title.
pub(super) fn has_text(bytes: &[u8], names: &Fields) -> bool {
    decode(bytes, names).is_ok_and(|article| article.noted("text_from").is_none())
}

/// Interfaces of agencies hand out one item as `{"data": {"item": {...}}}`, and lists of `{"item": {...}}`.
fn unwrapped(value: Value) -> Value {
    let inner = ["/data/item", "/item"].iter().find_map(|path| value.pointer(path).filter(|v| v.is_object()));
    inner.cloned().unwrap_or(value)
}

/// How many arrays and objects lie within one another; the parser has set a bound to it.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The name of the text, or of the markup that stands in for it, where it is not blank.
fn filled_text<'n>(fields: &Map<String, Value>, names: &'n Fields) -> Option<&'n String> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    names.text.iter().chain(&names.html).find(|name| text(name).is_some_and(|text| !text.trim().is_empty()))
}

fn text(fields: &mut Map<String, Value>, names: &Fields) -> Result<String, FormatError> {
    let all = || names.text.iter().chain(&names.html);
    let Some(chosen) = filled_text(fields, names).cloned() else {
        return Err(match all().find_map(|name| Some((name, fields.get(name)?))) {
            Some((name, Value::String(_))) => bad_field(name, "is blank"),
            Some((name, _)) => bad_field(name, "is not a string"),
            None => FormatError::NoField { names: all().cloned().collect::<Vec<_>>().join("', '") },
        });
    };
    let Some(Value::String(text)) = fields.remove(&chosen) else { return Err(bad_field(&chosen, "is gone")) };
    // The same text once more is no metadata.
    for other in all().filter(|name| **name != chosen) {
        fields.remove(other);
    }
    if names.text.contains(&chosen) {
        return Ok(text);
    }
    let text = html::fragment(&text)?;
    if text.is_empty() { Err(bad_field(&chosen, "has tags and no words")) } else { Ok(text) }
}

fn bad_field(name: &str, what: &'static str) -> FormatError {
    FormatError::BadField { name: name.to_owned(), what }
}

/// Takes the first field out that can be read, and leaves in place those that cannot.
fn take<T>(
    fields: &mut Map<String, Value>,
    names: &[String],
    read: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    for name in names {
        let Some(value) = fields.get(name) else { continue };
        let is_blank = value.is_null() || value.as_str().is_some_and(|s| s.trim().is_empty());
        let taken = if is_blank { None } else { read(value) };
        if is_blank || taken.is_some() {
            fields.remove(name);
        }
        if taken.is_some() {
            return taken;
        }
    }
    None
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(|s| s.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;
    use serde_json::json;

    fn names() -> Fields {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Fields {
            id: list(&["id"]),
            title: list(&["title", "headline"]),
            text: list(&["text", "content_text"]),
            html: list(&["html"]),
            published: list(&["published"]),
            source: list(&["source"]),
            url: list(&["url"]),
            lang: list(&["lang"]),
        }
    }

    fn read(value: &Value) -> Article {
        decode(value.to_string().as_bytes(), &names()).unwrap()
    }

    fn refusal(line: &str) -> (&'static str, String) {
        let error = decode(line.as_bytes(), &names()).unwrap_err();
        (error.code(), error.to_string())
    }

    #[test]
    fn the_known_fields_are_read_and_the_others_kept() {
        let article = read(&json!({
            "id": 17, "title": "Ferry late", "text": " The ferry is late. ", "published": "2026-11-22", "source": "Pier",
            "url": "https://pier.example/1", "lang": "en-GB", "topic": ["sea"], "words": 4, "none": null
        }));
        assert_eq!(article.item.as_deref(), Some("17"));
        assert_eq!(article.title.as_deref(), Some("Ferry late"));
        assert_eq!(article.text, " The ferry is late. ");
        assert_eq!(article.published, Some(Time::from_millis(1_795_348_800_000)));
        assert_eq!(article.source.as_deref(), Some("Pier"));
        assert_eq!(article.url.as_deref(), Some("https://pier.example/1"));
        assert_eq!(article.lang.as_deref(), Some("en"));
        assert_eq!(Value::Object(article.meta), json!({"topic": ["sea"], "words": 4, "none": null}));
    }

    #[test]
    fn what_cannot_be_used_is_kept_and_what_is_blank_is_absent() {
        let article = read(
            &json!({"text": "a", "title": 5, "published": "soon", "source": " ", "lang": null, "id": "x"}),
        );
        assert_eq!(
            (article.title, article.published, article.source, article.lang),
            (None, None, None, None)
        );
        assert_eq!(article.item.as_deref(), Some("x"));
        assert_eq!(Value::Object(article.meta), json!({"title": 5, "published": "soon"}));
        assert!(read(&json!({"text": "a", "published": 1_795_309_323})).published.is_some());
    }

    /// It was shown as embargoed whatever stood there.
    #[test]
    fn an_embargo_has_a_time() {
        let status = |until: Value| read(&json!({"text": "a", "embargoed": until})).meta.remove("pubstatus");
        assert_eq!((status(json!("no")), status(json!(false)), status(Value::Null)), (None, None, None));
        assert_eq!(status(json!("2026-11-22T09:30:00Z")), Some("embargoed".into()));
    }

    #[test]
    fn html_stands_in_for_text() {
        let article =
            read(&json!({"html": "<p>Rain &amp; wind</p><p>from <b>the</b> west</p>", "text": " "}));
        assert_eq!(article.text, "Rain & wind\n\nfrom the west");
        assert!(article.meta.is_empty());
    }

    #[test]
    fn the_first_name_that_is_filled_counts() {
        let article = read(
            &json!({"data": {"item": {"text": "", "content_text": "a", "html": "<p>b</p>", "headline": "h"}}}),
        );
        assert_eq!((article.text.as_str(), article.title.as_deref()), ("a", Some("h")));
        assert!(article.meta.is_empty());
        assert_eq!(
            refusal("{\"x\": 1}").1,
            "it holds no text: it has none of the fields 'text', 'content_text', 'html'"
        );
    }

    /// It was read as ninjs, which knows no such text, and the headline stood in for it.
    #[test]
    fn an_object_with_an_address_and_a_headline_keeps_its_text() {
        let article =
            read(&json!({"uri": "u", "headline": "h", "content_text": "a", "published": 1_795_309_323}));
        assert_eq!((article.text.as_str(), article.title.as_deref()), ("a", Some("h")));
        assert!(
            article.published.is_some()
                && has_text(br#"{"uri": "u", "headline": "h", "text": "a"}"#, &names())
        );
        assert!(!has_text(br#"{"uri": "u", "type": "feed", "title": "h", "items": []}"#, &names()));
    }

    /// An object that nests so deep must not get into the journal, which could not read its whole frame again.
    #[test]
    fn nesting_has_a_limit_below_that_of_the_parser() {
        let nested = |depth: usize| {
            let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
            format!("{{\"text\": \"a\", \"extra\": {open}{close}}}")
        };
        assert!(decode(nested(DEPTH_MAX).as_bytes(), &names()).is_ok());
        for depth in [DEPTH_MAX + 1, 126] {
            assert_eq!(
                refusal(&nested(depth)),
                ("bad-json", "its JSON is nested more than 64 deep".to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_article_says_why() {
        assert_eq!(refusal("{\"id\": 1}").0, "no-text");
        assert_eq!(
            refusal("{\"text\": \"  \"}"),
            ("no-text", "it holds no text: the field 'text' is blank".to_owned())
        );
        assert_eq!(refusal("{\"text\": 1}").0, "no-text");
        assert_eq!(refusal("{\"html\": \"<p> </p>\"}").0, "no-text");
        assert_eq!(refusal("[1]").0, "bad-json");
        assert_eq!(refusal("{\"text\": \"cut").0, "bad-json");
        assert_eq!(decode(b"{\"text\": \"caf\xe9\"}", &names()).unwrap_err().code(), "bad-json");
    }
}
