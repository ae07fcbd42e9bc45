//! The words by which a site speaks of itself and not of the news. They stand in `lexicon.txt`, by language; `chrome`
//! asks about them. It knows no lines but the one in hand, and decides nothing.

use std::sync::LazyLock;

/// The phrases, each list sorted, so that they are found by bisection.
#[derive(Debug, Default)]
struct Lexicon {
    whole: Vec<&'static str>,
    label: Vec<&'static str>,
    before_colon: Vec<&'static str>,
    plea: Vec<&'static str>,
    related: Vec<&'static str>,
    related_to: Vec<&'static str>,
    menu: Vec<&'static str>,
    our_cookies: Vec<&'static str>,
    consent_word: Vec<&'static str>,
    consent_button: Vec<&'static str>,
    reporting: Vec<&'static str>,
    rights_reserved: Vec<&'static str>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(include_str!("lexicon.txt")));

impl Lexicon {
    fn read(text: &'static str) -> Self {
        let mut lexicon = Self::default();
        let mut heading = "";
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                heading = name;
            } else if let (Some(list), Some((_, phrases))) = (lexicon.list(heading), line.split_once(": ")) {
                list.extend(phrases.split(", "));
                list.sort_unstable();
            }
        }
        lexicon
    }

    fn list(&mut self, heading: &str) -> Option<&mut Vec<&'static str>> {
        Some(match heading {
            "whole" => &mut self.whole,
            "label" => &mut self.label,
            "before colon" => &mut self.before_colon,
            "plea" => &mut self.plea,
            "related" => &mut self.related,
            "related to" => &mut self.related_to,
            "menu" => &mut self.menu,
            "our cookies" => &mut self.our_cookies,
            "consent word" => &mut self.consent_word,
            "consent button" => &mut self.consent_button,
            "reporting" => &mut self.reporting,
            "rights reserved" => &mut self.rights_reserved,
            _ => return None,
        })
    }
}

/// No phrase is longer, and most lines are.
const PHRASE_BYTES_MAX: usize = 40;
/// A longer line is no paragraph of a banner: they are written to be read in passing.
const CONSENT_WORDS_MAX: usize = 150;

/// What a line of the page is to the page, judged by its words alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    /// The line as `fold` gives it.
    pub(super) folded: &'a str,
    /// How many words it has.
    pub(super) count: usize,
    /// Whether it ends as a sentence does.
    pub(super) is_sentence: bool,
    /// Whether it has a colon.
    pub(super) has_colon: bool,
}

impl Words<'_> {
    /// Whether the line asks the reader to share, follow, subscribe, comment or read something else.
    pub(super) fn is_request(&self) -> bool {
        is_in(&LEXICON.whole, self.without_count())
            || self.count <= 12 && !self.is_sentence && begins(&LEXICON.label, self.folded)
            || self.count <= 20 && self.has_colon && begins(&LEXICON.before_colon, self.folded)
            || self.count <= 40 && begins(&LEXICON.plea, self.folded)
    }

    /// Whether the line heads a block that leads elsewhere.
    pub(super) fn is_related_heading(&self) -> bool {
        is_in(&LEXICON.related, self.folded)
            || self.count <= 6 && !self.is_sentence && begins(&LEXICON.related_to, self.folded)
    }

    /// Whether the line is an entry of a menu.
    pub(super) fn is_menu_entry(&self) -> bool {
        is_in(&LEXICON.menu, self.folded)
    }

    /// Whether the line could stand in a consent banner.
    pub(super) fn may_be_of_consent(&self) -> bool {
        if self.count > CONSENT_WORDS_MAX || self.folded.split(' ').any(|w| is_in(&LEXICON.reporting, w)) {
            return false;
        }
        self.is_of_consent()
            || self.folded.split(' ').filter(|w| is_in(&LEXICON.consent_word, w)).count() >= 3
    }

    /// Whether a line that could stand in a banner surely does.
    pub(super) fn is_of_consent(&self) -> bool {
        let is_named = |w: &str| matches!(w, "cookie" | "cookies" | "consent" | "privacy" | "gdpr");
        is_in(&LEXICON.consent_button, self.folded) || self.folded.split(' ').any(is_named)
    }

    /// Whether here the site speaks of its own cookies.
    pub(super) fn is_our_cookies(&self) -> bool {
        LEXICON.our_cookies.iter().any(|phrase| self.folded.contains(*phrase))
    }

    /// Whether the line claims a copyright. `text` is the line itself.
    pub(super) fn is_copyright(&self, text: &str) -> bool {
        let is_year = |w: &str| {
            w.len() == 4
                && (w.starts_with("19") || w.starts_with("20"))
                && w.bytes().all(|b| b.is_ascii_digit())
        };
        let reserves = || LEXICON.rights_reserved.iter().any(|phrase| self.folded.contains(*phrase));
        let mut words = self.folded.split(' ');
        let claims = match words.next() {
            _ if text.starts_with('©') => true,
            Some("copyright") => words.take(3).any(is_year) || text.contains('©'),
            Some("c") => text.starts_with("(c)") && words.take(2).any(is_year),
            _ => self.count <= 15 && reserves(),
        };
        claims && self.count <= 60
    }

    /// "12 comments" is "comments".
    fn without_count(&self) -> &str {
        self.folded.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start()
    }
}

/// Whether a page of these folded lines could have a consent banner at all; most have not, and need not be asked again.
pub(super) fn may_hold_banner(folded: &str) -> bool {
    ["cookie", "consent", "we and our partners"].iter().any(|stem| folded.contains(stem))
}

fn is_in(phrases: &[&str], phrase: &str) -> bool {
    phrase.len() <= PHRASE_BYTES_MAX && phrases.binary_search(&phrase).is_ok()
}

/// Whether a line begins with one of these phrases, at the end of a word. Few lines share so much as the first word
/// with any of them, and the list is sorted, so that one bisection is the end of it.
fn begins(phrases: &[&str], folded: &str) -> bool {
    let first = folded.split(' ').next().unwrap_or_default();
    let at = phrases.partition_point(|phrase| *phrase < first);
    let candidates = phrases.iter().skip(at).take_while(|phrase| phrase.starts_with(first));
    candidates.into_iter().any(|phrase| {
        folded.strip_prefix(phrase).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    fn every_list_is_read_and_folded() {
        let text = include_str!("lexicon.txt");
        let mut lexicon = Lexicon::read(text);
        let headings: Vec<_> = text.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
        assert_eq!(headings.len(), 12);
        for heading in headings {
            let list = lexicon.list(heading).expect(heading);
            assert!(!list.is_empty() && list.is_sorted(), "{heading}");
            for phrase in list {
                let mut folded = String::new();
                fold(phrase, &mut folded);
                assert_eq!(folded, *phrase);
                assert!(phrase.len() <= PHRASE_BYTES_MAX, "{phrase}");
            }
        }
        for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with(['#', '['])) {
            assert!(line.split_once(": ").is_some_and(|(language, _)| language.len() == 2), "{line}");
        }
        assert!(LEXICON.our_cookies.iter().all(|phrase| may_hold_banner(phrase)));
    }
}
