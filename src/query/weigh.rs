//! Articles as `explain` needs them, and the weighing of two that nobody decided on.

use super::{
    Found, Library, LinkAnswer, QueryError,
    explain::{
        Basis, Decided, FiguresAnswer, FitAnswer, NamesAnswer, NearMissAnswer, PairAnswer, SideAnswer,
        TermAnswer,
    },
    passages::passages,
};
use crate::{
    detect::{self, Fit, Measured, Newcomer},
    fingerprint::{fingerprint, spellings},
    journal::{self, Place},
    model::{
        Article, ArticleEvent, ArticleId, ArticleNo, Event, Evidence, Fingerprint, Normalized, RecordId,
        Relation, Score, Step, TermKind, Time,
    },
    normalize::normalize,
    store::ArticleRow,
};
use std::collections::HashMap;

/// An article with all that is known of it.
pub(super) struct Known {
    pub no: ArticleNo,
    pub row: ArticleRow,
    pub event: ArticleEvent,
    /// The record that it is in today.
    pub record: RecordId,
}

impl Known {
    pub fn side(&self) -> SideAnswer {
        let row = &self.row;
        SideAnswer {
            article: Some(row.id),
            record: self.record,
            path: row.path.clone(),
            item: row.item.clone(),
            title: row.title.clone(),
            source: row.source.clone(),
            published: row.published,
            words: row.words,
        }
    }

    fn normalized(&self) -> Normalized {
        let (title, text) = (self.event.title.clone(), self.event.text.clone());
        normalize(&Article { title, text, ..Article::default() })
    }

    fn measured_anew(&self) -> Measured {
        let event = &self.event;
        let encoded = event.encoded.clone();
        Measured::anew(&Newcomer {
            no: self.no,
            id: event.id,
            text_digest: event.text_digest,
            time: event.time,
            published: event.published,
            source: event.source.as_deref(),
            fingerprint: &Fingerprint { encoded, ..fingerprint(&self.normalized()) },
        })
    }

    /// This article and another, by evidence that speaks of the later of them; without passages.
    pub fn pair_with(&self, other: &Self, evidence: Evidence, basis: Basis) -> PairAnswer {
        let mut evidence = if self.no < other.no { evidence.turned() } else { evidence };
        let terms = std::mem::take(&mut evidence.shared_terms);
        let compared = std::mem::take(&mut evidence.compared);
        let names = std::mem::take(&mut evidence.compared_names);
        let spelt = Spelt(spellings(&self.normalized()), spellings(&other.normalized()));
        let same_source = |a: &String, b: &String| a.to_lowercase() == b.to_lowercase();
        let days = |a: Time, b: Time| (a.days_apart(b) * 100.).round() / 100.;
        PairAnswer {
            one: self.row.id,
            other: other.row.id,
            basis,
            unbarred: evidence.unbarred(),
            strongest: terms.iter().filter_map(|t| spelt.term(t.term, t.weight)).collect(),
            figures: FiguresAnswer {
                one: compared.here,
                other: compared.there,
                both: compared.both,
                shared: spelt.letters(&compared.shared),
                only_one: spelt.letters(&compared.only_here),
                only_other: spelt.letters(&compared.only_there),
            },
            names: NamesAnswer {
                stayed: spelt.names(&names.stayed),
                only_one: spelt.names(&names.only_here),
                only_other: spelt.names(&names.only_there),
            },
            days_apart: self.row.published.zip(other.row.published).map(|(a, b)| days(a, b)),
            same_source: self
                .row
                .source
                .as_ref()
                .zip(other.row.source.as_ref())
                .is_some_and(|(a, b)| same_source(a, b)),
            evidence,
            passages: Vec::new(),
            passages_left_out: 0,
        }
    }

    fn whole_pair_with(&self, other: &Self, evidence: Evidence, basis: Basis) -> PairAnswer {
        let (passages, passages_left_out) = passages(&self.event.text, &other.event.text);
        PairAnswer { passages, passages_left_out, ..self.pair_with(other, evidence, basis) }
    }
}

/// The letters of two articles' terms by their numbers.
struct Spelt(HashMap<u32, String>, HashMap<u32, String>);

impl Spelt {
    /// The letters of a term. Where it is part of other figures in the one than in the other, the shorter is in both.
    fn get(&self, number: u32) -> Option<&str> {
        let both = [self.0.get(&number), self.1.get(&number)];
        both.into_iter().flatten().map(String::as_str).min_by_key(|letters| letters.len())
    }

    /// The letters of each; a figure of several words once.
    fn letters(&self, numbers: &[u32]) -> Vec<String> {
        let mut letters = Vec::<String>::new();
        for one in numbers.iter().filter_map(|number| self.get(*number)) {
            if !letters.iter().any(|told| told == one) {
                letters.push(one.to_owned());
            }
        }
        letters
    }

    fn names(&self, numbers: &[u32]) -> Vec<String> {
        let letters = self.letters(numbers);
        letters.iter().map(|letters| letters.trim_start_matches('^').to_owned()).collect()
    }

