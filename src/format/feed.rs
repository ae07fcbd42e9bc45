//! One entry of a feed: RSS of any version, RDF, Atom, CDF, or a post of a WordPress export. Called by `decode` with the
//! entry and what the feed says of itself before its first one.

use super::{
    FormatError,
    dates::parse_time,
    html::{self, primary_language},
    meta::Note,
    xml::{Document, Element},
};
use crate::model::Article;
use mail_parser::decoders::base64::base64_decode;

/// Where an entry may hold its text, the fullest first.
const BODIES: [&str; 11] = [
    "content:encoded",
    "content",
    "body",
    "fullitem",
    "description",
    "summary",
    "excerpt:encoded",
    "abstract",
    "media:description",
    "dc:description",
    "itunes:summary",
];
const TITLES: [&str; 4] = ["title", "dc:title", "media:title", "itunes:title"];
const PUBLISHED: [&str; 9] = [
    "published",
    "issued",
    "pubDate",
    "dc:date",
    "dcterms:issued",
    "wp:post_date_gmt",
    "date",
    "created",
    "pubdate",
];
const MODIFIED: [&str; 3] = ["updated", "modified", "dcterms:modified"];
const AUTHORS: [&str; 4] = ["dc:creator", "author", "itunes:author", "managingEditor"];

/// Reads one entry.
pub(super) fn decode(text: &str, head: &str) -> Result<Article, FormatError> {
    let document = Document::read(head, text)?;
    let (entry, feed) = (document.item(), feed_of(&document));
    let title = TITLES.iter().find_map(|name| get(entry, name)).and_then(line);
    let mut article = Article { title, ..Article::default() };
    article.published = PUBLISHED.iter().find_map(|name| time(entry, name));
    let modified = MODIFIED.iter().find_map(|name| get(entry, name)).and_then(Element::line);
    article.published = article.published.or_else(|| modified.as_deref().and_then(parse_time));
    article.note_time("modified", modified);
    article.url = address(entry);
    // No wire id: there are feeds that give all their entries the same.
    article.item =
        ["guid", "id", "dc:identifier"].iter().find_map(|name| get(entry, name)).and_then(Element::line);
    article.note("byline", AUTHORS.iter().find_map(|name| get(entry, name)).and_then(author));
    let categories = each(entry, "category").chain(each(entry, "dc:subject"));
    let words = categories.filter_map(|c| {
        let label = c.attribute("label").or_else(|| c.attribute("term")).map(str::to_owned);
        label.or_else(|| line(c))
    });
    article.note_all("keywords", words);
    article.note(
        "copyright",
        ["rights", "dc:rights", "copyright"].iter().find_map(|name| get(entry, name)).and_then(line),
    );
    article.note_status(get(entry, "wp:status").and_then(Element::line).filter(|status| status != "inherit"));
    article.note("kind", get(entry, "wp:post_type").and_then(Element::line).filter(|kind| kind != "post"));
    of_feed(feed, entry, &mut article);
    let body = body(entry, &mut article)?;
    article.finish(body, "the entry has neither text nor title")
}

/// The element that speaks for the whole feed: the channel, where it does not lie beside its entries but around them.
fn feed_of(document: &Document) -> &Element {
    let is_channel = |child: &&Element| child.local().eq_ignore_ascii_case("channel");
    document.root.children().find(is_channel).unwrap_or(&document.root)
}

fn of_feed(feed: &Element, entry: &Element, article: &mut Article) {
    let name = get(entry, "source").and_then(|s| get(s, "title").and_then(line).or_else(|| line(s)));
    let site = || get(feed, "title").and_then(line);
    article.source = name.or_else(|| if article.url.is_some() { None } else { site() });
    article.note("feed", site());
    let language = [
        entry.attribute("lang").map(str::to_owned),
        of(entry, "dc:language"),
        of(feed, "language"),
        of(feed, "dc:language"),
    ];
    let language =
        language.into_iter().flatten().next().or_else(|| feed.attribute("lang").map(str::to_owned));
    article.lang = language.as_deref().and_then(primary_language);
}

fn of(element: &Element, name: &str) -> Option<String> {
    get(element, name).and_then(Element::line)
}

