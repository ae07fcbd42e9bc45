//! A sentence-transformers folder of the BERT family, loaded whole into memory and run on the processor: `config.json`,
//! `tokenizer.json`, `model.safetensors`, and `1_Pooling/config.json` where it is there.

use super::EncodeError;
use crate::model::low_half;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tokenizers::{Tokenizer, TruncationParams};
use xxhash_rust::xxh3::Xxh3Default;

/// A sentence is read as far as this, in tokens, the two that frame it counted. It is what the weight of the likeness
/// was measured with; nine sentences of news in ten are shorter, and the time goes with the tokens.
const TOKENS_MAX: usize = 64;
/// The most values in a vector. Known models have 384 to 1,024; a product of two such is far from an overflow.
const HIDDEN_MAX: usize = 8192;

/// Anything that the runtime or the tokenizer says on an error.
type Said = Box<dyn std::error::Error + Send + Sync>;

/// A model in memory.
pub(super) struct Model {
    bert: BertModel,
    tokenizer: Tokenizer,
    pooling: Pooling,
    digest: u32,
}

/// How the vectors of tokens become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pooling {
    Mean,
    FirstToken,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
}

/// The files of a folder, and the digest of all that were read.
struct Folder<'f> {
    path: &'f Path,
    hash: Xxh3Default,
}

impl Model {
    /// Reads the folder and tries it out.
    pub fn load(folder: &Path) -> Result<Self, EncodeError> {
        let mut files = Folder { path: folder, hash: Xxh3Default::new() };
        let config = files.config()?;
        let pooling = files.pooling()?;
        let tokenizer = files.tokenizer(&config)?;
        let bert = files.bert(&config)?;
        let model = Self { bert, tokenizer, pooling, digest: low_half(files.hash.digest()) };
        let unfit = |said: Said| unusable(&folder.join("config.json"), &*said);
        model.vector("A sentence to try it out.").map_err(unfit)?;
        Ok(model)
    }

    /// What tells this model from another.
    pub const fn digest(&self) -> u32 {
        self.digest
    }

    /// The vector of one sentence. Each is run by itself, so that it does not depend on those beside it.
    pub fn vector(&self, sentence: &str) -> Result<Vec<f32>, Said> {
        let tokens = self.tokenizer.encode(sentence, true)?;
        let ids = Tensor::new(tokens.get_ids(), &Device::Cpu)?.unsqueeze(0)?;
        let of_tokens = self.bert.forward(&ids, &ids.zeros_like()?, None)?.squeeze(0)?;
        let pooled = match self.pooling {
            Pooling::Mean => of_tokens.mean(0)?,
            Pooling::FirstToken => of_tokens.get(0)?,
        };
        Ok(pooled.to_vec1()?)
    }
}

impl Folder<'_> {
    fn read(&mut self, name: &str) -> Result<(PathBuf, Vec<u8>), EncodeError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => {
                self.hash.update(&bytes);
                Ok((path, bytes))
            }
            Err(source) => Err(EncodeError::Read { path, source }),
        }
    }

    fn config(&mut self) -> Result<Config, EncodeError> {
        let (path, bytes) = self.read("config.json")?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| unusable(&path, &e))?;
        let kind = value.get("model_type").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        if kind != "bert" {
            let said = format!("it is a model of the kind '{kind}', and only 'bert' can be run");
            return Err(EncodeError::Unusable { path, what: said });
        }
        let config: Config = serde_json::from_value(value).map_err(|e| unusable(&path, &e))?;
        let fits = config.hidden_size <= HIDDEN_MAX
            && config.num_attention_heads > 0
            && config.hidden_size.is_multiple_of(config.num_attention_heads);
        if !fits {
            let (size, heads) = (config.hidden_size, config.num_attention_heads);
            let what = format!("a hidden size of {size} does not go with {heads} heads");
            return Err(EncodeError::Unusable { path, what });
        }
        Ok(config)
    }

    fn pooling(&mut self) -> Result<Pooling, EncodeError> {
        let (path, bytes) = match self.read("1_Pooling/config.json") {
            Ok(read) => read,
            Err(EncodeError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(Pooling::Mean);
            }
            Err(error) => return Err(error),
        };
        let config: PoolingConfig = serde_json::from_slice(&bytes).map_err(|e| unusable(&path, &e))?;
        match (config.pooling_mode_mean_tokens, config.pooling_mode_cls_token) {
            (true, false) => Ok(Pooling::Mean),
            (false, true) => Ok(Pooling::FirstToken),
            _ => {
                let what =
                    "it asks for another pooling than the mean of the tokens alone or the first token alone"
                        .to_owned();
                Err(EncodeError::Unusable { path, what })
            }
        }
    }

    fn tokenizer(&mut self, config: &Config) -> Result<Tokenizer, EncodeError> {
        let (path, bytes) = self.read("tokenizer.json")?;
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|e| unusable(&path, &*e))?;
        let max_length = TOKENS_MAX.min(config.max_position_embeddings);
        let cut = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(cut)).map_err(|e| unusable(&path, &*e))?;
        let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
        if usize::try_from(highest).is_ok_and(|id| id < config.vocab_size) {
            return Ok(tokenizer);
        }
        let what =
            format!("it has tokens up to {highest}, and the model knows {} of them", config.vocab_size);
        Err(EncodeError::Unusable { path, what })
    }

    fn bert(&mut self, config: &Config) -> Result<BertModel, EncodeError> {
        let (path, bytes) = self.read("model.safetensors")?;
        let unfit = |error: candle_core::Error| unusable(&path, &error);
        let weights =
            VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).map_err(unfit)?;
        BertModel::load(weights, config).map_err(unfit)
    }
}

/// The first line of what a library says; the rest may be a trace of its calls.
fn unusable(path: &Path, said: &dyn std::error::Error) -> EncodeError {
    let what = said.to_string().lines().next().unwrap_or_default().trim().to_owned();
    EncodeError::Unusable { path: path.to_owned(), what }
}
