//! The answer to `diff` as a person reads it: paragraphs that changed, word by word, in one column or two. What stayed
//! is told by its length. Without colours what was dropped stands in `[-` and `-]`, what was added in `{+` and `+}`.

use super::{
    page::{INDENT, Page, of_letter, wide},
    paint::{Hue, Paint},
    render::printable,
};
use crate::query::{Change, ChangeCounts, DiffAnswer, PieceAnswer};

/// Of what stayed between two changes of a paragraph so many words are shown at either end, if the rest is longer.
const CONTEXT_WORDS: usize = 12;
/// What stands between two columns.
const BETWEEN: &str = " │ ";

/// How it is to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub columns: usize,
    pub paint: Paint,
    pub side_by_side: bool,
}

/// The whole answer.
pub(super) fn diffed(answer: &DiffAnswer, look: Look) -> String {
    let mut page = Page::new(look.columns);
    page.side("one", &answer.one);
    page.side("other", &answer.other);
    let stands = answer
        .relation
        .map_or_else(String::new, |relation| format!("the other is {} the one; ", relation.in_words()));
    let ChangeCounts { same, dropped, added } = answer.counts;
    let counts = match same {
        // What little two tellings share tells nothing here, but is no nothing.
        0 => format!(
            "no passage stands in both, of {dropped} in the one and {added} in the other; 'explain' has the words that they share"
        ),
        _ => format!("{same} are the same, {dropped} only in the one, {added} only in the other"),
    };
    page.wrapped("words", &format!("{stands}{counts}"), INDENT);
    if answer.by_lines {
        page.wrapped("note", "the texts are so long that whole lines were compared", INDENT);
    }
    page.blank();
    let mut stayed = 0;
    for block in blocks(&answer.pieces) {
        if block.iter().all(|atom| atom.change == Change::Same) {
            stayed += block.len();
            continue;
        }
        stay(&mut page, &mut stayed, look);
        let block = shortened(&block);
        if look.side_by_side {
            beside(&mut page, &block, look);
        } else {
            under(&mut page, &block, look);
        }
        page.blank();
    }
    stay(&mut page, &mut stayed, look);
    if page.lines.last().is_some_and(String::is_empty) {
        page.lines.pop();
    }
    page.lines.join("\n")
}

/// A word, or a part of one, and whether it is the same.
#[derive(Clone, Debug)]
struct Atom {
    text: String,
    change: Change,
    /// Whether a space stands before it.
    is_apart: bool,
    /// Whether a line begins with it.
    is_first: bool,
}

