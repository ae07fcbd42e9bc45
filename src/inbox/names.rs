//! File names, which are bytes: which are ignored, how they are shown, how they are cut to fit.
//!
//! Knows no file system. The rest of `inbox` asks it; whoever shows a path uses [`display_path`].

use super::InboxError;
use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Component, Path, PathBuf},
};

/// A path as text that can be told back into its bytes: what is valid UTF-8 stands as it is, a control character or
/// an invalid byte is written `\xNN`, and so is a backslash that would otherwise read as the start of one.
pub fn display_path(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        let mut rest = chunk.valid().chars();
        while let Some(letter) = rest.next() {
            if letter.is_control() || (letter == '\\' && looks_escaped(rest.as_str())) {
                escape(letter.encode_utf8(&mut [0; 4]).as_bytes(), &mut shown);
            } else {
                shown.push(letter);
            }
        }
        escape(chunk.invalid(), &mut shown);
    }
    shown
}

/// What a person typed for a path or an id, as paths are shown: in bytes as a shell completes it, or as it was shown.
pub fn typed_path(typed: &OsStr) -> String {
    match typed.to_str() {
        Some(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => display_path(Path::new(typed)),
    }
}

/// The path that was shown so.
pub fn shown_path(shown: &str) -> PathBuf {
    let (mut path, mut rest) = (Vec::new(), shown);
    while let Some(letter) = rest.chars().next() {
        let after = rest.strip_prefix(letter).unwrap_or_default();
        let code = after.get(1..3).filter(|_| letter == '\\' && looks_escaped(after));
        let byte = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        path.extend_from_slice(&byte.map_or_else(|| letter.to_string().into_bytes(), |byte| vec![byte]));
        rest = byte.and_then(|_| after.get(3..)).unwrap_or(after);
    }
    OsString::from_vec(path).into()
}

fn escape(bytes: &[u8], to: &mut String) {
    for byte in bytes {
        write!(to, "\\x{byte:02x}").ok();
    }
}

/// The longest file name that every Linux file system takes, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// A path under an inbox as one file name, from which [`unflatten`] makes the path again.
pub(super) fn flatten(path: &Path) -> Vec<u8> {
    let mut flat = Vec::new();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' => flat.extend_from_slice(b"%2f"),
            b'%' => flat.extend_from_slice(b"%25"),
            byte => flat.push(byte),
        }
    }
    flat
}

/// The path that was made flat.
pub(super) fn unflatten(mut flat: &[u8]) -> PathBuf {
    let mut path = Vec::new();
    while let Some((&byte, rest)) = flat.split_first() {
        let (byte, rest) = match flat {
            [b'%', b'2', b'f', rest @ ..] => (b'/', rest),
            [b'%', b'2', b'5', rest @ ..] => (b'%', rest),
            _ => (byte, rest),
        };
        path.push(byte);
        flat = rest;
    }
    OsString::from_vec(path).into()
}

/// Whether what follows a backslash would make it an escape.
fn looks_escaped(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'x', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}

/// At most this many of the first bytes of a name, without cutting through a UTF-8 character.
pub(super) fn shorten(name: &[u8], bytes_max: usize) -> &[u8] {
    let is_inside = |at: usize| name.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    let nearest = (bytes_max.saturating_sub(3)..=bytes_max).rev().find(|&at| !is_inside(at));
    name.get(..nearest.unwrap_or(bytes_max)).unwrap_or(name)
}

/// The names that are left alone: those that start with a dot, and those of the configured patterns.
#[derive(Debug)]
pub(super) struct Ignore(Vec<Pattern>);

/// Whether names can be left alone by this pattern.
pub fn is_pattern(pattern: &str) -> bool {
    Pattern::new(pattern).is_ok()
}

/// Whether a file of this name is left alone by these patterns.
pub fn is_left_alone(patterns: &[String], name: &str) -> bool {
    Ignore::new(patterns).is_ok_and(|ignore| ignore.name(OsStr::new(name)))
}

/// Fixed bytes, with room for anything before or behind them.
#[derive(Debug)]
struct Pattern {
    any_before: bool,
    fixed: Vec<u8>,
    any_behind: bool,
}

