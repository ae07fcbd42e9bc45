//! What one text adds to another and what it drops of it, word by word: the contract of `diff`, and the lines of `show`.
//!
//! The texts are the publishers'. Words and signs are compared as they are written, but for what only typography tells
//! apart: the form of quotes, dashes and spaces, and where lines break.

use super::{Found, Library, QueryError, SideAnswer, weigh::Known};
use crate::{
    fingerprint::words_in,
    model::{ArticleNo, Relation},
    normalize::unified,
};
use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::{collections::HashMap, ops::Range};

/// Two texts with more bytes than this together are compared line by line. The histogram algorithm takes half a
/// millisecond for a thousand words and some seconds for a few hundred thousand, which are these bytes.
const BY_WORDS_BYTES_MAX: usize = 1 << 20;
/// Of what is added or dropped, the beginning of the longest stretch is told, in so many characters.
const SAMPLE_CHARS: usize = 200;
/// Of several variants that may be meant, this many are named.
const NAMED_MAX: usize = 8;

/// The answer to `diff`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffAnswer {
    /// What it is held against: the first id, or the canonical article.
    pub one: SideAnswer,
    /// What is held against it: the second id, or the variant.
    pub other: SideAnswer,
    /// How the other stands to the one, where it was matched with it.
    pub relation: Option<Relation>,
    /// How much changed.
    pub counts: ChangeCounts,
    /// Whether the texts are so long that whole lines were compared.
    pub by_lines: bool,
    /// Both texts from beginning to end.
    pub pieces: Vec<PieceAnswer>,
}

/// How many words stand in passages that two texts share, and how many beside these. What is the same between two greater changes
/// is part of them, so two tellings of one story may share none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCounts {
    /// Words of passages of both.
    pub same: usize,
    /// Words that the one has beside these.
    pub dropped: usize,
    /// Words that the other has beside these.
    pub added: usize,
}

/// A stretch of one text or of both. The stretches of a text follow each other without a gap, spaces included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceAnswer {
    /// Which text has it.
    pub change: Change,
    /// Where it stands in the one: the first byte and the one after the last.
    pub one: [usize; 2],
    /// Where it stands in the other.
    pub other: [usize; 2],
    /// It, as the one has it; as the other, where only that has it.
    pub text: String,
}

/// Which of two texts has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Both.
    Same,
    /// Only the one.
    Dropped,
    /// Only the other.
    Added,
}

/// What a variant adds to its record's canonical article, and what it drops of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesAnswer {
    /// How much.
    pub counts: ChangeCounts,
    /// The longest stretch that it adds, or the beginning of that; empty where it adds nothing.
    pub adds: String,
    /// The longest stretch that it drops.
    pub drops: String,
}

impl Library<'_> {
    /// What the second adds to the first, and what it drops of it; with one id, a variant against its canonical article.
    ///
    /// # Errors
    /// When an id means nothing, or more than one thing, or both mean the same; when one id leaves open which variant
    /// is meant; when the view or the journal cannot be read.
    pub fn diff(&self, id: &str, other: Option<&str>) -> Result<DiffAnswer, QueryError> {
        let found = self.find(id)?;
        let (one, other) = match other {
            Some(other) => (self.article_of(found)?, self.article_of(self.find(other)?)?),
            None => self.canonical_and_variant(found, id)?,
        };
        if one == other {
            return Err(QueryError::Same { id: id.to_owned() });
        }
        let (one, other) = (self.known(one)?, self.known(other)?);
        let (pieces, by_lines) = pieces(&one.event.text, &other.event.text);
        Ok(DiffAnswer {
            relation: relation(&one, &other),
            one: one.side(),
            other: other.side(),
            counts: counts(&pieces),
            by_lines,
            pieces,
        })
    }

    /// The article that is meant, or the canonical one of the record that is meant.
    fn article_of(&self, found: Found) -> Result<ArticleNo, QueryError> {
        match found {
            Found::Article(no) => Ok(no),
            Found::Record(founder) => Ok(self.view.record(founder)?.map_or(founder, |r| r.canonical)),
        }
    }

    /// The canonical article of the record that is meant, and the variant that is meant, or the only one.
    fn canonical_and_variant(&self, found: Found, id: &str) -> Result<(ArticleNo, ArticleNo), QueryError> {
        let founder = self.founder_of(found)?;
        let canonical = self.article_of(Found::Record(founder))?;
        if let Found::Article(no) = found
            && no != canonical
        {
            return Ok((canonical, no));
        }
        let variants: Vec<_> =
            self.view.members(founder)?.into_iter().filter(|no| *no != canonical).collect();
        match variants.as_slice() {
            [] => Err(QueryError::NoVariant { id: id.to_owned() }),
            [one] => Ok((canonical, *one)),
            several => {
                let named = several.iter().take(NAMED_MAX).map(|no| self.told(*no, None));
                let mut candidates = named.collect::<Result<Vec<_>, _>>()?;
                if several.len() > NAMED_MAX {
                    candidates.push("and more".to_owned());
                }
                Err(QueryError::Variants { id: id.to_owned(), candidates })
            }
        }
    }
}

