//! The append-only log of everything that happened: the one source of truth.
//!
//! Owns `<data_dir>/journal/` and `<data_dir>/originals/`. A segment is a file `00000001.jsonl.zst` of
//! frames; a frame is one zstd frame, with zstd's own checksum, of JSON lines: first a [`Heading`], then one
//! [`Event`] a line. `zstdcat 00000001.jsonl.zst | jq` reads it. A frame holds whole decisions: an article
//! and the merges and moves that it caused are never parted.
//!
//! What has been synced is what happened; the view in `store` follows. This module knows no sled and decides
//! nothing. Called by `pipeline` to write, by `store` to replay, by `query` to read a text.

mod alone;
mod format;
mod frame;
mod packs;
mod replay;
mod stretch;

pub use alone::{Alone, AloneWriter};
pub use format::{FORMAT, check_format};
pub use packs::{Packs, Unreferred, check_original, copy_original, digest_of, unreferred};
pub use replay::{Damage, Frame, Replay};
pub use stretch::each_frame;

use crate::model::{Event, Time};
use frame::FrameWriter;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A frame is closed before its lines pass this many bytes, so that reading one text back stays cheap; only a
/// decision that is longer by itself makes a longer frame.
const FRAME_BYTES: usize = 192 << 10;
/// Of zstd: 335 MB/s on what the journal holds; the third, its own default, makes it a thirtieth smaller at 239.
const COMPRESSION_LEVEL: i32 = 1;
/// A segment is closed when it reaches this many bytes: small enough to copy, large enough to be few.
const SEGMENT_BYTES: u64 = 64 << 20;

/// What can go wrong with the journal and the packs.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// What is to be kept cannot be read.
    #[error("what is to be kept cannot be read")]
    Source {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A frame that is needed cannot be read.
    #[error("{path} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the frame begins.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The view has read further than the journal goes.
    #[error(
        "{path} ends before byte {offset}, up to which it had been read, or another frame than {frame} stands there"
    )]
    Behind {
        /// The segment.
        path: PathBuf,
        /// Up to where it had been read.
        offset: u64,
        /// The last frame that had been read.
        frame: u64,
    },
    /// It was written by a later version.
    #[error(
        "{path} is of format {format}, and this wirefold knows {FORMAT}: install the version that wrote it; nothing was changed"
    )]
    Later {
        /// The segment.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// An event could not be written as JSON.
    #[error("an event cannot be written as a line of the journal")]
    Encode(#[source] serde_json::Error),
}

impl JournalError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// The first line of a frame. The first of a segment may say which `format` it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The frame's running number, from 1: a gap is a lost frame.
    pub frame: u64,
    /// When it was written.
    pub at: Time,
    /// How many lines follow.
    pub lines: u32,
}

/// A place between two frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The number of the segment, from 1; 0 before anything was written.
    pub segment: u32,
    /// Bytes from the segment's beginning.
    pub offset: u64,
    /// The number of the last frame before this place.
    pub frame: u64,
}

/// Where one event's line lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The segment.
    pub segment: u32,
    /// Where its frame begins.
    pub offset: u64,
    /// Which of the frame's events it is, from 0.
    pub line: u32,
}

/// The writing end of the journal.
pub struct Journal {
    folder: PathBuf,
    writer: Option<FrameWriter>,
    end: Position,
}

impl Journal {
    /// Opens the journal to append after `end`, which a [`Replay`] found. What lies behind it in its segment
    /// is the torn tail of a write that was never acknowledged; it is copied beside the segment and cut off.
    pub fn open(folder: &Path, end: Position) -> Result<Self, JournalError> {
        make_folder(folder)?;
        let writer = match end.segment {
            0 => None,
            segment => {
                Some(FrameWriter::open(&segment_path(folder, segment), end.offset, COMPRESSION_LEVEL)?)
            }
        };
        Ok(Self { folder: folder.to_owned(), writer, end })
    }

