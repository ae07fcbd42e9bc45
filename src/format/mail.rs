//! An e-mail, by itself or from an mbox: its text, or the text of its page. Called by `decode`; `mail-parser` knows MIME.

use super::{FormatError, charset, dates::parse_time, html, meta::Note};
use crate::model::Article;
use mail_parser::{
    Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};
use std::borrow::Cow;

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
/// A sender's card has four lines by custom, and some more where a company has its say.
const SIGNATURE_LINES_MAX: usize = 10;

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
    let bytes = with_readable_headers(bytes.trim_ascii_start());
    let message = MessageParser::default().parse(&bytes).ok_or(broken)?;
    let mut article = Article { title: message.subject().and_then(line), ..Article::default() };
    article.item = message.message_id().map(str::to_owned);
    article.published = message.date().and_then(|date| parse_time(&date.to_rfc3339()));
    let from = message.from().and_then(|from| from.first());
    article.note("byline", from.and_then(|from| from.name.as_deref().or(from.address.as_deref())));
    article.note("sender", from.and_then(|from| from.address.as_deref()));
    let text = text(&message, &mut article)?;
    let attached = message.attachments().filter_map(MimeHeaders::attachment_name);
    article.note_all("attachments", attached.map(str::to_owned));
    article.finish(text, "the e-mail has neither text nor subject")
}

/// The plain text, else that of the page beside it. A text part that is a page's stand-in is no text of its own.
fn text(message: &Message, article: &mut Article) -> Result<String, FormatError> {
    let mut plain = String::new();
    for part in message.text_bodies().filter(|part| matches!(part.body, PartType::Text(_))) {
        if !plain.is_empty() {
            plain.push('\n');
        }
        plain.push_str(&characters(message, part, article));
    }
    if !plain.trim().is_empty() {
        return Ok(without_signature(&plain).to_owned());
    }
    let page = message.html_bodies().find(|part| matches!(part.body, PartType::Html(_)));
    page.map_or(Ok(String::new()), |page| html::fragment(&characters(message, page, article)))
}

/// The text of a part, in the charset that it is really in. The crate believes what is declared.
fn characters(message: &Message, part: &MessagePart, article: &mut Article) -> String {
    let raw =
        message.raw_message.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
    let bytes = match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        Encoding::Base64 => base64_decode(raw),
    };
    let Some(bytes) = bytes else {
        // It is not encoded as it says; the crate makes of it what it can.
        return part.text_contents().unwrap_or_default().to_owned();
    };
    let label = part.content_type().and_then(|kind| kind.attribute("charset"));
    let declared = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    let decoded = charset::decode(&bytes, declared.or_else(|| charset::declared(&bytes)));
    decoded.describe(&mut article.meta);
    decoded.text
}

/// A message whose headers are UTF-8, as the standard has it and some senders do not.
fn with_readable_headers(bytes: &[u8]) -> Cow<'_, [u8]> {
    let ends =
        |at: usize| bytes.get(at..).is_some_and(|b| b.starts_with(b"\n\n") || b.starts_with(b"\n\r\n"));
    let end = (0..bytes.len()).find(|at| ends(*at)).unwrap_or(bytes.len());
    let (head, body) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
    if std::str::from_utf8(head).is_ok() {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([charset::decode(head, None).text.as_bytes(), body].concat())
}

/// What stands below a line of two dashes is the sender's card. The space behind them is lost in quoted-printable. Several
/// such lines part the pieces of a digest, and so does one with much below it.
fn without_signature(text: &str) -> &str {
    let lines = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some((*end, line))
    });
    let mut marks = lines.filter(|(_, line)| matches!(line.trim_end_matches(['\r', '\n']), "-- " | "--"));
    let (Some((end, mark)), None) = (marks.next(), marks.next()) else { return text.trim() };
    let (above, below) = (text.get(..end - mark.len()).unwrap_or(text), text.get(end..).unwrap_or_default());
    let is_card = below.trim().lines().count() <= SIGNATURE_LINES_MAX && !above.trim().is_empty();
    if is_card { above.trim() } else { text.trim() }
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
        assert_eq!(article.text, "Ab Montag fährt sie.\r\n>From there on too.");
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

    /// The declaration was believed, and every letter beyond ASCII was spoiled.
    #[test]
    fn a_wrong_charset_is_noticed() {
        let read = |charset: &str, coding: &str, body: &[u8]| {
            let head = format!(
                "{HEAD}Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
            );
            decode(&[head.as_bytes(), body].concat()).unwrap()
        };
        let said = "Die Fähre über die Straße fährt täglich später.";
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode(said);
        for (charset, coding, body) in [
            ("iso-8859-1", "8bit", said.as_bytes()),
            ("utf-8", "8bit", &*latin),
            ("us-ascii", "8bit", &*latin),
            ("nonsense", "8bit", said.as_bytes()),
            (
                "iso-8859-1",
                "base64",
                b"RGllIEbDpGhyZSDDvGJlciBkaWUgU3RyYcOfZSBmw6RocnQgdMOkZ2xpY2ggc3DDpHRlci4=",
            ),
        ] {
            assert_eq!(read(charset, coding, body).text, said, "{charset}, {coding}");
        }
        assert_eq!(read("utf-8", "8bit", &latin).noted("charset"), Some("windows-1252"));
        // Nor is a subject in no charset at all.
        let (raw, ..) = encoding_rs::WINDOWS_1252
            .encode("Subject: Fähre über die Straße\r\nFrom: a@b.c\r\nTo: d@e.f\r\n\r\nText.");
        assert_eq!(decode(&raw).unwrap().title.as_deref(), Some("Fähre über die Straße"));
    }

    /// All below the last mark was cut off.
    #[test]
    fn a_signature_is_left_out_and_a_digest_is_not() {
        for (mail, text) in [
            ("One.\n-- \nJ\nPort\n", "One."),
            ("One.\r\n--\r\nJ\r\n", "One."),
            ("One.\n-- \nTwo.\n-- \nThree.\n", "One.\n-- \nTwo.\n-- \nThree."),
            ("-- \nJ\n", "-- \nJ"),
        ] {
            assert_eq!(without_signature(mail), text);
        }
        let digest = format!("One.\n-- \n{}", "A line of the second.\n".repeat(11));
        assert_eq!(without_signature(&digest), digest.trim());
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