/// The fullest text; a shorter one beside it is the summary.
fn body(entry: &Element, article: &mut Article) -> Result<String, FormatError> {
    let mut texts = Vec::new();
    let is_post = get(entry, "wp:post_type").is_some();
    for name in BODIES {
        for element in each(entry, name) {
            texts.push(markup(element, is_post)?);
        }
        // RSS players put what belongs to a film or picture one level deeper.
        let groups = entry.children().filter(|c| matches!(c.name.as_str(), "media:group" | "media:content"));
        for element in groups.filter_map(|group| get(group, name)) {
            texts.push(markup(element, false)?);
        }
    }
    texts.retain(|text| !text.trim().is_empty());
    // The first of several that are equally long.
    let best = texts.iter().rev().max_by_key(|text| text.len()).cloned().unwrap_or_default();
    let summary = texts.iter().rev().find(|text| text.len() < best.len());
    article.note("description", summary);
    Ok(best)
}

/// The text of an element that holds characters, escaped markup or elements. In a post of WordPress a line break is one
/// even among markup.
fn markup(element: &Element, is_post: bool) -> Result<String, FormatError> {
    let is_coded =
        element.attribute("mode") == Some("base64") || element.attribute("type").is_some_and(is_coded_type);
    if is_coded {
        let decoded = base64_decode(element.raw().trim().as_bytes()).unwrap_or_default();
        return String::from_utf8(decoded).map_or(Ok(String::new()), |text| html::plain(&text));
    }
    if element.has_elements() {
        return Ok(element.text());
    }
    let raw = element.raw();
    if is_post && html::has_markup(&raw) {
        html::fragment(&raw.replace('\n', "<br>"))
    } else {
        html::plain(&raw)
    }
}

/// Content of these kinds is base64, or lies elsewhere.
fn is_coded_type(kind: &str) -> bool {
    ["image/", "audio/", "video/", "application/octet-stream"].iter().any(|prefix| kind.starts_with(prefix))
}

fn line(element: &Element) -> Option<String> {
    if element.has_elements() { element.line() } else { html::line(&element.raw()) }
}

fn author(element: &Element) -> Option<String> {
    get(element, "name").and_then(line).or_else(|| line(element))
}

fn time(entry: &Element, name: &str) -> Option<crate::model::Time> {
    get(entry, name).and_then(Element::line).as_deref().and_then(parse_time)
}

/// The address of the story: the link to it, or an id that says that it is one.
fn address(entry: &Element) -> Option<String> {
    let is_absolute = |s: &String| s.starts_with("http://") || s.starts_with("https://");
    let links: Vec<_> = each(entry, "link").chain(each(entry, "a")).collect();
    let relation = |link: &&&Element| matches!(link.attribute("rel"), None | Some("alternate"));
    let written = links.iter().filter(relation).find_map(|link| {
        link.line()
            .filter(is_absolute)
            .or_else(|| link.attribute("href").map(str::to_owned))
            .filter(is_absolute)
    });
    let guid = || {
        get(entry, "guid")
            .filter(|g| g.attribute("isPermaLink") != Some("false"))
            .and_then(Element::line)
            .filter(is_absolute)
    };
    let about = || {
        entry.attribute("about").or_else(|| entry.attribute("HREF")).map(str::to_owned).filter(is_absolute)
    };
    written.or_else(guid).or_else(about)
}

/// The first child of this name.
fn get<'e>(element: &'e Element, name: &'e str) -> Option<&'e Element> {
    each(element, name).next()
}