    /// Appends groups of events, each group within one frame, and syncs. Returns where each group's events
    /// lie. When it fails nothing of it counts: the next append begins where this one did.
    pub fn append(&mut self, groups: &[&[Event]], at: Time) -> Result<Vec<Vec<Place>>, JournalError> {
        let mut places = Vec::with_capacity(groups.len());
        let mut end = self.end;
        let mut writer = self.writer_with_room(&mut end)?;
        let (mut frame, mut lines) = (Vec::with_capacity(FRAME_BYTES + FRAME_BYTES / 2), 0);
        for group in groups {
            let bytes = as_lines(group)?;
            if lines > 0 && frame.len() + bytes.len() > FRAME_BYTES {
                push_frame(&mut writer, &mut end, at, (&mut frame, &mut lines))?;
            }
            let here = (lines..).take(group.len());
            places.push(here.map(|line| Place { segment: end.segment, offset: end.offset, line }).collect());
            frame.extend_from_slice(&bytes);
            lines += u32::try_from(group.len()).unwrap_or(u32::MAX);
        }
        push_frame(&mut writer, &mut end, at, (&mut frame, &mut lines))?;
        let written = writer.sync();
        self.writer = Some(writer);
        written?;
        self.end = end;
        Ok(places)
    }

    /// The place after the last frame that was acknowledged.
    pub fn end(&self) -> Position {
        self.end
    }

    /// The writer of a segment that still has room, and the place where it stands. A writer that is lost on
    /// the way (an error between here and the sync) is opened anew at the acknowledged end.
    fn writer_with_room(&mut self, end: &mut Position) -> Result<FrameWriter, JournalError> {
        if end.segment == 0 || end.offset >= SEGMENT_BYTES {
            end.segment += 1;
            end.offset = 0;
            let path = segment_path(&self.folder, end.segment);
            // A kill between the making of a segment and its first frame leaves one of which nothing was acknowledged.
            return if path.exists() {
                FrameWriter::open(&path, 0, COMPRESSION_LEVEL)
            } else {
                FrameWriter::create(&path, COMPRESSION_LEVEL)
            };
        }
        match self.writer.take() {
            Some(writer) if writer.end() == end.offset => Ok(writer),
            _ => FrameWriter::open(&segment_path(&self.folder, end.segment), end.offset, COMPRESSION_LEVEL),
        }
    }
}

/// Closes a frame and begins the next.
fn push_frame(
    writer: &mut FrameWriter,
    end: &mut Position,
    at: Time,
    (frame, lines): (&mut Vec<u8>, &mut u32),
) -> Result<(), JournalError> {
    if *lines == 0 {
        return Ok(());
    }
    end.frame += 1;
    let heading = Heading { frame: end.frame, at: at.whole_second(), lines: *lines };
    let mut payload = serde_json::to_vec(&heading).map_err(JournalError::Encode)?;
    payload.push(b'\n');
    payload.append(frame);
    end.offset += writer.push(&payload)?;
    *lines = 0;
    Ok(())
}

