//! NewsML 1: a `NewsItem` with its management data and its text as NITF, XHTML or plain text. Called by `decode`.

use super::{
    FormatError,
    dates::parse_time,
    html::{self, primary_language},
    meta::{Note, each_once},
    nitf,
    xml::{Document, Element},
};
use crate::model::Article;

/// Reads one `NewsItem`.
pub(super) fn decode(text: &str, head: &str) -> Result<Article, FormatError> {
    let document = Document::read(head, text)?;
    let item = document.item();
    let mut article = Article::default();
    identify(item, &mut article);
    describe(item, &mut article);
    let body = body(item, &mut article)?;
    article.finish(body, "the NewsItem has neither text nor headline")
}

/// The wire id is what stays the same from version to version: provider, date and item.
fn identify(item: &Element, article: &mut Article) {
    let id = |name: &str| item.at(&["Identification", "NewsIdentifier", name]).and_then(Element::line);
    let parts = [id("ProviderId"), id("DateId"), id("NewsItemId")];
    if let [Some(provider), Some(date), Some(item)] = &parts {
        article.note("guid", Some(format!("urn:newsml:{provider}:{date}:{item}")));
    }
    article.note("version", id("RevisionId"));
    let management = |name: &str| item.at(&["NewsManagement", name]);
    let formal = |name: &str| management(name).and_then(|e| e.attribute("FormalName"));
    article.note_status(formal("Status"));
    article.note("urgency", formal("Urgency"));
    article.note_time("created", management("FirstCreated").and_then(Element::line));
    article.published =
        management("ThisRevisionCreated").and_then(Element::line).as_deref().and_then(parse_time);
    if article.noted("pubstatus") == Some("embargoed") {
        let until = item.at(&["NewsManagement", "StatusWillChange", "DateAndTime"]).and_then(Element::line);
        article.note_embargo(until);
    }
    article.note("ednote", item.at(&["NewsManagement", "Instruction"]).and_then(Element::line));
    let provider =
        item.find("Provider").and_then(|p| p.find("Party")).and_then(|p| p.attribute("FormalName"));
    article.note("provider", provider.map(str::to_owned).or_else(|| parts.into_iter().next().flatten()));
}

fn describe(item: &Element, article: &mut Article) {
    let line = |name: &str| item.find("NewsLines")?.at(&[name])?.line();
    article.title = line("HeadLine");
    article.note("subheadline", line("SubHeadLine"));
    article.note("byline", line("ByLine"));
    article.note("dateline", line("DateLine"));
    article.note("slugline", line("SlugLine"));
    article.note("copyright", line("CopyrightLine"));
    let labels = item.at(&["Identification", "NameLabel"]).and_then(Element::line);
    article.note("slugline", labels);
    let mut keywords: Vec<String> = item
        .find("NewsLines")
        .into_iter()
        .flat_map(Element::children)
        .filter(|l| l.local() == "KeywordLine")
        .filter_map(Element::line)
        .collect();
    let mut properties = Vec::new();
    item.each("Property", &mut properties);
    let keys = properties.iter().filter(|p| p.attribute("FormalName") == Some("Keyword"));
    keywords.extend(keys.filter_map(|p| p.attribute("Value")).map(str::to_owned));
    article.note_all("keywords", keywords);
    let mut subjects = Vec::new();
    item.each("SubjectCode", &mut subjects);
    let codes = subjects.iter().flat_map(|s| s.children()).filter_map(|s| s.attribute("FormalName"));
    article.note_all("subjects", codes.map(str::to_owned));
    let language = item.find("Language").and_then(|l| l.attribute("FormalName"));
    let language = language.or_else(|| item.attribute("lang"));
    article.lang = language.and_then(primary_language);
}

