//! Why an article is where it is, and how near two are: the contract of `explain`.
//!
//! What decided is told from the journal, which kept it. What nobody decided on is weighed when it is asked, by the
//! same code and today's thresholds.

use super::{Found, Library, LinkAnswer, PassageAnswer, QueryError, weigh::Known, why};
use crate::{
    detect,
    model::{
        ArticleId, ArticleNo, Event, Evidence, MergeEvent, MoveEvent, NearMiss, RecordId, Relation, Score,
        Step, TermKind, Time,
    },
};
use serde::{Deserialize, Serialize};

/// The answer to `explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainAnswer {
    /// The reason, as one plain sentence.
    pub why: String,
    /// What else must be known to read it right, each a plain sentence.
    pub notes: Vec<String>,
    /// What was asked about.
    pub one: SideAnswer,
    /// What it is compared with: the second id, else the article that it was matched with.
    pub other: Option<SideAnswer>,
    /// How the two stand; of an article alone, how it came into its record.
    pub standing: Standing,
    /// How the one article stands to the other, where they are in one record for it.
    pub relation: Option<Relation>,
    /// The pair of articles that was compared; of records, the likeliest across or the one that bars them.
    pub pair: Option<PairAnswer>,
    /// What joining and merging would take, for two that are not in one record.
    pub fits: Vec<FitAnswer>,
    /// Each member of a record, where one was asked about alone.
    pub members: Vec<MemberAnswer>,
    /// Records that came close and stayed apart.
    pub near_misses: Vec<NearMissAnswer>,
    /// Records of the same running story.
    pub related: Vec<LinkAnswer>,
    /// The thresholds in force today; what was in force when it was decided stands with the pair.
    pub thresholds: ThresholdsAnswer,
}

/// An article or a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SideAnswer {
    /// The article; nothing where a record is meant.
    pub article: Option<ArticleId>,
    /// The record, or the one that the article is in.
    pub record: RecordId,
    /// The path of the article, or of the record's canonical one.
    pub path: String,
    /// Its own id within that file, else its number there.
    pub item: Option<String>,
    /// Its headline.
    pub title: Option<String>,
    /// Its source.
    pub source: Option<String>,
    /// When it says it was published.
    pub published: Option<Time>,
    /// How many words of it are compared.
    pub words: u32,
}

/// How an article came into its record, or how two stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It founded it.
    Founded,
    /// It joined it.
    Joined,
    /// The record that it had founded merged into it.
    Merged,
    /// It moved there from another.
    Moved,
    /// Both are in one record.
    Together,
    /// They are in two records.
    Apart,
    /// A record was asked about alone.
    Record,
}

/// Where the figures of a pair come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The journal: what decided.
    Journal,
    /// The profiles that are kept of both while they are in the windows.
    Kept,
    /// At least one has left the windows: measured anew from its text, with the shipped document frequencies alone.
    Anew,
}

/// Two articles, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairAnswer {
    /// The one.
    pub one: ArticleId,
    /// The other.
    pub other: ArticleId,
    /// Where the figures come from.
    pub basis: Basis,
    /// What was measured, the one being spoken of: its `contained` is the share of the one that the other holds. Terms
    /// and figures by number are left out of it.
    pub evidence: Evidence,
    /// The probability but for a bar.
    pub unbarred: Score,
    /// The terms that gave most to the cosine of the strongest, most first.
    pub strongest: Vec<TermAnswer>,
    /// The figures that were compared.
    pub figures: FiguresAnswer,
    /// The names that made them siblings of one form.
    #[serde(default)]
    pub names: NamesAnswer,
    /// Days between their publication; nothing where one is unknown.
    pub days_apart: Option<f64>,
    /// Whether both are known to be of one source.
    pub same_source: bool,
    /// The passages that their texts share, longest first.
    pub passages: Vec<PassageAnswer>,
    /// How many shorter ones are left out.
    pub passages_left_out: usize,
}

/// A term by its letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermAnswer {
    /// Its letters in lower case.
    pub term: String,
    /// What kind of term it is.
    pub kind: TermKind,
    /// What it gives to the cosine.
    pub weight: Score,
}

/// Figures of two articles, rarest first and cut to a few; with how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiguresAnswer {
    /// Different figures in the one.
    pub one: u32,
    /// Different figures in the other.
    pub other: u32,
    /// How many of them are in both.
    pub both: u32,
    /// Those in both.
    pub shared: Vec<String>,
    /// Those only in the one.
    pub only_one: Vec<String>,
    /// Those only in the other.
    pub only_other: Vec<String>,
}

/// Words of names that stand between the same words in two articles, where names made them siblings of one form; rarest
/// first and cut to a few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamesAnswer {
    /// Those in the same place of both.
    pub stayed: Vec<String>,
    /// Those of the one where the other has others.
    pub only_one: Vec<String>,
    /// Those of the other that stand there.
    pub only_other: Vec<String>,
}

