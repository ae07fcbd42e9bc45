//! The headline of a plain text. Called by the pipeline before an article is normalized.

use super::{chrome, unify};

/// A first line longer than this is a paragraph.
const TITLE_CHARS_MAX: usize = 199;

/// The title of a plain text, in its publisher's spelling: the first line that is not site chrome, where that is under
/// 200 characters and a blank line follows.
pub fn title_of(text: &str) -> Option<String> {
    let mut raw: Vec<&str> = Vec::new();
    let mut is_set_off: Vec<bool> = Vec::new();
    let mut spelt = String::with_capacity(text.len());
    let mut is_after_blank = false;
    for line in unify::raw_lines(text) {
        if unify::line(line, &mut spelt) {
            if let Some(before) = is_set_off.last_mut() {
                *before = is_after_blank;
            }
            raw.push(line);
            is_set_off.push(false);
            is_after_blank = false;
        } else {
            is_after_blank = true;
        }
    }
    let lines: Vec<&str> = spelt.lines().collect();
    let first = chrome::kept(&lines).map_or(Some(0), |kept| kept.first().copied())?;
    let line = raw.get(first)?.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let is_title = *is_set_off.get(first)? && line.chars().count() <= TITLE_CHARS_MAX;
    is_title.then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> Option<String> {
        title_of(text)
    }

    #[test]
    fn a_first_line_set_off_is_the_title_as_it_was_spelt() {
        assert_eq!(
            title("\u{feff}  ‘Ferry’ – late \r\n \r\nThe ferry is late.").as_deref(),
            Some("‘Ferry’ – late")
        );
        assert_eq!(title("\n\nFerry late\n\nThe ferry is late.\n").as_deref(), Some("Ferry late"));
    }

    #[test]
    fn a_paragraph_is_no_title() {
        assert_eq!(title("Ferry late\nThe ferry is late.\n\nMore soon."), None);
        assert_eq!(title("Ferry late\n\n"), None);
        assert_eq!(title(&format!("{}\n\nMore soon.", "long ".repeat(41))), None);
        assert_eq!(title(""), None);
    }

    #[test]
    fn chrome_is_no_title() {
        let story =
            "The council met on Tuesday and voted, after a long debate, to mend the old bridge at last. "
                .repeat(5);
        let page = format!(
            "Your privacy\n\nWe use cookies to make this site work.\n\nAlways Active\n\nShare this post\n\n\
             Bridge to be mended\n\n{story}"
        );
        assert_eq!(title(&page).as_deref(), Some("Bridge to be mended"));
    }
}
