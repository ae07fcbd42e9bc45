//! What is read, as `wirefold formats` tells it: one row a format, kept beside the readers so that both change together.

use super::meta;
use serde::Serialize;

/// One format that is read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Listed {
    /// What it is called.
    pub format: &'static str,
    /// By what in its first bytes it is told.
    pub told_by: &'static str,
    /// What an article is, and what comes with it beside title and text.
    pub gives: &'static str,
}

/// One name under which metadata is kept.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Named {
    /// The name in `meta`.
    pub name: &'static str,
    /// What stands there.
    pub holds: &'static str,
}

const fn row(format: &'static str, told_by: &'static str, gives: &'static str) -> Listed {
    Listed { format, told_by, gives }
}

/// All formats, those of agencies first, then those of the web, plain ones, and what packs any of them.
pub const FORMATS: [Listed; 18] = [
    row(
        "NewsML-G2",
        "root newsMessage, newsItem or packageItem",
        "an article an item, its text from NITF, XHTML or plain text inside; of a package the headlines that it lists; published, \
         source, lang, subheadline, byline, dateline, description, created, modified, provider, guid, version, pubstatus, embargoed, \
         urgency, slugline, markers, signals, ednote, subjects, keywords, copyright",
    ),
    row(
        "NewsML 1",
        "root NewsML",
        "an article a NewsItem; published, source, lang, subheadline, byline, dateline, description, created, provider, guid, version, pubstatus, \
         embargoed, urgency, slugline, markers, ednote, subjects, keywords, copyright",
    ),
    row(
        "NITF",
        "root nitf",
        "the file; published, source, lang, subheadline, byline, dateline, description, provider, guid, version, pubstatus, \
         embargoed, urgency, slugline, markers, ednote, subjects, keywords, copyright",
    ),
    row(
        "ninjs 1, 2, 3; AP JSON",
        "a JSON object with uri and fields of ninjs, its text among them",
        "an article an object, by itself or in a list; published, source, lang, url, byline, dateline, place, description, created, \
         provider, guid, version, pubstatus, embargoed, urgency, slugline, markers, ednote, subjects, keywords, copyright, and all \
         else under its own name",
    ),
    row(
        "Ritzau queue",
        "root XMLNewsQueuedResponse",
        "an article an RBNews; published, source, subheadline, byline, dateline, provider, guid, version, pubstatus, urgency, \
         slugline, markers, signals, ednote, subjects",
    ),
    row(
        "ANPA 1312",
        "SOH and STX, with US in the header",
        "an article a message; published, source, byline, description, provider, transmission, priority, slugline, markers, ednote, subjects",
    ),
    row(
        "IPTC 7901",
        "SOH and STX",
        "an article a message; published, transmission, urgency, slugline, markers, subjects",
    ),
    row(
        "e-mail",
        "three or more headers of an e-mail",
        "the message's text, else its page; published, byline, sender, attachments",
    ),
    row("mbox", "a line \"From \" and an e-mail", "an article an e-mail"),
    row(
        "HTML",
        "<!doctype html>, or a tag that pages begin with",
        "the article on the page; published, source, lang, url, byline, description, modified, site_name, image",
    ),
    row(
        "RSS, RDF, Atom, CDF",
        "root rss, RDF, feed or channel",
        "an article an entry; published, source, lang, url, byline, description, modified, keywords, copyright, feed",
    ),
    row(
        "WordPress export",
        "root rss, fields of wp:",
        "an article a post; published, url, lang, byline, description, keywords, pubstatus, kind, feed",
    ),
    row(
        "WARC, ARC",
        "WARC/ or filedesc://",
        "an article a page that a server gave; as HTML, with the address of the capture; other records are passed over and counted",
    ),
    row(
        "JSON, JSON Lines",
        "{ or [",
        "an article an object: one by itself, one a line, or those of a list where nothing around it has a text; the fields that [read.json] names, and all else \
         under its own name",
    ),
    row(
        "plain text",
        "text that is nothing else",
        "the file; its first line is the title where a blank one follows",
    ),
    row(
        "tar, zip",
        "ustar; PK",
        "each file in it, as a file of its own; those without an article are passed over and counted",
    ),
    row("gzip, zstd", "1f 8b; 28 b5 2f fd", "what is in it, as it is unpacked"),
    row("bzip2, xz", "BZh; fd 37 7a 58 5a", "what is in it, as it is unpacked"),
];

/// The names of the metadata, in the order in which they are shown.
pub fn names() -> impl Iterator<Item = Named> {
    meta::NAMES.into_iter().map(|(name, holds)| Named { name, holds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Fields of the article itself, and names that one format alone has.
    const OTHERS: [&str; 12] = [
        "published",
        "source",
        "lang",
        "url",
        "site_name",
        "image",
        "feed",
        "kind",
        "place",
        "priority",
        "transmission",
        "sender",
    ];

    #[test]
    fn what_is_listed_has_a_name_and_every_name_is_listed() {
        let names: BTreeSet<&str> = names().map(|n| n.name).chain(OTHERS).collect();
        let words = |gives: &'static str| gives.split([' ', ';', ',']).filter(|w| !w.is_empty());
        let listed: BTreeSet<&str> = FORMATS.iter().flat_map(|f| words(f.gives)).collect();
        let beside = ["text_from", "subject_names", "charset", "charset_replaced"];
        for name in names {
            assert!(listed.contains(name) || beside.contains(&name), "no format gives {name}");
        }
    }
}
