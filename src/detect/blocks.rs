//! Many short lists of numbers, each in a block of one of a few sizes: a list costs its numbers, one or two more for what is
//! said of it, and a fifth of that for room; and what is looked at first lies in one line of memory. Called by `postings`.

use std::{array, hint::black_box};

/// Where a list lies: in which chunk, and in the lower bits at which of its numbers. None lies at 0, and none has the highest
/// bit: in all they may take 8 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List(pub u32);

impl List {
    /// Where no list lies: what is added there is not kept.
    pub const NOWHERE: Self = Self(0);
}

/// So many numbers there is room for.
const ROOM: u32 = 1 << 31;

/// The blocks lie in chunks of 16 MiB, which stay where they are: to copy them would be a pause, and memory that the system
/// moves instead is in large pages no more, so that a look-up waits twice.
const CHUNK_BITS: u32 = 22;
const CHUNK: usize = 1 << CHUNK_BITS;

/// The smallest block, in numbers: one for the length and three of the list. The next sizes are half as much again, twice as
/// much, and so on.
const SMALLEST: usize = 4;
/// A block begins with the length of its list, and in the lowest bits the number of its size.
const SIZE_BITS: u32 = 6;
/// In a block that fills a line of memory, how many numbers are skipped stands behind that: of this size, 16 numbers.
const LARGE: u32 = 4;

/// The lists.
pub(super) struct Blocks {
    /// A list that is longer than a chunk has a chunk of its length for itself.
    chunks: Vec<Vec<u32>>,
    /// The free blocks of each size.
    free: [Vec<List>; 1 << SIZE_BITS],
}

impl Default for Blocks {
    fn default() -> Self {
        Self { chunks: vec![vec![0; SMALLEST]], free: array::from_fn(|_| Vec::new()) }
    }
}

impl Blocks {
    /// A list's numbers.
    pub fn get(&self, list: List) -> &[u32] {
        match self.block(list) {
            [header, rest @ ..] => {
                rest.get(said_before(*header)..).and_then(|numbers| numbers.get(..length(*header)))
            }
            [] => None,
        }
        .unwrap_or_default()
    }

    /// How many of a list's first numbers are of no use any more, as far as [`skip`](Self::skip) was told.
    pub fn skipped(&self, list: List) -> usize {
        match self.block(list) {
            [header, skipped, ..] if size(*header) >= LARGE => *skipped as usize,
            _ => 0,
        }
    }

    /// Notes how many of a list's first numbers are of no use any more. Short lists have no room for that.
    pub fn skip(&mut self, list: List, numbers: usize) {
        if let [header, skipped, ..] = self.block_mut(list)
            && size(*header) >= LARGE
        {
            *skipped = u32::try_from(numbers).unwrap_or(0);
        }
    }

    /// Asks for the beginnings of lists, so that they are at hand.
    pub fn touch(&self, lists: impl Iterator<Item = List>) {
        black_box(lists.map(|list| self.header(list)).fold(0, u32::wrapping_add));
    }

    /// A new list; [`List::NOWHERE`] where there is no room.
    pub fn add(&mut self, numbers: &[u32]) -> List {
        let size = (0..1 << SIZE_BITS).find(|size| room(*size) >= numbers.len()).unwrap_or_default();
        let free = self.free.get_mut(size as usize).and_then(Vec::pop);
        let Some(list) = free.or_else(|| self.new_block(numbers_of(size))) else { return List::NOWHERE };
        if let [header, rest @ ..] = self.block_mut(list) {
            *header = header_of(numbers.len(), size);
            let (said, places) = rest.split_at_mut(said_before(*header));
            said.fill(0);
            places.iter_mut().zip(numbers).for_each(|(place, number)| *place = *number);
        }
        list
    }

    /// Adds a number behind a list's others. Where it must go elsewhere for that, says where.
    pub fn push(&mut self, list: List, number: u32) -> List {
        if self.room(list) == 0 {
            let longer: Vec<u32> = self.get(list).iter().copied().chain([number]).collect();
            self.free(list);
            return self.add(&longer);
        }
        if let [header, rest @ ..] = self.block_mut(list)
            && let Some(next) = rest.get_mut(said_before(*header) + length(*header))
        {
            *next = number;
            *header = header_of(length(*header) + 1, size(*header));
        }
        list
    }

    /// How many numbers more a list may have before it must go elsewhere.
    pub fn room(&self, list: List) -> usize {
        let header = self.header(list);
        room(size(header)) - length(header)
    }

