//! Reading the journal from a place to its end, past whatever is damaged.

use super::{Heading, JournalError, Place, Position, frame, segment_path};
use crate::model::Event;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A stretch of a segment that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
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
    bytes: Vec<u8>,
    offset: usize,
    end: Position,
    damage: Vec<Damage>,
}

impl Replay {
    /// A walk from `from`, which must lie between two frames; the default position is the very beginning.
    pub fn from(folder: &Path, from: Position) -> Result<Self, JournalError> {
        let segment = from.segment.max(1);
        let bytes = read_segment(folder, segment)?.unwrap_or_default();
        let offset = usize::try_from(from.offset).unwrap_or(usize::MAX);
        let mut replay =
            Self { folder: folder.to_owned(), segment, bytes, offset, end: from, damage: Vec::new() };
        if offset > replay.bytes.len() {
            replay.note(offset, format!("the file ends before byte {offset}, up to which it had been read"));
        }
        Ok(replay)
    }

    /// The next readable frame, or nothing at the end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, JournalError> {
        loop {
            let rest = self.bytes.get(self.offset..).unwrap_or_default();
            if rest.is_empty() {
                match read_segment(&self.folder, self.segment + 1)? {
                    None => return Ok(None),
                    Some(bytes) => {
                        (self.segment, self.bytes, self.offset) = (self.segment + 1, bytes, 0);
                        continue;
                    }
                }
            }
            let read = frame::first(rest).and_then(|(payload, length)| Ok((parse(&payload)?, length)));
            match read {
                Ok(((heading, events), length)) => return Ok(Some(self.accept(heading, events, length))),
                Err(what) => self.skip(what),
            }
        }
    }

    /// The place behind the last readable frame.
    pub fn end(&self) -> Position {
        self.end
    }

    /// What could not be read so far.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn accept(&mut self, heading: Heading, events: Vec<Event>, length: usize) -> Frame {
        for earlier in &mut self.damage {
            earlier.at_the_end = false;
        }
        let start = Place { segment: self.segment, offset: self.offset as u64, line: 0 };
        self.offset += length;
        self.end = Position { segment: self.segment, offset: self.offset as u64, frame: heading.frame };
        Frame { events, start, end: self.end }
    }

    /// Goes to the next bytes that look like a frame.
    fn skip(&mut self, what: String) {
        let after = self.bytes.get(self.offset + 1..).unwrap_or_default();
        let next = after.windows(frame::MAGIC.len()).position(|w| w == frame::MAGIC);
        let to = next.map_or(self.bytes.len(), |n| self.offset + 1 + n);
        self.note(to, what);
        self.offset = to;
    }

    /// Notes that what lies between here and `to` cannot be read; neighbouring stretches become one.
    fn note(&mut self, to: usize, what: String) {
        let path = segment_path(&self.folder, self.segment);
        let (from, to) = (self.offset as u64, to as u64);
        match self.damage.last_mut() {
            Some(last) if last.path == path && last.to == from => last.to = to,
            _ => self.damage.push(Damage { path, from, to, at_the_end: true, what }),
        }
    }
}

fn parse(payload: &[u8]) -> Result<(Heading, Vec<Event>), String> {
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

fn read_segment(folder: &Path, segment: u32) -> Result<Option<Vec<u8>>, JournalError> {
    let path = segment_path(folder, segment);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(JournalError::io("read", &path)(e)),
    }
}
