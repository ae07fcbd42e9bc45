//! The answer to `show` as a person reads it: the canonical article, then each variant with what it adds and drops.

use super::{
    page::{INDENT, Page, begun, shortened, wide},
    paint::{Hue, Paint},
    render::{one_line, printable, short_id, to_the_minute},
};
use crate::{
    model::{Relation, Time, place_of},
    query::{ArticleAnswer, RecordAnswer},
    service::counted,
};

/// The whole record.
pub(super) fn shown(record: &RecordAnswer, columns: usize, paint: Paint) -> String {
    let mut page = Page::new(columns);
    let title = one_line(record.title.as_deref().unwrap_or("(no title)"));
    let id = record.record.to_string();
    if id.len() + 2 + wide(&title) <= page.width {
        page.lines.push(format!("{id}  {}", paint.on(Hue::Name, title)));
    } else {
        page.lines.push(id);
        let first = page.lines.len();
        page.wrapped("", &title, 0);
        page.lines.iter_mut().skip(first).for_each(|line| *line = paint.on(Hue::Name, &*line));
    }
    page.lines.push(format!(
        "{}, {}",
        counted((record.articles.len() + record.left_out) as u64, "article"),
        times(Some(record.first_seen), Some(record.last_seen))
    ));
    if !record.aliases.is_empty() {
        let aliases: Vec<_> = record.aliases.iter().map(ToString::to_string).collect();
        page.wrapped("", &format!("merged into it: {}", aliases.join(", ")), 0);
    }
    let (canonical, variants): (Vec<_>, Vec<_>) =
        record.articles.iter().partition(|article| article.id == record.canonical);
    for article in canonical.iter().chain(&variants) {
        page.blank();
        of_article(&mut page, article, record, paint);
    }
    if record.left_out > 0 {
        page.blank();
        let left_out = counted(record.left_out as u64, "more variant");
        page.wrapped("", &format!("{left_out}; --limit N shows more"), 0);
    }
    if !record.related.is_empty() {
        let related: Vec<_> =
            record.related.iter().map(|link| format!("{} {}", link.record, link.score)).collect();
        page.blank();
        page.wrapped("related", &related.join(", "), INDENT);
    }
    if let Some(text) = canonical.first().and_then(|article| article.text.as_deref()) {
        page.lines.extend([String::new(), printable(text.trim_end()).into_owned()]);
    }
    page.lines.join("\n")
}

/// When something came: once, or from when to when.
fn times(first: Option<Time>, last: Option<Time>) -> String {
    let (first, last) = (first.map(to_the_minute), last.map(to_the_minute));
    match (first, last) {
        (Some(first), Some(last)) if first != last => format!("seen {first} to {last}"),
        (Some(first), _) => format!("seen {first}"),
        _ => String::new(),
    }
}

fn of_article(page: &mut Page, article: &ArticleAnswer, record: &RecordAnswer, paint: Paint) {
    let relation = article.relation.map_or("canonical", Relation::name);
    let place = place_of(&article.path, article.item.as_deref());
    let room = page.width.saturating_sub(INDENT + 14);
    let (label, place) = (format!("{relation:<INDENT$}"), shortened(&one_line(&place), room));
    page.lines.push(format!("{}{}  {place}", paint.on(Hue::Name, label), short_id(&article.id)));
    if let Some(title) = article.title.as_deref().filter(|title| Some(*title) != record.title.as_deref()) {
        page.cut("", title);
    }
    page.wrapped(&" ".repeat(INDENT), &about(article), INDENT);
    if !article.also_from.is_empty() {
        page.wrapped("", &format!("also from {}", article.also_from.join(", ")), INDENT);
    }
    if let (Some(score), Some(matched)) = (article.score, &article.matched) {
        page.wrapped("", &format!("score {score} with {}", short_id(matched)), INDENT);
    }
    if let Some(changes) = &article.changes {
        change(page, "adds", Hue::Green, (changes.counts.added, &changes.adds), paint);
        change(page, "drops", Hue::Red, (changes.counts.dropped, &changes.drops), paint);
        if changes.counts.added + changes.counts.dropped == 0 {
            page.wrapped("", "changes no word", INDENT);
        }
    }
    if article.pinned {
        page.wrapped("", "pinned: it stays in this record", INDENT);
    }
}

/// What is known of an article, on one line where that is wide enough.
fn about(article: &ArticleAnswer) -> String {
    let words = format!("{} compared", counted(u64::from(article.words), "word"));
    let published = article.published.map(|time| format!("published {}", to_the_minute(time)));
    let sightings =
        if article.sightings > 1 { format!(", {} times", article.sightings) } else { String::new() };
    let seen = times(article.first_seen, article.last_seen) + &sightings;
    let parts = [Some(words), article.lang.clone(), article.source.clone(), published, Some(seen)];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// What a variant adds or drops: how many words, and the longest stretch of them, on one line.
fn change(page: &mut Page, verb: &str, hue: Hue, (words, sample): (usize, &str), paint: Paint) {
    if sample.is_empty() {
        return;
    }
    let counted = match words {
        0 => String::new(),
        1 => " 1 word".to_owned(),
        many => format!(" {many} words"),
    };
    let said = format!("{verb}{counted}: ");
    let room = page.width.saturating_sub(INDENT + said.len() + 2);
    let sample = paint.on(hue, begun(&one_line(sample), room));
    page.lines.push(format!("{:INDENT$}{said}\"{sample}\"", ""));
}
