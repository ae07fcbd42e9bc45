//! Words of the scripts that are written without spaces: Han and kana, Thai, Lao, Burmese, Khmer. A run of such
//! letters is cut up by a library; what stands beside them in one run (figures, Latin letters) is cut off.
//!
//! Integers alone decide where: the library's dictionaries rather than its neural models, so that every machine cuts
//! alike.

use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed, options::WordBreakInvariantOptions};

/// Cuts runs of letters into words.
pub(super) struct Segments(WordSegmenterBorrowed<'static>);

impl Segments {
    /// The dictionaries are part of the program; nothing is read.
    pub fn new() -> Self {
        Self(WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()))
    }

    /// Whether a run holds a letter of these scripts.
    pub fn are_in(run: &str) -> bool {
        !run.is_ascii() && run.contains(is_spaceless)
    }

    /// The words of one run.
    pub fn of<'t>(&self, run: &'t str) -> Vec<&'t str> {
        let mut words = Vec::new();
        for piece in pieces(run) {
            if piece.starts_with(is_spaceless) {
                let ends: Vec<usize> = self.0.segment_str(piece).collect();
                words.extend(ends.windows(2).filter_map(|ends| match ends {
                    [from, to] => piece.get(*from..*to),
                    _ => None,
                }));
            } else {
                words.push(piece);
            }
        }
        words
    }
}

/// The pieces of a run that are wholly of these scripts, or wholly of others.
fn pieces(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let is_first = is_spaceless(rest.chars().next()?);
        let end = rest.find(|c| is_spaceless(c) != is_first).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
}

/// Whether a letter or mark is of a script that is written without spaces.
fn is_spaceless(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}' // Burmese
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' // kana
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' // Han
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(run: &str) -> Vec<&str> {
        if Segments::are_in(run) { Segments::new().of(run) } else { vec![run] }
    }

    #[test]
    fn what_stands_beside_a_spaceless_script_is_cut_off() {
        assert_eq!(cut("约40人在港口仓库"), ["约", "40", "人", "在", "港口", "仓库"]);
        assert_eq!(cut("港のBBC放送"), ["港", "の", "BBC", "放送"]);
        assert_eq!(cut("Straße"), ["Straße"]);
        assert_eq!(cut("नेपालको"), ["नेपालको"], "a script with spaces is not cut");
    }

    #[test]
    fn nothing_of_a_run_is_lost() {
        for run in [
            "เจ้าหน้าที่ดับเพลิง",
            "ເຈົ້າໜ້າທີ່ດັບເພີງ",
            "អ្នកពន្លត់អគ្គិភ័យ",
            "မီးသတ်သမားများသည်",
            "港の倉庫で火災",
            "消防员花了六个小时",
        ] {
            let words = cut(run);
            assert!(words.len() > 1, "{words:?}");
            assert_eq!(words.concat(), run);
        }
    }
}
