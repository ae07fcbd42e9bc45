//! What a web page says of its article besides the text: JSON-LD, meta tags, microdata and links.
//!
//! `html` calls it, before the page is cut down to its text. It takes what `dom_smoothie` finds and adds what
//! that one misses: JSON-LD graphs, canonical links, microdata, and the dates in `time` elements.

use super::{
    dates::parse_time,
    html::{primary_language, tidy},
};
use crate::model::{Article, Time};
use dom_query::Document;
use serde_json::Value;

/// How deep JSON-LD is searched. Graphs keep their articles at depth 2 or 3.
const LD_DEPTH_MAX: usize = 6;

/// Meta tags and elements that give the time of publication, the surest first, and the attribute that holds it.
const PUBLISHED: &[(&str, &str)] = &[
    ("meta[property='article:published_time']", "content"),
    ("meta[itemprop=datePublished]", "content"),
    ("[itemprop=datePublished]", "datetime"),
    ("meta[property='og:article:published_time']", "content"),
    ("meta[name='parsely-pub-date']", "content"),
    ("meta[name='dc.date.issued']", "content"),
    ("meta[name='DC.date.issued']", "content"),
    ("meta[name='dcterms.issued']", "content"),
    ("meta[name=pubdate]", "content"),
    ("meta[name=publishdate]", "content"),
    ("meta[name='publish-date']", "content"),
    ("meta[name='sailthru.date']", "content"),
    ("meta[name=date]", "content"),
    ("article time[datetime]", "datetime"),
    ("time[datetime]", "datetime"),
];

const ADDRESSES: &[(&str, &str)] = &[
    ("link[rel=canonical]", "href"),
    ("meta[property='og:url']", "content"),
    ("meta[name='twitter:url']", "content"),
];

const LANGUAGES: &[(&str, &str)] = &[
    ("html[lang]", "lang"),
    ("meta[http-equiv='content-language']", "content"),
    ("meta[http-equiv='Content-Language']", "content"),
    ("meta[property='og:locale']", "content"),
];

/// What of the article can be read off the page without its text.
pub(super) fn read(document: &Document) -> Article {
    let ld = LinkedData::read(document);
    Article {
        published: ld.published.or_else(|| first(document, PUBLISHED, parse_time)),
        url: first(document, ADDRESSES, absolute).or(ld.url),
        lang: first(document, LANGUAGES, primary_language).or(ld.language),
        ..Article::default()
    }
}

/// Puts text and what else `dom_smoothie` found to what was read before.
pub(super) fn merge(around: Article, found: dom_smoothie::Article) -> Article {
    let mut article = around;
    article.text = tidy(&found.text_content);
    let site = found.site_name.as_deref().and_then(filled);
    article.title = filled(&found.title).map(|title| without_site(&title, site.as_deref()).to_owned());
    article.published = article.published.or_else(|| found.published_time.as_deref().and_then(parse_time));
    article.url = article.url.or_else(|| found.url.as_deref().and_then(absolute));
    article.source.clone_from(&site);
    let rest = [
        ("site_name", site),
        ("byline", found.byline),
        ("description", found.excerpt),
        ("modified", found.modified_time),
        ("image", found.image),
    ];
    for (name, value) in rest {
        if let Some(value) = value.as_deref().and_then(filled) {
            article.meta.insert(name.to_owned(), value.into());
        }
    }
    article
}

/// Many sites end every headline with their own name.
fn without_site<'a>(title: &'a str, site: Option<&str>) -> &'a str {
    let bare = site.and_then(|site| title.strip_suffix(site)).map(str::trim_end);
    let bare = bare.and_then(|t| t.strip_suffix(['|', '-', '–', '—', '·', ':', '«', '»'])).map(str::trim_end);
    bare.filter(|t| !t.is_empty()).unwrap_or(title)
}

