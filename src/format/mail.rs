//! An e-mail, by itself or from an mbox: its text, or the text of its page. Called by `decode`; `mail-parser` knows MIME.

use super::{FormatError, dates::parse_time, html, meta::Note};
use crate::model::Article;
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// Headers of which an e-mail has several, and other texts none.
const KNOWN: [&str; 12] = [
    "from",
    "to",
    "date",
    "subject",
    "received",
    "return-path",
    "delivered-to",
    "message-id",
    "mime-version",
    "content-type",
    "reply-to",
    "sender",
];
/// So many of them make an e-mail. A text may well begin with a line "From:" and one "Date:".
const KNOWN_MIN: usize = 3;
/// What is looked at of a header block; relays add some kilobytes.
const HEADER_LINES_MAX: usize = 200;

/// Whether a text begins with the headers of an e-mail.
pub(super) fn is_message(text: &str) -> bool {
    let mut known = 0;
    for line in text.trim_start().lines().take(HEADER_LINES_MAX).take_while(|line| !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { return false };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return false;
        }
        known += usize::from(KNOWN.contains(&name.to_ascii_lowercase().as_str()));
        if known == KNOWN_MIN {
            return true;
        }
    }
    false
}

/// Reads one e-mail.
pub(super) fn decode(bytes: &[u8]) -> Result<Article, FormatError> {
    let broken = FormatError::NotText { looks_like: "an e-mail with broken headers" };
    let bytes = unquoted(bytes.trim_ascii_start());
    let message = MessageParser::default().parse(&bytes).ok_or(broken)?;
    let mut article = Article { title: message.subject().and_then(line), ..Article::default() };
    article.item = message.message_id().map(str::to_owned);
    article.published = message.date().and_then(|date| parse_time(&date.to_rfc3339()));
    let from = message.from().and_then(|from| from.first());
    article.note("byline", from.and_then(|from| from.name.as_deref().or(from.address.as_deref())));
    article.note("sender", from.and_then(|from| from.address.as_deref()));
    let text = text(&message)?;
    let is_settled = article.settle_text(text);
    let attached = message.attachments().filter_map(MimeHeaders::attachment_name);
    article.note_all("attachments", attached.map(str::to_owned));
    if is_settled {
        Ok(article)
    } else {
        Err(FormatError::NoText { why: "the e-mail has neither text nor subject" })
    }
}

/// The plain text, else that of the page beside it. A text part that is a page's stand-in is no text of its own.
fn text(message: &Message) -> Result<String, FormatError> {
    let mut plain = String::new();
    for part in message.text_bodies() {
        if let PartType::Text(text) = &part.body {
            if !plain.is_empty() {
                plain.push('\n');
            }
            plain.push_str(text);
        }
    }
    if !plain.trim().is_empty() {
        return Ok(without_signature(&plain).to_owned());
    }
    let page = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(page) => Some(page),
        _ => None,
    });
    page.map_or(Ok(String::new()), |page| html::fragment(page))
}

/// What stands below a line of two dashes is the sender's card. The space behind them is lost in quoted-printable.
fn without_signature(text: &str) -> &str {
    let end =
        ["\n-- \n", "\n--\n", "\r\n-- \r\n", "\r\n--\r\n"].iter().filter_map(|mark| text.rfind(mark)).min();
    end.and_then(|at| text.get(..at)).filter(|before| !before.trim().is_empty()).unwrap_or(text).trim()
}

/// In an mbox a line of the text that begins with "From " has a `>` before it.
fn unquoted(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    for (at, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if at > 0 {
            plain.push(b'\n');
        }
        let quotes = line.iter().take_while(|b| **b == b'>').count();
        let is_quoted = quotes > 0 && line.get(quotes..).is_some_and(|rest| rest.starts_with(b"From "));
        plain.extend_from_slice(if is_quoted { line.get(1..).unwrap_or_default() } else { line });
    }
    plain
}

fn line(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Received: by a.example; Sun, 22 Nov 2026 10:30:00 +0100\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@port.example>\r\n\
        Subject: =?iso-8859-1?q?F=E4hre_wird?=\r\n teurer\r\nDate: Sun, 22 Nov 2026 10:30:00 +0100\r\nMessage-ID: <1@port.example>\r\n";

    #[test]
    fn a_message_is_read_with_its_headers() {
        let mail = format!(
            "{HEAD}Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Ab Montag f=E4hrt=\r\n sie.\r\n>From there on too.\r\n-- \r\nJ\r\n"
        );
        let article = decode(mail.as_bytes()).unwrap();
        assert_eq!(
            (article.title.as_deref(), article.item.as_deref()),
            (Some("Fähre wird teurer"), Some("1@port.example"))
        );
        assert_eq!(article.text, "Ab Montag fährt sie.\r\nFrom there on too.");
        assert_eq!(article.published.map(|t| t.to_string()).as_deref(), Some("2026-11-22T09:30:00Z"));
        assert_eq!(
            (article.noted("byline"), article.noted("sender")),
            (Some("Jürgen"), Some("j@port.example"))
        );
    }

    #[test]
    fn a_page_is_read_where_there_is_no_text() {
        let mail =
            format!("{HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n<p>Ab <b>Montag</b>.</p><p>Ja.</p>");
        assert_eq!(decode(mail.as_bytes()).unwrap().text, "Ab Montag.\n\nJa.");
        let both = format!(
            "{HEAD}Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nAb Montag.\r\n\
            --x\r\nContent-Type: text/html\r\n\r\n<p>Page.</p>\r\n--x--\r\n"
        );
        assert_eq!(decode(both.as_bytes()).unwrap().text, "Ab Montag.");
    }

    #[test]
    fn a_message_is_told_by_its_headers() {
        assert!(is_message(HEAD) && is_message(&format!("   \r\n{HEAD}")));
        assert!(
            !is_message("From: the harbour\nDate: today\n\nA ferry sank.")
                && !is_message("Subject to change: fares")
        );
    }
}
