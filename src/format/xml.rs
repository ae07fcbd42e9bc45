//! XML as a tree, read as newswires write it rather than as the standard wants it, and the text of a part of it.
//!
//! An end tag too many, a stray ampersand or an entity of HTML costs nothing here. A document type is passed over: no
//! entity that it defines is ever expanded, so none can swell, and nothing is fetched. `quick-xml` finds the tags; the
//! readers of XML formats call this with one article and the start tags that stood around it.

use super::{FormatError, html};
use quick_xml::{
    Reader,
    escape::resolve_xml_entity,
    events::{BytesRef, BytesStart, Event},
};

/// The deepest nesting that is read. The 257 NewsML-G2 and agency files that were tried are 4 to 19 deep.
const DEPTH_MAX: usize = 256;
/// The most elements and pieces of text. 16 MB of text that is all tags would else take gigabytes.
const NODES_MAX: usize = 1_000_000;

/// Namespaces of feeds, and the prefix that is usual for their elements.
const PREFIXES: [(&str, &str); 8] = [
    ("purl.org/rss/1.0/modules/content", "content"),
    ("purl.org/dc/elements", "dc"),
    ("purl.org/dc/terms", "dcterms"),
    ("search.yahoo.com/mrss", "media"),
    ("itunes.com/dtds", "itunes"),
    ("/excerpt/", "excerpt"),
    ("wordpress.org/export", "wp"),
    ("w3.org/1999/02/22-rdf-syntax-ns", "rdf"),
];

/// Elements that stand on lines of their own, with an empty line around each.
const PARAGRAPHS: [&str; 24] = [
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hl1",
    "hl2",
    "ul",
    "ol",
    "dl",
    "table",
    "blockquote",
    "bq",
    "section",
    "article",
    "pre",
    "block",
    "lead",
    "tagline",
    "hr",
    "body.content",
];
/// Elements that begin a new line.
const LINES: [&str; 7] = ["br", "li", "tr", "dt", "dd", "credit", "line"];
/// Elements that are no part of the text of a story.
const ASIDES: [&str; 11] = [
    "script",
    "style",
    "media",
    "figcaption",
    "nav",
    "aside",
    "iframe",
    "object",
    "body.end",
    "header",
    "footer",
];

/// An element with what is in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name, with the prefix that is usual for its vocabulary, as in `dc:date`, or the one that is written.
    pub name: String,
    attributes: Vec<(String, String)>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// The name without its prefix.
    pub fn local(&self) -> &str {
        local(&self.name)
    }

    /// The value of an attribute, by its name without a prefix; nothing where it is blank.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| local(n) == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The elements right below it.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The element at the end of a path of local names, the first at each step.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.children().find(|child| child.local() == *name))
    }

    /// The first element of this local name at any depth, itself included.
    pub fn find(&self, name: &str) -> Option<&Self> {
        if self.local() == name { Some(self) } else { self.children().find_map(|child| child.find(name)) }
    }

    /// All elements of this local name at any depth, in order, but none within another.
    pub fn each<'e>(&'e self, name: &str, found: &mut Vec<&'e Self>) {
        for child in self.children() {
            if child.local() == name { found.push(child) } else { child.each(name, found) }
        }
    }

    /// Its words on one line; nothing where there are none.
    pub fn line(&self) -> Option<String> {
        let words = self.text();
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        (!line.is_empty()).then_some(line)
    }

    /// All characters in it, as they stand.
    pub fn raw(&self) -> String {
        let mut raw = String::new();
        self.push_raw(&mut raw);
        raw
    }

    fn push_raw(&self, raw: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text(text) => raw.push_str(text),
                Node::Element(element) => element.push_raw(raw),
            }
        }
    }

    /// Whether there is anything but characters in it.
    pub fn has_elements(&self) -> bool {
        self.children().next().is_some()
    }

    /// Its text as a reader sees it: paragraphs with empty lines between, no captions.
    pub fn text(&self) -> String {
        let mut page = Page::default();
        page.element(self, false);
        page.text.truncate(page.text.trim_end().len());
        page.text
    }
}

/// Text being laid out.
#[derive(Default)]
struct Page {
    text: String,
    /// How many line breaks stand before what comes next.
    breaks: usize,
    has_space: bool,
}

impl Page {
    fn element(&mut self, element: &Element, is_verbatim: bool) {
        let name = element.local();
        if ASIDES.contains(&name) {
            return;
        }
        let around = if PARAGRAPHS.contains(&name) { 2 } else { usize::from(LINES.contains(&name)) };
        self.breaks = self.breaks.max(around);
        let is_verbatim = is_verbatim || name == "pre";
        for node in &element.nodes {
            match node {
                Node::Element(inner) => self.element(inner, is_verbatim),
                Node::Text(text) if is_verbatim => self.verbatim(text),
                Node::Text(text) => self.words(text),
            }
        }
        self.has_space |= matches!(name, "td" | "th");
        self.breaks = self.breaks.max(around);
    }