    fn term(&self, number: u32, weight: Score) -> Option<TermAnswer> {
        let letters = self.get(number)?;
        let name = letters.strip_prefix('^');
        let kind = match name {
            Some(_) => TermKind::Name,
            None if letters.starts_with(char::is_numeric) => TermKind::Figure,
            None => TermKind::Word,
        };
        Some(TermAnswer { term: name.unwrap_or(letters).to_owned(), kind, weight })
    }
}

/// Two that were weighed because somebody asked.
pub(super) struct Compared {
    pub sides: (SideAnswer, SideAnswer),
    pub is_together: bool,
    pub relation: Relation,
    pub pair: PairAnswer,
    /// The two articles of the pair.
    pub articles: (Known, Known),
    pub fits: Vec<FitAnswer>,
    /// Near misses that one had with the record of the other.
    pub near_misses: Vec<NearMissAnswer>,
    pub link: Option<LinkAnswer>,
}

/// Articles measured, and whether all of them from kept profiles.
struct Taken(Vec<Measured>, bool);

impl Library<'_> {
    pub(super) fn event(&self, place: Place) -> Result<Event, QueryError> {
        Ok(journal::read_event(&self.journal(), place)?)
    }

    pub(super) fn known(&self, no: ArticleNo) -> Result<Known, QueryError> {
        let missing = || QueryError::NotFound { id: format!("number {}", no.0) };
        let row = self.view.article(no)?.ok_or_else(missing)?;
        let record = self.view.record(row.founder)?.ok_or_else(missing)?.id;
        match self.event(row.place)? {
            Event::Article(event) => Ok(Known { no, row, event: *event, record }),
            _ => Err(missing()),
        }
    }

    pub(super) fn side_of_record(&self, founder: ArticleNo) -> Result<SideAnswer, QueryError> {
        let canonical = self.view.record(founder)?.map_or(founder, |record| record.canonical);
        Ok(SideAnswer { article: None, ..self.known(canonical)?.side() })
    }

    /// An article and what it was matched with, by what decided; measured again where that was not kept.
    pub(super) fn decided_pair(
        &self,
        one: &Known,
        other: &Known,
        decided: &Decided,
    ) -> Result<PairAnswer, QueryError> {
        let Some(evidence) = decided.evidence() else {
            let (_, evidence, basis) = self.weigh(&[one.no], &[other.no], Step::Join)?;
            return Ok(one.whole_pair_with(other, evidence, basis));
        };
        let mut evidence = evidence.clone();
        if evidence.threshold == Score::ZERO {
            // For what joins by its text or its wire id nothing is named when it is decided; their texts still tell it.
            let (_, anew, _) = self.weigh(&[one.no], &[other.no], Step::Join)?;
            (evidence.compared, evidence.compared_names) = (anew.compared, anew.compared_names);
        }
        Ok(one.whole_pair_with(other, evidence, Basis::Journal))
    }

    /// The probability that two articles tell one story, but for any bar.
    ///
    /// # Errors
    /// When the store has no such articles, or cannot be read.
    pub fn probability(&self, one: ArticleId, other: ArticleId) -> Result<Score, QueryError> {
        let number = |id: ArticleId| {
            let found = self.view.article_by_id(id)?.map(|(no, _)| no);
            found.ok_or_else(|| QueryError::NotFound { id: id.to_string() })
        };
        let (_, evidence, _) = self.weigh(&[number(one)?], &[number(other)?], Step::Join)?;
        Ok(evidence.unbarred())
    }

    /// Weighs two that were asked about. Nothing where both are the same.
    pub(super) fn compare(&self, one: Found, other: Found) -> Result<Option<Compared>, QueryError> {
        let (a, b) = (self.articles_of(one, other)?, self.articles_of(other, one)?);
        let is_same = a.is_empty() || b.is_empty() || a == b;
        if is_same {
            return Ok(None);
        }
        let step = match (one, other) {
            (Found::Record(_), Found::Record(_)) => Step::Merge,
            _ => Step::Join,
        };
        let (fit, evidence, basis) = self.weigh(&a, &b, step)?;
        let articles = (self.known(fit.decisive.0)?, self.known(fit.decisive.1)?);
        let (evidence, basis) = match self.recorded(&articles)? {
            Some(recorded) if basis == Basis::Anew => (recorded, Basis::Journal),
            _ => (evidence, basis),
        };
        let (founder_a, founder_b) = (articles.0.row.founder, articles.1.row.founder);
        let is_together = founder_a == founder_b;
        let turned = articles.0.no < articles.1.no;
        let (later, earlier) = if turned { (&articles.1, &articles.0) } else { (&articles.0, &articles.1) };
        // Versions are one story by their wire id, and what their texts have in common tells nothing of that.
        let is_revision =
            later.row.relation == Some(Relation::Revision) && later.row.matched == Some(earlier.row.id);
        let measured = if turned { fit.relation.turned() } else { fit.relation };
        let mut near_misses = self.near_misses(&articles.0)?;
        near_misses.retain(|miss| miss.record == articles.1.record);
        near_misses
            .extend(self.near_misses(&articles.1)?.into_iter().filter(|m| m.record == articles.0.record));
        Ok(Some(Compared {
            sides: (self.side(one)?, self.side(other)?),
            is_together,
            relation: if is_revision { Relation::Revision } else { measured },
            pair: articles.0.whole_pair_with(&articles.1, evidence, basis),
            fits: if is_together { Vec::new() } else { self.fits(one, other)? },
            near_misses: if is_together { Vec::new() } else { near_misses },
            link: self.related(founder_a)?.into_iter().find(|link| link.record == articles.1.record),
            articles,
        }))
    }

    /// What would bring the records of two together: the one that came later joining the other's, or a merge.
    fn fits(&self, one: Found, other: Found) -> Result<Vec<FitAnswer>, QueryError> {
        let founders = (self.founder_of(one)?, self.founder_of(other)?);
        let mut fits = Vec::new();
        let is_swapped = match (one, other) {
            (Found::Article(a), Found::Article(b)) => a < b,
            (Found::Record(_), Found::Article(_)) => true,
            _ => false,
        };
        let (joining, own, to) =
            if is_swapped { (other, founders.1, founders.0) } else { (one, founders.0, founders.1) };
        if let Found::Article(no) = joining {
            fits.push(self.fit(Step::Join, &[no], to)?);
        }
        let members = self.view.members(own)?;
        // A record of one article is weighed by the join already.
        if fits.is_empty() || members.len() > 1 {
            fits.push(self.fit(Step::Merge, &members, to)?);
        }
        Ok(fits)
    }

    fn fit(&self, step: Step, articles: &[ArticleNo], founder: ArticleNo) -> Result<FitAnswer, QueryError> {
        let (fit, evidence, _) = self.weigh(articles, &self.view.members(founder)?, step)?;
        let nearest = self.known(fit.decisive.1)?;
        let article = match (step, articles) {
            (Step::Join, [no]) => Some(self.known(*no)?.row.id),
            _ => None,
        };
        Ok(FitAnswer {
            step,
            article,
            record: nearest.record,
            pairs: evidence.pairs,
            mean: evidence.mean,
            threshold: evidence.threshold,
            nearest: nearest.row.id,
            barred: evidence.siblings,
        })
    }

    /// Weighs some articles with others as a decision would: over the same panels, and only live ones where there are.
    fn weigh(
        &self,
        one: &[ArticleNo],
        other: &[ArticleNo],
        step: Step,
    ) -> Result<(Fit, Evidence, Basis), QueryError> {
        let (a, b) = (self.live(one)?, self.live(other)?);
        let support = match step {
            // The record may stand on either side; the other is one article.
            Step::Join => a.len().max(b.len()),
            Step::Merge => a.len() * b.len(),
        };
        let Taken(measured_a, kept_a) = self.take(&detect::asked(step, &a))?;
        let Taken(measured_b, kept_b) = self.take(&detect::asked(step, &b))?;
        let fit = detect::fit(&measured_a, &measured_b, detect::threshold(&self.settings, step, support));
        let fit = fit.ok_or_else(|| QueryError::NotFound { id: "of a member".to_owned() })?;
        let basis = if kept_a && kept_b { Basis::Kept } else { Basis::Anew };
        let evidence = fit.evidence.clone();
        Ok((fit, evidence, basis))
    }

    /// Those that are in the windows; all where none is.
    fn live(&self, articles: &[ArticleNo]) -> Result<Vec<ArticleNo>, QueryError> {
        let mut live = Vec::new();
        for no in articles {
            live.extend(self.view.is_live(*no)?.then_some(*no));
        }
        Ok(if live.is_empty() { articles.to_vec() } else { live })
    }

    fn take(&self, articles: &[ArticleNo]) -> Result<Taken, QueryError> {
        let mut taken = Taken(Vec::with_capacity(articles.len()), true);
        for no in articles {
            let profile = self.view.profile(*no)?;
            taken.1 &= profile.is_some();
            taken.0.push(match profile {
                Some(profile) => Measured::kept(&profile)?,
                None => self.known(*no)?.measured_anew(),
            });
        }
        Ok(taken)
    }

    /// What the journal kept of two articles, where one was matched with the other.
    fn recorded(&self, (one, other): &(Known, Known)) -> Result<Option<Evidence>, QueryError> {
        for (known, matched) in [(one, other), (other, one)] {
            if known.row.matched == Some(matched.row.id) {
                return Ok(self.decided(known)?.evidence().cloned());
            }
        }
        Ok(None)
    }

    /// The articles that an id stands for; of a record without the article that it is to be compared with.
    fn articles_of(&self, found: Found, beside: Found) -> Result<Vec<ArticleNo>, QueryError> {
        match (found, beside) {
            (Found::Article(no), _) => Ok(vec![no]),
            (Found::Record(founder), Found::Record(_)) => Ok(self.view.members(founder)?),
            (Found::Record(founder), Found::Article(no)) => {
                Ok(self.view.members(founder)?.into_iter().filter(|member| *member != no).collect())
            }
        }
    }

    fn side(&self, found: Found) -> Result<SideAnswer, QueryError> {
        match found {
            Found::Article(no) => Ok(self.known(no)?.side()),
            Found::Record(founder) => self.side_of_record(founder),
        }
    }
}
