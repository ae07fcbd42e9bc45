//! An article to the form that is compared: headline and paragraphs as lines, spelt one way, the site's chrome
//! left out. What is shown to people stays the publisher's text; this form is only ever compared.
//!
//! Pure functions over `model`: no I/O, no runtime. The pipeline calls [`title_of`] for plain texts and then
//! [`normalize`] for every article. Normalizing what is normalized changes nothing.

mod chrome;
mod fold;
mod lexicon;
mod title;
mod unify;

pub use title::title_of;

use crate::model::{Article, Normalized};

/// The form of an article that is compared.
///
/// Lines, the headline first and then one paragraph each, without blank lines and without a line end at the end. In
/// each: NFC; quotes, dashes and spaces in their plain ASCII form, spaces single; ligatures spelt out; invisible and
/// control characters gone, but for the joiners U+200C and U+200D, which spell words in some scripts. Case is kept.
///
/// A headline that is itself chrome (an article titled "Advertisement") is left out like any other such line.
pub fn normalize(article: &Article) -> Normalized {
    let mut text = String::with_capacity(article.text.len() + 256);
    if let Some(title) = &article.title {
        unify::line(title, &mut text);
    }
    let title_bytes = text.len();
    unify::paragraphs(&article.text, &mut text);
    without_chrome(text, title_bytes)
}

/// A word or a line as it is compared: its quotes, dashes and spaces in their plain form, its case kept.
pub fn unified(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    unify::line(text, &mut line);
    line
}

/// Drops the lines that repeat the headline at the top of the body, and then the chrome.
fn without_chrome(text: String, title_bytes: usize) -> Normalized {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut is_whole = true;
    if title_bytes > 0
        && let Some((title, body)) = lines.split_first()
    {
        let repeats = body.iter().take_while(|line| fold::alike(line, title)).count();
        lines.drain(1..=repeats);
        is_whole = repeats == 0;
    }
    let kept = chrome::kept(&lines);
    if is_whole && kept.is_none() {
        return Normalized { text, title_bytes };
    }
    let has_title = title_bytes > 0 && kept.as_ref().is_none_or(|k| k.first() == Some(&0));
    if let Some(kept) = kept {
        lines = kept.into_iter().filter_map(|at| lines.get(at).copied()).collect();
    }
    Normalized { text: lines.join("\n"), title_bytes: if has_title { title_bytes } else { 0 } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn article(title: Option<&str>, text: &str) -> Article {
        Article { title: title.map(str::to_owned), text: text.to_owned(), ..Article::default() }
    }

    fn normal(text: &str) -> String {
        normalize(&article(None, text)).text
    }

    #[test]
    fn the_headline_is_the_first_line_and_stands_once() {
        let body = "“Ferry” late\n\nFerry late!\n\nThe ferry is late today.";
        let normalized = normalize(&article(Some(" ‘Ferry’  late "), body));
        assert_eq!(normalized.text, "'Ferry' late\nThe ferry is late today.");
        assert_eq!(normalized.text.get(..normalized.title_bytes), Some("'Ferry' late"));
        let untitled = normalize(&article(None, body));
        assert_eq!(
            (untitled.text.as_str(), untitled.title_bytes),
            ("\"Ferry\" late\nFerry late!\nThe ferry is late today.", 0)
        );
        let blank = normalize(&article(Some(" "), "One."));
        assert_eq!((blank.text.as_str(), blank.title_bytes), ("One.", 0));
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(normalize(&Article::default()), Normalized::default());
        assert_eq!(normal(" \u{200b}\r\n\u{ad}"), "");
    }

    /// Lines such as pages are made of, so that the rules for chrome meet each other in every order.
    fn page() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("We use cookies to improve your visit.".to_owned()),
            Just("Manage consent preferences".to_owned()),
            Just("Always Active".to_owned()),
            Just("Share this post".to_owned()),
            Just("Read more: Rain stops play".to_owned()),
            Just("Related Posts".to_owned()),
            Just("By Ann Example".to_owned()),
            Just("Home".to_owned()),
            Just("Sport".to_owned()),
            Just("Contact".to_owned()),
            Just("Rain stops play at the pier".to_owned()),
            Just("Rain stops play at the pier Rain stops play at the pier".to_owned()),
            Just("The quick storm that nobody had foreseen took the roofs off...".to_owned()),
            Just("© 2026 Town Post".to_owned()),
            Just("The council met on Tuesday and voted, after a long debate, to mend the old bridge at last.".to_owned()),
            Just("    A paragraph that was begun by four spaces and broken after about\nsixty columns, as the wires used to do it.".to_owned()),
            "[a-z]{1,9}( [a-z]{1,9}){0,20}[.!]?",
            Just(String::new()),
        ];
        proptest::collection::vec(line, 0..24).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn normalizing_twice_is_normalizing_once(title in proptest::option::of(page()), text in page()) {
            let once = normalize(&article(title.as_deref(), &text));
            prop_assert!(once.title_bytes == 0 || once.text.is_char_boundary(once.title_bytes));
            prop_assert_eq!(normal(&once.text), once.text);
        }

        #[test]
        fn so_it_is_on_any_string(title in ".{0,20}", text in any::<String>()) {
            let once = normalize(&article(Some(&title), &text));
            prop_assert_eq!(normal(&once.text), once.text);
        }

        #[test]
        fn so_it_is_where_characters_are_dropped_between_letters_and_marks(
            text in "[aeo \n\u{301}\u{327}\u{ad}\u{200b}\u{200d}\u{2028}\u{a0}\u{1fef}\u{1fee}\u{2019}\u{fb05}\u{85}\r\t-]{0,40}"
        ) {
            let once = normal(&text);
            prop_assert_eq!(normal(&once), once);
        }
    }
}
