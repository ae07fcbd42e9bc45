//! Answers as a person reads them: tables that fit the terminal, and plain lines.
//!
//! Titles, sources and texts are what somebody sent: nothing of them may steer the terminal. Paths in answers are
//! escaped already.

use super::{
    paint::{Hue, Paint},
    table::Table,
};
use crate::{
    format::{self, Named},
    model::{ArticleId, Time, place_of},
    query::Sort,
};
use serde::{Deserialize, de::IgnoredAny};
use std::{borrow::Cow, env, io};

/// How many characters of a digest are enough to tell articles apart by eye.
const SHORT_ID: usize = 12;
/// Columns when standard output is no terminal and COLUMNS does not say.
const COLUMNS_WITHOUT_TERMINAL: u16 = 160;

/// Records as a table, one a row.
pub(super) struct RecordTable {
    table: Table,
    by_last: bool,
}

impl RecordTable {
    /// An empty one, of records in this order.
    pub fn new(sort: Sort) -> Self {
        let by_last = sort == Sort::Updated;
        let seen = if by_last { "LAST SEEN" } else { "FIRST SEEN" };
        let table = Table::new(["RECORD", seen, "ART", "SRC", "REL", "TITLE"]);
        Self { table: table.with_figures(2..5).sparing(&[4, 3, 2, 1]), by_last }
    }

    pub fn add(&mut self, record: &Listed<'_>) {
        let canonical = || record.articles.iter().find(|article| article.id == record.canonical);
        let place = || canonical().map(|article| place_of(&article.path, article.item.as_deref()));
        let title = record.title.clone().or_else(place);
        self.table.add([
            begun_id(&record.record),
            minute(if self.by_last { &record.last_seen } else { &record.first_seen }),
            record.articles.len().to_string(),
            record.sources().to_string(),
            record.related.len().to_string(),
            title.as_deref().map_or_else(String::new, one_line),
        ]);
    }

    /// The table under a faint head.
    pub fn shown(&self, columns: usize, paint: Paint) -> String {
        let mut lines = self.table.cut(columns);
        if let Some(head) = lines.first_mut() {
            *head = paint.on(Hue::Faint, &*head);
        }
        let left_out = self.table.left_out(columns);
        if !left_out.is_empty() {
            lines.push(format!("no room for {}", left_out.join(", ")));
        }
        lines.join("\n")
    }
}

/// What the table shows of a [`RecordAnswer`](crate::query::RecordAnswer), read in place: to make a whole one of each line
/// takes a table of thousands twice the time.
#[derive(Deserialize)]
pub(super) struct Listed<'l> {
    #[serde(borrow)]
    record: Cow<'l, str>,
    #[serde(borrow)]
    canonical: Cow<'l, str>,
    title: Option<String>,
    #[serde(borrow)]
    first_seen: Cow<'l, str>,
    #[serde(borrow)]
    last_seen: Cow<'l, str>,
    #[serde(borrow)]
    articles: Vec<ListedArticle<'l>>,
    related: Vec<IgnoredAny>,
}

/// The same of one of its articles.
#[derive(Deserialize)]
struct ListedArticle<'l> {
    #[serde(borrow)]
    id: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
    item: Option<String>,
    source: Option<String>,
    #[serde(default)]
    also_from: Vec<String>,
}

impl Listed<'_> {
    /// How many sources are known of it.
    fn sources(&self) -> usize {
        let mut names: Vec<_> =
            self.articles.iter().flat_map(|a| a.source.iter().chain(&a.also_from)).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }
}

/// What is read, one format a row.
pub(super) fn formats(formats: &[format::Listed]) -> String {
    let mut table = Table::new(["FORMAT", "TOLD BY, AND WHAT IT GIVES"]);
    for format::Listed { format, told_by, gives } in formats {
        table.add([(*format).to_owned(), format!("{told_by}\n{gives}")]);
    }
    table.folded(columns().into()).join("\n")
}

/// The names of metadata, one a row.
pub(super) fn names(names: impl Iterator<Item = Named>) -> String {
    let mut table = Table::new(["NAME", "WHAT IT HOLDS"]);
    names.for_each(|Named { name, holds }| table.add([name.to_owned(), holds.to_owned()]));
    table.folded(columns().into()).join("\n")
}

/// A number of files that are so.
pub(super) fn files(count: u64, so: &str) -> String {
    if count == 1 { format!("1 file is {so}") } else { format!("{count} files are {so}") }
}

/// The beginning of an article's id, which is enough to tell it by.
pub(super) fn short_id(id: &ArticleId) -> String {
    id.to_string().chars().take(SHORT_ID).collect()
}

/// The same of a record's.
fn begun_id(id: &str) -> String {
    id.chars().take("wf-".len() + SHORT_ID).collect()
}

/// How many columns there are: the terminal's, else what the environment says.
pub(super) fn columns() -> u16 {
    let said = || env::var("COLUMNS").ok()?.parse().ok();
    let terminal = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
    let known = terminal.or_else(said).filter(|columns| *columns > 0);
    known.unwrap_or(COLUMNS_WITHOUT_TERMINAL)
}

/// A text on one line, that steers no terminal.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match printable(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(line) => line,
    }
}

/// A text that moves no cursor, sets no colour and rings no bell: what controls a terminal, but for line ends and
/// tabs, is shown as U+FFFD.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace(steers, "\u{fffd}"))
}

/// A time as people read it in a table; UTC.
pub(super) fn to_the_minute(time: Time) -> String {
    minute(&time.to_string())
}

/// The same of one that is written out.
fn minute(time: &str) -> String {
    time.chars().take("2026-11-22T01:26".len()).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::shown::shown, query::RecordAnswer};
    use serde_json::json;

    #[test]
    fn only_what_steers_a_terminal_is_replaced() {
        let text = "Süd\tost\nWest \\xff";
        assert_eq!(printable(text), text);
        assert_eq!(
            printable("a\r\nb\x1b]0;x\x07\u{9b}2J\rc\x7f"),
            "a\nb\u{fffd}]0;x\u{fffd}\u{fffd}2J\u{fffd}c\u{fffd}"
        );
    }

    #[test]
    fn a_hostile_article_cannot_steer_the_terminal() {
        let id = "0".repeat(64);
        let evil = "\x1b[2Jevil\u{9b}\x07";
        let answer: RecordAnswer = serde_json::from_value(json!({
            "record": "wf-0000000000000000", "aliases": [], "canonical": id, "title": evil,
            "first_seen": "2026-11-22T00:00:00Z", "last_seen": "2026-11-22T00:00:00Z", "related": [],
            "articles": [{
                "id": id, "path": "a\\xff.txt", "item": evil, "source": evil, "title": evil, "published": null,
                "lang": null, "words": 1, "relation": "canonical", "matched": null, "score": null,
                "sightings": 1, "text": evil
            }]
        }))
        .unwrap();
        let plain = Paint(false);
        let mut table = RecordTable::new(Sort::Newest);
        let line = serde_json::to_string(&answer).unwrap();
        table.add(&serde_json::from_str(&line).unwrap());
        for shown in [shown(&answer, 80, plain), table.shown(80, plain)] {
            assert!(shown.contains("evil") && !shown.contains(['\x1b', '\u{9b}', '\x07']), "{shown:?}");
        }
    }
}