/// What it would take for an article to join a record, or for two records to merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitAnswer {
    /// Join or merge.
    pub step: Step,
    /// The article that would join; nothing for a merge.
    pub article: Option<ArticleId>,
    /// The record that it would join, or that is weighed against the one.
    pub record: RecordId,
    /// How many pairs are asked.
    pub pairs: u32,
    /// Their mean probability, but for a bar.
    pub mean: Score,
    /// What it has to reach.
    pub threshold: Score,
    /// The likeliest member, or the one that bars it.
    pub nearest: ArticleId,
    /// Whether that member is a sibling of one form.
    pub barred: bool,
}

/// How one member came into a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberAnswer {
    /// The article.
    pub side: SideAnswer,
    /// How it came in.
    pub standing: Standing,
    /// How it stands to what it was matched with.
    pub relation: Option<Relation>,
    /// What it was matched with.
    pub matched: Option<ArticleId>,
    /// The mean that decided.
    pub mean: Option<Score>,
    /// What it had to reach; nothing where nothing was asked.
    pub threshold: Option<Score>,
    /// The reason, as one plain sentence.
    pub why: String,
}

/// A record that came close and stayed apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearMissAnswer {
    /// The article that was weighed.
    pub article: ArticleId,
    /// The record, under the id that it has today.
    pub record: RecordId,
    /// Whether it has become one record with the article's since.
    pub together_now: bool,
    /// What nearly happened.
    pub step: Step,
    /// How it would have stood to the member.
    pub relation: Relation,
    /// The member that it is likest to, or that bars it.
    pub nearest: SideAnswer,
    /// What was measured on the two; without passages.
    pub pair: PairAnswer,
}

/// What is in force.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdsAnswer {
    /// The mean at which an article joins a record of very many.
    pub join: f64,
    /// The mean at which it joins a record of one.
    pub join_one: Score,
    /// The mean at which two records of very many merge.
    pub merge: f64,
    /// The mean at which two records of one merge.
    pub merge_one: Score,
    /// The probability of the best pair at which two records are related.
    pub link: f64,
    /// How many days copies are looked for.
    pub overlap_days: u32,
    /// How many days rewrites are looked for.
    pub rewrite_days: u32,
}

/// What put an article where it is.
pub(super) enum Decided {
    Founded,
    Joined(Relation, Option<Box<Evidence>>),
    Merged(MergeEvent),
    Moved(MoveEvent),
}

impl Decided {
    pub fn standing(&self) -> Standing {
        match self {
            Self::Founded => Standing::Founded,
            Self::Joined(..) => Standing::Joined,
            Self::Merged(_) => Standing::Merged,
            Self::Moved(_) => Standing::Moved,
        }
    }

    /// How the article stands to what it was matched with.
    pub fn relation(&self) -> Option<Relation> {
        match self {
            Self::Founded => None,
            Self::Joined(relation, _)
            | Self::Merged(MergeEvent { relation, .. })
            | Self::Moved(MoveEvent { relation, .. }) => Some(*relation),
        }
    }

    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Founded => None,
            Self::Joined(_, evidence) => evidence.as_deref(),
            Self::Merged(MergeEvent { evidence, .. }) | Self::Moved(MoveEvent { evidence, .. }) => {
                evidence.as_deref()
            }
        }
    }
}