/// The texts of the item, each in the form that has most of it. What stands under a picture is none of them.
fn body(item: &Element, article: &mut Article) -> Result<String, FormatError> {
    let mut contents = Vec::new();
    contents_of(item, false, &mut contents);
    let mut texts = Vec::new();
    for (content, is_caption) in contents {
        let text = match content.find("nitf") {
            Some(inner) => nitf::read(inner, article),
            None if content.has_elements() => content.text(),
            None => html::plain(&content.raw())?,
        };
        if is_caption { article.note("description", Some(text)) } else { texts.push(text) }
    }
    Ok(each_once(&texts))
}

/// Every content below, and whether it is the caption of something.
fn contents_of<'e>(element: &'e Element, is_caption: bool, found: &mut Vec<(&'e Element, bool)>) {
    for child in element.children() {
        if child.local() == "DataContent" {
            found.push((child, is_caption));
            continue;
        }
        let role = child.at(&["Role"]).and_then(|role| role.attribute("FormalName"));
        contents_of(child, is_caption || role.is_some_and(|role| role.contains("Caption")), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_read_with_what_is_said_of_it() {
        let item = "<NewsItem xml:lang='fr'><Identification><NewsIdentifier><ProviderId>hna.example</ProviderId>\
            <DateId>20261122</DateId><NewsItemId>F-1</NewsItemId><RevisionId Update='N'>2</RevisionId></NewsIdentifier>\
            <NameLabel>bac</NameLabel></Identification><NewsManagement><ThisRevisionCreated>20261122T093000+0000</ThisRevisionCreated>\
            <Status FormalName='Usable'/><Urgency FormalName='4'/></NewsManagement><NewsComponent><NewsLines>\
            <HeadLine>Le bac plus cher</HeadLine><DateLine>PORTVILLE</DateLine><SlugLine>Bac-tarifs</SlugLine></NewsLines>\
            <AdministrativeMetadata><Provider><Party FormalName='HNA'/></Provider></AdministrativeMetadata><DescriptiveMetadata>\
            <SubjectCode><Subject FormalName='04000000'/></SubjectCode><Property FormalName='Keyword' Value='bac'/></DescriptiveMetadata>\
            <ContentItem><DataContent><nitf><body><body.content><p>Dès lundi.</p></body.content></body></nitf></DataContent></ContentItem>\
            </NewsComponent></NewsItem>";
        let article = decode(item, "<NewsML>").unwrap();
        assert_eq!(
            (article.title.as_deref(), article.text.as_str()),
            (Some("Le bac plus cher"), "Dès lundi.")
        );
        assert_eq!((article.source.as_deref(), article.lang.as_deref()), (Some("HNA"), Some("fr")));
        assert_eq!(article.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T09:30:00Z"));
        let said = serde_json::json!({
            "guid": "urn:newsml:hna.example:20261122:F-1", "version": "2", "pubstatus": "usable", "urgency": "4",
            "provider": "HNA", "dateline": "PORTVILLE", "slugline": "Bac-tarifs", "keywords": ["bac"], "subjects": ["04000000"]
        });
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }

    /// Of two texts in one item the shorter was lost.
    #[test]
    fn a_text_beside_the_story_is_kept_and_a_caption_is_none() {
        let part = |role: &str, text: &str| {
            format!(
                "<NewsComponent><Role FormalName='{role}'/><ContentItem><DataContent>{text}</DataContent></ContentItem></NewsComponent>"
            )
        };
        let parts = [
            part("Main", "<p>The ferry ran aground at noon on Monday.</p>"),
            part("Main", "The ferry ran aground at noon on Monday."),
            part("Sidebar", "<p>How ferries are built, in brief.</p>"),
            part("Caption", "A ferry at the pier of the port"),
        ];
        let article = decode(&format!("<NewsItem>{}</NewsItem>", parts.concat()), "").unwrap();
        assert_eq!(
            article.text,
            "The ferry ran aground at noon on Monday.\n\nHow ferries are built, in brief."
        );
        assert_eq!(article.noted("description"), Some("A ferry at the pier of the port"));
        assert_eq!(decode("<NewsItem/>", "").unwrap_err().code(), "no-text");
    }
}
