//! The optional sentence encoder: with a model that the tests make themselves where wirefold is built with it, and what is
//! said where it is not.

use crate::place::Place;

#[cfg(not(feature = "encoder"))]
#[test]
fn without_the_feature_a_model_is_refused_with_what_to_do() {
    let place = Place::configured("[match.encoder]\nmodel = '/srv/model'\n");
    for command in [&["run"][..], &["ingest", "x.txt"]] {
        let ran = place.run(command);
        assert_eq!(ran.code(), 78, "{ran:?}");
        assert!(ran.err.contains("built without the sentence encoder"), "{}", ran.err);
        assert!(ran.err.contains("cargo build --release --features encoder"), "{}", ran.err);
        assert!(ran.err.contains("remove match.encoder.model"), "{}", ran.err);
    }
    assert!(!place.data().exists(), "something was made");
}

#[cfg(feature = "encoder")]
mod built {
    use super::Place;
    use crate::{
        answers::{Record, record_of},
        corpus::{files_in, fixture},
        place::Ran,
    };
    use serde_json::{Map, Value, json};
    use std::{fs, path::Path};
    use wirefold::query::{ExplainAnswer, PairAnswer};

    /// Values in a vector of the model of the tests.
    const HIDDEN: usize = 16;
    const POSITIONS: usize = 32;
    const WORDS: &str = "[PAD] [UNK] [CLS] [SEP] the a of and to in on at by for from with after before said was were is \
                         will two three call dam lock talks envoy ferry harbour fire council bridge rain market fish lake \
                         . , ' \" - s ##s ##ed ##ing ##e ##a ##o ##n ##r ##t t e a o n r";

    fn config() -> Value {
        json!({
            "model_type": "bert", "vocab_size": WORDS.split_whitespace().count(), "hidden_size": HIDDEN,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1, "max_position_embeddings": POSITIONS, "type_vocab_size": 2,
            "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0
        })
    }