impl Ignore {
    /// Reads patterns with a `*` at the start, at the end, at both or nowhere.
    pub(super) fn new(patterns: &[String]) -> Result<Self, InboxError> {
        patterns.iter().map(|pattern| Pattern::new(pattern)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a file or folder of this name is left alone.
    pub(super) fn name(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        name.starts_with(b".") || self.0.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether any part of this path under an inbox is left alone.
    pub(super) fn path(&self, path: &Path) -> bool {
        path.components().any(|part| !matches!(part, Component::Normal(name) if !self.name(name)))
    }
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, InboxError> {
        let behind = pattern.strip_prefix('*');
        let fixed = behind.unwrap_or(pattern);
        let before = fixed.strip_suffix('*');
        let fixed = before.unwrap_or(fixed);
        if fixed.is_empty() || fixed.contains('*') {
            return Err(InboxError::Pattern { pattern: pattern.to_owned() });
        }
        Ok(Self { any_before: behind.is_some(), fixed: fixed.into(), any_behind: before.is_some() })
    }

    fn matches(&self, name: &[u8]) -> bool {
        match (self.any_before, self.any_behind) {
            (false, false) => name == self.fixed,
            (true, false) => name.ends_with(&self.fixed),
            (false, true) => name.starts_with(&self.fixed),
            (true, true) => name.windows(self.fixed.len()).any(|window| window == self.fixed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        display_path(Path::new(OsStr::from_bytes(bytes)))
    }

    #[test]
    fn only_what_is_no_text_is_escaped() {
        assert_eq!(shown("süd/ost \\ 100%.txt".as_bytes()), "süd/ost \\ 100%.txt");
        assert_eq!(shown(b"a\nb\x7f\xff.txt"), "a\\x0ab\\x7f\\xff.txt");
        assert_eq!(shown("\u{85}".as_bytes()), "\\xc2\\x85");
    }

    #[test]
    fn an_escape_can_only_be_read_one_way() {
        assert_eq!(shown(b"\xff"), "\\xff");
        assert_eq!(shown(b"\\xff"), "\\x5cxff");
        assert_eq!(shown(b"\\x\xff"), "\\x\\xff");
        assert_eq!(shown(b"\\xf"), "\\xf");
        for bytes in [&b"\xff"[..], b"\\xff", b"\\x\xff", b"\\xf", b"a\nb", "s\u{fc}d\\".as_bytes()] {
            assert_eq!(shown_path(&shown(bytes)).as_os_str().as_bytes(), bytes);
        }
    }

    #[test]
    fn a_path_made_flat_can_be_made_again() {
        for path in [&b"a"[..], b"a/b c/d.txt", b"100%/25%2f/%25\xff", b"%", b"%2", b"%2f"] {
            let path = Path::new(OsStr::from_bytes(path));
            let flat = flatten(path);
            assert!(!flat.contains(&b'/'));
            assert_eq!(unflatten(&flat), path);
        }
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(shorten(b"abc", 9), b"abc");
        assert_eq!(shorten(b"abc", 2), b"ab");
        assert_eq!(shorten("aé".as_bytes(), 2), b"a");
        assert_eq!(shorten("a€b".as_bytes(), 3), b"a");
        assert_eq!(shorten("a€b".as_bytes(), 4), "a€".as_bytes());
        assert_eq!(shorten(&[0x80; 9], 5), &[0x80; 5]);
    }

    #[test]
    fn patterns_are_compared_as_bytes() {
        let patterns = ["*.tmp", "~$*", "*draft*", "Thumbs.db"].map(str::to_owned);
        let ignore = Ignore::new(&patterns).unwrap();
        for name in ["a.tmp", "~$a.doc", "a draft 2", "Thumbs.db", ".hidden"] {
            assert!(ignore.name(OsStr::new(name)), "{name}");
        }
        for name in ["a.tmp2", "a~$", "thumbs.db", "a"] {
            assert!(!ignore.name(OsStr::new(name)), "{name}");
        }
        assert!(ignore.name(OsStr::from_bytes(b"\xff.tmp")));
        assert!(ignore.path(Path::new("a/.git/b")) && !ignore.path(Path::new("a/b")));
    }

    #[test]
    fn a_pattern_that_is_not_understood_is_refused() {
        for pattern in ["", "*", "**", "a*b", "*a*b*"] {
            assert!(Ignore::new(&[pattern.to_owned()]).is_err(), "{pattern}");
        }
    }
}
