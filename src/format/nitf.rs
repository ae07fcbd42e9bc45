//! NITF, by itself or within NewsML: the news text of the agencies of the 2000s. Called by `decode` and by the readers
//! of NewsML.

use super::{
    FormatError,
    dates::parse_time,
    html::primary_language,
    meta::Note,
    xml::{Document, Element, parse},
};
use crate::model::Article;

/// Reads a document, or an element of a file of several.
pub(super) fn decode(text: &str, head: &str) -> Result<Article, FormatError> {
    let document = Document::read(head, text)?;
    let mut article = Article::default();
    let body = read(document.item().find("nitf").unwrap_or(document.item()), &mut article);
    article.finish(body, "the NITF has neither body nor headline")
}

/// A whole document that stands in a field of another format.
pub(super) fn embedded(text: &str) -> Result<String, FormatError> {
    Ok(read(&parse(text)?, &mut Article::default()))
}

/// Notes what the document says of its article, where nothing is noted yet; its text.
pub(super) fn read(nitf: &Element, article: &mut Article) -> String {
    let line = |path: &[&str]| nitf.at(path).and_then(Element::line);
    let value = |path: &[&str], name: &str| nitf.at(path).and_then(|e| e.attribute(name)).map(str::to_owned);
    let (head, docdata) = (["body", "body.head"], ["head", "docdata"]);
    let headline = ["hedline", "headline"].iter().find_map(|name| {
        let hedline = nitf.at(&[head[0], head[1], name])?;
        hedline.at(&["hl1"]).unwrap_or(hedline).line()
    });
    article.title = article.title.take().or(headline).or_else(|| line(&["head", "title"]));
    article.note("subheadline", line(&[head[0], head[1], "hedline", "hl2"]));
    article.note("byline", line(&[head[0], head[1], "byline"]));
    article.note("dateline", dateline(nitf));
    article.note("description", line(&[head[0], head[1], "abstract"]));
    let issued = value(&[docdata[0], docdata[1], "date.issue"], "norm");
    let issued = issued.or_else(|| value(&["head", "pubdata"], "date.publication"));
    article.published = article.published.or_else(|| issued.as_deref().and_then(parse_time));
    article.note_status(nitf.at(&docdata).and_then(|d| d.attribute("management-status")));
    // Most agencies repeat the time of issue here; only what is held back is under embargo.
    let release = value(&[docdata[0], docdata[1], "date.release"], "norm");
    article.note_embargo(release.filter(|release| parse_time(release) > article.published));
    article.note("guid", value(&[docdata[0], docdata[1], "doc-id"], "id-string"));
    article.note("version", value(&[docdata[0], docdata[1], "du-key"], "version"));
    article.note("urgency", value(&[docdata[0], docdata[1], "urgency"], "ed-urg"));
    article.note("ednote", value(&[docdata[0], docdata[1], "ed-msg"], "info"));
    article.note("slugline", value(&[docdata[0], docdata[1], "du-key"], "key"));
    let provider = value(&[docdata[0], docdata[1], "doc-id"], "regsrc")
        .or_else(|| value(&[docdata[0], docdata[1], "del-list", "from-src"], "src-name"))
        .or_else(|| line(&[head[0], head[1], "distributor"]));
    article.note("provider", provider);
    article.note("copyright", value(&[docdata[0], docdata[1], "doc.copyright"], "holder"));
    let lang = nitf.attribute("baselang").or_else(|| nitf.attribute("lang"));
    article.lang = article.lang.take().or_else(|| lang.and_then(primary_language));
    lists(nitf, article);
    nitf.at(&["body", "body.content"]).or_else(|| nitf.at(&["body"])).map(Element::text).unwrap_or_default()
}

/// The place alone: most dates beside it are those of the message.
fn dateline(nitf: &Element) -> Option<String> {
    let dateline = nitf.at(&["body", "body.head", "dateline"])?;
    match dateline.at(&["location"]) {
        Some(location) => location.line(),
        None if dateline.at(&["story.date"]).is_some() => None,
        None => dateline.line(),
    }
}

fn lists(nitf: &Element, article: &mut Article) {
    let of = |path: &[&str], name: &'static str| {
        let parent = nitf.at(path);
        parent.into_iter().flat_map(Element::children).filter(move |c| c.local() == name).collect::<Vec<_>>()
    };
    let subjects = of(&["head", "tobject"], "tobject.subject");
    let codes = |name: &'static str| {
        subjects.iter().filter_map(move |s| s.attribute(name)).map(str::to_owned).collect::<Vec<_>>()
    };
    if !subjects.is_empty() {
        article.note_all("subjects", codes("tobject.subject.refnum"));
        let words = ["tobject.subject.type", "tobject.subject.matter", "tobject.subject.detail"];
        article.note_all("subject_names", words.into_iter().flat_map(codes));
    }
    let keywords = of(&["head", "docdata", "key-list"], "keyword");
    let keys: Vec<_> = keywords.iter().filter_map(|k| k.attribute("key")).map(str::to_owned).collect();
    if !keys.is_empty() {
        article.note_all("keywords", keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "<nitf baselang='en-GB'><head><title>Head</title><tobject>\
        <tobject.subject tobject.subject.refnum='04000000' tobject.subject.type='Economy'/></tobject>\
        <docdata management-status='usable'><doc-id regsrc='HNA' id-string='h-17'/><urgency ed-urg='4'/>\
        <date.issue norm='20261122T093000+0000'/><date.release norm='20261122T120000+0000'/>\
        <du-key key='Ferry' version='3'/><key-list><keyword key='ferries'/></key-list><ed-msg info='Adds fares'/></docdata></head>\
        <body><body.head><hedline><hl1>Ferry fares rise</hl1><hl2>Again</hl2></hedline><byline>By A. Writer</byline>\
        <dateline><location>Port Town</location><story.date>today</story.date></dateline></body.head>\
        <body.content><p>Fares rise on <location>Monday</location>.</p><p>By a tenth.</p>\
        <media><media-caption>A ferry</media-caption></media></body.content></body></nitf>";

    #[test]
    fn a_story_is_read_with_what_is_said_of_it() {
        let article = decode(STORY, "").unwrap();
        assert_eq!(article.text, "Fares rise on Monday.\n\nBy a tenth.");
        assert_eq!(article.title.as_deref(), Some("Ferry fares rise"));
        assert_eq!(article.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T09:30:00Z"));
        assert_eq!((article.source.as_deref(), article.lang.as_deref()), (Some("HNA"), Some("en")));
        let said = serde_json::json!({
            "subheadline": "Again", "byline": "By A. Writer", "dateline": "Port Town", "guid": "h-17", "version": "3",
            "urgency": "4", "ednote": "Adds fares", "slugline": "Ferry", "provider": "HNA", "pubstatus": "embargoed",
            "embargoed": "2026-11-22T12:00:00Z", "subjects": ["04000000"], "subject_names": ["Economy"],
            "keywords": ["ferries"]
        });
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }

    #[test]
    fn without_a_body_its_headline_stands_for_it() {
        let flash =
            "<nitf><body><body.head><hedline><hl1>Ferry aground</hl1></hedline></body.head></body></nitf>";
        assert_eq!(decode(flash, "").unwrap().text, "Ferry aground");
        assert_eq!(decode("<nitf/>", "").unwrap_err().code(), "no-text");
    }
}
