//! The optional sentence encoder: an article's first sentences to directions that are alike where the sentences mean
//! alike.
//!
//! Owns the settings, the sentences that are taken, and the model. It knows nothing of other articles and decides
//! nothing: what likeness is worth is weighed in `detect`. Loaded by `service` at the start, where a model is configured;
//! called by `pipeline` where an article is measured, on many threads at once.
//!
//! The model itself is in `bert`, built with the feature `encoder` alone; without it `absent` stands in its place, which
//! always refuses.

#[cfg(not(feature = "encoder"))]
mod absent;
#[cfg(feature = "encoder")]
mod bert;
mod sentences;

#[cfg(not(feature = "encoder"))]
use absent::Model;
#[cfg(feature = "encoder")]
use bert::Model;

use crate::model::{Direction, Encoded, Normalized};
use std::{io, path::PathBuf};

/// Which model, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder of a sentence-transformers model.
    pub folder: PathBuf,
    /// The languages that it knows, as ISO 639-1.
    pub languages: Vec<String>,
}

/// Why there is no encoder although one is configured.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The feature was left out.
    #[error(
        "this wirefold was built without the sentence encoder: build it with `cargo build --release --features encoder`, or remove match.encoder.model"
    )]
    NotBuilt,
    /// A file of the model cannot be read.
    #[error("cannot read {path} of the sentence encoder that match.encoder.model names")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A file of the model says something that cannot be used.
    #[error("{path} is of no use for a sentence encoder: {what}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// A loaded model.
pub struct Encoder {
    model: Model,
    languages: Vec<String>,
}

impl Encoder {
    /// Reads the model's files, and has it encode a word, so that what does not fit together is told at once.
    pub fn load(settings: &Settings) -> Result<Self, EncodeError> {
        let languages = settings.languages.iter().map(|code| code.to_lowercase()).collect();
        Ok(Self { model: Model::load(&settings.folder)?, languages })
    }

    /// The directions of the first sentences of a text; nothing in a language that the model does not know, or where
    /// there is nothing to encode.
    pub fn encode(&self, text: &Normalized, language: Option<&str>) -> Option<Encoded> {
        if !self.knows(language?) {
            return None;
        }
        let vector = |sentence: &str| match self.model.vector(sentence) {
            Ok(vector) => Direction::of(&vector),
            Err(what) => {
                tracing::warn!(%what, "a sentence could not be encoded; its article is compared without it");
                None
            }
        };
        let sentences: Vec<Direction> = sentences::first(&text.text).into_iter().filter_map(vector).collect();
        (!sentences.is_empty()).then(|| Encoded { model: self.model.digest(), sentences })
    }

    /// Whether a language, as an article says it ("en", "en-US"), is one of those configured.
    fn knows(&self, language: &str) -> bool {
        let code = language.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        self.languages.contains(&code)
    }
}
