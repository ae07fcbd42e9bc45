//! Which live article is in which record.

use crate::model::{ArticleNo, RecordId};
use std::collections::{BTreeSet, HashMap};

/// An article is weighed against this many members of a record at most: a third of them the oldest, the rest
/// the newest. Two records are weighed with half as many of each.
pub(super) const PANEL: usize = 24;
pub(super) const MERGE_PANEL: usize = 12;

/// One record, as far as it is in the windows.
#[derive(Debug)]
pub(super) struct Record {
    pub id: RecordId,
    /// Its live members.
    pub members: BTreeSet<ArticleNo>,
}

impl Record {
    /// The members that a newcomer is weighed against.
    pub fn panel(&self) -> Vec<ArticleNo> {
        panel(&self.members, PANEL)
    }

    /// The members that another record is weighed against.
    pub fn merge_panel(&self) -> Vec<ArticleNo> {
        panel(&self.members, MERGE_PANEL)
    }
}

/// At most `size` of some members: a third of them the oldest, the rest the newest.
pub(super) fn panel(members: &BTreeSet<ArticleNo>, size: usize) -> Vec<ArticleNo> {
    if members.len() <= size {
        return members.iter().copied().collect();
    }
    let mut newest: Vec<_> = members.iter().rev().take(size - size / 3).copied().collect();
    newest.reverse();
    members.iter().take(size / 3).copied().chain(newest).collect()
}

/// All records with a live member, by founder.
#[derive(Default)]
pub(super) struct Records {
    by_founder: HashMap<ArticleNo, Record>,
    founder_of: HashMap<ArticleNo, ArticleNo>,
}

impl Records {
    pub fn get(&self, founder: ArticleNo) -> Option<&Record> {
        self.by_founder.get(&founder)
    }

    /// The founder of the record that a live article is in.
    pub fn founder_of(&self, no: ArticleNo) -> Option<ArticleNo> {
        self.founder_of.get(&no).copied()
    }

    /// Puts an article into a record, which it may found.
    pub fn add(&mut self, no: ArticleNo, founder: ArticleNo, id: RecordId) {
        let new = || Record { id, members: BTreeSet::new() };
        self.by_founder.entry(founder).or_insert_with(new).members.insert(no);
        self.founder_of.insert(no, founder);
    }

    /// Lets go of an article that has left every window, or is to go elsewhere.
    pub fn remove(&mut self, no: ArticleNo) {
        let Some(founder) = self.founder_of.remove(&no) else { return };
        if let Some(record) = self.by_founder.get_mut(&founder) {
            record.members.remove(&no);
            if record.members.is_empty() {
                self.by_founder.remove(&founder);
            }
        }
    }

    /// Makes the members of `from` members of `into`, which keeps its id.
    pub fn merge(&mut self, into: ArticleNo, from: ArticleNo, id: RecordId) {
        let Some(gone) = self.by_founder.remove(&from) else { return };
        for no in gone.members {
            self.add(no, into, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_is_the_oldest_third_and_the_newest_rest() {
        let members: BTreeSet<ArticleNo> = (0..10).map(ArticleNo).collect();
        let of = |size| panel(&members, size).into_iter().map(|no| no.0).collect::<Vec<_>>();
        assert_eq!(of(12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(of(6), [0, 1, 6, 7, 8, 9]);
    }
}