    fn begin(&mut self) {
        if !self.text.is_empty() {
            match self.breaks {
                0 if self.has_space => self.text.push(' '),
                breaks => self.text.extend(std::iter::repeat_n('\n', breaks)),
            }
        }
        (self.breaks, self.has_space) = (0, false);
    }

    fn words(&mut self, text: &str) {
        for (at, word) in text.split([' ', '\t', '\r', '\n']).enumerate() {
            self.has_space |= at > 0;
            if !word.is_empty() {
                self.begin();
                self.text.push_str(word);
            }
        }
    }

    fn verbatim(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.begin();
            self.text.push_str(text.trim_matches(['\r', '\n']));
        }
    }
}

/// Reads a document; its outermost element.
pub(super) fn parse(text: &str) -> Result<Element, FormatError> {
    Document::read("", text).map(|document| document.root)
}

/// An article and what stood around it in its file.
pub(super) struct Document {
    /// The outermost element of the file.
    pub root: Element,
    /// How many elements of the file are around the article.
    around: usize,
}

impl Document {
    /// Reads an article's element, and before it what its file began with: the start tags around it, and perhaps what
    /// the file says of all its articles.
    pub fn read(head: &str, slice: &str) -> Result<Self, FormatError> {
        let mut tree = Tree::default();
        tree.read(head)?;
        let around = tree.open.len();
        tree.read(slice)?;
        if tree.open.len() > around {
            return Err(FormatError::Xml {
                byte: slice.len() as u64,
                what: "it ends in mid-element".to_owned(),
            });
        }
        let root = tree.root().ok_or(FormatError::NoText { why: "the XML has no element" })?;
        Ok(Self { root, around })
    }

    /// The article's element.
    pub fn item(&self) -> &Element {
        (0..self.around).fold(&self.root, |element, _| element.children().last().unwrap_or(element))
    }
}

/// The tree so far: the elements that are open, the outermost first.
#[derive(Default)]
struct Tree {
    done: Option<Element>,
    open: Vec<(Element, Vec<(String, String)>)>,
    nodes: usize,
}

impl Tree {
    fn read(&mut self, text: &str) -> Result<(), FormatError> {
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let config = reader.config_mut();
        (config.check_end_names, config.allow_unmatched_ends, config.allow_dangling_amp) =
            (false, true, true);
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag)) => self.open(&tag)?,
                Ok(Event::Empty(tag)) => {
                    self.open(&tag)?;
                    self.close_last();
                }
                Ok(Event::End(tag)) => self.close(tag.name().as_ref()),
                Ok(Event::Text(text)) => self.text(&text)?,
                Ok(Event::CData(text)) => self.text(&text)?,
                Ok(Event::GeneralRef(reference)) => self.text(&character(&reference))?,
                Ok(Event::Eof) => return Ok(()),
                Ok(_) => {}
                Err(error) => {
                    let byte = reader.error_position();
                    return Err(FormatError::Xml { byte, what: error.to_string() });
                }
            }
        }
    }

    fn open(&mut self, tag: &BytesStart) -> Result<(), FormatError> {
        self.count()?;
        if self.open.len() >= DEPTH_MAX {
            return Err(FormatError::Xml {
                byte: 0,
                what: format!("its tags are nested more than {DEPTH_MAX} deep"),
            });
        }
        let (mut attributes, mut namespaces) = (Vec::new(), Vec::new());
        for attribute in tag.attributes().with_checks(false).flatten() {
            let (key, value) = (attribute.key.as_ref().to_owned(), unescape(&attribute.value));
            match key.strip_prefix("xmlns") {
                Some(prefix) if prefix.is_empty() || prefix.starts_with(':') => {
                    namespaces.push((prefix.trim_start_matches(':').to_owned(), value));
                }
                _ => attributes.push((key, value)),
            }
        }
        let element = Element { name: String::new(), attributes, nodes: Vec::new() };
        self.open.push((element, namespaces));
        let name = self.name(tag.name().as_ref());
        if let Some((element, _)) = self.open.last_mut() {
            element.name = name;
        }
        Ok(())
    }

    /// The name with the prefix that is usual for its namespace, else with the one that is written.
    fn name(&self, written: &str) -> String {
        let (prefix, local) = written.split_once(':').unwrap_or(("", written));
        let scopes = self.open.iter().rev().flat_map(|(_, namespaces)| namespaces.iter().rev());
        let uri = scopes.filter(|(p, _)| p == prefix).map(|(_, uri)| uri.to_ascii_lowercase()).next();
        let usual = uri.and_then(|uri| PREFIXES.iter().find(|(part, _)| uri.contains(part)));
        let usual = usual.map_or(prefix, |(_, usual)| usual);
        if usual.is_empty() { local.to_owned() } else { format!("{usual}:{local}") }
    }

    /// Ends what the tag names and all that was left open in it; a tag that ends nothing is passed over.
    fn close(&mut self, written: &str) {
        let name = local(written);
        if let Some(at) = self.open.iter().rposition(|(element, _)| element.local() == name) {
            while self.open.len() > at {
                self.close_last();
            }
        }
    }

    fn close_last(&mut self) {
        let Some((element, _)) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some((parent, _)) => parent.nodes.push(Node::Element(element)),
            None => self.done = self.done.take().or(Some(element)),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), FormatError> {
        let Some((element, _)) = self.open.last_mut() else { return Ok(()) };
        // Characters and references come in pieces.
        if let Some(Node::Text(before)) = element.nodes.last_mut() {
            before.push_str(text);
            return Ok(());
        }
        element.nodes.push(Node::Text(text.to_owned()));
        self.count()
    }

    fn count(&mut self) -> Result<(), FormatError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(FormatError::Xml { byte: 0, what: format!("it has more than {NODES_MAX} elements") });
        }
        Ok(())
    }

    fn root(mut self) -> Option<Element> {
        while !self.open.is_empty() {
            self.close_last();
        }
        self.done
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// What a reference stands for; itself where that is not known.
fn character(reference: &BytesRef) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => c.to_string(),
        _ => named(reference),
    }
}