/// The paragraphs of both texts. One ends where both have the same words and the one has a line's end.
fn blocks(pieces: &[PieceAnswer]) -> Vec<Vec<Atom>> {
    let mut blocks = vec![Vec::new()];
    for piece in pieces {
        let text = printable(&piece.text);
        let mut rest = text.as_ref();
        while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
            let (space, from) = rest.split_at(start);
            let end = from.find(char::is_whitespace).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            let ends_line = space.contains('\n');
            let is_new = blocks.last().is_none_or(Vec::is_empty);
            if ends_line && piece.change == Change::Same && !is_new {
                blocks.push(Vec::new());
            }
            let is_first = ends_line && piece.change != Change::Same;
            let atom =
                Atom { text: word.to_owned(), change: piece.change, is_apart: !space.is_empty(), is_first };
            blocks.last_mut().into_iter().for_each(|block| block.push(atom.clone()));
            rest = after;
        }
        // A line's end at the very end of what stayed ends the paragraph too.
        if piece.change == Change::Same && rest.contains('\n') {
            blocks.push(Vec::new());
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// A paragraph without the middles of what stayed in it.
fn shortened(block: &[Atom]) -> Vec<Atom> {
    let last = block.chunk_by(|a, b| a.change == b.change).count().saturating_sub(1);
    let mut short = Vec::new();
    for (at, run) in block.chunk_by(|a, b| a.change == b.change).enumerate() {
        let (before, after) =
            (if at == 0 { 0 } else { CONTEXT_WORDS }, if at == last { 0 } else { CONTEXT_WORDS });
        let is_long = run.len() > before + after + CONTEXT_WORDS;
        if run.first().is_none_or(|atom| atom.change != Change::Same) || !is_long {
            short.extend_from_slice(run);
            continue;
        }
        let dots = Atom { text: "...".to_owned(), change: Change::Same, is_apart: true, is_first: false };
        short.extend_from_slice(run.get(..before).unwrap_or_default());
        short.push(dots);
        short.extend_from_slice(run.get(run.len() - after..).unwrap_or_default());
    }
    short
}

/// Says how much stayed between two paragraphs that are shown.
fn stay(page: &mut Page, words: &mut usize, look: Look) {
    if *words > 0 {
        let said = format!("... {words} {} the same ...", if *words == 1 { "word is" } else { "words are" });
        page.lines.push(look.paint.on(Hue::Faint, said));
        page.blank();
    }
    *words = 0;
}

/// Both texts in one column.
fn under(page: &mut Page, block: &[Atom], look: Look) {
    let all: Vec<&Atom> = block.iter().collect();
    page.lines.extend(laid(&all, look.columns, look.paint).into_iter().map(|(line, _)| line));
}

/// The one on the left, the other on the right.
fn beside(page: &mut Page, block: &[Atom], look: Look) {
    let room = (look.columns - wide(BETWEEN)) / 2;
    let side = |gone: Change| {
        let atoms: Vec<&Atom> = block.iter().filter(|atom| atom.change != gone).collect();
        laid(&atoms, room, look.paint)
    };
    let (left, right) = (side(Change::Added), side(Change::Dropped));
    for at in 0..left.len().max(right.len()) {
        let (line, width) = left.get(at).cloned().unwrap_or_default();
        let (other, _) = right.get(at).cloned().unwrap_or_default();
        let gap = " ".repeat(room.saturating_sub(width));
        page.lines.push(format!("{line}{gap}{BETWEEN}{other}").trim_end().to_owned());
    }
}

/// Words as lines of at most so many columns, each with its width. What changed is marked where it begins and ends.
fn laid(atoms: &[&Atom], columns: usize, paint: Paint) -> Vec<(String, usize)> {
    let mut lines = vec![Line::default()];
    for (at, atom) in atoms.iter().enumerate() {
        let change_of = |at: Option<usize>| at.and_then(|at| atoms.get(at)).map(|atom| atom.change);
        let before = change_of(at.checked_sub(1));
        let opens = before != Some(atom.change);
        // Both may stand at the beginning of their texts, or behind the same sign.
        let takes_place = before == Some(Change::Dropped) && atom.change == Change::Added;
        let is_parted = takes_place && atom.text.starts_with(char::is_alphanumeric);
        let closes = change_of(Some(at + 1)) != Some(atom.change);
        let text = if paint.0 { atom.text.clone() } else { marked(atom, opens, closes) };
        for (part, piece) in cut(&text, columns).into_iter().enumerate() {
            let is_apart = (atom.is_apart || is_parted) && part == 0;
            let needed = wide(&piece) + usize::from(is_apart);
            let is_full = lines.last().is_none_or(|line| line.width > 0 && line.width + needed > columns);
            if is_full || (atom.is_first && part == 0 && at > 0) {
                lines.push(Line::default());
            }
            if let Some(line) = lines.last_mut() {
                line.push(&piece, is_apart, atom.change);
            }
        }
    }
    lines.into_iter().map(|line| line.painted(paint)).collect()
}

/// A line as it is laid: runs of one colour.
#[derive(Default)]
struct Line {
    runs: Vec<(Change, String)>,
    width: usize,
}

impl Line {
    fn push(&mut self, text: &str, is_apart: bool, change: Change) {
        let space = if is_apart && self.width > 0 { " " } else { "" };
        self.width += wide(space) + wide(text);
        match self.runs.last_mut() {
            Some((last, run)) if *last == change => *run = format!("{run}{space}{text}"),
            Some((_, run)) => {
                run.push_str(space);
                self.runs.push((change, text.to_owned()));
            }
            None => self.runs.push((change, text.to_owned())),
        }
    }

    fn painted(self, paint: Paint) -> (String, usize) {
        let painted = self.runs.into_iter().map(|(change, run)| match change {
            Change::Same => run,
            Change::Dropped => paint.on(Hue::Red, run),
            Change::Added => paint.on(Hue::Green, run),
        });
        (painted.collect(), self.width)
    }
}

fn marked(atom: &Atom, opens: bool, closes: bool) -> String {
    let (open, close) = match atom.change {
        Change::Same => ("", ""),
        Change::Dropped => ("[-", "-]"),
        Change::Added => ("{+", "+}"),
    };
    let open = if opens { open } else { "" };
    format!("{open}{}{}", atom.text, if closes { close } else { "" })
}

/// A word in parts that each fit a line: scripts without spaces are one word to the end of the paragraph.
fn cut(word: &str, columns: usize) -> Vec<String> {
    let mut parts = vec![(String::new(), 0)];
    for letter in word.chars() {
        if parts.last().is_none_or(|(_, width)| width + of_letter(letter) > columns) {
            parts.push((String::new(), 0));
        }
        if let Some((part, width)) = parts.last_mut() {
            part.push(letter);
            *width += of_letter(letter);
        }
    }
    parts.into_iter().map(|(part, _)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(pieces: &[(&str, &str)]) -> DiffAnswer {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(change, text)| json!({ "change": change, "one": [0, 0], "other": [0, 0], "text": text }))
            .collect();
        let side = json!({
            "article": "a".repeat(64), "record": "wf-0000000000000001", "path": "a.txt", "item": null,
            "title": "潮見ヶ浦町の岬に立つ古い灯台に".repeat(9), "source": null, "published": null, "words": 10
        });
        serde_json::from_value(json!({
            "one": side, "other": side, "relation": "near", "counts": { "same": 1, "dropped": 2, "added": 3 },
            "by_lines": false, "pieces": pieces
        }))
        .unwrap()
    }

    /// It said that no word was the same, where `explain` showed words of both.
    #[test]
    fn two_tellings_without_a_passage_of_both_are_not_said_to_share_no_word() {
        let none = ChangeCounts { same: 0, dropped: 2, added: 3 };
        let look = Look { columns: 200, paint: Paint(false), side_by_side: false };
        let page = diffed(&DiffAnswer { counts: none, ..answer(&[]) }, look);
        assert!(page.contains("no passage stands in both, of 2 in the one and 3 in the other"), "{page}");
    }

    fn told(pieces: &[(&str, &str)], columns: usize, is_painted: bool, side_by_side: bool) -> String {
        let paint = Paint(is_painted);
        let page = diffed(&answer(pieces), Look { columns, paint, side_by_side });
        page.split_once("\n\n").unwrap().1.to_owned()
    }

    const PIECES: [(&str, &str); 6] = [
        ("same", "One two.\n\nThree"),
        ("dropped", " four"),
        ("added", " fourteen"),
        ("same", ", five\u{1b}[2J."),
        ("added", "\nSix."),
        ("same", "\n\nSeven."),
    ];

    #[test]
    fn what_changed_is_marked_where_there_are_no_colours() {
        assert_eq!(
            told(&PIECES, 80, false, false),
            "... 2 words are the same ...\n\nThree [-four-] {+fourteen+}, five\u{fffd}[2J.\n{+Six.+}\n\n... 1 word is the same ..."
        );
    }

    #[test]
    fn what_changed_is_coloured_where_there_are() {
        let shown = told(&PIECES, 80, true, false);
        for said in ["\u{1b}[31mfour \u{1b}", "\u{1b}[32mfourteen\u{1b}", "\u{1b}[32mSix.\u{1b}"] {
            assert!(shown.contains(said), "{said:?} is not in {shown:?}");
        }
        assert!(!shown.contains("[-") && !shown.contains("\u{1b}[2J"), "{shown:?}");
    }

    #[test]
    fn texts_stand_beside_each_other_on_a_wide_terminal() {
        let shown = told(&PIECES, 43, false, true);
        assert_eq!(shown.lines().nth(2), Some("Three [-four-],      │ Three {+fourteen+},"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let (word, long) = ("潮見ヶ浦町の岬".repeat(40), "word ".repeat(300));
        let pieces =
            [("same", long.as_str()), ("dropped", &word), ("added", &long), ("same", &long), ("added", "x")];
        for (columns, side_by_side) in [(80, false), (160, false), (160, true)] {
            for line in diffed(&answer(&pieces), Look { columns, paint: Paint(false), side_by_side }).lines()
            {
                assert!(wide(line) <= columns, "{} of {columns}: {line}", wide(line));
            }
        }
    }

    #[test]
    fn the_middle_of_what_stayed_in_a_paragraph_is_left_out() {
        let long = (0..60).fold(String::new(), |long, n| format!("{long} w{n}"));
        let shown = told(&[("dropped", "a"), ("same", &long), ("added", " b")], 400, false, false);
        assert!(
            shown.contains("[-a-] w0 ") && shown.contains(" w11 ... w48 ") && shown.ends_with("w59 {+b+}"),
            "{shown}"
        );
    }
}
