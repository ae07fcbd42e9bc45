//! How deep a page nests its tags, told by a linear scan before any parser sees it. Readability visits the
//! ancestors of every node, so a page of some kilobytes that is all nesting would hold a thread for minutes.
//!
//! `html` calls it. It is an estimate on the careful side: it knows what closes what, and no more of HTML.

use super::FormatError;

/// The deepest nesting that is parsed. The 89 pages of an extraction benchmark are 10 to 51 deep.
const DEPTH_MAX: usize = 512;
/// The most work that a page may make: for each tag its depth, and the elements that a parser opens again for it.
/// Those pages make up to 43,000 of it; hostile ones take half a second a million.
const WORK_MAX: usize = 4_000_000;

/// A shorter text makes next to no work, whatever is in it.
const ESCAPES_FROM_BYTES: usize = 4096;

/// Elements without content.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
/// Elements whose content is text, whatever is in it.
const RAW: &[&str] = &["script", "style", "textarea", "title", "iframe", "xmp", "noembed", "noframes"];
/// Elements that end where their like begins, so that leaving out the end tag nests nothing.
const ENDED_BY_LIKE: &[&str] =
    &["p", "li", "dd", "dt", "option", "optgroup", "tr", "td", "th", "tbody", "thead"];
/// Elements that the end tag of an inline element does not reach over.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Elements that no end tag reaches over but their own and those of a table.
const BARRIERS: &[&str] =
    &["table", "td", "th", "caption", "html", "template", "object", "marquee", "applet"];
const TABLE_PARTS: &[&str] =
    &["table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "html", "body"];

/// Formatting that a parser carries over into the next block where it was left open.
const FORMATTING: &[&str] =
    &["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// So many of one kind are carried over, and no more.
const CARRIED_ALIKE_MAX: usize = 3;

/// Refuses a page that nests too deep, or that would take too long.
pub(super) fn check(page: &str) -> Result<(), FormatError> {
    let mut state = State::default();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        state.work += escapes(text);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let (is_end, inside) = after.strip_prefix('/').map_or((false, after), |inside| (true, inside));
        let name = name(inside);
        if name.is_empty() {
            rest = after;
            continue;
        }
        let tag = Tag::read(inside, name);
        rest = if is_end {
            state.close(name);
            tag.after
        } else if is_in(RAW, name) {
            after_raw(tag.after, name)
        } else {
            state.open(&tag);
            tag.after
        };
        state.work += escapes(tag.whole);
        state.judge(name)?;
    }
    state.work += escapes(rest);
    state.judge("")
}

/// One start or end tag.
struct Tag<'a> {
    name: &'a str,
    /// Name and attributes as written.
    whole: &'a str,
    has_slash: bool,
    after: &'a str,
}

impl<'a> Tag<'a> {
    fn read(inside: &'a str, name: &'a str) -> Self {
        let mut quote = None;
        let mut before = ' ';
        for (at, c) in inside.char_indices() {
            match (quote, c) {
                (None, '>') => {
                    let (whole, after) = inside.split_at_checked(at).unwrap_or((inside, ""));
                    let after = after.strip_prefix('>').unwrap_or(after);
                    return Self { name, whole, has_slash: before == '/', after };
                }
                // A quote opens only after an equals sign; elsewhere it is a slip, and would swallow the page.
                (None, '"' | '\'') if before == '=' => quote = Some(c),
                (Some(q), c) if q == c => quote = None,
                _ => {}
            }
            if !c.is_ascii_whitespace() {
                before = c;
            }
        }
        Self { name, whole: inside, has_slash: false, after: "" }
    }
}

/// What is open at one point of the page.
#[derive(Default)]
struct State<'a> {
    open: Vec<&'a str>,
    /// Formatting whose end tag has not come, whether or not its block has ended.
    carried: Vec<(&'a str, &'a str)>,
    work: usize,
}

