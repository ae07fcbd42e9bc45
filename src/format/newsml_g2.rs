//! NewsML-G2: the items of agencies today, each with NITF, XHTML or plain text inside. Called by `decode`.

use super::{
    FormatError,
    dates::parse_time,
    html::{self, primary_language},
    meta::{Note, each_once},
    nitf,
    xml::{Document, Element},
};
use crate::model::Article;

/// The elements that are items. Only a news item or a package carries news; the others are cut out to say so.
pub(super) const ITEMS: [&str; 6] =
    ["newsItem", "packageItem", "conceptItem", "knowledgeItem", "planningItem", "catalogItem"];

/// Reads one item, and what the message around it says of its sender.
pub(super) fn decode(text: &str, head: &str) -> Result<Article, FormatError> {
    let document = Document::read(head, text)?;
    let item = document.item();
    if !matches!(item.local(), "newsItem" | "packageItem") {
        return Err(FormatError::NoText {
            why: "it is an item of NewsML-G2 that plans or describes, and carries no news",
        });
    }
    let mut article = Article::default();
    about_item(item, &mut article);
    about_content(item, &mut article);
    let sender = document.root.at(&["header", "sender"]).and_then(Element::line);
    article.note("provider", sender);
    let body = body(item, &mut article)?;
    article.finish(body, "the item has no text, description or headline")
}

fn about_item(item: &Element, article: &mut Article) {
    let meta = |name: &str| item.at(&["itemMeta", name]);
    let line = |name: &str| meta(name).and_then(Element::line);
    article.note("guid", item.attribute("guid"));
    article.note("version", item.attribute("version"));
    article.note("provider", meta("provider").and_then(party));
    article.note_status(meta("pubStatus").and_then(|s| s.attribute("qcode").or_else(|| s.attribute("uri"))));
    // An empty one holds until further notice.
    article.note_embargo(meta("embargoed").map(|until| until.line().unwrap_or_default()));
    article.note_time("created", line("firstCreated"));
    article.published = line("versionCreated").as_deref().and_then(parse_time);
    article.title = line("title");
    article.lang = item.attribute("lang").and_then(primary_language);
    let notes = children(item, "itemMeta", "edNote").filter(|note| note.attribute("pubconstraint").is_none());
    let notes: Vec<String> = notes.filter(|note| !note.has_elements()).filter_map(Element::line).collect();
    article.note("ednote", Some(notes.join("\n")));
    let signals = children(item, "itemMeta", "signal").filter_map(|s| s.attribute("qcode"));
    article.note_all("signals", signals.map(str::to_owned));
    article.note("copyright", item.at(&["rightsInfo", "copyrightHolder"]).and_then(party));
}

fn about_content(item: &Element, article: &mut Article) {
    let meta = |name: &str| item.at(&["contentMeta", name]);
    let line = |name: &str| meta(name).and_then(Element::line);
    let (mut main, mut sub) = (None, None);
    for headline in children(item, "contentMeta", "headline") {
        let is_sub = headline.attribute("role").is_some_and(|role| role.to_ascii_lowercase().contains("sub"));
        let place = if is_sub { &mut sub } else { &mut main };
        *place = place.take().or_else(|| headline.line());
    }
    article.title = main.or_else(|| article.title.take());
    article.note("subheadline", sub);
    article.note("byline", line("by"));
    article.note("dateline", line("dateline"));
    article.note("slugline", line("slugline"));
    article.note("urgency", line("urgency"));
    article.note("description", line("description"));
    article.note_time("modified", line("contentModified"));
    let language = meta("language").and_then(|l| l.attribute("tag")).and_then(primary_language);
    article.lang = language.or_else(|| article.lang.take());
    let subjects: Vec<_> = children(item, "contentMeta", "subject").collect();
    let code = |s: &&Element| {
        ["qcode", "literal", "uri"].iter().find_map(|name| s.attribute(name)).map(str::to_owned)
    };
    article.note_all("subjects", subjects.iter().filter_map(code));
    article.note_all("subject_names", subjects.iter().filter_map(|s| s.at(&["name"])?.line()));
    article.note_all("keywords", children(item, "contentMeta", "keyword").filter_map(Element::line));
}

/// The text, in the form that has most of it, and any other beside it; of a package the headlines of what it lists.
fn body(item: &Element, article: &mut Article) -> Result<String, FormatError> {
    let mut texts = Vec::new();
    for content in item.at(&["contentSet"]).into_iter().flat_map(Element::children) {
        let text = match content.local() {
            "inlineXML" => match content.find("nitf") {
                Some(inner) => nitf::read(inner, article),
                None => content.find("body").unwrap_or(content).text(),
            },
            "inlineData" if content.attribute("encoding").is_none() => html::plain(&content.raw())?,
            _ => continue,
        };
        texts.push(text);
    }
    let mut best = each_once(&texts);
    let mut listed = Vec::new();
    item.each("itemRef", &mut listed);
    if best.is_empty() && !listed.is_empty() {
        let lines = listed.iter().filter_map(|entry| {
            let said = entry.at(&["headline"]).or_else(|| entry.at(&["title"]))?;
            said.line()
        });
        best = lines.collect::<Vec<_>>().join("\n");
    }
    Ok(best)
}

