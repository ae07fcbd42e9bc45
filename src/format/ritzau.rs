//! The answers of Ritzau's news queue: one `RBNews` an article, its text as escaped markup. Called by `decode`.

use super::{
    FormatError,
    dates::parse_time,
    html,
    meta::Note,
    xml::{Document, unescape},
};
use crate::model::Article;

/// Reads one `RBNews`.
pub(super) fn decode(text: &str, head: &str) -> Result<Article, FormatError> {
    let document = Document::read(head, text)?;
    let field = |name: &str| document.item().at(&[name]).map(super::xml::Element::raw);
    // The queue escapes what was escaped already.
    let line = |name: &str| field(name).map(|value| unescape(&value)).and_then(|value| html::line(&value));
    let mut article = Article { title: line("headline"), ..Article::default() };
    article.published = field("PublishDate").as_deref().and_then(parse_time);
    article.note("guid", line("NewsID"));
    article.note("version", line("version"));
    article.note("provider", Some("Ritzau"));
    article.note("subheadline", line("subtitle"));
    article.note("byline", line("byLine"));
    article.note("dateline", line("town"));
    article.note("slugline", line("strapline"));
    article.note("urgency", line("Priority"));
    article.note("ednote", line("TilRedaktionen"));
    let is = |name: &str| line(name).is_some_and(|value| value == "true");
    article.note_status(Some(if is("Annuleret") { "cancelled" } else { "usable" }));
    let markers = [("Korrektion", "CORRECTION"), ("NyVersion", "UPDATE"), ("Annuleret", "KILL")];
    article.note_all(
        "signals",
        markers.into_iter().filter(|(name, _)| is(name)).map(|(_, word)| word.to_owned()),
    );
    let codes = document.item().at(&["IPTCList"]).into_iter().flat_map(super::xml::Element::children);
    article.note_all("subjects", codes.filter_map(super::xml::Element::line));
    article.note_all("subject_names", line("section"));
    let body = html::plain(&field("content").unwrap_or_default())?;
    // Also within the markup.
    let body = if html::has_markup(&body) { unescape(&body) } else { body };
    article.finish(body, "it has neither content nor headline")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_of_the_queue_is_read() {
        let news = "<RBNews><NewsID>n-1</NewsID><PublishDate>2026-11-22T09:30:00.5</PublishDate><headline>Fish &amp;amp; chips</headline>\
            <town>Havn</town><version>2</version><content>&lt;P&gt;It&amp;amp;apos;s cold.&lt;/P&gt;&lt;p&gt;Very.&lt;/p&gt;</content>\
            <IPTCList><a:int>15000000</a:int></IPTCList><Annuleret>true</Annuleret><Korrektion>false</Korrektion></RBNews>";
        let article = decode(news, "<R><L>").unwrap();
        assert_eq!(article.title.as_deref(), Some("Fish & chips"));
        assert_eq!(article.text, "It's cold.\n\nVery.");
        let said = serde_json::json!({
            "guid": "n-1", "version": "2", "provider": "Ritzau", "dateline": "Havn", "pubstatus": "cancelled",
            "signals": ["KILL"], "subjects": ["15000000"]
        });
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }
}
