//! What a page carries around its article: consent banners, menus, requests to share or subscribe, blocks that lead
//! elsewhere, repeated headlines. `normalize` and `title` ask which lines remain without it.
//!
//! The rules are about form and about a small lexicon; none knows a site. They look at a line, its neighbours and
//! its place, and must not eat an article: where little would remain, all is kept.

use super::{
    fold::fold,
    lexicon::{self, Words},
    unify::ends_sentence,
};
use std::collections::HashSet;

/// The rules run until they find nothing more, since what one takes away lets another see the top of the article.
/// Of 6,000 articles and 89 whole pages none took more than three passes. What does not settle is kept whole.
const PASSES_MAX: usize = 8;
/// Where fewer words than this would remain, and fewer than [`KEPT_PERCENT_MIN`] of them, all is kept.
const KEPT_WORDS_MIN: usize = 60;
const KEPT_PERCENT_MIN: usize = 40;
/// A shorter line may well be said twice; "Yes." is.
const REPEATED_WORDS_MIN: usize = 3;
/// Scripts that do not part words have long lines of one word.
const REPEATED_BYTES_MIN: usize = 30;
/// A banner of more words than this is an article about cookies. The one measured has 150; lists of vendors run longer.
const BANNER_WORDS_MAX: usize = 500;
/// The fewest lines of a menu; three short lines may be a poem or a result.
const MENU_LINES_MIN: usize = 4;
/// A menu's entries are this short.
const MENU_WORDS_MAX: usize = 3;
/// A teaser is this short, and a sentence that is this long is prose; in bytes for scripts that do not part words.
const TEASER_WORDS_MAX: usize = 40;
const TEASER_BYTES_MAX: usize = 400;
const PROSE_WORDS_MIN: usize = 12;
const PROSE_BYTES_MIN: usize = 120;
/// Where below the headline a byline is looked for.
const BYLINE_LINES: usize = 3;

/// The places of the lines that are not chrome, or nothing where every line stays.
pub(super) fn kept(lines: &[&str]) -> Option<Vec<usize>> {
    let mut folded = String::with_capacity(lines.iter().map(|l| l.len()).sum());
    let mut ends = Vec::with_capacity(lines.len());
    for line in lines {
        fold(line, &mut folded);
        ends.push(folded.len());
    }
    let mut page: Vec<Line> = Vec::with_capacity(lines.len());
    let mut start = 0;
    for (at, (text, end)) in lines.iter().zip(ends).enumerate() {
        page.push(Line::new(at, text, folded.get(start..end).unwrap_or_default()));
        start = end;
    }
    let words_before = words(&page);
    let may_have_banner = lexicon::may_hold_banner(&folded);
    for _ in 0..PASSES_MAX {
        let dropped = pass(&page, may_have_banner);
        if !dropped.contains(&true) {
            let words_after = words(&page);
            let is_gutted =
                words_after < KEPT_WORDS_MIN && words_after * 100 < words_before * KEPT_PERCENT_MIN;
            return (page.len() < lines.len() && !is_gutted).then(|| page.iter().map(|l| l.at).collect());
        }
        let mut is_dropped = dropped.into_iter();
        page.retain(|_| !is_dropped.next().unwrap_or(false));
    }
    None
}

/// One line of the page.
#[derive(Clone, Copy)]
struct Line<'a> {
    at: usize,
    text: &'a str,
    words: Words<'a>,
}

impl<'a> Line<'a> {
    fn new(at: usize, text: &'a str, folded: &'a str) -> Self {
        let count = if folded.is_empty() { 0 } else { 1 + folded.bytes().filter(|b| *b == b' ').count() };
        let words = Words { folded, count, is_sentence: ends_sentence(text), has_colon: text.contains(':') };
        Self { at, text, words }
    }

    /// Cut short, as teasers are.
    fn trails_off(&self) -> bool {
        self.text.ends_with("...") || self.text.ends_with(['…', ']'])
    }

    /// A sentence such as articles are made of.
    fn is_prose(&self) -> bool {
        let is_long_enough = self.words.count >= PROSE_WORDS_MIN || self.text.len() >= PROSE_BYTES_MIN;
        is_long_enough && self.words.is_sentence && !self.trails_off()
    }

    /// More than any teaser has.
    fn is_paragraph(&self) -> bool {
        let is_long = self.words.count > TEASER_WORDS_MAX || self.text.len() > TEASER_BYTES_MAX;
        is_long && !self.trails_off()
    }