fn children<'e>(item: &'e Element, part: &str, name: &'e str) -> impl Iterator<Item = &'e Element> {
    item.at(&[part]).into_iter().flat_map(Element::children).filter(move |child| child.local() == name)
}

/// The name of an agency or a person: as it is written, else as it is called, else its code.
fn party(element: &Element) -> Option<String> {
    let code = |name| element.attribute(name).and_then(|c: &str| c.rsplit([':', '/']).next());
    let written = element.attribute("literal").map(str::to_owned);
    written
        .or_else(|| element.at(&["name"])?.line())
        .or_else(|| Some(code("qcode").or_else(|| code("uri"))?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<newsMessage><header><sender>hna.example</sender></header><itemSet>";
    const META: &str = "<itemMeta><versionCreated>2026-11-22T09:30:00+01:00</versionCreated><firstCreated>2026-11-21T09:30:00Z</firstCreated>\
        <pubStatus qcode='stat:withheld'/><edNote>Adds fares</edNote><edNote pubconstraint='x:y'>call Ann</edNote><signal qcode='sig:update'/></itemMeta>\
        <contentMeta><urgency>2</urgency><language tag='de'/><subject qcode='subj:04'><name>Wirtschaft</name></subject>\
        <headline role='hld:subHeadline'>Schon wieder</headline><headline>Fähre wird teurer</headline><by>A. Autorin</by>\
        <dateline>Hafenstadt</dateline><slugline>Fähre</slugline></contentMeta>";

    fn item(content: &str) -> String {
        format!(
            "<newsItem guid='urn:h:1' version='2' xml:lang='en'>{META}<contentSet>{content}</contentSet></newsItem>"
        )
    }

    #[test]
    fn every_form_of_content_is_read() {
        for content in [
            "<inlineXML><nitf><body><body.content><p>Am Montag.</p></body.content></body></nitf></inlineXML>",
            "<inlineXML><html><head><title>x</title></head><body><p>Am <b>Montag</b>.</p></body></html></inlineXML>",
            "<inlineData contenttype='text/plain'>Am Montag.</inlineData><inlineData encoding='base64'>QW0gTW9udGFnLiBBbSBNb250YWcu</inlineData>",
            "<inlineData contenttype='text/plain'><![CDATA[<p>Am Montag.</p>]]></inlineData>",
        ] {
            assert_eq!(decode(&item(content), HEAD).unwrap().text, "Am Montag.", "{content}");
        }
    }

    #[test]
    fn what_is_said_of_an_item_is_read() {
        let article = decode(&item("<inlineData>Am Montag.</inlineData>"), HEAD).unwrap();
        assert_eq!(article.title.as_deref(), Some("Fähre wird teurer"));
        assert_eq!(article.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T08:30:00Z"));
        assert_eq!((article.source.as_deref(), article.lang.as_deref()), (Some("hna.example"), Some("de")));
        assert_eq!(article.item.as_deref(), Some("urn:h:1"));
        let said = serde_json::json!({
            "guid": "urn:h:1", "version": "2", "provider": "hna.example", "pubstatus": "withheld", "created": "2026-11-21T09:30:00Z",
            "ednote": "Adds fares", "signals": ["sig:update"], "subheadline": "Schon wieder", "byline": "A. Autorin",
            "dateline": "Hafenstadt", "slugline": "Fähre", "urgency": "2", "subjects": ["subj:04"], "subject_names": ["Wirtschaft"]
        });
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }

    #[test]
    fn an_embargo_without_a_time_is_one() {
        let item = |until: &str| {
            format!(
                "<newsItem><itemMeta><pubStatus qcode='stat:usable'/>{until}<title>t</title></itemMeta></newsItem>"
            )
        };
        let held = decode(&item("<embargoed/>"), "").unwrap();
        assert_eq!((held.noted("pubstatus"), held.noted("embargoed")), (Some("embargoed"), None));
        assert_eq!(decode(&item(""), "").unwrap().noted("pubstatus"), Some("usable"));
    }

    #[test]
    fn a_package_is_the_headlines_of_what_it_lists() {
        let package = "<packageItem guid='p'><itemMeta><title>Top news</title></itemMeta><groupSet><group><itemRef><headline>One</headline></itemRef>\
                       </group><group><itemRef><headline>Two</headline></itemRef></group></groupSet></packageItem>";
        let article = decode(package, "").unwrap();
        assert_eq!((article.title.as_deref(), article.text.as_str()), (Some("Top news"), "One\nTwo"));
        assert!(decode("<conceptItem/>", "").unwrap_err().to_string().contains("carries no news"));
        assert_eq!(decode("<newsItem/>", "").unwrap_err().code(), "no-text");
    }
}