fn as_lines(events: &[Event]) -> Result<Vec<u8>, JournalError> {
    let mut lines = Vec::new();
    for event in events {
        serde_json::to_writer(&mut lines, event).map_err(JournalError::Encode)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The event at a place.
pub fn read_event(folder: &Path, place: Place) -> Result<Event, JournalError> {
    let path = segment_path(folder, place.segment);
    let lines = frame::read(&path, place.offset)?;
    let line = lines.split(|b| *b == b'\n').nth(place.line as usize + 1).unwrap_or_default();
    serde_json::from_slice(line).map_err(|e| JournalError::Damaged {
        path,
        offset: place.offset,
        what: format!("line {} is not an event: {e}", place.line),
    })
}

/// The path of a segment.
pub fn segment_path(folder: &Path, segment: u32) -> PathBuf {
    folder.join(format!("{segment:08}.jsonl.zst"))
}

/// Makes a folder, readable by the owner and the group, and its name durable.
fn make_folder(folder: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.is_dir() {
        return Ok(());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(folder);
    made.map_err(JournalError::io("make the folder", folder))?;
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    let synced = fs::File::open(folder).and_then(|f| f.sync_all());
    synced.map_err(JournalError::io("sync the folder", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arrival, Digest, Sighting};

    fn sighting(n: u32) -> Event {
        Event::Sighting(Sighting {
            id: Digest::of(&n.to_be_bytes()),
            arrival: Arrival(u64::from(n)),
            index: n,
            path: format!("{n}.txt"),
            source: None,
            at: Time::from_millis(0),
        })
    }

    fn replayed(folder: &Path) -> (Vec<Event>, Replay) {
        let mut events = Vec::new();
        let mut replay = Replay::from(folder, Position::default()).unwrap();
        while let Some(frame) = replay.next_frame().unwrap() {
            events.extend(frame.events);
        }
        (events, replay)
    }

    #[test]
    fn what_was_appended_is_replayed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), Position::default()).unwrap();
        let (one, two, three) = ([sighting(1)], [sighting(2), sighting(3)], [sighting(4)]);
        let places = journal.append(&[&one, &two], Time::default()).unwrap();
        journal.append(&[&three], Time::default()).unwrap();
        assert_eq!(read_event(folder.path(), places[1][1]).unwrap(), sighting(3));
        let (events, replay) = replayed(folder.path());
        assert_eq!(events, [1, 2, 3, 4].map(sighting));
        assert_eq!((replay.end(), replay.damage()), (journal.end(), &[][..]));
    }

    #[test]
    fn a_torn_tail_is_cut_off_and_appending_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), Position::default()).unwrap();
        journal.append(&[&[sighting(1)]], Time::default()).unwrap();
        let whole = journal.end();
        journal.append(&[&[sighting(2)]], Time::default()).unwrap();
        let path = segment_path(folder.path(), 1);
        let torn = journal.end().offset - 7;
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(torn).unwrap();
        let (events, replay) = replayed(folder.path());
        assert_eq!((events.len(), replay.end()), (1, whole));
        assert!(replay.damage()[0].at_the_end);
        let mut journal = Journal::open(folder.path(), replay.end()).unwrap();
        journal.append(&[&[sighting(3)]], Time::default()).unwrap();
        let (events, replay) = replayed(folder.path());
        assert_eq!((events, replay.damage().len()), (vec![sighting(1), sighting(3)], 0));
    }

    /// A kill just then left a segment that no later run could make again, and so none could write.
    #[test]
    fn a_segment_that_was_made_and_never_written_is_written_by_the_next_run() {
        for left in [&b""[..], b"half a frame"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(segment_path(folder.path(), 1), left).unwrap();
            let (_, replay) = replayed(folder.path());
            let mut journal = Journal::open(folder.path(), replay.end()).unwrap();
            journal.append(&[&[sighting(1)]], Time::default()).unwrap();
            let (events, replay) = replayed(folder.path());
            assert_eq!((events, replay.damage().len()), (vec![sighting(1)], 0));
        }
    }

    #[test]
    fn a_damaged_frame_is_named_and_the_ones_after_it_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), Position::default()).unwrap();
        journal.append(&[&[sighting(1)]], Time::default()).unwrap();
        let (from, to) = (journal.end().offset, {
            journal.append(&[&[sighting(2)]], Time::default()).unwrap();
            journal.end().offset
        });
        journal.append(&[&[sighting(3)]], Time::default()).unwrap();
        let path = segment_path(folder.path(), 1);
        let mut bytes = fs::read(&path).unwrap();
        let middle = usize::try_from(from.midpoint(to)).unwrap();
        bytes[middle] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        let (events, replay) = replayed(folder.path());
        assert_eq!(events, [sighting(1), sighting(3)]);
        let damage = &replay.damage()[0];
        assert_eq!((damage.from, damage.to, damage.at_the_end), (from, to, false));
        assert_eq!(replay.end(), journal.end());
    }

    #[test]
    fn large_groups_are_spread_over_frames_and_segments_of_bounded_size() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), Position::default()).unwrap();
        let groups: Vec<[Event; 1]> = (0..4000).map(|n| [sighting(n)]).collect();
        let groups: Vec<&[Event]> = groups.iter().map(|g| &g[..]).collect();
        let places = journal.append(&groups, Time::default()).unwrap();
        assert!(journal.end().frame > 2);
        assert_eq!(read_event(folder.path(), places[3999][0]).unwrap(), sighting(3999));
    }
}
