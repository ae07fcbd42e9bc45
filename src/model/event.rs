//! What happened, as the journal keeps it. The journal alone restores every record, so an event carries
//! the decision that was taken, and a replay applies it without deciding again.

use super::{
    Arrival, ArticleId, ArticleNo, Digest, Encoded, Evidence, ItemPlace, Reason, Receipt, RecordId, Relation,
    Score, Time,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// A file was taken up; the first event of its arrival.
    Arrival(ArrivalEvent),
    /// An article was seen for the first time, and this was decided.
    Article(Box<ArticleEvent>),
    /// An article was seen again, byte for byte.
    Sighting(Sighting),
    /// An item of a file could not be read.
    Rejected(Rejection),
    /// A file was finished with.
    Receipt(Receipt),
    /// Two records were found to be one.
    Merge(MergeEvent),
    /// An article was found to belong to another record.
    Move(MoveEvent),
    /// A person said that an article stays where it is, or took that back.
    Pin(PinEvent),
    /// A person had a file that was set aside put back into its inbox.
    Requeue(RequeueEvent),
    /// A stretch of the journal cannot be read, and what could be had of it from elsewhere was taken in again.
    Mended(MendedEvent),
}

/// A file that was taken up: what it was, so that a restart knows it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalEvent {
    /// Its number.
    pub arrival: Arrival,
    /// Its path as it lay under its inbox, or as typed; escaped where it is not text.
    pub path: String,
    /// When it was claimed.
    pub at: Time,
    /// The inbox that it was claimed from; nothing where it was given on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<String>,
    /// How long it was when it was read, in bytes.
    pub bytes: u64,
    /// When it had last been written to, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// A first sighting: the article whole, and the verdict on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleEvent {
    /// The article's running number.
    pub no: ArticleNo,
    /// Its id, the SHA-256 of its raw bytes.
    pub id: ArticleId,
    /// The digest of what is compared of it.
    pub text_digest: Digest,
    /// The file that it came in.
    pub arrival: Arrival,
    /// Its place among the items of that file.
    pub index: u32,
    /// The file's path.
    pub path: String,
    /// Its own id within the file, else its number there; nothing where the file is the article.
    pub item: Option<String>,
    /// When the file was claimed.
    pub at: Time,
    /// The time that decides windows and eviction.
    pub time: Time,
    /// Its source; nothing where it is unknown.
    pub source: Option<String>,
    /// Its headline.
    pub title: Option<String>,
    /// When it says it was published.
    pub published: Option<Time>,
    /// Its address.
    pub url: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// How many words of it are compared.
    pub words: u32,
    /// What was decided.
    pub verdict: Verdict,
    /// What else its format said.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// What a sentence encoder made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoded: Option<Encoded>,
    /// The publisher's text, untouched.
    pub text: String,
}

impl ArticleEvent {
    /// What its format said of it, with its address under `url`.
    pub fn metadata(&self) -> Map<String, Value> {
        let mut metadata = self.meta.clone();
        if let Some(url) = &self.url {
            metadata.entry("url").or_insert_with(|| Value::String(url.clone()));
        }
        metadata
    }
}

/// Where an article belongs, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The record that it founds or joins.
    pub record: RecordId,
    /// How it stands to the member it was matched with; nothing for a founder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// That member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<ArticleId>,
    /// The score that the join rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Records of the same running story, with the probability of the best pair across.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Link>,
    /// Records that it came close to, best first and a few at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<NearMiss>,
}

/// A record that an article was weighed against and did not come together with, though little was missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The record.
    pub record: RecordId,
    /// What nearly happened.
    pub step: Step,
    /// The member that it is likest to; where siblings of one form bar the record, the one of them that it is.
    pub matched: ArticleId,
    /// How it would have stood to that member.
    pub relation: Relation,
    /// What was measured on the two, with the mean over the members and what it had to reach. Where the record is
    /// barred it is the mean but for the bar.
    pub evidence: Evidence,
}

/// What brings articles together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// An article joins a record.
    Join,
    /// The article's record and another merge.
    Merge,
}

/// A link between the record of a verdict and another one. It joins nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The other record.
    pub record: RecordId,
    /// The probability of the best pair across.
    pub score: Score,
}

/// An article that had been received before, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The article.
    pub id: ArticleId,
    /// The file that it came in this time.
    pub arrival: Arrival,
    /// Its place among the items of that file.
    pub index: u32,
    /// That file's path.
    pub path: String,
    /// Where this sighting came from.
    pub source: Option<String>,
    /// When the file was claimed.
    pub at: Time,
}

/// An item of a file that could not be read. Its bytes are set aside under `failed/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The file that it came in.
    pub arrival: Arrival,
    /// Its place among the items of that file.
    pub index: u32,
    /// That file's path.
    pub path: String,
    /// What a person would call its place in the file.
    pub place: Option<ItemPlace>,
    /// When the file was claimed.
    pub at: Time,
    /// Why it could not be read.
    pub reason: Reason,
}

/// Two records became one. The older id survives; the other still resolves, and its founder is a variant now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeEvent {
    /// The record that lives on.
    pub into: RecordId,
    /// The record whose members went over.
    pub from: RecordId,
    /// How the founder of the record that went over stands to the member it is matched with.
    pub relation: Relation,
    /// That member of the record that lives on.
    pub matched: ArticleId,
    /// The mean probability across.
    pub score: Score,
    /// What was measured on the founder and that member, with the mean and what it had to reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<Evidence>>,
}

/// An article went from one record to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveEvent {
    /// The article.
    pub id: ArticleId,
    /// Where it was.
    pub from: RecordId,
    /// Where it is now.
    pub to: RecordId,
    /// How it stands to the member it is matched with there.
    pub relation: Relation,
    /// That member.
    pub matched: ArticleId,
    /// The mean probability with its new record.
    pub score: Score,
    /// What was measured on the article and that member, with the mean and what it had to reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<Evidence>>,
}

/// A person's word on an article: pinned, it stays in its record, and its record goes into no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinEvent {
    /// The article.
    pub id: ArticleId,
    /// Whether it is pinned from now on.
    pub pinned: bool,
    /// When that was said.
    pub at: Time,
}

/// A file that was set aside goes back into its inbox, to be taken up anew under another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequeueEvent {
    /// The arrival that had failed; it stays counted as it was.
    pub arrival: Arrival,
    /// When that was said.
    pub at: Time,
}

/// A stretch of the journal that is known to be damaged, so that an audit need not tell of it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MendedEvent {
    /// The segment.
    pub segment: u32,
    /// Where the stretch begins, in bytes.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// When that was found.
    pub at: Time,
}

impl Event {
    /// The arrival that this event was part of, where it was part of one.
    pub fn arrival(&self) -> Option<Arrival> {
        match self {
            Self::Arrival(e) => Some(e.arrival),
            Self::Article(e) => Some(e.arrival),
            Self::Sighting(e) => Some(e.arrival),
            Self::Rejected(e) => Some(e.arrival),
            Self::Receipt(e) => Some(e.arrival),
            Self::Merge(_) | Self::Move(_) | Self::Pin(_) | Self::Requeue(_) | Self::Mended(_) => None,
        }
    }
}
