//! What formats say of an article beside its text, under one set of names whatever the format calls it.
//!
//! The readers put it into [`Article::meta`](crate::model::Article) through [`Note`]; `wirefold formats` lists the names.

use super::{FormatError, dates::parse_time};
use crate::model::Article;
use serde_json::Value;
use std::{cmp::Reverse, collections::BTreeSet};

/// The names, in the order in which they are shown, with what they hold.
pub(super) const NAMES: [(&str, &str); 26] = [
    ("subheadline", "the second headline"),
    ("byline", "who wrote it, as printed"),
    ("dateline", "where it was written, as printed"),
    ("description", "a summary or caption"),
    ("created", "when its first version was made"),
    ("modified", "when it was last changed"),
    ("provider", "the agency that delivers it"),
    ("guid", "its wire id: one story of one provider through all its versions"),
    ("transmission", "the number of the message, of text wires; a new one each time"),
    ("version", "which version of it this is"),
    ("pubstatus", "usable, embargoed, withheld or cancelled"),
    ("embargoed", "until when it must not be published"),
    ("urgency", "from 1, the most, to 9"),
    ("slugline", "what the desk calls it"),
    ("markers", "updates, corrections and kills, as written: 1st Ld-Writethru, UPDATE 2, KILL"),
    ("signals", "updates and corrections as coded by the format"),
    ("ednote", "a note to editors"),
    ("subjects", "codes of what it is about"),
    ("subject_names", "the same in words"),
    ("keywords", "words to find it by"),
    ("copyright", "who holds the rights"),
    ("sender", "the address that an e-mail came from"),
    ("attachments", "names of what was attached to an e-mail"),
    ("charset", "the charset that it was in, where that is none of Unicode"),
    ("charset_replaced", "how many letters of it could not be read"),
    ("text_from", "description or headline, where the item has no body and that stands in for it"),
];

/// Puts down what was found.
pub(super) trait Note {
    /// A word or sentence, where there is one that is not blank. What was put down first stays.
    fn note(&mut self, name: &str, value: Option<impl AsRef<str>>);
    /// The same as RFC 3339, where it can be read as a time.
    fn note_time(&mut self, name: &str, value: Option<impl AsRef<str>>);
    /// Several, each once and in order.
    fn note_all(&mut self, name: &str, values: impl IntoIterator<Item = String>);
    /// The publication status, in one of its four words where it can be told.
    fn note_status(&mut self, value: Option<impl AsRef<str>>);
    /// Puts it under embargo, until a time where that can be read, unless it is said to be withheld or recalled.
    fn note_embargo(&mut self, until: Option<impl AsRef<str>>);
    /// The article as it is when all was noted: named by its wire id and provider where it has no other name, and with a
    /// text, which is the body, else a summary, else the headline, as of a flash. Where it has none of them, `why` not.
    fn finish(self, body: String, why: &'static str) -> Result<Article, FormatError>;
    /// A word that was put down.
    fn noted(&self, name: &str) -> Option<&str>;
}

impl Note for Article {
    fn note(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        let value = value.as_ref().map(|v| v.as_ref().trim()).filter(|v| !v.is_empty());
        if let (Some(value), false) = (value, self.meta.contains_key(name)) {
            self.meta.insert(name.to_owned(), value.into());
        }
    }

    fn note_time(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        let time = value.as_ref().and_then(|v| parse_time(v.as_ref())).map(|time| time.to_string());
        self.note(name, time.as_deref().or(value.as_ref().map(AsRef::as_ref)));
    }

    fn note_all(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let mut all: Vec<String> = Vec::new();
        for value in values {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            if !value.is_empty() && !all.contains(&value) {
                all.push(value);
            }
        }
        if !all.is_empty() {
            self.meta.insert(name.to_owned(), all.into());
        }
    }

    fn note_status(&mut self, value: Option<impl AsRef<str>>) {
        let value = value.as_ref().map(|v| v.as_ref().trim().to_ascii_lowercase());
        let word = value.as_deref().and_then(|v| v.rsplit(':').next());
        self.note(
            "pubstatus",
            word.map(|word| match word {
                "canceled" | "killed" | "kill" => "cancelled",
                "withhold" | "withhelduntilfurthernotice" => "withheld",
                "embargo" => "embargoed",
                "publish" | "published" => "usable",
                other => other,
            }),
        );
    }