    fn tokenizer() -> Value {
        let vocab: Map<String, Value> =
            WORDS.split_whitespace().enumerate().map(|(id, word)| (word.to_owned(), json!(id))).collect();
        let special = |id: &str, number: usize| json!({ "id": id, "ids": [number], "tokens": [id] });
        let piece = |id: &str| json!({ "SpecialToken": { "id": id, "type_id": 0 } });
        let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
        let other = json!({ "Sequence": { "id": "B", "type_id": 1 } });
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                            "strip_accents": null, "lowercase": true },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "post_processor": { "type": "TemplateProcessing",
                "single": [piece("[CLS]"), text, piece("[SEP]")],
                "pair": [piece("[CLS]"), text, piece("[SEP]"), other],
                "special_tokens": { "[CLS]": special("[CLS]", 2), "[SEP]": special("[SEP]", 3) } },
            "decoder": null,
            "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100, "vocab": vocab }
        })
    }

    /// The names and shapes of a BERT of one layer.
    fn shapes() -> Vec<(String, Vec<usize>)> {
        let mut shapes = vec![
            ("embeddings.word_embeddings.weight".to_owned(), vec![WORDS.split_whitespace().count(), HIDDEN]),
            ("embeddings.position_embeddings.weight".to_owned(), vec![POSITIONS, HIDDEN]),
            ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
        ];
        let layer = "encoder.layer.0.";
        let linear = [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", 32, HIDDEN),
            ("output.dense", HIDDEN, 32),
        ];
        for (name, out, into) in linear {
            shapes.push((format!("{layer}{name}.weight"), vec![out, into]));
            shapes.push((format!("{layer}{name}.bias"), vec![out]));
        }
        let norms = ["embeddings.", "encoder.layer.0.attention.output.", "encoder.layer.0.output."];
        for name in norms {
            shapes.push((format!("{name}LayerNorm.weight"), vec![HIDDEN]));
            shapes.push((format!("{name}LayerNorm.bias"), vec![HIDDEN]));
        }
        shapes
    }

    /// Weights in the safetensors form: the length of a heading, the heading in JSON, the values.
    fn weights() -> Vec<u8> {
        let (mut heading, mut values) = (Map::new(), Vec::new());
        let mut random = fastrand::Rng::with_seed(11);
        for (name, shape) in shapes() {
            let from = values.len();
            for _ in 0..shape.iter().product::<usize>() {
                let value = if name.ends_with("LayerNorm.weight") { 1. } else { random.f32() - 0.5 };
                values.extend(value.to_le_bytes());
            }
            let offsets = [from, values.len()];
            heading.insert(name, json!({ "dtype": "F32", "shape": shape, "data_offsets": offsets }));
        }
        let heading = serde_json::to_vec(&heading).unwrap();
        [&(heading.len() as u64).to_le_bytes()[..], &heading, &values].concat()
    }

    fn write_model(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("config.json"), config().to_string()).unwrap();
        fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).unwrap();
        fs::write(folder.join("model.safetensors"), weights()).unwrap();
    }

    /// A place with a model, switched on.
    fn encoding() -> Place {
        let mut place = Place::new();
        let folder = place.path("model");
        write_model(&folder);
        place.configure(&format!("[match.encoder]\nmodel = '{}'\n", folder.display()));
        place
    }

    fn pair(place: &Place, one: &str, other: &str) -> PairAnswer {
        let line = place.done(["explain", "--json", one, other]).out;
        serde_json::from_str::<ExplainAnswer>(&line).unwrap().pair.unwrap()
    }

    fn id<'r>(records: &'r [Record], name: &str) -> &'r str {
        &record_of(records, name).articles.iter().find(|a| a.name() == name).unwrap().id
    }

    fn undated(mut records: Vec<Record>) -> Vec<Record> {
        for record in &mut records {
            (record.first_seen, record.last_seen) = Default::default();
        }
        records
    }

    /// A restart, a new view and a wirefold that has no model any more all compare what was kept.
    #[test]
    fn a_restart_decides_as_an_undisturbed_run() {
        let files: Vec<_> = ["stories", "copies", "seeds"]
            .map(|name| files_in(&fixture(name)))
            .into_iter()
            .flatten()
            .collect();
        let whole = encoding();
        whole.ingest(&files);
        let records = undated(whole.export());
        let mut place = encoding();
        for part in files.chunks(7) {
            place.ingest(part);
        }
        assert_eq!(undated(place.export()), records);
        let (kept, one, other) =
            (place.export_text(), id(&records, "b-call.txt"), id(&records, "a-earlier.txt"));
        let measured = pair(&place, one, other);
        assert!(measured.evidence.sentences.is_some(), "{measured:?}");
        place.configure("");
        place.done(["rebuild"]);
        assert_eq!(place.export_text(), kept);
        assert_eq!(pair(&place, one, other), measured);
    }

    #[test]
    fn the_same_sentences_are_alike_and_what_that_gives_is_shown() {
        let place = encoding();
        let lead = "The harbour council said on Monday that the old bridge will be closed for repairs after the rain.";
        let tail =
            |what: &str| format!("{lead} {lead} {lead} {lead} {lead}\n\n{}", format!("{what}\n").repeat(3));
        fs::write(
            place.path("a.txt"),
            tail("Two boats were lost in the storm of last winter near the lock."),
        )
        .unwrap();
        fs::write(place.path("b.txt"), tail("A ferry will take people across until the works are done."))
            .unwrap();
        let german =
            "Der Rat der Stadt hat am Montag gesagt, dass die alte Brücke nach dem Regen gesperrt wird. "
                .repeat(4);
        fs::write(place.path("c.txt"), &german).unwrap();
        place.ingest(["a.txt", "b.txt", "c.txt"].map(|name| place.path(name)));
        let records = place.export();
        let (a, b, c) = (id(&records, "a.txt"), id(&records, "b.txt"), id(&records, "c.txt"));
        let same = pair(&place, a, b);
        assert_eq!(same.evidence.sentences.map(|s| s.to_string()).as_deref(), Some("1.0000"), "{same:?}");
        assert!(same.evidence.parts.sentences.real() > 0.);
        let said = place.done(["explain", a, b]).out;
        assert!(said.contains("first sentences"), "{said}");
        let foreign = pair(&place, a, c);
        assert_eq!(foreign.evidence.sentences, None, "the model is said to know English alone");
    }

    /// A model that cannot be used is told of before anything is made.
    fn refused(spoil: impl FnOnce(&Path)) -> Ran {
        let place = encoding();
        spoil(&place.path("model"));
        let ran = place.run(["ingest", "x.txt"]);
        assert!(ran.err.contains("match.encoder.model"), "{}", ran.err);
        assert!(!place.data().exists(), "something was made");
        ran
    }

    #[test]
    fn a_model_that_cannot_be_used_is_said_in_words() {
        let said = |spoil: &dyn Fn(&Path), code: i32, phrases: &[&str]| {
            let ran = refused(spoil);
            assert_eq!(ran.code(), code, "{ran:?}");
            for phrase in phrases {
                assert!(ran.err.contains(phrase), "'{phrase}' is missing in: {}", ran.err);
            }
        };
        let missing = "No such file";
        said(&|m| fs::remove_dir_all(m).unwrap(), 1, &["model/config.json", missing]);
        for name in ["config.json", "tokenizer.json", "model.safetensors"] {
            said(&|m| fs::remove_file(m.join(name)).unwrap(), 1, &[name, missing]);
            said(&|m| fs::write(m.join(name), "{ \"a\":").unwrap(), 78, &[name, "of no use"]);
        }
        let with = |key: &'static str, value: Value| {
            move |m: &Path| {
                let mut config = config();
                config[key] = value.clone();
                fs::write(m.join("config.json"), config.to_string()).unwrap();
            }
        };
        said(&with("model_type", json!("mpnet")), 78, &["'mpnet'", "only 'bert'"]);
        said(&with("num_attention_heads", json!(3)), 78, &["config.json", "3 heads"]);
        said(&with("hidden_size", json!(32)), 78, &["model.safetensors", "shape"]);
        said(&with("num_hidden_layers", json!(2)), 78, &["model.safetensors", "encoder.layer.1"]);
        said(&with("vocab_size", json!(9)), 78, &["tokenizer.json", "the model knows 9"]);
        said(
            &|m| {
                fs::create_dir(m.join("1_Pooling")).unwrap();
                fs::write(m.join("1_Pooling/config.json"), r#"{"pooling_mode_max_tokens": true}"#).unwrap();
            },
            78,
            &["1_Pooling/config.json", "another pooling"],
        );
    }

    #[test]
    fn the_folder_says_how_tokens_become_one_vector() {
        let likeness = |pooling: Option<&str>| {
            let place = encoding();
            if let Some(pooling) = pooling {
                fs::create_dir(place.path("model/1_Pooling")).unwrap();
                fs::write(place.path("model/1_Pooling/config.json"), pooling).unwrap();
            }
            place.ingest(["b-call.txt", "a-earlier.txt"].map(|name| fixture("seeds").join(name)));
            let records = place.export();
            pair(&place, id(&records, "b-call.txt"), id(&records, "a-earlier.txt"))
                .evidence
                .sentences
                .unwrap()
        };
        let mean = likeness(Some(r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}"#));
        assert_eq!(likeness(None), mean);
        assert_ne!(likeness(Some(r#"{"pooling_mode_cls_token": true}"#)), mean);
    }
}
