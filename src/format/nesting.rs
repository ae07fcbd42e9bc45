//! How deep a page nests its tags, told by a linear scan before any parser sees it. Readability visits the
//! ancestors of every node, so a page of some kilobytes that is all nesting would hold a thread for minutes.
//!
//! `html` calls it. It is an estimate on the careful side: it knows what closes what, and no more of HTML.

use super::FormatError;

/// The deepest nesting that is parsed. Real pages were met with depths of 15 to 60; 2,000 take seconds.
const DEPTH_MAX: usize = 512;
/// The most tags that are parsed. The largest real pages have some 20,000.
const TAGS_MAX: usize = 200_000;

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

/// Refuses a page that nests too deep or has too many tags.
pub(super) fn check(page: &str) -> Result<(), FormatError> {
    let mut open: Vec<&str> = Vec::new();
    let mut tags = 0_usize;
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
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
        tags += 1;
        if tags > TAGS_MAX {
            return Err(FormatError::TooManyTags { tags_max: TAGS_MAX });
        }
        let (is_closed, after_tag) = tag_end(inside);
        rest = after_tag;
        if is_end {
            close(&mut open, name);
        } else if is_in(RAW, name) {
            rest = after_raw(rest, name);
        } else if !(is_in(VOID, name) || is_closed && is_foreign(&open)) {
            if is_in(ENDED_BY_LIKE, name) && open.last().is_some_and(|o| o.eq_ignore_ascii_case(name)) {
                open.pop();
            }
            open.push(name);
        }
        if open.len() > DEPTH_MAX {
            return Err(FormatError::TooDeep { depth_max: DEPTH_MAX });
        }
    }
    Ok(())
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Only in SVG and `MathML` does a closing slash close.
fn is_foreign(open: &[&str]) -> bool {
    open.iter().rev().any(|o| is_in(&["svg", "math"], o))
}

fn name(inside: &str) -> &str {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_');
    let end = inside.find(|c| !is_letter(c)).unwrap_or(inside.len());
    inside.get(..end).filter(|n| n.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or_default()
}

/// Goes to the end of the tag, over quoted attributes; says whether it ends with a slash.
fn tag_end(inside: &str) -> (bool, &str) {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (None, '>') => return (before == '/', inside.get(at + 1..).unwrap_or_default()),
            // A quote opens only after an equals sign; elsewhere it is a slip, and would swallow the page.
            (None, '"' | '\'') if before == '=' => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
        if !c.is_ascii_whitespace() {
            before = c;
        }
    }
    (false, "")
}

fn after_raw<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut rest = rest;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return tag_end(after).1;
        }
        rest = after;
    }
    ""
}

fn close(open: &mut Vec<&str>, name: &str) {
    let (is_block, is_table) = (is_in(BLOCKS, name), is_in(TABLE_PARTS, name));
    for at in (0..open.len()).rev() {
        let Some(element) = open.get(at) else { return };
        if element.eq_ignore_ascii_case(name) {
            open.truncate(at);
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
    }

    #[test]
    fn towers_of_tags_are_refused() {
        for tag in ["<div>", "<div/>", "<span>", "<b>", "<DIV class=\"a>b\">", "<span><div></span>", "<x-y>"]
        {
            let error = check(&tag.repeat(600)).unwrap_err();
            assert_eq!(error.code(), "bad-html", "{tag}");
        }
        assert!(check(&"<br>".repeat(TAGS_MAX + 1)).is_err());
    }
}