impl<'a> State<'a> {
    fn open(&mut self, tag: &Tag<'a>) {
        // Only in SVG and MathML does a closing slash close.
        let is_foreign = || self.open.iter().rev().any(|o| is_in(&["svg", "math"], o));
        if is_in(VOID, tag.name) || tag.has_slash && is_foreign() {
            return;
        }
        if is_in(ENDED_BY_LIKE, tag.name)
            && self.open.last().is_some_and(|o| o.eq_ignore_ascii_case(tag.name))
        {
            self.open.pop();
        }
        self.open.push(tag.name);
        if is_in(FORMATTING, tag.name) {
            let alike = self.carried.iter().filter(|(_, whole)| *whole == tag.whole).count();
            if alike < CARRIED_ALIKE_MAX {
                self.carried.push((tag.name, tag.whole));
            }
        }
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.carried.iter().rposition(|(n, _)| n.eq_ignore_ascii_case(name)) {
            self.carried.remove(at);
        }
        let (is_block, is_table) = (is_in(BLOCKS, name), is_in(TABLE_PARTS, name));
        for at in (0..self.open.len()).rev() {
            let Some(element) = self.open.get(at) else { return };
            if element.eq_ignore_ascii_case(name) {
                self.open.truncate(at);
                return;
            }
            let stops = if is_table {
                is_in(&["template"], element)
            } else {
                is_in(BARRIERS, element) || !is_block && is_in(BLOCKS, element)
            };
            if stops {
                return;
            }
        }
    }

    fn judge(&mut self, name: &str) -> Result<(), FormatError> {
        let carried = if is_in(BLOCKS, name) { self.carried.len() } else { 0 };
        self.work += 1 + self.open.len() + carried;
        if self.open.len() > DEPTH_MAX || self.carried.len() > DEPTH_MAX {
            return Err(FormatError::TooDeep { depth_max: DEPTH_MAX });
        }
        if self.work > WORK_MAX { Err(FormatError::TooTangled) } else { Ok(()) }
    }
}

/// The work that a text between two tags makes. The library writes the article it finds out as HTML again, and
/// looks for angle brackets in all that follows each character that it escapes: some 65 kB in the time of one
/// unit of work. It shows in no text of a length that people write.
fn escapes(text: &str) -> usize {
    if text.len() < ESCAPES_FROM_BYTES {
        return 0;
    }
    let escaped = text.bytes().filter(|b| matches!(b, b'&' | 0xc2)).count();
    escaped.saturating_mul(text.len()) / 65_536
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn name(inside: &str) -> &str {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_');
    let end = inside.find(|c| !is_letter(c)).unwrap_or(inside.len());
    inside.get(..end).filter(|n| n.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or_default()
}

fn after_raw<'a>(rest: &'a str, name: &'a str) -> &'a str {
    let mut rest = rest;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return Tag::read(after, name).after;
        }
        rest = after;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_as_people_write_them_pass() {
        let items = "<li><p>one <b>two</b><br><img src='a>b'>".repeat(1000);
        let page = format!("<html><body><script>'<div>'.repeat(9)</script><ul>{items}</ul></body>");
        assert!(check(&page.replace("<p>", "")).is_ok());
        let rows = "<tr><td>1<td>2".repeat(1000);
        assert!(check(&format!("<table>{}</table>", rows.replace("<tr>", "</tr><tr>"))).is_ok());
        assert!(check(&format!("<svg>{}</svg>", "<path d='m0'/>".repeat(1000))).is_ok());
        assert!(check(&"<!-- <div> -->".repeat(1000)).is_ok());
        assert!(check(&"a < b <3 ".repeat(1000)).is_ok());
        assert!(check(&"<p><font size=2>never closed</p>".repeat(5000)).is_ok());
    }

    #[test]
    fn towers_of_tags_are_refused() {
        for tag in ["<div>", "<div/>", "<span>", "<b>", "<DIV class=\"a>b\">", "<span><div></span>", "<x-y>"]
        {
            let error = check(&tag.repeat(600)).unwrap_err();
            assert_eq!(error.code(), "bad-html", "{tag}");
        }
        let left_open = (0..5000).map(|i| format!("<p><b id={i}>x</p>")).collect::<Vec<_>>().concat();
        assert_eq!(check(&left_open).unwrap_err().code(), "bad-html");
        let towers = ["<div>".repeat(500), "</div>".repeat(500)].concat().repeat(40);
        assert_eq!(check(&towers).unwrap_err().code(), "bad-html");
        let ampersands = format!("<p>{}<p>", "&amp; ".repeat(500_000));
        assert_eq!(check(&ampersands).unwrap_err().code(), "bad-html");
        assert_eq!(check(&ampersands.replace("<p>", "")).unwrap_err().code(), "bad-html");
    }
}
