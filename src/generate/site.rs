//! What a site puts around an article: navigation, a cookie banner, a byline, links to other articles, a footer.

use super::{
    rng::Rng,
    story::Story,
    telling::{Style, reporter, tell},
};
use crate::model::Article;

const MENU: [&str; 16] = [
    "Home", "News", "Politics", "Business", "Sport", "Culture", "Opinion", "World", "Local", "Weather",
    "Video", "Podcasts", "Jobs", "Property", "Travel", "Health",
];
const BANNERS: [[&str; 4]; 3] = [
    [
        "Your privacy",
        "We use cookies to keep this site working and to learn which pages are read.",
        "Accept all",
        "Manage preferences",
    ],
    [
        "We value your privacy",
        "We and our partners use cookies to show personalised advertising and to measure our audience.",
        "Accept",
        "Reject all",
    ],
    [
        "Cookies on this site",
        "This website uses cookies. You can change your cookie settings at any time in your browser.",
        "Got it",
        "Learn more",
    ],
];
const RELATED: [&str; 5] =
    ["Related stories", "More on this story", "You may also like", "Most read", "Recommended"];
const PLEAS: [&str; 4] =
    ["Subscribe to our newsletter", "Share this article", "Sign up", "Follow us on Facebook"];
const FOOTER: [&str; 4] = ["About us", "Contact", "Privacy policy", "Terms of use"];

/// The lines of a site around one article.
struct Site {
    menu: Vec<&'static str>,
    banner: [&'static str; 4],
    byline: String,
    plea: &'static str,
    related: &'static str,
    links: Vec<String>,
    owner: String,
}

impl Site {
    fn new(article: &Article, rng: &mut Rng) -> Self {
        let mut menu = MENU.to_vec();
        rng.shuffle(&mut menu);
        menu.truncate(rng.between(6, 12));
        let links = (0..rng.between(3, 8))
            .filter_map(|_| tell(&Story::alone(rng), Style { words: 1, figures_percent: 0 }, rng).title);
        let links = links.collect();
        Self {
            menu,
            banner: BANNERS.get(rng.below(BANNERS.len())).copied().unwrap_or_default(),
            byline: format!("By {}", reporter(rng)),
            plea: PLEAS.get(rng.below(PLEAS.len())).copied().unwrap_or_default(),
            related: RELATED.get(rng.below(RELATED.len())).copied().unwrap_or_default(),
            links,
            owner: article.source.clone().unwrap_or_else(|| "The Town Post".to_owned()),
        }
    }
}

/// The article as a careless extraction leaves it: the site's lines above and below.
pub(super) fn plain(article: &Article, rng: &mut Rng) -> String {
    let site = Site::new(article, rng);
    let title = article.title.as_deref().unwrap_or_default();
    let above = site.banner.iter().chain(&site.menu).copied().chain([title, &site.byline, site.plea]);
    let links = site.links.iter().map(String::as_str);
    let copyright = format!("© 2026 {}. All rights reserved.", site.owner);
    let below = std::iter::once(site.related).chain(links).chain(FOOTER).chain([copyright.as_str()]);
    let lines = |lines: &mut dyn Iterator<Item = &str>| lines.collect::<Vec<_>>().join("\n");
    format!("{}\n\n{}\n\n{}", lines(&mut above.into_iter()), article.text, lines(&mut below.into_iter()))
}

/// The article on its page.
pub(super) fn page(article: &Article, rng: &mut Rng) -> String {
    let site = Site::new(article, rng);
    let title = escaped(article.title.as_deref().unwrap_or_default());
    let list = |entries: &[&str]| {
        let entry = |e: &&str| format!("<li><a href=\"/{e}\">{}</a></li>", escaped(e));
        entries.iter().map(entry).collect::<Vec<_>>().concat()
    };
    let paragraphs: String = article
        .text
        .split("\n\n")
        .map(|paragraph| format!("<p>{}</p>\n", escaped(paragraph)))
        .collect::<Vec<_>>()
        .concat();
    let links: Vec<&str> = site.links.iter().map(String::as_str).collect();
    let [heading, notice, yes, no] = site.banner;
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} | {owner}</title></head>\n<body>\n\
         <div class=\"cookie-consent\"><h2>{heading}</h2><p>{notice}</p><button>{yes}</button><button>{no}</button></div>\n\
         <header><nav><ul>{menu}</ul></nav></header>\n\
         <main><article><h1>{title}</h1>\n<p class=\"byline\">{byline}</p>\n<p class=\"share\">{plea}</p>\n{paragraphs}</article>\n\
         <aside class=\"related\"><h3>{related}</h3><ul>{links}</ul></aside></main>\n\
         <footer><ul>{footer}</ul><p>© 2026 {owner}. All rights reserved.</p></footer>\n</body></html>\n",
        owner = escaped(&site.owner),
        menu = list(&site.menu),
        byline = site.byline,
        plea = site.plea,
        related = site.related,
        links = list(&links),
        footer = list(&FOOTER),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