    fn note_embargo(&mut self, until: Option<impl AsRef<str>>) {
        let Some(until) = until else { return };
        self.note_time("embargoed", Some(until));
        if self.meta.get("pubstatus").is_none_or(|status| status == "usable") {
            self.meta.insert("pubstatus".to_owned(), "embargoed".into());
        }
    }

    fn finish(mut self, body: String, why: &'static str) -> Result<Article, FormatError> {
        let [guid, provider] = ["guid", "provider"].map(|name| self.noted(name).map(str::to_owned));
        self.item = self.item.take().or(guid);
        self.source = self.source.take().or(provider);
        self.title = self.title.take().filter(|title| !title.trim().is_empty());
        self.text = body;
        let stand_ins = [("description", self.noted("description")), ("headline", self.title.as_deref())];
        if self.text.trim().is_empty() {
            let found = stand_ins.into_iter().find_map(|(name, text)| Some((name, text?.to_owned())));
            let (name, text) = found.ok_or(FormatError::NoText { why })?;
            self.text = text;
            self.note("text_from", Some(name));
        }
        Ok(self)
    }

    fn noted(&self, name: &str) -> Option<&str> {
        self.meta.get(name).and_then(Value::as_str)
    }
}

/// Words by which wires say that an article replaces or recalls another, found in what was read.
///
/// They are looked for in capitals, or as AP writes them, and in headlines and sluglines only: in a sentence they are
/// common words.
pub(super) fn note_markers(article: &mut Article) {
    let mut found = Vec::new();
    for place in [article.noted("slugline"), article.title.as_deref()].into_iter().flatten() {
        markers(place, &mut found);
    }
    article.note_all("markers", found);
}

/// The texts of one item, each once: what shares half of its wording with a longer one is the same in another form.
pub(super) fn each_once(texts: &[String]) -> String {
    let mut by_length: Vec<(usize, &str)> = texts.iter().map(|text| text.trim()).enumerate().collect();
    by_length.retain(|(_, text)| !text.is_empty());
    by_length.sort_by_key(|(_, text)| Reverse(text.len()));
    let is_looked_at = by_length.len() <= TEXTS_MAX;
    let (mut told, mut kept) = (BTreeSet::new(), Vec::new());
    for (at, text) in by_length {
        let parts = if is_looked_at { wording(text) } else { BTreeSet::new() };
        let again = parts.iter().filter(|part| told.contains(*part)).count();
        // A word or two beside a text are no text.
        if kept.is_empty() || !is_looked_at || again * 2 < parts.len() {
            told.extend(parts);
            kept.push((at, text));
        }
    }
    kept.sort_unstable();
    kept.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n\n")
}

/// Every three words in a row, as far as it takes to know a text by.
fn wording(text: &str) -> BTreeSet<[&str; 3]> {
    let words = |skipped| text.split_whitespace().skip(skipped);
    words(0).zip(words(1)).zip(words(2)).map(|((a, b), c)| [a, b, c]).take(WORDING_MAX).collect()
}

/// So many words tell a text from others.
const WORDING_MAX: usize = 2000;
/// No item of an agency has more than a handful of texts. Among more, none is looked for twice, which bounds memory.
const TEXTS_MAX: usize = 64;

/// Markers that stand for themselves.
const WORDS: [&str; 13] = [
    "CORRECTED",
    "CORRECTION",
    "CORRECTS",
    "CLARIFICATION",
    "REFILE",
    "REPEAT",
    "RPT",
    "KILL",
    "WITHDRAWN",
    "WITHDRAWAL",
    "RECAST",
    "WRITETHRU",
    "TAKE",
];

fn markers(line: &str, found: &mut Vec<String>) {
    let words: Vec<&str> =
        line.split([' ', ',', '(', ')', ':', '/', '|']).filter(|w| !w.is_empty()).collect();
    let mut before = "";
    for (at, word) in words.iter().enumerate() {
        let after = words.get(at + 1).copied().unwrap_or_default();
        let begins_with_digit = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
        if is_ordinal(word) && ["ld", "lead", "add"].iter().any(|w| is_or_begins(after, w)) {
            found.push(format!("{word} {after}"));
        } else if word.to_ascii_lowercase().contains("ld-writethru") && !begins_with_digit(before) {
            // Also "1stLd-Writethru", without the space.
            found.push((*word).to_owned());
        } else if *word == "UPDATE" && begins_with_digit(after) {
            let number: String = after.chars().take_while(char::is_ascii_digit).collect();
            found.push(format!("UPDATE {number}"));
        } else {
            let bare = word.split(['-', '–', '—']).find(|part| WORDS.contains(part));
            found.extend(bare.map(str::to_owned));
        }
        before = word;
    }
}

fn is_ordinal(word: &str) -> bool {
    let number = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_or_begins(word: &str, with: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let mut found = Vec::new();
        markers(line, &mut found);
        found
    }

    #[test]
    fn markers_are_found_where_wires_write_them() {
        assert_eq!(found("BC-Harbour, 1st Ld-Writethru,416"), ["1st Ld-Writethru"]);
        assert_eq!(found("BC-Harbour 2ndLd-Writethru"), ["2ndLd-Writethru"]);
        assert_eq!(found("UPDATE 2-Harbour to be dredged"), ["UPDATE 2"]);
        assert_eq!(found("CORRECTED-(OFFICIAL)-Ferry fares rise"), ["CORRECTED"]);
        assert_eq!(found("KILL: Ferry sinks"), ["KILL"]);
        assert!(found("Update on the 1st of May: the kill was corrected").is_empty());
    }

    #[test]
    fn what_has_no_body_speaks_through_its_caption_or_headline() {
        let flash = Article { title: Some("Ferry aground".to_owned()), ..Article::default() };
        let flash = flash.finish(" ".to_owned(), "none").unwrap();
        assert_eq!((flash.text.as_str(), flash.noted("text_from")), ("Ferry aground", Some("headline")));
        let mut photo = Article::default();
        photo.note("description", Some(" A ferry. "));
        photo.note("description", Some("later"));
        photo.note("guid", Some("p-1"));
        let photo = photo.finish(String::new(), "none").unwrap();
        assert_eq!((photo.text.as_str(), photo.noted("text_from")), ("A ferry.", Some("description")));
        assert_eq!(photo.item.as_deref(), Some("p-1"));
        assert_eq!(Article::default().finish(String::new(), "none").unwrap_err().code(), "no-text");
    }

    #[test]
    fn a_text_in_two_forms_is_one_and_two_texts_are_two() {
        let texts = |all: &[&str]| each_once(&all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let (story, beside) = ("The ferry ran aground at noon.", "How ferries are built, in brief.");
        assert_eq!(
            texts(&[story, &story.replace("at noon", "today"), beside]),
            format!("{story}\n\n{beside}")
        );
        assert_eq!(texts(&[beside, story, "A word"]), format!("{beside}\n\n{story}"));
        assert_eq!((texts(&["A word"]), texts(&[])), ("A word".to_owned(), String::new()));
    }

    #[test]
    fn a_status_is_one_of_four_words() {
        for (said, word) in
            [("stat:usable", "usable"), ("Canceled", "cancelled"), ("stat:withheld", "withheld")]
        {
            let mut article = Article::default();
            article.note_status(Some(said));
            assert_eq!(article.noted("pubstatus"), Some(word));
        }
        let mut held = Article::default();
        held.note_status(Some("usable"));
        held.note_embargo(Some("2026-11-22T10:00:00+01:00"));
        assert_eq!(
            (held.noted("pubstatus"), held.noted("embargoed")),
            (Some("embargoed"), Some("2026-11-22T09:00:00Z"))
        );
        let mut recalled = Article::default();
        recalled.note_status(Some("canceled"));
        recalled.note_embargo(Some("until further notice"));
        assert_eq!(recalled.noted("pubstatus"), Some("cancelled"), "a kill is no embargo");
    }
}
