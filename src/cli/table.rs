//! Tables that fit the terminal: columns as wide as what stands in them, but for the last, which gets what is left.
//!
//! A cell is one line that steers no terminal; who fills a table sees to that.

use super::page::{Page, of_letter, wide};
use std::ops::Range;

/// Blanks around a cell: one on either side.
pub(super) const PADDING: usize = 2;
/// Where the last column would get less than this, columns that can be spared are left out.
const LAST_MIN: usize = 18;

/// Where a last column that goes on under itself would get less than this, it stands below the others: no six words fit.
const FOLDED_MIN: usize = 32;
/// Where it begins then.
const INDENT_BELOW: usize = 4;

/// Rows under a head.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The columns of figures, which end under each other.
    figures: Range<usize>,
    /// Columns that a narrow terminal can do without, the first to go first.
    spare: &'static [usize],
}

impl Table {
    /// An empty one.
    pub fn new<'h>(head: impl IntoIterator<Item = &'h str>) -> Self {
        let head = head.into_iter().map(str::to_owned).collect();
        Self { head, rows: Vec::new(), figures: 0..0, spare: &[] }
    }

    /// The same with these columns aligned to the right.
    pub fn with_figures(self, figures: Range<usize>) -> Self {
        Self { figures, ..self }
    }

    /// The same where a narrow terminal can do without these columns, the first of them first.
    pub fn sparing(self, spare: &'static [usize]) -> Self {
        Self { spare, ..self }
    }

    pub fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The heads of the columns that are left out where the terminal is so narrow.
    pub fn left_out(&self, columns: usize) -> Vec<&str> {
        let left_out = self.widths(columns).0.into_iter().zip(&self.head);
        left_out.filter(|(width, _)| width.is_none()).map(|(_, head)| head.as_str()).collect()
    }

    /// A row a line, the last column cut at the edge. The first line is the head.
    pub fn cut(&self, columns: usize) -> Vec<String> {
        self.laid_out(columns, |lines, line, last, room| {
            lines.push(format!("{line}{}", fitting(last, room)).trim_end().to_owned());
        })
    }

    /// The same where the last column goes on under itself, as it does anew from each of its line ends on. Where there is little
    /// room for it, it begins on a line of its own.
    pub fn folded(&self, columns: usize) -> Vec<String> {
        self.laid_out(columns, |lines, mut line, last, room| {
            let mut indent = wide(&line);
            if room < FOLDED_MIN {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                indent = INDENT_BELOW;
            }
            let mut page = Page::new(columns);
            for text in last.split('\n') {
                page.wrapped(&std::mem::take(&mut line), text, indent);
            }
            lines.append(&mut page.lines);
        })
    }

    /// Every row by what stands before its last cell, that cell, and the room for it.
    fn laid_out(
        &self,
        columns: usize,
        mut row: impl FnMut(&mut Vec<String>, String, &str, usize),
    ) -> Vec<String> {
        let last = self.head.len().saturating_sub(1);
        let (widths, room) = self.widths(columns);
        let figures_width = if self.figures.contains(&last) { self.width_of(last) } else { 0 };
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        for cells in std::iter::once(&self.head).chain(&self.rows) {
            let mut line = String::with_capacity(columns);
            for (at, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let Some(width) = width else { continue };
                let blanks = " ".repeat(width.saturating_sub(wide(cell)));
                let (before, after) =
                    if self.figures.contains(&at) { (&*blanks, "") } else { ("", &*blanks) };
                line.extend([" ", before, cell, after, " "]);
            }
            line.push(' ');
            let cell = cells.get(last).map_or("", String::as_str);
            line.push_str(&" ".repeat(figures_width.saturating_sub(wide(cell))));
            row(&mut lines, line, cell, room);
        }
        lines
    }

    /// How wide each column but the last is, nothing for those that are left out, and the room for the last.
    fn widths(&self, columns: usize) -> (Vec<Option<usize>>, usize) {
        let last = self.head.len().saturating_sub(1);
        let mut widths: Vec<Option<usize>> = (0..last).map(|at| Some(self.width_of(at))).collect();
        let room = |widths: &[Option<usize>]| {
            let taken: usize = widths.iter().flatten().map(|width| width + PADDING).sum();
            columns.saturating_sub(taken + PADDING)
        };
        for at in self.spare {
            if room(&widths) < LAST_MIN
                && let Some(width) = widths.get_mut(*at)
            {
                *width = None;
            }
        }
        let room = room(&widths);
        (widths, room)
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.head).chain(&self.rows).filter_map(|row| row.get(column));
        cells.map(|cell| wide(cell)).max().unwrap_or_default()
    }
}

/// A text of at most so many columns, with a mark where its end is cut off.
fn fitting(text: &str, room: usize) -> String {
    if wide(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let fits = |letter: &char| {
        let rest = left.checked_sub(of_letter(*letter));
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let begin: String = text.chars().take_while(fits).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Table {
        let mut table = Table::new(["RECORD", "SEEN", "ART", "TITLE"]).with_figures(2..3).sparing(&[2, 1]);
        table.add(["wf-136b", "2026-11-22", "3", "Stone and Lane to speak about the dam"].map(str::to_owned));
        table.add(
            ["wf-8052", "2026-11-22", "12", "水门外的守卫被告知在周末之前离开他们的岗位"].map(str::to_owned),
        );
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_cells_and_the_last_gets_the_rest() {
        let lines = records().cut(60);
        assert_eq!(lines[0], " RECORD   SEEN        ART  TITLE");
        assert_eq!(lines[1], " wf-136b  2026-11-22    3  Stone and Lane to speak about t…");
        assert_eq!(lines[2], " wf-8052  2026-11-22   12  水门外的守卫被告知在周末之前离…");
    }

    #[test]
    fn a_narrow_terminal_does_without_what_can_be_spared() {
        for (columns, head) in [(60, 4), (44, 3), (36, 2), (30, 2), (12, 2)] {
            let lines = records().cut(columns);
            assert_eq!(lines[0].split_whitespace().count(), head, "{columns}: {}", lines[0]);
            assert_eq!(records().left_out(columns).len(), 4 - head);
            assert!(columns < 12 || lines.iter().all(|line| wide(line) <= columns), "{columns}: {lines:#?}");
        }
    }

    #[test]
    fn what_is_long_goes_on_under_itself() {
        let mut table = Table::new(["NAME", "WHAT"]);
        table.add([
            "one".to_owned(),
            "some words that take two lines and more\nand one of its own".to_owned(),
        ]);
        let lines = table.folded(48);
        assert_eq!(
            lines[1..],
            [" one   some words that take two lines and more", "       and one of its own"]
        );
        // A column of names left it a third of the line, and a word or two on each.
        table
            .add(["a name that takes its room".to_owned(), "some words that take more than that".to_owned()]);
        let lines = table.folded(50);
        assert_eq!(
            lines[lines.len() - 2..],
            [" a name that takes its room", "    some words that take more than that"]
        );
    }
}