    /// Keeps those of a list's numbers that are wanted. Where it goes elsewhere then, says where.
    pub fn retain(&mut self, list: List, is_wanted: impl Fn(u32) -> bool) -> List {
        let wanted: Vec<u32> = self.get(list).iter().copied().filter(|number| is_wanted(*number)).collect();
        self.free(list);
        self.add(&wanted)
    }

    /// Gives a list's block to another. The list is no more.
    pub fn free(&mut self, list: List) {
        let size = size(self.header(list));
        if let Some(free) = self.free.get_mut(size as usize) {
            free.push(list);
        }
    }

    fn new_block(&mut self, numbers: usize) -> Option<List> {
        if self.chunks.last().is_none_or(|chunk| chunk.len() + numbers > CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK.max(numbers)));
        }
        let number = self.chunks.len() - 1;
        let chunk = self.chunks.last_mut()?;
        let list = u32::try_from(number << CHUNK_BITS | chunk.len()).ok().filter(|list| *list < ROOM)?;
        chunk.resize(chunk.len() + numbers, 0);
        Some(List(list))
    }

    /// From a list's header to the end of its chunk.
    fn block(&self, list: List) -> &[u32] {
        let (chunk, at) = place(list);
        self.chunks.get(chunk).and_then(|chunk| chunk.get(at..)).unwrap_or_default()
    }

    fn block_mut(&mut self, list: List) -> &mut [u32] {
        let (chunk, at) = place(list);
        self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(at..)).unwrap_or_default()
    }

    fn header(&self, list: List) -> u32 {
        self.block(list).first().copied().unwrap_or_default()
    }
}

fn place(list: List) -> (usize, usize) {
    (list.0 as usize >> CHUNK_BITS, list.0 as usize % CHUNK)
}

fn header_of(length: usize, size: u32) -> u32 {
    u32::try_from(length).unwrap_or(0) << SIZE_BITS | size
}

fn length(header: u32) -> usize {
    (header >> SIZE_BITS) as usize
}

fn size(header: u32) -> u32 {
    header % (1 << SIZE_BITS)
}

/// The numbers in a block of a size.
fn numbers_of(size: u32) -> usize {
    let doubled = SMALLEST << (size / 2);
    if size.is_multiple_of(2) { doubled } else { doubled + doubled / 2 }
}

/// How many numbers stand between a block's header and its list.
fn said_before(header: u32) -> usize {
    usize::from(size(header) >= LARGE)
}

/// How long a list in a block of this size may be.
fn room(size: u32) -> usize {
    numbers_of(size) - 1 - said_before(header_of(0, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_hold_what_vectors_hold(
            changes in prop::collection::vec((0_usize..6, any::<u32>(), 0_u8..12), 1..400),
        ) {
            let mut blocks = Blocks::default();
            let mut lists: Vec<(List, Vec<u32>, usize)> = (0..6).map(|n| (blocks.add(&[n]), vec![n], 0)).collect();
            for (which, number, change) in changes {
                let (list, expected, skipped) = &mut lists[which];
                let before = *list;
                match change {
                    0 => {
                        blocks.free(*list);
                        *expected = vec![number; 5];
                        *list = blocks.add(expected);
                        *skipped = 0;
                    }
                    2 => {
                        blocks.skip(*list, expected.len());
                        let has_room = size(blocks.header(*list)) >= LARGE;
                        *skipped = if has_room { expected.len() } else { 0 };
                    }
                    1 => {
                        *list = blocks.retain(*list, |kept| kept < number);
                        expected.retain(|kept| *kept < number);
                        *skipped = 0;
                    }
                    _ => {
                        *list = blocks.push(*list, number);
                        expected.push(number);
                        // One that goes elsewhere begins anew.
                        *skipped = if *list == before { *skipped } else { 0 };
                    }
                }
                for (list, expected, skipped) in &lists {
                    prop_assert_eq!(blocks.get(*list), expected);
                    prop_assert_eq!(blocks.skipped(*list), *skipped);
                }
            }
        }
    }

    #[test]
    fn a_block_that_was_freed_is_used_again() {
        let mut blocks = Blocks::default();
        for _ in 0..100 {
            let list = blocks.add(&[1, 2, 3, 4]);
            blocks.free(list);
        }
        assert_eq!(blocks.chunks.iter().map(Vec::len).collect::<Vec<_>>(), [SMALLEST + numbers_of(1)]);
    }
}