    /// "By" and a name. Headlines begin with "By" too, but seldom go on in capitals only.
    fn is_byline(&self) -> bool {
        let mut words = self.text.split(' ');
        let opens = matches!(words.next(), Some("By" | "BY" | "by" | "Von" | "Par" | "Por" | "Di" | "Door"));
        let is_name = |w: &str| {
            w.starts_with(char::is_uppercase)
                || matches!(w, "and" | "und" | "et" | "y" | "e" | "en" | "de" | "van" | "von" | "&" | "|")
        };
        opens && (2..=8).contains(&self.words.count) && !self.text.ends_with(['!', '?']) && words.all(is_name)
    }

    /// A menu that stands on one line, its entries parted by bars, dots or arrows.
    fn is_menu_in_line(&self) -> bool {
        // The bytes are asked first, since hardly any line has one of the signs.
        let may_have_signs = |b: u8| matches!(b, b'|' | b'>' | b'/') || !b.is_ascii();
        if self.words.count > 40 || !self.text.bytes().any(may_have_signs) {
            return false;
        }
        let mut entry = String::new();
        let (mut entries, mut known) = (0, 0);
        for part in self.text.split(['|', '•', '·', '>', '›', '/']) {
            entry.clear();
            fold(part, &mut entry);
            let line = Line::new(0, part, &entry);
            if line.words.count > MENU_WORDS_MAX {
                return false;
            }
            entries += usize::from(line.words.count > 0);
            known += usize::from(line.words.is_menu_entry());
        }
        entries >= 3 && known * 2 >= entries
    }
}

fn words(page: &[Line]) -> usize {
    page.iter().map(|l| l.words.count).sum()
}

/// Which lines of the page are chrome, as far as one look tells.
fn pass(page: &[Line], may_have_banner: bool) -> Vec<bool> {
    let mut dropped = single_lines(page);
    let banners =
        if may_have_banner { [at_top(page, banner), at_bottom(page, banner)] } else { [None, None] };
    let menus = [at_top(page, menu), at_bottom(page, menu)];
    let block = related_block(page).map(|from| (from, page.len()));
    for (from, to) in banners.into_iter().chain(menus).flatten().chain(block) {
        dropped.iter_mut().take(to).skip(from).for_each(|is_dropped| *is_dropped = true);
    }
    dropped
}

/// Lines that are chrome wherever they stand, and lines that were there before.
fn single_lines(page: &[Line]) -> Vec<bool> {
    let mut seen: HashSet<&str> = HashSet::with_capacity(page.len());
    let Some(headline) = page.first().map(|l| l.words) else { return Vec::new() };
    let mut dropped = Vec::with_capacity(page.len());
    for (at, line) in page.iter().enumerate() {
        let words = line.words;
        let is_long_enough = words.count >= REPEATED_WORDS_MIN || words.folded.len() >= REPEATED_BYTES_MIN;
        let is_repeated =
            is_long_enough && !seen.insert(words.folded) || at > 0 && repeats(words.folded, headline);
        let is_under_headline = (1..=BYLINE_LINES).contains(&at) && line.is_byline();
        let is_heading = at > 0 && words.is_related_heading();
        let is_chrome = words.is_request() || words.is_copyright(line.text) || line.is_menu_in_line();
        dropped.push(is_repeated || is_under_headline || is_heading || is_chrome);
    }
    dropped
}

/// Whether a line is the headline several times over.
fn repeats(folded: &str, headline: Words) -> bool {
    if headline.count < REPEATED_WORDS_MIN {
        return false;
    }
    let mut rest = folded;
    while let Some(after) = rest.strip_prefix(headline.folded) {
        rest = after.trim_start_matches(' ');
    }
    rest.is_empty() && folded.len() > headline.folded.len()
}

/// From where to where, the end not included.
type Span = (usize, usize);

/// Looks for a run of lines at the top, with or without a headline above it.
fn at_top(page: &[Line], run: fn(&mut dyn Iterator<Item = &Line>) -> Option<Span>) -> Option<Span> {
    let below = |skip| run(&mut page.iter().skip(skip)).map(|(from, to)| (from + skip, to + skip));
    below(0).or_else(|| below(1))
}

/// Looks for a run of lines at the bottom, read upwards.
fn at_bottom(page: &[Line], run: fn(&mut dyn Iterator<Item = &Line>) -> Option<Span>) -> Option<Span> {
    run(&mut page.iter().rev()).map(|(from, to)| (page.len() - to, page.len() - from))
}

/// A consent banner: lines that could all stand in one, down to the last that surely does, and in one of them the
/// site speaks of its own cookies.
fn banner(lines: &mut dyn Iterator<Item = &Line>) -> Option<Span> {
    let (mut length, mut words, mut is_ours) = (0, 0, false);
    for (at, line) in lines.take_while(|l| l.words.may_be_of_consent()).enumerate() {
        if line.words.is_of_consent() {
            length = at + 1;
        }
        words += line.words.count;
        is_ours |= line.words.is_our_cookies();
    }
    (is_ours && words <= BANNER_WORDS_MAX).then_some((0, length))
}

