//! The pages in web archives, WARC and ARC, cut out one at a time: a response of a server without its headers, and
//! without the chunks and the compression that it came in. `cut` calls it; memory is bounded by the longest page.
//!
//! The two formats are a header, a length and so many bytes, over and over, which is why no crate reads them here: the
//! one there is takes whole records into memory.

use super::{
    cut::{Around, Piece, Stop},
    unpack::Budget,
};
use encoding_rs::Encoding;
use std::{
    io::{self, BufRead, Read},
    rc::Rc,
};

/// A line of a header is not read further.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// A header has no more lines.
const HEADER_LINES_MAX: usize = 1000;

/// What was found of a record.
#[derive(Debug, Default)]
struct Record {
    /// `response`, `resource` and so on; of ARC always `response`.
    kind: String,
    url: Option<String>,
    /// Of the payload, or of the HTTP message around it.
    content_type: String,
    /// Nothing where the header is broken.
    bytes: Option<u64>,
}

/// Which of the two formats a file that begins so has.
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"WARC/") || head.starts_with(b"filedesc://")
}

/// Hands over each page with the number of its record, from 1, and where it was fetched; of a record that holds none, why.
pub(super) fn cut(
    input: &mut dyn BufRead,
    bytes_max: usize,
    budget: &Rc<Budget>,
    each: &mut dyn FnMut(u64, Piece, Around) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut number = 0;
    while let Some(record) = next(input)? {
        number += 1;
        let Some(bytes) = record.bytes else {
            // It cannot be known where it ends, so the next one is looked for line by line.
            each(number, Piece::Unmeasured(record.url.unwrap_or_default().into_bytes()), Around::default())?;
            continue;
        };
        let mut payload = (&mut *input).take(bytes);
        let (piece, around) = found(&mut payload, &record, bytes_max, budget);
        each(number, piece, around)?;
        let rest = payload.limit();
        let skipped = io::copy(&mut payload, &mut io::sink())?;
        if skipped < rest {
            // The file ends within this record. If it was a page, that was said where it was read.
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok(())
}

/// The page in a record, or the word for what it holds instead.
fn found<R: BufRead>(
    payload: &mut io::Take<R>,
    record: &Record,
    bytes_max: usize,
    budget: &Rc<Budget>,
) -> (Piece, Around) {
    let is_http = record.content_type.starts_with("application/http") || record.kind == "arc";
    let is_page = record.content_type.contains("html");
    let is_wanted = match record.kind.as_str() {
        "response" | "arc" => is_http || is_page,
        "resource" | "conversion" => is_page,
        _ => false,
    };
    let page = if is_wanted { page(payload, record, is_http, bytes_max, budget) } else { Err("no-page") };
    page.unwrap_or_else(|why| (Piece::NoArticle(why), Around::default()))
}

/// The header of the next record; nothing at the end of the file. What a wrong length left over is passed over, and told
/// of at the end.
fn next(input: &mut dyn BufRead) -> Result<Option<Record>, Stop> {
    let mut is_lost = false;
    loop {
        let Some(first) = line(input)? else {
            let said = "a record of the archive has no header that can be read";
            return if is_lost {
                Err(io::Error::new(io::ErrorKind::InvalidData, said).into())
            } else {
                Ok(None)
            };
        };
        if first.starts_with("WARC/") {
            return Ok(Some(warc_record(input)?));
        }
        if let Some(record) = arc_record(&first) {
            return Ok(Some(record));
        }
        is_lost |= !first.is_empty();
    }
}

fn warc_record(input: &mut dyn BufRead) -> io::Result<Record> {
    let mut record = Record::default();
    for (name, value) in header(input)? {
        match name.as_str() {
            "warc-type" => record.kind = value.to_ascii_lowercase(),
            "warc-target-uri" => record.url = Some(value.trim_matches(['<', '>']).to_owned()),
            "content-type" => record.content_type = value.to_ascii_lowercase(),
            "content-length" => record.bytes = value.parse().ok(),
            _ => {}
        }
    }
    Ok(record)
}

/// `URL IP-address date type length`; the address may have spaces in it.
fn arc_record(line: &str) -> Option<Record> {
    let mut parts = line.rsplitn(5, ' ');
    let bytes = Some(parts.next()?.parse().ok()?);
    let content_type = parts.next()?.to_ascii_lowercase();
    let (_date, _address, url) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = if url.starts_with("filedesc:") { "filedesc" } else { "arc" };
    Some(Record { kind: kind.to_owned(), url: Some(url.to_owned()), content_type, bytes })
}

/// The page in a record that may hold one, or the word for what it holds instead.
fn page<R: BufRead>(
    payload: &mut io::Take<R>,
    record: &Record,
    is_http: bool,
    bytes_max: usize,
    budget: &Rc<Budget>,
) -> Result<(Piece, Around), &'static str> {
    let mut content_type = record.content_type.clone();
    let (mut is_chunked, mut coding) = (false, String::new());
    if is_http {
        let status = line(payload).ok().flatten().unwrap_or_default();
        if !status.starts_with("HTTP/") || status.split(' ').nth(1) != Some("200") {
            return Err("no-answer");
        }
        content_type.clear();
        for (name, value) in header(payload).unwrap_or_default() {
            match name.as_str() {
                "content-type" => content_type = value.to_ascii_lowercase(),
                "transfer-encoding" => is_chunked = value.to_ascii_lowercase().contains("chunked"),
                "content-encoding" => coding = value.to_ascii_lowercase(),
                _ => {}
            }
        }
        if !content_type.contains("html") {
            return Err("no-page");
        }
    }
    let charset = content_type.split_once("charset=").map(|(_, label)| label.trim_matches(['"', '\'', ' ']));
    let charset = charset.and_then(|label| Encoding::for_label(label.split(';').next()?.as_bytes()));
    let around = Around { url: record.url.clone(), charset, head: Vec::new() };
    let mut bytes = Vec::new();
    let most = (bytes_max as u64).saturating_add(1);
    let end = payload.take(most).read_to_end(&mut bytes);
    if bytes.len() > bytes_max {
        return Ok((Piece::TooLong(bytes), around));
    }
    if end.is_err() || payload.limit() > 0 {
        return Ok((Piece::CutShort(bytes), around));
    }
    if is_chunked {
        bytes = dechunked(bytes);
    }
    if coding.is_empty() || coding == "identity" {
        let is_blank = bytes.trim_ascii().is_empty();
        return if is_blank { Err("empty") } else { Ok((Piece::Whole(bytes), around)) };
    }
    let mut plain = Vec::new();
    let decoded = super::unpack::decoded(&bytes, &coding, budget)
        .map(|reader| reader.take(most).read_to_end(&mut plain));
    let piece = match decoded {
        Some(Ok(_)) if plain.len() <= bytes_max => Piece::Whole(plain),
        Some(Ok(_)) => Piece::TooLong(plain),
        Some(Err(_)) if !plain.is_empty() => Piece::CutShort(plain),
        // Some servers say that they compress and do not.
        Some(Err(_)) if bytes.starts_with(b"<") => Piece::Whole(bytes),
        Some(Err(_)) | None => Piece::Coded(bytes),
    };
    Ok((piece, around))
}

/// A body without the lengths between its chunks; as it stands where it has none, as in archives that took them out.
fn dechunked(body: Vec<u8>) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(body.len()), body.as_slice());
    while let Some(end) = rest.iter().take(32).position(|b| *b == b'\n') {
        let size = rest.get(..end).and_then(|line| std::str::from_utf8(line).ok()).map(str::trim);
        let size =
            size.and_then(|s| s.split(';').next()).and_then(|s| usize::from_str_radix(s.trim(), 16).ok());
        let Some(size) = size else { break };
        let data = rest.get(end + 1..).unwrap_or_default();
        plain.extend_from_slice(data.get(..size.min(data.len())).unwrap_or_default());
        if size == 0 || size >= data.len() {
            return plain;
        }
        rest = data.get(size..).unwrap_or_default().trim_ascii_start();
    }
    body
}

