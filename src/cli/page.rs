//! Lines under each other: labels, and texts that go on under themselves, no wider than the terminal.

use super::render::{one_line, short_id};
use crate::{model::place_of, query::SideAnswer};

/// Where what is said of a label begins.
pub(super) const INDENT: usize = 10;

/// The lines as they are made.
pub(super) struct Page {
    pub width: usize,
    pub lines: Vec<String>,
}

impl Page {
    /// An empty one of so many columns; a terminal that is narrower than anyone reads on wraps by itself.
    pub fn new(width: usize) -> Self {
        Self { width: width.max(4 * INDENT), lines: Vec::new() }
    }

    pub fn blank(&mut self) {
        self.lines.push(String::new());
    }

    /// A label and a text that goes on under itself.
    pub fn wrapped(&mut self, label: &str, text: &str, indent: usize) {
        let mut line = format!("{label:<indent$}");
        let mut is_fresh = true;
        let (text, room) = (one_line(text), self.width.saturating_sub(indent).max(1));
        for word in text.split(' ').flat_map(|word| pieces(word, room)) {
            if !is_fresh && wide(&line) + 1 + wide(&word) > self.width {
                self.lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                is_fresh = true;
            }
            if !is_fresh {
                line.push(' ');
            }
            line.push_str(&word);
            is_fresh = false;
        }
        self.lines.push(line.trim_end().to_owned());
    }

    /// A label and one line that is cut to the width.
    pub fn cut(&mut self, label: &str, text: &str) {
        let text = shortened(&one_line(text), self.width - INDENT);
        self.lines.push(format!("{label:<INDENT$}{text}").trim_end().to_owned());
    }

    /// An article or a record, on two lines.
    pub fn side(&mut self, label: &str, side: &SideAnswer) {
        let what = match side.article {
            Some(article) => format!("{} in {}", short_id(&article), side.record),
            None => side.record.to_string(),
        };
        let published = side.published.map_or_else(String::new, |time| format!(", {time}"));
        let source = side.source.as_ref().map_or_else(String::new, |source| format!(", {source}"));
        self.wrapped(label, &format!("{what}, {} words{published}{source}", side.words), INDENT);
        let place = place_of(&side.path, side.item.as_deref());
        let title = side.title.as_ref().map_or_else(String::new, |title| format!(": {title}"));
        self.wrapped("", &format!("{place}{title}"), INDENT);
    }
}

/// A word, in parts where it is wider than a line, as a text is whose script has no spaces.
fn pieces(word: &str, room: usize) -> Vec<String> {
    let (mut pieces, mut width) = (vec![String::new()], 0);
    for letter in word.chars() {
        if width + of_letter(letter) > room {
            pieces.push(String::new());
            width = 0;
        }
        width += of_letter(letter);
        if let Some(last) = pieces.last_mut() {
            last.push(letter);
        }
    }
    pieces
}

/// A text of at most so many columns: its beginning and its end.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if wide(text) <= most {
        return text.to_owned();
    }
    let half = most.saturating_sub(5) / 2;
    let take = |letters: &mut dyn Iterator<Item = char>| {
        let mut room = half;
        let mut taken = Vec::new();
        for letter in letters {
            let Some(left) = room.checked_sub(of_letter(letter)) else { break };
            room = left;
            taken.push(letter);
        }
        taken
    };
    let begin: String = take(&mut text.chars()).into_iter().collect();
    let end: String = take(&mut text.chars().rev()).into_iter().rev().collect();
    format!("{} ... {}", begin.trim_end(), end.trim_start())
}

/// A text of at most so many columns: its beginning.
pub(super) fn begun(text: &str, most: usize) -> String {
    if wide(text) <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(4);
    let fits = |letter: &char| {
        let left = room.checked_sub(of_letter(*letter));
        room = left.unwrap_or_default();
        left.is_some()
    };
    let begin: String = text.chars().take_while(fits).collect();
    format!("{} ...", begin.trim_end())
}

/// How many columns a text takes.
pub(super) fn wide(text: &str) -> usize {
    // Most texts are ASCII, and a table of thousands of rows asks for each several times.
    if text.is_ascii() { text.len() } else { text.chars().map(of_letter).sum() }
}

/// The scripts of East Asia, and what stands after them, take two columns a letter.
pub(super) fn of_letter(letter: char) -> usize {
    if letter >= '\u{2e80}' { 2 } else { 1 }
}