/// How the other stands to the one, where one of them was matched with the other.
fn relation(one: &Known, other: &Known) -> Option<Relation> {
    if other.row.matched == Some(one.row.id) {
        return other.row.relation;
    }
    one.row.relation.filter(|_| one.row.matched == Some(other.row.id)).map(Relation::turned)
}

/// What the other text adds and drops.
pub(super) fn changes(one: &str, other: &str) -> ChangesAnswer {
    let (pieces, _) = pieces(one, other);
    let longest = |change| {
        let of_it = pieces.iter().filter(|piece| piece.change == change);
        // The first of the longest.
        let longest = of_it.rev().max_by_key(|piece| words(&piece.text));
        longest.map_or_else(String::new, |piece| piece.text.trim().chars().take(SAMPLE_CHARS).collect())
    };
    ChangesAnswer { counts: counts(&pieces), adds: longest(Change::Added), drops: longest(Change::Dropped) }
}

fn counts(pieces: &[PieceAnswer]) -> ChangeCounts {
    let of = |change| pieces.iter().filter(|p| p.change == change).map(|p| words(&p.text)).sum();
    ChangeCounts { same: of(Change::Same), dropped: of(Change::Dropped), added: of(Change::Added) }
}

fn words(text: &str) -> usize {
    words_in(text).count()
}

/// Both texts in stretches, and whether they are of whole lines.
fn pieces(one: &str, other: &str) -> (Vec<PieceAnswer>, bool) {
    let by_lines = one.len() + other.len() > BY_WORDS_BYTES_MAX;
    let cut = if by_lines { lines } else { signs };
    let (here, there) = (cut(one), cut(other));
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut numbered = |tokens: &[Range<usize>], text: &str| -> Vec<usize> {
        let key = |token: &Range<usize>| unified(text.get(token.clone()).unwrap_or_default());
        let keys = tokens.iter().map(key);
        keys.map(|key| {
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect()
    };
    let (ones, others) = (numbered(&here, one), numbered(&there, other));
    // It holds on to what is rare, so that two texts about different things are not sewn together by their articles and
    // prepositions; and it is bounded, where the shortest script is quadratic.
    let stretches = told_apart(capture_diff_slices(Algorithm::Histogram, &ones, &others));
    let mut pieces = Pieces { one, other, ends: [0, 0], made: Vec::new() };
    let last = stretches.len().saturating_sub(1);
    for (at, stretch) in stretches.into_iter().enumerate() {
        let end = |tokens: &[Range<usize>], of: &Range<usize>, before: usize, all: usize| match at == last {
            true => all,
            false if of.is_empty() => before,
            false => tokens.get(of.end - 1).map_or(before, |token| token.end),
        };
        let [in_one, in_other] = pieces.ends;
        let ends =
            [end(&here, &stretch.one, in_one, one.len()), end(&there, &stretch.other, in_other, other.len())];
        pieces.push(stretch.is_same, ends);
    }
    (pieces.made, by_lines)
}

/// A run of tokens of both texts that are the same, or are not.
struct Stretch {
    is_same: bool,
    one: Range<usize>,
    other: Range<usize>,
}

impl Stretch {
    fn len(&self) -> usize {
        self.one.len().max(self.other.len())
    }

    fn join(&mut self, next: &Self) {
        self.one.end = next.one.end;
        self.other.end = next.other.end;
    }
}

/// Stretches by turns the same and changed. What is the same and no longer than the changes on both its sides tells
/// nothing and is part of the change, as Neil Fraser's diff-match-patch has it ("semantic cleanup").
fn told_apart(ops: Vec<DiffOp>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for op in ops {
        let is_same = matches!(op, DiffOp::Equal { .. });
        let next = Stretch { is_same, one: op.old_range(), other: op.new_range() };
        match stretches.last_mut() {
            Some(last) if last.is_same == is_same => last.join(&next),
            _ => stretches.push(next),
        }
        while let [.., before, same, after] = stretches.as_mut_slice()
            && same.is_same
            && same.len() <= before.len().min(after.len())
        {
            before.join(after);
            stretches.truncate(stretches.len() - 2);
        }
    }
    stretches
}

/// The pieces as they are made, from beginning to end.
struct Pieces<'t> {
    one: &'t str,
    other: &'t str,
    ends: [usize; 2],
    made: Vec<PieceAnswer>,
}

impl Pieces<'_> {
    /// What stands between the last piece and these bytes; what was dropped comes before what was added.
    fn push(&mut self, is_same: bool, [one, other]: [usize; 2]) {
        let [from_one, from_other] = self.ends;
        if is_same {
            self.piece(Change::Same, [from_one, one], [from_other, other]);
        } else {
            self.piece(Change::Dropped, [from_one, one], [from_other, from_other]);
            self.piece(Change::Added, [one, one], [from_other, other]);
        }
        self.ends = [one, other];
    }

    fn piece(&mut self, change: Change, one: [usize; 2], other: [usize; 2]) {
        let (text, [start, end]) =
            if change == Change::Added { (self.other, other) } else { (self.one, one) };
        if start < end {
            let text = text.get(start..end).unwrap_or_default().to_owned();
            self.made.push(PieceAnswer { change, one, other, text });
        }
    }
}

