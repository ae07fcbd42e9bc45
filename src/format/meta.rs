//! What formats say of an article beside its text, under one set of names whatever the format calls it.
//!
//! The readers put it into [`Article::meta`](crate::model::Article) through [`Note`]; `wirefold formats` lists the names.

use super::dates::parse_time;
use crate::model::Article;
use serde_json::Value;

/// The names, in the order in which they are shown, with what they hold.
pub(super) const NAMES: [(&str, &str); 24] = [
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
    /// Looks for a text among these, the best first: the body, else a summary, else the headline, as of a flash.
    fn settle_text(&mut self, body: String) -> bool;
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

    fn settle_text(&mut self, body: String) -> bool {
        self.text = body;
        let stand_ins = [("description", self.noted("description")), ("headline", self.title.as_deref())];
        if self.text.trim().is_empty() {
            let found = stand_ins.into_iter().find_map(|(name, text)| Some((name, text?.to_owned())));
            if let Some((name, text)) = found {
                self.text = text;
                self.note("text_from", Some(name));
            }
        }
        !self.text.trim().is_empty()
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
    // What was withheld or recalled stays so, whatever else is said of it.
    let is_usable = article.noted("pubstatus").is_none_or(|status| status == "usable");
    if is_usable && article.noted("embargoed").is_some() {
        article.meta.insert("pubstatus".to_owned(), "embargoed".into());
    }
}

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
        let mut flash = Article { title: Some("Ferry aground".to_owned()), ..Article::default() };
        assert!(flash.settle_text(" ".to_owned()));
        assert_eq!((flash.text.as_str(), flash.noted("text_from")), ("Ferry aground", Some("headline")));
        let mut photo = Article::default();
        photo.note("description", Some(" A ferry. "));
        photo.note("description", Some("later"));
        assert!(photo.settle_text(String::new()));
        assert_eq!((photo.text.as_str(), photo.noted("text_from")), ("A ferry.", Some("description")));
        assert!(!Article::default().settle_text(String::new()));
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
        held.note_time("embargoed", Some("2026-11-22T10:00:00+01:00"));
        note_markers(&mut held);
        assert_eq!(
            (held.noted("pubstatus"), held.noted("embargoed")),
            (Some("embargoed"), Some("2026-11-22T09:00:00Z"))
        );
        let mut recalled = Article::default();
        recalled.note_status(Some("canceled"));
        recalled.note_time("embargoed", Some("2026-11-22T10:00:00+01:00"));
        note_markers(&mut recalled);
        assert_eq!(recalled.noted("pubstatus"), Some("cancelled"), "a kill is no embargo");
    }
}
