//! News in JSON: ninjs 1, 2 and 3, and what AP's interface makes of it. Called by `json`.
//!
//! Version 1 has one `body_html`, `body_text` and so on, version 2 lists of `bodies` with a role each, version 3 the
//! same with capitals within its names. Names are compared without regard to case, so the three read alike.

use super::{
    FormatError,
    dates::parse_time,
    html::{self, primary_language},
    meta::Note,
    nitf,
};
use crate::model::Article;
use serde_json::{Map, Value};

/// Fields that only an item of ninjs has beside its `uri`.
const SIGNS: [&str; 15] = [
    "headlines",
    "bodies",
    "descriptions",
    "versioncreated",
    "firstcreated",
    "pubstatus",
    "representationtype",
    "eventdetails",
    "plannedcoverage",
    "$standard",
    "standard",
    "altids",
    "renditions",
    "associations",
    "rightsinfo",
];
/// What else is read; the rest goes to `meta` as it stands.
const READ: [&str; 28] = [
    "uri",
    "version",
    "headline",
    "headlines",
    "title",
    "bodies",
    "descriptions",
    "versioncreated",
    "firstcreated",
    "contentmodified",
    "language",
    "byline",
    "by",
    "located",
    "urgency",
    "slugline",
    "pubstatus",
    "embargoed",
    "ednote",
    "subject",
    "subjects",
    "keywords",
    "copyrightholder",
    "provider",
    "source",
    "infosources",
    "dateline",
    "type",
];

/// Whether an object is an item of ninjs. One that has a text for plain JSON is so only where it has a body of ninjs too:
/// any object may have an address and a headline.
pub(super) fn is_item(fields: &Map<String, Value>, has_other_text: bool) -> bool {
    let lower = |key: &String| key.to_ascii_lowercase();
    let is_body = |key: &str| key == "bodies" || key == "body" || key.starts_with("body_");
    let is_sign = |key: &str| {
        SIGNS.contains(&key) || ["body_", "headline_", "description_"].iter().any(|p| key.starts_with(p))
    };
    let is_common = |key: &str| key == "headline" || key == "type";
    let any = |is: &dyn Fn(&str) -> bool| fields.keys().map(lower).any(|key| is(&key));
    fields.contains_key("uri")
        && if has_other_text { any(&is_sign) && any(&is_body) } else { any(&is_sign) || any(&is_common) }
}

/// Reads an item.
pub(super) fn read(fields: Map<String, Value>) -> Result<Article, FormatError> {
    let get =
        |name: &str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let string = |name: &str| get(name).and_then(scalar);
    let mut article = Article::default();
    let headlines = texts(&fields, "headline")?;
    article.title = headlines
        .iter()
        .find(|(role, _)| matches!(role.as_str(), "main" | ""))
        .or(headlines.first())
        .map(|(_, t)| one_line(t));
    article.title = article.title.take().or_else(|| string("title").as_deref().and_then(html::line));
    let descriptions = texts(&fields, "description")?;
    article.note("description", longest(&descriptions));
    article.published =
        string("versioncreated").or_else(|| string("firstcreated")).as_deref().and_then(parse_time);
    article.note_time("created", string("firstcreated"));
    article.note_time("modified", string("contentmodified"));
    article.lang = string("language").as_deref().and_then(primary_language);
    // AP's address of an item carries a token of whoever asked for it.
    let item_id = get("altids").and_then(|ids| ids.get("itemid")).and_then(scalar);
    article.note("guid", item_id.or_else(|| string("uri")));
    article.url = string("uri").filter(|uri| uri.starts_with("http") && !uri.contains('?'));
    article.note("version", string("version"));
    article.note("byline", string("byline").or_else(|| string("by")));
    article.note("dateline", string("dateline"));
    article.note("place", string("located"));
    for name in ["urgency", "slugline", "ednote", "type"] {
        article.note(name, string(name));
    }
    article.note_status(string("pubstatus"));
    article.note_embargo(string("embargoed"));
    let holder = string("copyrightholder");
    let of_sources = get("infosources").and_then(|s| s.get(0)).and_then(named);
    article.note(
        "provider",
        string("provider").or(of_sources).or_else(|| string("source")).or_else(|| holder.clone()),
    );
    article.note("copyright", holder);
    let list = |name: &str| get(name).and_then(Value::as_array).into_iter().flatten();
    let subjects = || list("subject").chain(list("subjects"));
    article.note_all("subjects", subjects().filter_map(coded));
    article.note_all("subject_names", subjects().filter_map(|s| s.get("name").and_then(scalar)));
    article.note_all("keywords", list("keywords").filter_map(scalar));
    let body = longest(&texts(&fields, "body")?).unwrap_or_default();
    keep_the_rest(fields, &mut article);
    article.finish(body, "the item has neither body, description nor headline")
}

/// All texts of one kind with the role of each: `body_html`, or the elements of `bodies`.
fn texts(fields: &Map<String, Value>, kind: &str) -> Result<Vec<(String, String)>, FormatError> {
    let mut found = Vec::new();
    for (key, value) in fields {
        let lower = key.to_ascii_lowercase();
        let is_list = lower.strip_suffix('s') == Some(kind) || lower == "bodies" && kind == "body";
        if is_list {
            for entry in value.as_array().into_iter().flatten() {
                let get = |name: &str| {
                    entry.as_object()?.iter().find(|(k, _)| k.eq_ignore_ascii_case(name))?.1.as_str()
                };
                let role = get("role").unwrap_or_default();
                found.push((
                    role.to_owned(),
                    text(get("value").unwrap_or_default(), role, get("contenttype"))?,
                ));
            }
        } else if let Some(role) = lower.strip_prefix(kind).filter(|r| r.is_empty() || r.starts_with('_')) {
            let role = role.trim_start_matches('_');
            found.push((role.to_owned(), text(value.as_str().unwrap_or_default(), role, None)?));
        }
    }
    found.retain(|(_, text)| !text.trim().is_empty());
    Ok(found)
}

