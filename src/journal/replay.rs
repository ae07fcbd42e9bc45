//! Reading the journal from a place to its end, past whatever is damaged.

use super::{Heading, JournalError, Place, Position, check_format, frame, segment_path};
use crate::model::{Event, Time};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// A stretch of a segment that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: u32,
    /// Its file.
    pub path: PathBuf,
    /// Where it begins, in bytes.
    pub from: u64,
    /// Where what can be read again begins, or the file ends.
    pub to: u64,
    /// Whether nothing readable follows in the whole journal: the torn tail of a write that was cut short,
    /// and so was never acknowledged.
    pub at_the_end: bool,
    /// What is wrong.
    pub what: String,
}

/// One frame as it was read.
pub struct Frame {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// When it was made durable.
    pub at: Time,
    /// Where the frame is.
    pub start: Place,
    /// The place behind it.
    pub end: Position,
}

impl Frame {
    /// Where each of its events lies.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        let start = self.start;
        (0..).take(self.events.len()).map(move |line| Place { line, ..start })
    }
}

/// Walks the frames from a position on.
pub struct Replay {
    folder: PathBuf,
    segment: u32,
    last: u32,
    /// What of the segment lies from `base` on.
    bytes: Vec<u8>,
    base: u64,
    offset: u64,
    end: Position,
    damage: Vec<Damage>,
}

impl Replay {
    /// A walk from `from`, which must lie between two frames; the default position is the very beginning. A
    /// journal that does not reach so far is an error, and one of a later format, of which nothing would be understood.
    pub fn from(folder: &Path, from: Position) -> Result<Self, JournalError> {
        check_format(folder)?;
        let (segment, base) = (from.segment.max(1), from.offset);
        let found = read_segment(folder, segment, base)?;
        let Some(bytes) = found.or_else(|| (base == 0).then(Vec::new)) else {
            let path = segment_path(folder, segment);
            return Err(JournalError::Behind { path, offset: from.offset, frame: from.frame });
        };
        let (folder, last) = (folder.to_owned(), last_segment(folder)?);
        Ok(Self { folder, segment, last, bytes, base, offset: base, end: from, damage: Vec::new() })
    }

    /// The next readable frame, or nothing at the end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, JournalError> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                if self.segment >= self.last {
                    return Ok(None);
                }
                self.next_segment()?;
                continue;
            }
            match frame::first(rest) {
                Err(what) => self.skip(what),
                Ok((payload, length)) => match parse(&payload) {
                    Ok((heading, events)) => return self.accept(heading, events, length).map(Some),
                    Err(what) => self.pass_over(what, length),
                },
            }
        }
    }

    /// What of the segment is still to be read.
    fn rest(&self) -> &[u8] {
        let read = usize::try_from(self.offset - self.base).ok();
        read.and_then(|read| self.bytes.get(read..)).unwrap_or_default()
    }

    fn next_segment(&mut self) -> Result<(), JournalError> {
        self.segment += 1;
        (self.base, self.offset) = (0, 0);
        let found = read_segment(&self.folder, self.segment, 0)?;
        if found.is_none() {
            self.note(0, "the file is missing".to_owned(), false);
        }
        self.bytes = found.unwrap_or_default();
        Ok(())
    }

    /// The place behind the last readable frame.
    pub fn end(&self) -> Position {
        self.end
    }

    /// What could not be read.
    pub fn into_damage(self) -> Vec<Damage> {
        self.damage
    }

    /// What could not be read so far.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn accept(&mut self, heading: Heading, events: Vec<Event>, length: usize) -> Result<Frame, JournalError> {
        let is_known = self.damage.last().is_some_and(|d| d.to == self.offset);
        if heading.frame <= self.end.frame {
            let path = segment_path(&self.folder, self.segment);
            return Err(JournalError::Behind { path, offset: self.end.offset, frame: self.end.frame });
        }
        if heading.frame > self.end.frame + 1 && !is_known {
            let missing = heading.frame - self.end.frame - 1;
            self.note(self.offset, format!("{missing} frames are missing here"), false);
        }
        for earlier in &mut self.damage {
            earlier.at_the_end = false;
        }
        let start = Place { segment: self.segment, offset: self.offset, line: 0 };
        self.offset += length as u64;
        self.end = Position { segment: self.segment, offset: self.offset, frame: heading.frame };
        Ok(Frame { events, at: heading.at, start, end: self.end })
    }

    /// Goes past a frame that is whole by its checksum and still makes no sense: it was acknowledged, so it is
    /// never cut off.
    fn pass_over(&mut self, what: String, length: usize) {
        let to = self.offset + length as u64;
        self.note(to, what, false);
        self.offset = to;
        self.end = Position { segment: self.segment, offset: to, frame: self.end.frame + 1 };
    }

    /// Goes to the next bytes that look like a frame.
    fn skip(&mut self, what: String) {
        let rest = self.rest();
        let next = rest.windows(frame::MAGIC.len()).skip(1).position(|w| w == frame::MAGIC);
        let to = self.offset + next.map_or(rest.len(), |n| n + 1) as u64;
        self.note(to, what, self.segment == self.last);
        self.offset = to;
    }

    /// Notes that what lies between here and `to` cannot be read; neighbouring stretches become one.
    fn note(&mut self, to: u64, what: String, at_the_end: bool) {
        let path = segment_path(&self.folder, self.segment);
        let from = self.offset;
        match self.damage.last_mut() {
            Some(last) if last.path == path && last.to == from && last.at_the_end == at_the_end => {
                last.to = to;
            }
            _ => self.damage.push(Damage { segment: self.segment, path, from, to, at_the_end, what }),
        }
    }
}

/// The number of the last segment there is; 0 where there is none.
fn last_segment(folder: &Path) -> Result<u32, JournalError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(JournalError::io("list", folder)(e)),
    };
    let number = |name: &std::ffi::OsStr| name.to_str()?.strip_suffix(".jsonl.zst")?.parse().ok();
    Ok(entries.filter_map(|entry| number(&entry.ok()?.file_name())).max().unwrap_or(0))
}

pub(super) fn parse(payload: &[u8]) -> Result<(Heading, Vec<Event>), String> {
    let mut lines = payload.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    let heading: Heading =
        serde_json::from_slice(lines.next().unwrap_or_default()).map_err(|e| format!("no heading: {e}"))?;
    let events: Vec<Event> =
        lines.map(serde_json::from_slice).collect::<Result<_, _>>().map_err(|e| format!("no event: {e}"))?;
    if events.len() == heading.lines as usize {
        Ok((heading, events))
    } else {
        Err(format!("{} lines where the heading says {}", events.len(), heading.lines))
    }
}

/// A segment from an offset on; nothing where it is not there or does not reach so far.
fn read_segment(folder: &Path, segment: u32, from: u64) -> Result<Option<Vec<u8>>, JournalError> {
    let path = segment_path(folder, segment);
    let read = || -> io::Result<_> {
        let mut file = File::open(&path)?;
        if file.metadata()?.len() < from {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    match read() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map_err(JournalError::io("read", &path)),
    }
}