/// A menu: a run of very short lines, from the first to the last that is an entry of menus anywhere.
fn menu(lines: &mut dyn Iterator<Item = &Line>) -> Option<Span> {
    let is_short = |l: &&Line| {
        l.words.count <= MENU_WORDS_MAX
            && !l.words.is_sentence
            && !l.text.contains(|c: char| c.is_ascii_digit())
    };
    let (mut span, mut known) = (None, 0);
    for (at, _) in lines.take_while(is_short).enumerate().filter(|(_, l)| l.words.is_menu_entry()) {
        span = Some((span.map_or(at, |(from, _)| from), at + 1));
        known += 1;
    }
    span.filter(|(from, to)| to - from >= MENU_LINES_MIN && known * 3 >= to - from)
}

/// Where the block begins that leads elsewhere: the uppermost heading of one after which there are only teasers.
///
/// Teasers are headlines, each perhaps with a line or a sentence below. Two sentences of prose on end are an
/// article that goes on, and so is a block that would be half the page.
fn related_block(page: &[Line]) -> Option<usize> {
    let whole: usize = page.iter().map(|l| l.words.folded.len()).sum();
    let (mut block, mut prose, mut was_prose, mut from) = (0, 0, false, None);
    for (below, line) in page.iter().rev().enumerate() {
        block += line.words.folded.len();
        let at = page.len() - 1 - below;
        let is_prose = line.is_prose();
        if is_prose && was_prose || line.is_paragraph() || block * 2 > whole {
            break;
        }
        if line.words.is_related_heading() && at > 0 && prose * 3 <= below {
            from = Some(at);
        }
        prose += usize::from(is_prose);
        was_prose = is_prose;
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: [&str; 5] = [
        "The harbour board said on Tuesday that the old pier would be closed to all traffic from the first of the month.",
        "Divers had found that eleven of its forty oak piles were so worn by shipworm that they could be broken by hand.",
        "Ferries to the islands will leave from the fish quay until a new pier is built, which may take two years.",
        "Shopkeepers near the pier told the board that they feared for their trade and asked for a lower rent.",
        "The board will meet again on Friday to decide how the work, put at nine million crowns, is to be paid for.",
    ];

    /// What remains of these lines, told by those that are dropped.
    fn dropped<'a>(lines: &[&'a str]) -> Vec<&'a str> {
        let kept = kept(lines).unwrap_or_else(|| (0..lines.len()).collect());
        lines.iter().enumerate().filter(|(at, _)| !kept.contains(at)).map(|(_, line)| *line).collect()
    }

    /// The story with chrome above and below; all of that and nothing else must go.
    fn assert_goes(above: &[&str], below: &[&str]) {
        let page = [above, &STORY, below].concat();
        assert_eq!(dropped(&page), [above, below].concat());
    }

    fn assert_stays(page: &[&str]) {
        assert_eq!(dropped(page), Vec::<&str>::new());
    }

    #[test]
    fn a_story_stays_whole() {
        assert_stays(&STORY);
        assert_stays(&[]);
        assert_stays(&[""]);
    }

    #[test]
    fn consent_banners_go_at_either_end() {
        let banner = [
            "Manage Your Consent",
            "We use cookies to keep you signed in and to learn which pages are read.",
            "Functional cookies remember your settings on this website for your next visit.",
            "Always Active",
            "Marketing cookies let our partners show visitors advertising that fits them.",
            "Accept all",
        ];
        assert_goes(&banner, &[]);
        assert_goes(&[], &banner);
        assert_goes(
            &["Wir verwenden Cookies, um die Nutzung dieser Seiten zu messen.", "Alle akzeptieren"],
            &[],
        );
        let titled = [
            "Old pier closes at once",
            banner[1],
            banner[2],
            STORY[0],
            STORY[1],
            STORY[2],
            STORY[3],
            STORY[4],
        ];
        assert_eq!(dropped(&titled), [banner[1], banner[2]]);
    }

    #[test]
    fn an_article_about_cookies_or_newsletters_stays() {
        assert_stays(&[
            "Court limits what cookies may remember",
            "Websites must ask before they store cookies, the high court ruled in a case that consumer groups had brought.",
            "\"We use cookies only to count visits,\" said the publisher, which now has to ask every visitor for consent.",
            "Its privacy policy had left consent to the settings of the browser, which most visitors never open.",
            "Advertising partners fear that personalised ads will reach fewer people once consent has to be given.",
            "A second case, about newsletters sent without consent, is to be heard in the spring.",
        ]);
        assert_stays(&[
            "The newsletter is back",
            "Newsletters, long thought to be dying, bring small publishers more readers than any network, a study found.",
            "Readers subscribe to four of them on average, and most say that they read them over breakfast.",
            "Sign-ups doubled in a year, and the share of those who pay for one rose from three to eight in a hundred.",
        ]);
    }

    #[test]
    fn requests_go_wherever_they_stand() {
        assert_goes(
            &["Share This Post", "Photo of author", "Listen to this article"],
            &[
                "Sign up for our newsletter and never miss a story.",
                "12 Comments",
                "Leave a Comment",
                "Follow us on Facebook",
            ],
        );
        let inline = [
            STORY[0],
            "Read more: Divers find a wreck",
            STORY[1],
            "Advertisement",
            "Lesen Sie auch: Neue Fähre",
            STORY[2],
        ];
        assert_eq!(dropped(&inline), [inline[1], inline[3], inline[4]]);
    }

    #[test]
    fn a_byline_goes_from_under_the_headline_only() {
        let page = [
            "Old pier closes at once",
            "By Ann Example and Bo Sample",
            STORY[0],
            STORY[1],
            STORY[2],
            STORY[3],
        ];
        assert_eq!(dropped(&page), ["By Ann Example and Bo Sample"]);
        assert_stays(&["By Popular Demand", STORY[0], STORY[1], "By the harbour, all was quiet", STORY[2]]);
    }

    #[test]
    fn menus_go_and_verses_stay() {
        assert_goes(
            &["Home", "News", "Town Hall", "Sport", "Contact us"],
            &["About us", "Careers", "Help", "Privacy policy"],
        );
        assert_goes(&["Home > News > Business", "News | Sport | Weather | Contact"], &[]);
        let titled =
            ["Pier closes", "Home", "News", "Sport", "Contact", STORY[0], STORY[1], STORY[2], STORY[3]];
        assert_eq!(dropped(&titled), ["Home", "News", "Sport", "Contact"]);
        let winners = ["Ann Example", "Bo Sample", "Cy Pattern", "Dee Model", "Ed Instance"];
        assert_stays(&[&STORY[..], &winners].concat());
    }

    #[test]
    fn a_block_that_leads_elsewhere_goes_to_the_end() {
        assert_goes(
            &[],
            &[
                "Related Posts",
                "New ferry named after a singer",
                "The harbour's newest ship will carry the name of...",
                "Ten walks along the shore",
                "From easy strolls to a climb over the cliffs, our pick of the coast has something for all of the family.",
                "Tide tables",
            ],
        );
        assert_goes(&[], &["Related Sources:", "• Source 1 • Source 2 • Source 3"]);
        assert_goes(&[], &["More from Harbour News", "Lighthouse sold"]);
    }

    #[test]
    fn an_article_that_goes_on_after_such_a_heading_keeps_its_paragraphs() {
        let page = [
            STORY[0],
            STORY[1],
            "You may also like",
            "Ten walks along the shore",
            STORY[2],
            STORY[3],
            STORY[4],
        ];
        assert_eq!(dropped(&page), ["You may also like"]);
        let short = [
            "Pier closes",
            "Related",
            "Ferry",
            "Walks",
            "Tides",
            STORY[0],
            "Photo",
            STORY[1],
            "Map",
            "Chart",
        ];
        assert_eq!(dropped(&short), ["Related"]);
    }

    #[test]
    fn what_is_said_twice_stays_once() {
        let page = [
            "Old pier closes at once",
            STORY[0],
            "OLD PIER CLOSES, AT ONCE",
            STORY[1],
            STORY[0],
            STORY[2],
            "\"Old pier closes at once\" \"Old pier closes at once\"",
            "Yes.",
            "Yes.",
            STORY[3],
        ];
        assert_eq!(dropped(&page), [page[2], page[4], page[6]]);
    }

    #[test]
    fn copyright_lines_go() {
        assert_goes(
            &[],
            &[
                "© 2026 Harbour News",
                "Copyright 2026 Harbour News. All rights reserved. Not to be copied.",
                "(c) 2026 by the board",
            ],
        );
        assert_stays(&[STORY[0], "Copyright law is older than the pier, the board's lawyer said.", STORY[1]]);
    }

    #[test]
    fn a_page_that_is_only_chrome_is_left_as_it_is() {
        assert_stays(&[
            "We use cookies to make this site work.",
            "Accept all",
            "Share this post",
            "© 2026 Harbour News",
        ]);
        assert_stays(&[
            "Pier closed",
            "Advertisement",
            "Leave a comment on how you will get to the islands from now on and win a prize",
        ]);
    }
}
