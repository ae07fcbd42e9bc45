//! What the commands answer, read strictly: a field that the contract does not name fails the test.

use serde::Deserialize;

/// One line of `export`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the contract names the field so")]
pub struct Record {
    pub record: String,
    pub aliases: Vec<String>,
    pub canonical: String,
    pub title: Option<String>,
    pub first_seen: String,
    pub last_seen: String,
    pub articles: Vec<Article>,
    pub related: Vec<Link>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    pub id: String,
    pub path: String,
    pub item: Option<String>,
    pub source: Option<String>,
    pub title: Option<String>,
    pub published: Option<String>,
    pub lang: Option<String>,
    pub words: u32,
    pub relation: String,
    pub matched: Option<String>,
    pub score: Option<f64>,
    pub sightings: u64,
    #[serde(default)]
    pub pinned: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub record: String,
    pub score: f64,
}

/// The answer to `status`, as far as the tests read it.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    pub state: String,
    pub pid: Option<u32>,
    pub backlog: u64,
    pub files: Files,
    pub articles: Articles,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub received: u64,
    pub accepted: u64,
    pub partly: u64,
    pub duplicate: u64,
    pub failed: u64,
    pub pending: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Articles {
    pub sightings: u64,
    pub canonical: u64,
    pub variants: u64,
    pub repeats: u64,
    pub rejected: u64,
}

impl Record {
    /// Reads lines of records, and checks what holds for every one of them.
    pub fn read_all(lines: &str) -> Vec<Self> {
        let records: Vec<Self> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for record in &records {
            let canonical: Vec<_> = record.articles.iter().filter(|a| a.relation == "canonical").collect();
            assert_eq!(canonical.len(), 1, "{record:?}");
            assert_eq!(canonical[0].id, record.canonical, "{record:?}");
            for article in &record.articles {
                let is_canonical = article.relation == "canonical";
                assert_eq!(article.matched.is_none(), is_canonical, "{article:?}");
                assert_eq!(article.score.is_none(), is_canonical, "{article:?}");
                assert!(article.sightings >= 1, "{article:?}");
            }
        }
        let mut ids: Vec<_> = records.iter().flat_map(|r| &r.articles).map(|a| &a.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "an article is in two records");
        records
    }

    /// The last parts of its articles' paths, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.articles.iter().map(Article::name).collect();
        names.sort_unstable();
        names
    }

    pub fn is_related_to(&self, other: &Self) -> bool {
        self.related.iter().any(|link| link.record == other.record)
    }
}

impl Article {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl Status {
    /// Reads it and checks the two laws of counting.
    pub fn read(text: &str) -> Self {
        let status: Self = serde_json::from_str(text).unwrap();
        status.check_laws();
        status
    }

    fn check_laws(&self) {
        let Files { received, accepted, partly, duplicate, failed, pending } = self.files;
        assert_eq!(received, accepted + partly + duplicate + failed + pending, "the law of files: {self:?}");
        let Articles { sightings, canonical, variants, repeats, .. } = self.articles;
        assert_eq!(sightings, canonical + variants + repeats, "the law of articles: {self:?}");
    }
}

/// The record that holds a file of this name.
pub fn record_of<'r>(records: &'r [Record], name: &str) -> &'r Record {
    let mut holding = records.iter().filter(|r| r.articles.iter().any(|a| a.name() == name));
    let found = holding.next().unwrap_or_else(|| panic!("no record holds {name}: {records:#?}"));
    assert!(holding.next().is_none(), "{name} is in two records");
    found
}
