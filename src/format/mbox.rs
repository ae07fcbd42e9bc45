//! The e-mails of an mbox, cut out as they stand, one at a time. `cut` calls it; memory is bounded by the longest.

use super::{
    cut::{Piece, Stop},
    lines::Replay,
    mail,
};
use std::io::BufRead;

/// Whether a file that begins so is an mbox: a line "From " and the headers of an e-mail.
pub(super) fn is_mbox(text: &str) -> bool {
    text.starts_with("From ") && text.split_once('\n').is_some_and(|(_, rest)| mail::is_message(rest))
}

/// Hands over each e-mail without the line "From " above it, with its number from 1. A line of its text that began so had a
/// `>` put before it, which is taken away again.
pub(super) fn cut(
    input: &mut dyn BufRead,
    bytes_max: usize,
    each: &mut dyn FnMut(u64, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut input = Replay::new(input);
    let mut mail = Mail { number: 0, bytes: Vec::new(), bytes_max, is_too_long: false };
    let mut is_after_blank = true;
    // A line "From " begins an e-mail where a heading follows it; a paragraph may begin so too.
    let mut from: Option<Vec<u8>> = None;
    while let Some(line) = input.read_line(bytes_max)? {
        match from.take() {
            Some(_) if is_heading(&line.bytes) => {
                mail.hand_over(each)?;
                mail.number += 1;
            }
            Some(text) => mail.add(&text, false),
            None => {}
        }
        if is_after_blank && line.bytes.starts_with(b"From ") && !line.is_cut {
            from = Some(line.bytes.clone());
        } else {
            mail.add(&line.bytes, line.is_cut);
        }
        is_after_blank = line.bytes.is_empty();
    }
    if let Some(text) = from {
        mail.add(&text, false);
    }
    mail.hand_over(each)
}

/// The e-mail under way; number 0 is what stands before the first.
struct Mail {
    number: u64,
    bytes: Vec<u8>,
    bytes_max: usize,
    is_too_long: bool,
}

impl Mail {
    fn add(&mut self, line: &[u8], is_cut: bool) {
        let quotes = line.iter().take_while(|b| **b == b'>').count();
        let is_quoted = quotes > 0 && line.get(quotes..).is_some_and(|rest| rest.starts_with(b"From "));
        let line = line.get(usize::from(is_quoted)..).unwrap_or_default();
        let room = self.bytes_max.saturating_sub(self.bytes.len());
        self.is_too_long |= is_cut || line.len() >= room;
        self.bytes.extend(line.iter().take(room));
        self.bytes.extend((!self.is_too_long).then_some(b'\n'));
    }

    fn hand_over(&mut self, each: &mut dyn FnMut(u64, Piece) -> Result<(), Stop>) -> Result<(), Stop> {
        let (bytes, is_cut) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.is_too_long));
        match self.number {
            0 => Ok(()),
            number if is_cut => each(number, Piece::TooLong(bytes)),
            number => each(number, Piece::Whole(bytes)),
        }
    }
}

/// Whether a line is one of an e-mail's headings: a name without a space, and a colon.
fn is_heading(line: &[u8]) -> bool {
    let end = line.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-');
    end.is_some_and(|at| at > 0 && line.get(at) == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_cut_at_their_from_lines() {
        let file = "From a Sun Nov 22\nFrom: a\nTo: b\nSubject: c\n\n>From there\nFrom here\n\nFrom b Sun\nTo: x\n\nvery long indeed, too long\n\nFrom c\nTo: y\n";
        assert!(is_mbox(file) && !is_mbox("From the harbour\nA ferry sank."));
        let mut pieces = Vec::new();
        cut(&mut file.as_bytes(), 40, &mut |number, piece| {
            pieces.push(match piece {
                Piece::Whole(bytes) => format!("{number}:{}", String::from_utf8(bytes).unwrap()),
                _ => format!("{number}!"),
            });
            Ok(())
        })
        .map_err(|_| ())
        .unwrap();
        assert_eq!(pieces, ["1!", "2:To: x\n\nvery long indeed, too long\n\n", "3:To: y\n"]);
    }

    #[test]
    fn a_quoted_line_is_given_back_as_it_was_sent() {
        let mut mail = Mail { number: 1, bytes: Vec::new(), bytes_max: 99, is_too_long: false };
        for line in [">From the port", ">>From a", "> From b", ">Fromage"] {
            mail.add(line.as_bytes(), false);
        }
        assert_eq!(mail.bytes, b"From the port\n>From a\n> From b\n>Fromage\n");
    }

    #[test]
    fn a_paragraph_that_begins_so_is_no_mail() {
        let file = "From a Sun\nTo: b\n\nThe ferry is late.\n>From\n\nFrom Monday fares rise.\nBy how much: a lot.\n\nFrom here on\n";
        let mut mails = Vec::new();
        let mut keep = |_, piece| {
            mails.extend(if let Piece::Whole(bytes) = piece { String::from_utf8(bytes).ok() } else { None });
            Ok(())
        };
        cut(&mut file.as_bytes(), 1000, &mut keep).map_err(|_| ()).unwrap();
        assert_eq!(mails, [file.strip_prefix("From a Sun\n").unwrap()]);
    }
}