impl Library<'_> {
    /// Why an article or a record is as it is; with a second id, how near the two are. Each id is an article's or a
    /// record's, and may be shortened to what is unique.
    ///
    /// # Errors
    /// When an id means nothing, or more than one thing, or both mean the same; when the view or the journal cannot be
    /// read.
    pub fn explain(&self, id: &str, other: Option<&str>) -> Result<ExplainAnswer, QueryError> {
        let one = self.find(id)?;
        match (one, other) {
            (Found::Article(no), None) => self.explain_article(no, id),
            (Found::Record(founder), None) => self.explain_record(founder),
            (one, Some(other)) => self.explain_two(one, self.find(other)?, id),
        }
    }

    fn explain_article(&self, no: ArticleNo, asked: &str) -> Result<ExplainAnswer, QueryError> {
        let known = self.known(no)?;
        let decided = self.decided(&known)?;
        let matched = match known.row.matched {
            Some(id) => self.view.article_by_id(id)?.map(|(no, _)| self.known(no)).transpose()?,
            None => None,
        };
        let (mut pair, mut notes) = (None, Vec::new());
        if let Some(matched) = &matched {
            pair = Some(self.decided_pair(&known, matched, &decided)?);
        }
        let near_misses = self.near_misses(&known)?;
        notes.extend(why::of_copies(&known, asked));
        notes.extend(self.view.is_pinned(known.row.id)?.then(why::of_pin));
        notes.extend(why::of_former_record(&known, &decided));
        notes.extend(pair.as_ref().and_then(why::of_basis));
        Ok(ExplainAnswer {
            why: why::of_article(&known, &decided, matched.as_ref(), &near_misses),
            notes,
            one: known.side(),
            other: matched.as_ref().map(Known::side),
            standing: decided.standing(),
            relation: decided.relation(),
            pair,
            fits: Vec::new(),
            members: Vec::new(),
            near_misses,
            related: self.related(known.row.founder)?,
            thresholds: self.thresholds(),
        })
    }

    fn explain_record(&self, founder: ArticleNo) -> Result<ExplainAnswer, QueryError> {
        let (mut members, mut near_misses) = (Vec::new(), Vec::new());
        for no in self.view.members(founder)? {
            let known = self.known(no)?;
            members.push(self.member(&known)?);
            near_misses.extend(self.near_misses(&known)?);
        }
        let one = self.side_of_record(founder)?;
        Ok(ExplainAnswer {
            why: why::of_record(&one, &members),
            notes: Vec::new(),
            one,
            other: None,
            standing: Standing::Record,
            relation: None,
            pair: None,
            fits: Vec::new(),
            members,
            near_misses,
            related: self.related(founder)?,
            thresholds: self.thresholds(),
        })
    }

    fn member(&self, known: &Known) -> Result<MemberAnswer, QueryError> {
        let decided = self.decided(known)?;
        let matched = match known.row.matched {
            Some(id) => self.view.article_by_id(id)?.map(|(no, _)| self.known(no)).transpose()?,
            None => None,
        };
        let asked = decided.evidence().filter(|evidence| evidence.threshold > Score::ZERO);
        Ok(MemberAnswer {
            why: why::of_article(known, &decided, matched.as_ref(), &[]),
            side: known.side(),
            standing: decided.standing(),
            relation: decided.relation(),
            matched: known.row.matched,
            mean: known.row.score,
            threshold: asked.map(|evidence| evidence.threshold),
        })
    }

    /// What put an article where it is, as the journal has it.
    pub(super) fn decided(&self, known: &Known) -> Result<Decided, QueryError> {
        let verdict = &known.event.verdict;
        if known.row.decided == known.row.place {
            return Ok(match (known.row.relation, verdict.relation) {
                (Some(relation), Some(_)) => {
                    Decided::Joined(relation, verdict.evidence.clone().map(Box::new))
                }
                _ => Decided::Founded,
            });
        }
        Ok(match self.event(known.row.decided)? {
            Event::Merge(merge) => Decided::Merged(merge),
            Event::Move(moved) => Decided::Moved(moved),
            _ => Decided::Founded,
        })
    }

    /// The near misses of an article when it came.
    pub(super) fn near_misses(&self, known: &Known) -> Result<Vec<NearMissAnswer>, QueryError> {
        let mut told = Vec::new();
        for miss in &known.event.verdict.near_misses {
            // What a damaged stretch of the journal took is not told of.
            let Some(founder) = self.view.founder(miss.record)? else { continue };
            let Some((no, _)) = self.view.article_by_id(miss.matched)? else { continue };
            let Some(record) = self.view.record(founder)? else { continue };
            let nearest = self.known(no)?;
            let NearMiss { step, relation, evidence, .. } = miss;
            told.push(NearMissAnswer {
                article: known.row.id,
                record: record.id,
                together_now: founder == known.row.founder,
                step: *step,
                relation: *relation,
                nearest: nearest.side(),
                pair: known.pair_with(&nearest, evidence.clone(), Basis::Journal),
            });
        }
        Ok(told)
    }

    fn thresholds(&self) -> ThresholdsAnswer {
        let settings = &self.settings;
        ThresholdsAnswer {
            join: settings.join,
            join_one: detect::threshold(settings, Step::Join, 1),
            merge: settings.merge,
            merge_one: detect::threshold(settings, Step::Merge, 1),
            link: settings.link,
            overlap_days: settings.overlap_days,
            rewrite_days: settings.rewrite_days,
        }
    }

    fn explain_two(&self, one: Found, other: Found, id: &str) -> Result<ExplainAnswer, QueryError> {
        let compared = self.compare(one, other)?.ok_or_else(|| QueryError::Same { id: id.to_owned() })?;
        let notes =
            why::of_windows(&compared, &self.settings).into_iter().chain(why::of_basis(&compared.pair));
        let notes = notes.collect();
        let relation = compared.is_together.then_some(compared.relation);
        Ok(ExplainAnswer {
            why: why::of_two(&compared),
            notes,
            standing: if compared.is_together { Standing::Together } else { Standing::Apart },
            one: compared.sides.0,
            other: Some(compared.sides.1),
            relation,
            pair: Some(compared.pair),
            fits: compared.fits,
            members: Vec::new(),
            near_misses: compared.near_misses,
            related: compared.link.into_iter().collect(),
            thresholds: self.thresholds(),
        })
    }
}
