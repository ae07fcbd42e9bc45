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

/// Hands over each e-mail without the line "From " above it, with its number from 1.
pub(super) fn cut(
    input: &mut dyn BufRead,
    bytes_max: usize,
    each: &mut dyn FnMut(u64, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut input = Replay::new(input);
    let (mut number, mut mail, mut is_too_long) = (0, Vec::new(), false);
    let mut is_after_blank = true;
    while let Some(line) = input.read_line(bytes_max)? {
        if is_after_blank && line.bytes.starts_with(b"From ") {
            hand_over(number, &mut mail, &mut is_too_long, each)?;
            number += 1;
        } else {
            let room = bytes_max.saturating_sub(mail.len());
            is_too_long |= line.is_cut || line.bytes.len() >= room;
            mail.extend(line.bytes.iter().take(room));
            mail.extend((!is_too_long).then_some(b'\n'));
        }
        is_after_blank = line.bytes.is_empty();
    }
    hand_over(number, &mut mail, &mut is_too_long, each)
}

fn hand_over(
    number: u64,
    mail: &mut Vec<u8>,
    is_too_long: &mut bool,
    each: &mut dyn FnMut(u64, Piece) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (bytes, is_cut) = (std::mem::take(mail), std::mem::take(is_too_long));
    match number {
        0 => Ok(()),
        _ if is_cut => each(number, Piece::TooLong(bytes)),
        _ => each(number, Piece::Whole(bytes)),
    }
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
}
