//! Made-up news, the same for the same seed: what the benchmarks run on and what the copies of a story look like.
//!
//! Owns topics, stories, articles that tell them, the edits that copies go through, and labelled sets of both. It is
//! pure: no file, no clock. Benchmarks, tests and `cli` call it; no stage of the pipeline may.
//!
//! How it is made. Words are English ones, drawn as often as the shipped prior says that news has them, so that
//! document frequencies are those of news; names of people, places and bodies are made of syllables, some frequent
//! and most rare. A *story* has facts: 24 words that tell it, people, places, bodies, figures, a day and what was
//! said. Stories of one *topic* share words, a person, a place and a body. An *article* tells a story in sentences that are
//! put together of frames of function words, its lead keeping closer to the story than the rest.
//!
//! What it cannot show. Words within a text do not hang together, beyond the story's, as those of real texts do, so two
//! unrelated made-up texts are less alike than real ones of one desk: between them the share of wrong joins is that of
//! an easy stream. How much two stories of one topic share was chosen, not measured, and decides how often they are
//! joined. Sentences mean nothing, so a rewrite shares facts and no phrases: found rewrites say little. What it does
//! show: whether an edited copy is still found, what a full store does to that and to other texts, and what articles of
//! real lengths and vocabulary cost.

mod edits;
mod labelled;
mod rng;
mod site;
mod spelling;
mod story;
mod stream;
mod telling;
mod vocabulary;

pub use edits::Edit;
pub use labelled::{Labelled, LabelledPair, Size};
pub use rng::Rng;
pub use story::{Story, Topic};
pub use stream::Stream;
pub use telling::{Style, tell};

use crate::model::Article;

/// An article as a line of JSON Lines, without a line end: `id`, `title`, `text` or `html`, `published`, `source`.
pub fn json_line(article: &Article) -> String {
    let is_page = article.text.starts_with("<!doctype");
    let mut line = serde_json::json!({
        "id": article.item,
        "title": article.title,
        "published": article.published,
        "source": article.source,
    });
    if let Some(fields) = line.as_object_mut() {
        let name = if is_page { "html" } else { "text" };
        fields.insert(name.to_owned(), serde_json::Value::String(article.text.clone()));
    }
    line.to_string()
}