/// The words of a text, and every sign between them that is no space, each for itself.
fn signs(text: &str) -> Vec<Range<usize>> {
    let (mut signs, mut end) = (Vec::new(), 0);
    let words = words_in(text).map(|(range, _)| range);
    for word in words.chain(std::iter::once(text.len()..text.len())) {
        let between = text.get(end..word.start).unwrap_or_default();
        let between = between.char_indices().filter(|(_, c)| !c.is_whitespace() && !c.is_control());
        signs.extend(between.map(|(at, c)| end + at..end + at + c.len_utf8()));
        end = word.end;
        signs.extend((!word.is_empty()).then_some(word));
    }
    signs
}

/// The lines of a text that are not blank.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut end = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        end += line.len();
        end - line.len()..end
    });
    lines.filter(|line| !text.get(line.clone()).unwrap_or_default().trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(one: &str, other: &str) -> String {
        let marked = |piece: &PieceAnswer| match piece.change {
            Change::Same => piece.text.clone(),
            Change::Dropped => format!("[-{}-]", piece.text),
            Change::Added => format!("{{+{}+}}", piece.text),
        };
        pieces(one, other).0.iter().map(marked).collect()
    }

    #[test]
    fn words_and_signs_are_compared_each_for_itself() {
        assert_eq!(
            told("The ferry ran aground off Sud Harbour.", "The ferry ran aground at Sud Harbour!"),
            "The ferry ran aground[- off-]{+ at+} Sud Harbour[-.-]{+!+}"
        );
        assert_eq!(told("", "New."), "{+New.+}");
        assert_eq!(told("Gone.", ""), "[-Gone.-]");
        assert_eq!(told("", ""), "");
    }

    #[test]
    fn typography_and_line_breaks_are_no_change() {
        let (one, other) =
            ("\"Su\u{308}d\" -\nan\u{a0}end.\n", "\u{201c}S\u{fc}d\u{201d} \u{2013} an\n\nend.");
        assert_eq!(told(one, other), one);
        assert_eq!(told("Fire guts it", "FIRE guts it"), "[-Fire-]{+FIRE+} guts it");
    }

    #[test]
    fn what_stays_between_two_greater_changes_is_part_of_them() {
        let (one, other) = ("a b c d the e f g h", "p q r s the t u v w");
        assert_eq!(told(one, other), format!("[-{one}-]{{+{other}+}}"));
    }

    #[test]
    fn the_longest_stretches_are_told_with_the_counts() {
        let changes = changes(
            "One two three four five six seven eight.",
            "Zero. One two three four, it is said, five six eight.",
        );
        let counts = changes.counts;
        assert_eq!((counts.same, counts.dropped, counts.added), (7, 1, 4));
        assert_eq!((changes.adds.as_str(), changes.drops.as_str()), (", it is said,", "seven"));
    }

    #[test]
    fn texts_that_are_very_long_are_compared_by_lines() {
        let line = "so many words stand in this line\n";
        let one = line.repeat(1 + BY_WORDS_BYTES_MAX / line.len());
        let other = format!("{one}and one more\n");
        let (pieces, by_lines) = pieces(&one, &other);
        assert!(by_lines);
        assert_eq!(pieces.iter().map(|p| p.change).collect::<Vec<_>>(), [Change::Same, Change::Added]);
        assert_eq!(pieces[1].text, "and one more\n");
    }

    proptest! {
        /// Each text can be put together again from its stretches.
        #[test]
        fn the_pieces_are_the_texts(one in "[a-c\u{fc}潮 .\u{2019}\n]{0,60}", other in "[a-c\u{fc}潮 .'\n]{0,60}") {
            let (pieces, _) = pieces(&one, &other);
            let mut ends = [0, 0];
            for piece in &pieces {
                prop_assert_eq!([piece.one[0], piece.other[0]], ends);
                ends = [piece.one[1], piece.other[1]];
                let is_added = piece.change == Change::Added;
                let (text, [start, end]) = if is_added { (&other, piece.other) } else { (&one, piece.one) };
                prop_assert_eq!(text.get(start..end), Some(piece.text.as_str()));
                prop_assert_eq!(piece.change == Change::Added, piece.one[0] == ends[0]);
                prop_assert!(piece.change != Change::Dropped || piece.other[0] == ends[1]);
            }
            prop_assert!(pieces.is_empty() || ends == [one.len(), other.len()]);
        }
    }
}