fn filled(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

fn absolute(address: &str) -> Option<String> {
    let address = address.trim();
    let is_absolute = address.starts_with("https://") || address.starts_with("http://");
    is_absolute.then(|| address.to_owned())
}

fn first<T>(document: &Document, places: &[(&str, &str)], read: impl Fn(&str) -> Option<T>) -> Option<T> {
    places.iter().find_map(|(selector, attribute)| {
        let found = document.select(selector);
        found.nodes().iter().find_map(|node| node.attr(attribute).and_then(|value| read(&value)))
    })
}

/// What the page's JSON-LD says of an article.
#[derive(Default)]
struct LinkedData {
    published: Option<Time>,
    url: Option<String>,
    language: Option<String>,
}

impl LinkedData {
    fn read(document: &Document) -> Self {
        let mut ld = Self::default();
        for node in document.select("script[type='application/ld+json']").nodes() {
            if let Ok(value) = serde_json::from_str(node.text().trim()) {
                ld.visit(&value, 0);
            }
        }
        ld
    }

    /// Takes each field from the first article that has it. Other things on the page have dates too.
    fn visit(&mut self, value: &Value, depth: usize) {
        if depth > LD_DEPTH_MAX {
            return;
        }
        match value {
            Value::Array(values) => values.iter().for_each(|v| self.visit(v, depth + 1)),
            Value::Object(fields) => {
                if fields.get("@type").is_some_and(is_article) {
                    let text = |name| fields.get(name).and_then(Value::as_str);
                    self.published = self.published.or_else(|| text("datePublished").and_then(parse_time));
                    self.language =
                        self.language.take().or_else(|| text("inLanguage").and_then(primary_language));
                    self.url = self.url.take().or_else(|| text("url").and_then(absolute));
                }
                fields.values().for_each(|v| self.visit(v, depth + 1));
            }
            _ => {}
        }
    }
}

fn is_article(kind: &Value) -> bool {
    match kind {
        Value::String(kind) => kind.ends_with("Article") || kind.ends_with("Posting") || kind == "Report",
        Value::Array(kinds) => kinds.iter().any(is_article),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Around, html};
    use super::*;

    fn article(head: &str) -> Article {
        let body =
            "<p>The council met on Tuesday and voted, after a long debate, to mend the bridge.</p>".repeat(5);
        let page =
            format!("<!doctype html><html><head>{head}</head><body><article>{body}</article></body></html>");
        html::decode(page.as_bytes(), &Around::default()).unwrap()
    }

    #[test]
    fn linked_data_in_a_graph_is_found() {
        let found = article(
            r#"<script type="application/ld+json">{"@context":"https://schema.org","@graph":[
            {"@type":"WebSite","datePublished":"2001-01-01","url":"https://town.example/"},
            {"@type":["NewsArticle"],"datePublished":"2026-11-22T10:00:00+01:00","inLanguage":"nl-BE",
             "url":"https://town.example/bridge"}]}</script>"#,
        );
        assert_eq!(found.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T09:00:00Z"));
        assert_eq!(found.lang.as_deref(), Some("nl"));
        assert_eq!(found.url.as_deref(), Some("https://town.example/bridge"));
    }

    #[test]
    fn meta_tags_are_found() {
        let found = article(
            "<title>Bridge to be mended | Town Post</title><meta property='og:site_name' content='Town Post'>\
             <meta property='og:title' content='Bridge to be mended | Town Post'>\
             <meta property='article:published_time' content='2026-11-22'><meta name='author' content='A. Writer'>\
             <link rel='canonical' href='https://town.example/b'><meta property='og:locale' content='en_GB'>",
        );
        assert_eq!(found.title.as_deref(), Some("Bridge to be mended"));
        assert_eq!(found.source.as_deref(), Some("Town Post"));
        assert_eq!(found.url.as_deref(), Some("https://town.example/b"));
        assert_eq!(found.lang.as_deref(), Some("en"));
        assert_eq!(found.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T12:00:00Z"));
        assert_eq!(found.meta.get("byline").and_then(Value::as_str), Some("A. Writer"));
        assert_eq!(found.meta.get("site_name").and_then(Value::as_str), Some("Town Post"));
    }

    #[test]
    fn a_time_element_is_the_last_resort() {
        let found = article("<time datetime='soon'></time><time datetime='2026-11-21T08:00Z'>today</time>");
        assert_eq!(found.published.map(|t| t.to_string()).as_deref(), Some("2026-11-21T08:00:00Z"));
        assert_eq!((found.url, found.lang, found.source), (None, None, None));
    }

    #[test]
    fn a_headline_keeps_what_only_looks_like_a_site() {
        assert_eq!(without_site("Rain - Town Post", Some("Town Post")), "Rain");
        assert_eq!(without_site("A talk with Town Post", Some("Town Post")), "A talk with Town Post");
        assert_eq!(without_site("Town Post", Some("Town Post")), "Town Post");
    }
}