/// Names in small letters, and values, up to the empty line; none where that does not come.
fn header(input: &mut dyn BufRead) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while let Some(line) = line(input)?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        if fields.len() > HEADER_LINES_MAX {
            return Ok(Vec::new());
        }
    }
    Ok(fields)
}

/// A line without its end, a bounded part of it where it is too long; nothing at the end of the file.
fn line(input: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = input.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_all(file: &[u8], max: usize) -> Vec<String> {
        let mut pages = Vec::new();
        let mut input = io::BufReader::with_capacity(3, file);
        let end = cut(&mut input, max, &Budget::new(200), &mut |number, piece, around| {
            let (bytes, mark) = match piece {
                Piece::Whole(bytes) => (bytes, ""),
                Piece::TooLong(bytes) => (bytes, "..."),
                Piece::CutShort(bytes) => (bytes, "|"),
                Piece::Coded(bytes) => (bytes, "?"),
                Piece::Unmeasured(bytes) => (bytes, "~"),
                Piece::NoArticle(why) => {
                    pages.push(format!("{number} {why}"));
                    return Ok(());
                }
            };
            let (url, charset) = (around.url.unwrap_or_default(), around.charset.map_or("", Encoding::name));
            pages.push(format!("{number} {url} {charset} {}{mark}", String::from_utf8_lossy(&bytes)));
            Ok(())
        });
        pages.extend(end.is_err().then(|| "!".to_owned()));
        pages
    }

    fn record(kind: &str, http: &str) -> String {
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <http://a.example/>\r\nContent-Type: application/http; msgtype={kind}\r\n\
            Content-Length: {}\r\n\r\n{http}\r\n\r\n",
            http.len()
        )
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=koi8-r\r\n";

    #[test]
    fn pages_are_cut_out_of_warc() {
        let file = [
            record("request", "GET / HTTP/1.1\r\n\r\n"),
            record("response", &format!("{OK}\r\n<p>one</p>")),
            record("response", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nxx"),
            record("response", "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>gone</p>"),
            record(
                "response",
                &format!(
                    "{OK}Transfer-Encoding: chunked\r\n\r\n4\r\n<p>t\r\n5;x\r\nwo</p\r\n1\r\n>\r\n0\r\n\r\n"
                ),
            ),
            record("response", &format!("{OK}Transfer-Encoding: chunked\r\n\r\n<p>plain</p>")),
            record("response", &format!("{OK}Content-Encoding: br\r\n\r\nxyz")),
        ]
        .concat();
        assert_eq!(
            cut_all(file.as_bytes(), 99),
            [
                "1 no-page",
                "2 http://a.example/ KOI8-R <p>one</p>",
                "3 no-page",
                "4 no-answer",
                "5 http://a.example/ KOI8-R <p>two</p>",
                "6 http://a.example/ KOI8-R <p>plain</p>",
                "7 http://a.example/ KOI8-R xyz?"
            ]
        );
        assert_eq!(cut_all(file.as_bytes(), 9)[1], "2 http://a.example/ KOI8-R <p>one</p>...");
    }

    #[test]
    fn a_truncated_archive_gives_what_is_whole() {
        let one = record("response", &format!("{OK}\r\n<p>one</p>"));
        let file = [one.as_bytes(), &one.as_bytes()[..one.len() - 8]].concat();
        assert_eq!(
            cut_all(&file, 99),
            ["1 http://a.example/ KOI8-R <p>one</p>", "2 http://a.example/ KOI8-R <p>one|", "!"]
        );
        // One without a length costs the records behind it nothing.
        let unmeasured = one.replace("Content-Length", "Content-Len");
        let file = [unmeasured.as_bytes(), one.as_bytes()].concat();
        assert_eq!(cut_all(&file, 99), ["1   http://a.example/~", "2 http://a.example/ KOI8-R <p>one</p>"]);
        assert_eq!(cut_all(b"junk\r\n", 99), ["!"]);
        // A length that is too short costs the records behind it nothing.
        let short = one.replace("Content-Length: 7", "Content-Length: 6");
        assert_ne!(short, one);
        let pages = cut_all([short, one].concat().as_bytes(), 99);
        assert_eq!(pages.last().unwrap(), "2 http://a.example/ KOI8-R <p>one</p>");
    }

    #[test]
    fn pages_are_cut_out_of_arc() {
        let http = format!("{OK}\r\n<p>one</p>");
        let file = format!(
            "filedesc://x.arc 127.0.0.1 20261122 text/plain 4\n1 0 \n\nhttp://a.example/x y 1.2.3.4 20261122 text/html {}\n{http}\n",
            http.len()
        );
        assert_eq!(cut_all(file.as_bytes(), 99), ["1 no-page", "2 http://a.example/x y KOI8-R <p>one</p>"]);
    }
}
