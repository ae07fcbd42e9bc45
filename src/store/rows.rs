//! What stands in the rows of the view.

use crate::{
    journal::{Place, Position},
    model::{ArticleId, ArticleNo, Digest, Outcome, Reason, RecordId, Relation, Score, Time},
};
use serde::{Deserialize, Serialize};

/// One article, without its text, which is read from its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleRow {
    /// The founder of its record. It and what follows to the article matched stand first, as they are read alone too.
    pub founder: ArticleNo,
    /// Its id.
    pub id: ArticleId,
    /// How it stands to the article it was matched with; nothing for a founder.
    pub relation: Option<Relation>,
    /// That article.
    pub matched: Option<ArticleId>,
    /// The path of its first sighting.
    pub path: String,
    /// Its own id within that file, else its number there.
    pub item: Option<String>,
    /// Its source.
    pub source: Option<String>,
    /// Its headline.
    pub title: Option<String>,
    /// When it says it was published.
    pub published: Option<Time>,
    /// Its language.
    pub lang: Option<String>,
    /// How many words of it are compared.
    pub words: u32,
    /// The score that the join rests on.
    pub score: Option<Score>,
    /// How often it was received, byte for byte.
    pub sightings: u32,
    /// The other sources that it was received from, in the order of their first.
    pub also_from: Vec<String>,
    /// When it was first received.
    pub first_seen: Time,
    /// When it was last received.
    pub last_seen: Time,
    /// Where the journal has it whole.
    pub place: Place,
    /// Where the journal has what put it where it is: the same place, or that of a later merge or move.
    pub decided: Place,
}

impl ArticleRow {
    /// Whether it was ever received from a source, whatever the case of its letters.
    pub fn is_from(&self, source: &str) -> bool {
        self.source.iter().chain(&self.also_from).any(|one| one.to_lowercase() == source.to_lowercase())
    }
}

/// One record. Its members and links are rows of their own, so that no row grows with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordRow {
    /// Its id.
    pub id: RecordId,
    /// Its canonical article.
    pub canonical: ArticleNo,
    /// The ids of records that were merged into it.
    pub aliases: Vec<RecordId>,
}

impl RecordRow {
    /// The record that an article founds, as long as nothing else is known of it.
    pub(super) fn founded_by(no: ArticleNo, id: ArticleId) -> Self {
        Self { id: RecordId::founded_by(id), canonical: no, aliases: Vec::new() }
    }
}

/// One arrival of a file: how far it has come, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalRow {
    /// The file's path.
    pub path: String,
    /// When it was claimed.
    pub at: Time,
    /// The inbox that it was claimed from; nothing where it was given on the command line.
    pub inbox: Option<String>,
    /// How long it was when it was read, in bytes.
    pub bytes: u64,
    /// When it had last been written to, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// How many of its items are in the journal; the next one has this index.
    pub items: u32,
    /// New articles among them.
    pub new: u64,
    /// Articles among them that had been received before.
    pub repeats: u64,
    /// Items among them that could not be read.
    pub rejected: u64,
    /// The digest of the whole file, once it was read to its end.
    pub digest: Option<Digest>,
    /// How it ended; nothing while it is under way.
    pub outcome: Option<Outcome>,
    /// Why, where it failed.
    pub reason: Option<Reason>,
    /// Where the journal first speaks of it.
    pub first: Place,
    /// Where it does so last: of its receipt, once it has ended.
    pub last: Place,
}

/// Running totals, and how far the view has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Up to where the journal has been applied.
    pub applied: Position,
    /// The highest arrival number in the journal.
    pub last_arrival: u64,
    /// The number of the next article: above all in the journal, though damage may have taken some of them.
    pub next_article: ArticleNo,
    /// Files of which something is in the journal.
    pub received: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Of these, read in part.
    pub partly: u64,
    /// Of these, received before.
    pub duplicate: u64,
    /// Of these, not readable.
    pub failed: u64,
    /// Articles received, every arrival counted.
    pub sightings: u64,
    /// Records, each with one canonical article.
    pub canonical: u64,
    /// Articles that are variants.
    pub variants: u64,
    /// Of these, how many stand so to what they were matched with, in the order of [`Relation::ALL`].
    pub relations: [u64; Relation::ALL.len()],
    /// Sightings of articles that had been received before.
    pub repeats: u64,
    /// Items that could not be read.
    pub rejected: u64,
    /// When something was last committed.
    pub last_commit: Option<Time>,
}

impl Counts {
    /// Articles in the view.
    pub fn articles(&self) -> u64 {
        self.canonical + self.variants
    }

    /// Files that have ended.
    pub fn ended(&self) -> u64 {
        self.accepted + self.partly + self.duplicate + self.failed
    }

    /// The count of variants that stand so to what they were matched with.
    pub(super) fn of(&mut self, relation: Relation) -> &mut u64 {
        let [identical, near, excerpt, extended, rewrite, revision] = &mut self.relations;
        match relation {
            Relation::Identical => identical,
            Relation::Near => near,
            Relation::Excerpt => excerpt,
            Relation::Extended => extended,
            Relation::Rewrite => rewrite,
            Relation::Revision => revision,
        }
    }

    /// Counts a file that has ended.
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Partly => self.partly += 1,
            Outcome::Duplicate => self.duplicate += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}