fn named(name: &str) -> String {
    match resolve_xml_entity(name) {
        Some(text) => text.to_owned(),
        None => html::entity(name).unwrap_or_else(|| format!("&{name};")),
    }
}

/// A text with its references resolved as far as they are known.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let end = after.bytes().take(32).position(|b| b == b';').filter(|end| *end > 0);
        match end.and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?))) {
            Some((name, tail)) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#') => {
                plain.push_str(&character(&BytesRef::new(name)));
                rest = tail;
            }
            _ => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_lines_and_inline_elements_are_not() {
        let story = "<body><p>The <org>Harbour Board</org> said\n  so.</p><p>It rained.<br/>A lot.</p>\
                     <media><media-caption>a pier</media-caption></media><ul><li>one</li><li>two</li></ul>\
                     <table><tr><td>a</td><td>b</td></tr></table><pre> x\n  y</pre></body>";
        let text = "The Harbour Board said so.\n\nIt rained.\nA lot.\n\none\ntwo\n\na b\n\n x\n  y";
        assert_eq!(parse(story).unwrap().text(), text);
    }

    #[test]
    fn names_have_the_usual_prefix_or_their_own() {
        let feed = parse(
            "<r xmlns='urn:any' xmlns:c='http://purl.org/rss/1.0/modules/content/' xmlns:x='urn:other'>\
             <c:encoded>a</c:encoded><x:y>b</x:y><dc:date>c</dc:date><y xmlns='http://purl.org/dc/elements/1.1/'/></r>",
        );
        let names: Vec<_> = feed.unwrap().children().map(|c| c.name.clone()).collect();
        assert_eq!(names, ["content:encoded", "x:y", "dc:date", "dc:y"]);
    }

    #[test]
    fn slips_cost_nothing() {
        let root = parse("<!DOCTYPE a [<!ENTITY lol 'ha'>]><a t='R&amp;D &eacute;'><b>x &amp; y & z &nbsp;&lol;&#233;</i></b></c><d>e</d></a>")
            .unwrap();
        assert_eq!(root.attribute("t"), Some("R&D é"));
        assert_eq!(root.at(&["b"]).unwrap().raw(), "x & y & z \u{a0}&lol;é");
        assert_eq!(root.at(&["d"]).unwrap().line().as_deref(), Some("e"));
    }

    #[test]
    fn what_is_no_xml_says_where() {
        let error = parse("<a><b attribute='never closed").unwrap_err();
        assert_eq!(error.code(), "bad-xml");
        let cut = parse("<a><b>never closed</b>").unwrap_err();
        assert_eq!(cut.to_string(), "the XML is broken at byte 22: it ends in mid-element");
        assert_eq!(parse("just words").unwrap_err().code(), "no-text");
        assert_eq!(parse(&"<a>".repeat(DEPTH_MAX + 1)).unwrap_err().code(), "bad-xml");
    }

    #[test]
    fn an_article_is_read_with_what_stood_around_it() {
        let document = Document::read(
            "<rss xmlns:c='http://purl.org/dc/elements/1.1/'><channel><title>t</title>",
            "<item><c:date>d</c:date></item>",
        )
        .unwrap();
        assert_eq!(document.item().at(&["date"]).unwrap().raw(), "d");
        assert_eq!(document.root.at(&["channel", "title"]).unwrap().raw(), "t");
        assert_eq!(Document::read("<a><b>", "<c>x").err().unwrap().code(), "bad-xml");
    }

    #[test]
    fn references_are_resolved_or_left() {
        assert_eq!(
            unescape("a &lt;b&gt; &amp;apos; &#x41; &unknown; & &; &a b;"),
            "a <b> &apos; A &unknown; & &; &a b;"
        );
    }
}