/// The children of this name, in whatever case: feeds of 1997 shout. The prefix that the element itself has is the format's
/// own and counts as none; any other is of a foreign vocabulary, where the same name means something else.
fn each<'e>(element: &'e Element, name: &'e str) -> impl Iterator<Item = &'e Element> {
    let own = element.name.rsplit_once(':').map(|(prefix, _)| prefix);
    element.children().filter(move |child| {
        let bare = own.and_then(|own| child.name.strip_prefix(own)?.strip_prefix(':'));
        [Some(child.name.as_str()), bare].into_iter().flatten().any(|found| found.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_rss_is_read_with_its_channel() {
        let head = "<rss xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>Town Post</title><language>en-gb</language>";
        let item = "<item><title>Rain &amp;amp; wind</title><link> https://town.example/1 </link><guid isPermaLink='false'>t-1</guid>\
            <pubDate>Sun, 22 Nov 2026 09:30:00 GMT</pubDate><dc:creator>A. Writer</dc:creator><category>weather</category>\
            <description>Rain.</description><content:encoded><![CDATA[<p>Rain from <b>the</b> west.</p><p>Wind.</p>]]></content:encoded></item>";
        let article = decode(item, head).unwrap();
        assert_eq!(article.title.as_deref(), Some("Rain & wind"));
        assert_eq!(article.text, "Rain from the west.\n\nWind.");
        assert_eq!(article.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T09:30:00Z"));
        assert_eq!(
            (article.url.as_deref(), article.lang.as_deref()),
            (Some("https://town.example/1"), Some("en"))
        );
        assert_eq!(article.item.as_deref(), Some("t-1"));
        let said = serde_json::json!({
            "byline": "A. Writer", "keywords": ["weather"], "feed": "Town Post", "description": "Rain."
        });
        assert_eq!(serde_json::Value::Object(article.meta), said);
    }

    #[test]
    fn an_entry_of_atom_is_read() {
        let head = "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'><title>Post</title>";
        let entry = "<entry><title type='html'>Regen &lt;b&gt;bald&lt;/b&gt;</title><link rel='self' href='https://x.example/s'/>\
            <link href='https://x.example/1'/><id>urn:1</id><updated>2026-11-22T09:30:00Z</updated><author><name>A</name></author>\
            <category term='w' label='Wetter'/><summary>Kurz.</summary><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>\
            <p>Es <i>regnet</i>.</p><p>Bald.</p></div></content></entry>";
        let article = decode(entry, head).unwrap();
        assert_eq!(
            (article.title.as_deref(), article.text.as_str()),
            (Some("Regen bald"), "Es regnet.\n\nBald.")
        );
        assert_eq!(
            (article.url.as_deref(), article.lang.as_deref()),
            (Some("https://x.example/1"), Some("de"))
        );
        assert_eq!(article.noted("byline"), Some("A"));
        assert!(article.published.is_some() && article.noted("modified") == Some("2026-11-22T09:30:00Z"));
    }

    /// Its prefix was dropped where its namespace was not known, and the longest of all was taken for the text.
    #[test]
    fn what_is_of_a_foreign_vocabulary_is_no_text() {
        let head = "<rss xmlns:x='urn:shop'><channel><title>Post</title>";
        let item = "<item><title>Rain</title><x:title>t</x:title><description>It rains.</description>\
            <x:content>Buy an umbrella, or two of them.</x:content></item>";
        assert_eq!(decode(item, head).unwrap().text, "It rains.");
        let head = "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>Post</a:title>";
        let entry = "<a:entry><a:title>Rain</a:title><a:link href='https://x.example/1'/><a:content>It rains.</a:content></a:entry>";
        let article = decode(entry, head).unwrap();
        assert_eq!((article.text.as_str(), article.title.as_deref()), ("It rains.", Some("Rain")));
        assert_eq!(
            (article.url.as_deref(), article.noted("feed")),
            (Some("https://x.example/1"), Some("Post"))
        );
    }

    #[test]
    fn content_in_base64_is_read() {
        let coded = "<entry><content mode='base64' type='text/html'>PHA+UmFpbi48L3A+</content></entry>";
        assert_eq!(decode(coded, "<feed>").unwrap().text, "Rain.");
    }

    #[test]
    fn a_title_alone_is_an_entry_and_nothing_is_none() {
        assert_eq!(decode("<item><title>Rain</title></item>", "<rss><channel>").unwrap().text, "Rain");
        let post = "<item><wp:post_type>post</wp:post_type><content:encoded><![CDATA[By <b>A</b>\nRain.\n\nWind.]]></content:encoded></item>";
        assert_eq!(decode(post, "<rss>").unwrap().text, "By A\nRain.\n\nWind.");
        let cast = "<item><itunes:title>Rain</itunes:title><dc:description>It rains.</dc:description></item>";
        let article = decode(cast, "<rss>").unwrap();
        assert_eq!((article.title.as_deref(), article.text.as_str()), (Some("Rain"), "It rains."));
        assert_eq!(
            decode("<ITEM HREF='http://a.example/'><TITLE>Rain</TITLE></ITEM>", "<CHANNEL>")
                .unwrap()
                .url
                .as_deref(),
            Some("http://a.example/")
        );
        assert_eq!(decode("<item><guid>1</guid></item>", "<rss>").unwrap_err().code(), "no-text");
    }
}
