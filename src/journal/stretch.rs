//! The frames of a stretch of the journal, whose ends are known: what a question needs and no more.
//!
//! Who must account for every byte replays it instead. Here what cannot be read is passed by and counted.

use super::{Frame, Place, Position, frame, replay::parse, segment_path};
use std::{
    fs::File,
    io::{self, BufReader, Seek, SeekFrom},
    path::Path,
};

/// A frame of the usual size is read at once.
const READ_BYTES: usize = 128 << 10;

/// Gives every frame from the one that begins at `from` to the one that begins at `to`, until `each` says that it is enough.
/// Returns how many stretches in between cannot be read; what lies between one of them and the end of its segment, or
/// `to`, is passed by with it.
pub fn each_frame(folder: &Path, from: Place, to: Place, mut each: impl FnMut(Frame) -> bool) -> u64 {
    let mut unreadable = 0;
    for segment in from.segment..=to.segment {
        let begin = if segment == from.segment { from.offset } else { 0 };
        let last = (segment == to.segment).then_some(to.offset);
        let Ok(mut reading) = Reading::open(&segment_path(folder, segment), segment, begin) else {
            unreadable += 1;
            continue;
        };
        while last.is_none_or(|last| reading.offset <= last) {
            match (reading.next(), last) {
                (Ok(Some(frame)), _) => {
                    if !each(frame) {
                        return unreadable;
                    }
                }
                (Ok(None), None) => break,
                (Err(_), Some(last)) if reading.offset < last => {
                    unreadable += 1;
                    if reading.go_to(last).is_err() {
                        break;
                    }
                }
                (Ok(None) | Err(_), _) => {
                    unreadable += 1;
                    break;
                }
            }
        }
    }
    unreadable
}

/// A segment that is read from a place on.
struct Reading {
    reader: BufReader<File>,
    segment: u32,
    /// Where the next frame begins.
    offset: u64,
}

impl Reading {
    fn open(path: &Path, segment: u32, offset: u64) -> io::Result<Self> {
        let mut reading =
            Self { reader: BufReader::with_capacity(READ_BYTES, File::open(path)?), segment, offset };
        reading.go_to(offset)?;
        Ok(reading)
    }

    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        self.offset = self.reader.seek(SeekFrom::Start(offset))?;
        Ok(())
    }

    /// The next frame; nothing at the end of the segment.
    fn next(&mut self) -> io::Result<Option<Frame>> {
        let Some(payload) = frame::next(&mut self.reader)? else { return Ok(None) };
        let (heading, events) = parse(&payload).map_err(io::Error::other)?;
        let start = Place { segment: self.segment, offset: self.offset, line: 0 };
        self.offset = self.reader.stream_position()?;
        let end = Position { segment: self.segment, offset: self.offset, frame: heading.frame };
        Ok(Some(Frame { events, at: heading.at, start, end }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::Journal,
        model::{Arrival, Event, RequeueEvent, Time},
    };
    use std::fs;

    fn event(n: u64) -> Event {
        Event::Requeue(RequeueEvent { arrival: Arrival(n), at: Time::default() })
    }

    /// A journal of so many frames of one event, and where each lies.
    fn journal(folder: &Path, frames: u64) -> Vec<Place> {
        let mut journal = Journal::open(folder, Position::default()).unwrap();
        (0..frames).map(|n| journal.append(&[&[event(n)]], Time::default()).unwrap()[0][0]).collect()
    }

    fn read(folder: &Path, from: Place, to: Place) -> (Vec<Event>, u64) {
        let mut events = Vec::new();
        let unreadable = each_frame(folder, from, to, |frame| {
            events.extend(frame.events);
            true
        });
        (events, unreadable)
    }

    #[test]
    fn the_frames_from_one_place_to_another_are_read_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let places = journal(folder.path(), 5);
        assert_eq!(read(folder.path(), places[1], places[3]), ([1, 2, 3].map(event).into(), 0));
        assert_eq!(read(folder.path(), places[2], places[2]), ([event(2)].into(), 0));
        assert_eq!(read(folder.path(), places[0], places[4]).0.len(), 5);
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_the_end_is_read_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let places = journal(folder.path(), 5);
        let path = segment_path(folder.path(), 1);
        let mut bytes = fs::read(&path).unwrap();
        bytes[usize::try_from(places[2].offset).unwrap() + 9] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        assert_eq!(read(folder.path(), places[1], places[4]), ([1, 4].map(event).into(), 1));
        assert_eq!(read(folder.path(), places[2], places[2]), (Vec::new(), 1));
        let beyond = Place { segment: 2, ..places[0] };
        assert_eq!(read(folder.path(), places[4], beyond), ([event(4)].into(), 1), "a segment that is gone");
    }
}
