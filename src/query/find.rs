//! What a person means by an id: an article's or a record's, whole or shortened, an alias, a path or a wire id.

use super::{Found, Library, QueryError};
use crate::{
    journal::each_frame,
    model::{ArticleId, ArticleNo, Event, ends_alike, place_of},
    store::ArrivalRow,
};

/// An id may be shortened to so many digits, where they are unique. Fewer would seldom be.
const DIGITS_MIN: usize = 4;
/// So many digits of an article's id are looked up by: keys hold its first half, and more tell no two apart.
const DIGITS_MAX: usize = 32;
/// Where more than one thing is meant, this many are named.
const CANDIDATES_MAX: usize = 8;
/// This many characters of an id tell it, and so many of a title.
const ID_SHOWN: usize = 12;
const TITLE_SHOWN: usize = 120;

impl Library<'_> {
    /// The article that an id means; it may be shortened to what is unique.
    pub fn article_id(&self, id: &str) -> Result<ArticleId, QueryError> {
        may_mean_an_article(id)?;
        match self.find(id)? {
            Found::Article(no) => Ok(self.known(no)?.row.id),
            Found::Record(_) => Err(QueryError::NotAnArticle { id: id.to_owned() }),
        }
    }

    /// Whether a person pinned an article.
    pub fn is_pinned(&self, id: ArticleId) -> Result<bool, QueryError> {
        Ok(self.view.is_pinned(id)?)
    }

    /// The one thing that an id means. A file of one article means that; any other that is known is told what it is.
    pub(super) fn find(&self, id: &str) -> Result<Found, QueryError> {
        match self.look_up(id) {
            Err(QueryError::NotFound { .. }) => self.file_called(id),
            found => found,
        }
    }

    /// The same of articles and records alone.
    pub(super) fn look_up(&self, id: &str) -> Result<Found, QueryError> {
        let found = self.meant(id)?;
        match found.as_slice() {
            [] => Err(QueryError::NotFound { id: id.to_owned() }),
            [one] => Ok(*one),
            several => {
                let named = several.iter().take(CANDIDATES_MAX).map(|found| self.candidate(*found));
                let mut candidates = named.collect::<Result<Vec<_>, _>>()?;
                if several.len() > CANDIDATES_MAX {
                    candidates.push("and more".to_owned());
                }
                Err(QueryError::Ambiguous { id: id.to_owned(), candidates })
            }
        }
    }

    /// All that an id may mean, but no more than need be known.
    fn meant(&self, id: &str) -> Result<Vec<Found>, QueryError> {
        let most = CANDIDATES_MAX + 1;
        let given = id.to_lowercase();
        let mut found: Vec<Found> = match (record_digits(&given), digits(&given)) {
            (Some(digits), _) => {
                self.view.founders_like(digits, most)?.into_iter().map(Found::Record).collect()
            }
            (None, Some(digits)) => {
                self.view.articles_like(digits, most)?.into_iter().map(Found::Article).collect()
            }
            (None, None) => Vec::new(),
        };
        let named = self.view.articles_named(id, most)?.into_iter().map(Found::Article);
        let new: Vec<_> = named.filter(|named| !found.contains(named)).collect();
        found.extend(new);
        found.truncate(most);
        Ok(found)
    }

    /// The one article of the file that a path means, or why it means none. A name for each article of each file would be a row for each article; so
    /// those of a file are read off the journal where somebody asks.
    fn file_called(&self, id: &str) -> Result<Found, QueryError> {
        let given = id.trim_start_matches("./");
        let is_meant = |row: &ArrivalRow| row.outcome.is_some() && ends_alike(given, &row.path);
        let last =
            self.view.arrivals().filter(|entry| entry.as_ref().map_or(true, |(_, row)| is_meant(row))).last();
        let Some((arrival, row)) = last.transpose()? else {
            return Err(QueryError::NotFound { id: id.to_owned() });
        };
        let mut articles = Vec::new();
        each_frame(&self.journal(), row.first, row.last, |frame| {
            for event in frame.events.iter().filter(|event| event.arrival() == Some(arrival)) {
                match event {
                    Event::Article(e) => articles.push(e.id),
                    Event::Sighting(e) if !articles.contains(&e.id) => articles.push(e.id),
                    _ => {}
                }
            }
            articles.len() <= CANDIDATES_MAX
        });
        let is_more = articles.len() > CANDIDATES_MAX;
        let mut numbers = Vec::new();
        for article in articles.into_iter().take(CANDIDATES_MAX) {
            numbers.extend(self.view.article_by_id(article)?.map(|(no, _)| no));
        }
        if let [only] = numbers.as_slice() {
            return Ok(Found::Article(*only));
        }
        let mut candidates =
            numbers.into_iter().map(|no| self.told(no, None)).collect::<Result<Vec<_>, _>>()?;
        let (path, count) = (row.path, row.new + row.repeats);
        if candidates.is_empty() {
            let why = row.reason.map_or_else(String::new, |reason| format!(": {}", reason.message));
            return Err(QueryError::NoArticle { path, why });
        }
        if is_more {
            candidates.push(format!("and more; 'wirefold trace {path}' names them all"));
        }
        Err(QueryError::FileOfSeveral { path, count, candidates })
    }

    /// A line by which a person tells it from the others.
    fn candidate(&self, found: Found) -> Result<String, QueryError> {
        let (id, no) = match found {
            Found::Article(no) => (None, no),
            Found::Record(founder) => match self.view.record(founder)? {
                Some(record) => (Some(record.id.to_string()), record.canonical),
                None => (None, founder),
            },
        };
        self.told(no, id)
    }

    /// An article, or the record under the id that is given, on one line.
    pub(super) fn told(&self, no: ArticleNo, id: Option<String>) -> Result<String, QueryError> {
        let row = self.known(no)?.row;
        let id = id.unwrap_or_else(|| row.id.to_string().chars().take(ID_SHOWN).collect());
        let title = row.title.unwrap_or_default();
        let title = match title.char_indices().nth(TITLE_SHOWN) {
            Some((at, _)) => format!("{}…", title.get(..at).unwrap_or_default()),
            None => title,
        };
        let told = format!("{id}  {}  {title}", place_of(&row.path, row.item.as_deref()));
        Ok(told.trim_end().to_owned())
    }
}

/// Whether an id is one that an article may have. It can be asked before there is a store to look in.
pub fn may_mean_an_article(id: &str) -> Result<(), QueryError> {
    match record_digits(&id.to_lowercase()) {
        Some(_) => Err(QueryError::NotAnArticle { id: id.to_owned() }),
        None => Ok(()),
    }
}

/// The digits of what may be a record's id.
fn record_digits(id: &str) -> Option<&str> {
    id.strip_prefix("wf-").and_then(digits)
}

/// The digits that an id is looked up by, where it is one.
fn digits(id: &str) -> Option<&str> {
    let is_id = id.len() >= DIGITS_MIN && id.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| id.get(..DIGITS_MAX).unwrap_or(id))
}