/// A text without its markup. What is said to be plain may have some all the same.
fn text(value: &str, role: &str, content_type: Option<&str>) -> Result<String, FormatError> {
    let is_nitf = role == "nitf" || content_type.is_some_and(|t| t.to_ascii_lowercase().contains("nitf"));
    if is_nitf && value.contains("<nitf") { nitf::embedded(value) } else { html::plain(value) }
}

/// The longest, the first of those that are equally long.
fn longest(texts: &[(String, String)]) -> Option<String> {
    texts.iter().rev().max_by_key(|(_, text)| text.len()).map(|(_, text)| text.clone())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn named(value: &Value) -> Option<String> {
    scalar(value)
        .or_else(|| value.get("name").and_then(scalar))
        .or_else(|| value.get("literal").and_then(scalar))
}

fn coded(subject: &Value) -> Option<String> {
    ["code", "literal", "uri", "qcode"]
        .iter()
        .find_map(|name| subject.get(name).and_then(scalar))
        .or_else(|| scalar(subject))
}

fn keep_the_rest(fields: Map<String, Value>, article: &mut Article) {
    for (key, value) in fields {
        let lower = key.to_ascii_lowercase();
        let is_text = ["body_", "headline_", "description_"].iter().any(|prefix| lower.starts_with(prefix));
        if !is_text && !READ.contains(&lower.as_str()) {
            article.meta.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> Result<Article, FormatError> {
        let Value::Object(fields) = value else { panic!("no object") };
        assert!(is_item(&fields, false));
        read(fields)
    }

    #[test]
    fn the_three_versions_read_alike() {
        let versions = [
            json!({"uri": "urn:h:1", "version": "2", "versioncreated": "2026-11-22T09:30:00Z", "pubstatus": "usable", "language": "en-GB",
                "headline": "Ferry fares rise", "body_html": "<p>On <b>Monday</b>.</p>", "description_text": "Fares.", "copyrightholder": "HNA",
                "subject": [{"code": "04", "name": "economy"}], "byline": "A. Writer", "urgency": 4, "ednote": "Adds."}),
            json!({"uri": "urn:h:1", "version": "2", "versioncreated": "2026-11-22T09:30:00Z", "pubstatus": "usable", "language": "en-GB",
                "headlines": [{"role": "sub", "value": "x"}, {"role": "main", "value": "Ferry fares rise"}],
                "bodies": [{"role": "html", "contenttype": "text/html", "value": "<p>On <b>Monday</b>.</p>"}],
                "descriptions": [{"role": "text", "value": "Fares."}], "copyrightholder": "HNA",
                "subjects": [{"literal": "04", "name": "economy"}], "by": "A. Writer", "urgency": 4, "ednote": "Adds."}),
            json!({"uri": "urn:h:1", "version": "2", "versionCreated": "2026-11-22T09:30:00Z", "pubStatus": "usable", "language": "en-GB",
                "headlines": [{"role": "main", "value": "Ferry fares rise"}],
                "bodies": [{"role": "nitf", "contentType": "text/vnd.IPTC.NITF", "value": "<nitf><body><body.content><p>On Monday.</p></body.content></body></nitf>"}],
                "descriptions": [{"value": "Fares."}], "copyrightHolder": "HNA", "subjects": [{"uri": "04", "name": "economy"}],
                "by": "A. Writer", "urgency": 4, "edNote": "Adds."}),
        ];
        let meta = json!({
            "guid": "urn:h:1", "version": "2", "pubstatus": "usable", "description": "Fares.", "byline": "A. Writer", "urgency": "4",
            "provider": "HNA", "copyright": "HNA", "subjects": ["04"], "subject_names": ["economy"], "ednote": "Adds."
        });
        for version in versions {
            let article = of(version).unwrap();
            assert_eq!(
                (article.title.as_deref(), article.text.as_str()),
                (Some("Ferry fares rise"), "On Monday.")
            );
            assert_eq!((article.lang.as_deref(), article.source.as_deref()), (Some("en"), Some("HNA")));
            assert!(article.published.is_some());
            assert_eq!(Value::Object(article.meta), meta);
        }
    }

    #[test]
    fn what_is_not_read_is_kept() {
        let article = of(json!({"uri": "u", "type": "text", "headline": "Flash", "profile": "p", "altids": {"itemid": "i-1"}})).unwrap();
        assert_eq!((article.text.as_str(), article.item.as_deref()), ("Flash", Some("i-1")));
        let said = json!({"guid": "i-1", "type": "text", "text_from": "headline", "profile": "p", "altids": {"itemid": "i-1"}});
        assert_eq!(Value::Object(article.meta), said);
        assert_eq!(of(json!({"uri": "u", "type": "text"})).unwrap_err().code(), "no-text");
    }

    #[test]
    fn an_address_and_a_headline_make_no_ninjs_of_what_has_a_text() {
        let is = |value: Value, has_other_text| is_item(value.as_object().unwrap(), has_other_text);
        assert!(!is(json!({"uri": "u", "headline": "h", "text": "t", "type": "x"}), true));
        assert!(!is(json!({"uri": "u", "versioncreated": "v", "text": "t"}), true));
        assert!(is(json!({"uri": "u", "versioncreated": "v", "body_html": "t"}), true));
        assert!(is(json!({"uri": "u", "headline": "h"}), false) && !is(json!({"headline": "h"}), false));
    }
}
