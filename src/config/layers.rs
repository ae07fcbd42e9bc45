//! The values of a configuration, laid one over the other: the defaults, a file, the environment, the command line.
//!
//! Owns what a key is called in each of them and remembers who said what, so that whatever is wrong is told with its
//! line or variable. A key that has no default is none; what a value may be stands in `rules`.

use super::{
    DEFAULTS,
    error::{Place, Problem},
};
use std::{collections::BTreeMap, ffi::OsString, path::Path};
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

/// What the name of every variable begins with.
const PREFIX: &str = "WIREFOLD_";
/// The variables that stand for options of the command line, and come with those.
const OPTIONS: [&str; 2] = ["WIREFOLD_CONFIG", super::DATA_DIR_VARIABLE];
/// The list of inboxes, which has no defaults: there may be none. Its entries have these keys, with such values.
const INBOXES: &str = "inbox";

/// The values so far, who said those that somebody said, and what is wrong with them.
pub(super) struct Layers {
    pub(super) values: Table,
    pub(super) said: BTreeMap<String, Place>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    /// The defaults.
    pub(super) fn new() -> Self {
        let (values, problems) = match toml::from_str(DEFAULTS) {
            Ok(values) => (values, Vec::new()),
            Err(error) => (Table::new(), vec![Problem { place: None, what: error.to_string() }]),
        };
        Self { values, said: BTreeMap::new(), problems }
    }

    /// Lays the values of a file over those so far.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) {
        let parsed = DeTable::parse(text).and_then(|spanned| Ok((spanned, toml::from_str::<Table>(text)?)));
        let (spanned, values) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                let place = error.span().map(|span| Place::at(path, text, span.start));
                let what = format!("this is no TOML: {}", error.message());
                return self.problems.push(Problem { place, what });
            }
        };
        let mut bytes = BTreeMap::new();
        spans(spanned.get_ref(), "", &mut bytes);
        let place = |key: &str| bytes.get(key).map(|byte| Place::at(path, text, *byte));
        self.lay(values, &place);
    }

    /// Lays the values of variables over those so far: `WIREFOLD_MATCH__JOIN` is `match.join`.
    pub(super) fn add_variables(&mut self, variables: &[(OsString, OsString)]) {
        for (name, value) in variables {
            let name = name.to_string_lossy();
            let Some(rest) = name.strip_prefix(PREFIX).filter(|_| !OPTIONS.contains(&&*name)) else {
                continue;
            };
            let place = Place::Variable(name.clone().into_owned());
            let key = rest.to_lowercase().replace("__", ".");
            match (self.at(&key).is_some() || key == INBOXES, value.to_str()) {
                (false, _) => {
                    let meant = self.nearest_variable(&name).map(|name| format!("; did you mean {name}?"));
                    let what = format!("there is no such variable{}", meant.unwrap_or_default());
                    self.problems.push(Problem { place: Some(place), what });
                }
                (true, None) => {
                    let what = format!("{key} must be valid UTF-8");
                    self.problems.push(Problem { place: Some(place), what });
                }
                (true, Some(value)) => self.add_typed(&key, value, &place),
            }
        }
    }

    /// Lays one value over those so far, as a person types it: a text as it is, anything else as TOML writes it.
    pub(super) fn add_typed(&mut self, key: &str, typed: &str, place: &Place) {
        let value = match self.at(key) {
            Some(Value::String(_)) => Value::String(typed.to_owned()),
            // TOML wants a digit before the point; a person does not.
            Some(Value::Float(_)) => typed.parse().map_or_else(|_| as_toml(typed), Value::Float),
            _ => as_toml(typed),
        };
        self.lay(nested(key, value), &|_| Some(place.clone()));
    }

    /// The value of a dotted key.
    pub(super) fn at(&self, key: &str) -> Option<&Value> {
        let (mut parts, mut table) = (key.split('.').peekable(), &self.values);
        while let Some(part) = parts.next() {
            let value = table.get(part)?;
            match (parts.peek(), value) {
                (None, Value::Table(_)) => return None,
                (None, value) => return Some(value),
                (Some(_), Value::Table(inner)) => table = inner,
                (Some(_), _) => return None,
            }
        }
        None
    }

    /// Every key that has a value, dotted, the inboxes as one and each by itself.
    pub(super) fn flat(&self) -> BTreeMap<String, Value> {
        let mut flat = BTreeMap::new();
        flatten(&self.values, "", &mut flat);
        flat
    }

    /// Notes what is wrong with the value of a key.
    pub(super) fn wrong(&mut self, key: &str, what: String) {
        let place = self.said.get(key).cloned();
        self.problems.push(Problem { place, what });
    }

    fn lay(&mut self, values: Table, place: &dyn Fn(&str) -> Option<Place>) {
        let mut defaults = std::mem::take(&mut self.values);
        self.overlay(&mut defaults, values, "", place);
        self.values = defaults;
    }

    /// Puts the given values over the defaults.
    fn overlay(
        &mut self,
        defaults: &mut Table,
        given: Table,
        under: &str,
        place: &dyn Fn(&str) -> Option<Place>,
    ) {
        for (name, value) in given {
            let key = format!("{under}{name}");
            if let Some(place) = place(&key) {
                self.said.insert(key.clone(), place);
            }
            if key == INBOXES {
                let entries = self.inboxes(&value, place);
                defaults.insert(name, Value::Array(entries));
                continue;
            }
            match (defaults.get_mut(&name), value) {
                (None, _) => {
                    let nearest = nearest(&name, defaults.keys().map(String::as_str).chain(top_level(under)));
                    let meant = nearest.map(|name| format!("; did you mean '{under}{name}'?"));
                    self.wrong(&key, format!("there is no key '{key}'{}", meant.unwrap_or_default()));
                }
                (Some(Value::Table(default)), Value::Table(value)) => {
                    self.overlay(default, value, &format!("{key}."), place);
                }
                (Some(default), value) => match like(default, value) {
                    Ok(value) => *default = value,
                    Err(what) => self.wrong(&key, format!("{key} is {what}")),
                },
            }
        }
    }

    /// The inboxes, those of their keys left out that are none. The first entry of this list says what each may be.
    fn inboxes(&mut self, given: &Value, place: &dyn Fn(&str) -> Option<Place>) -> Vec<Value> {
        let mut entries = Vec::new();
        for (at, entry) in given.as_array().into_iter().flatten().enumerate() {
            let mut defaults = Table::from_iter(inbox_example());
            let under = format!("{INBOXES}[{at}].");
            let keys: Vec<String> = entry.as_table().into_iter().flat_map(Table::keys).cloned().collect();
            self.overlay(&mut defaults, entry.as_table().cloned().unwrap_or_default(), &under, place);
            defaults.retain(|key, _| keys.iter().any(|given| given == key));
            if !keys.iter().any(|key| key == "path") {
                self.said.extend(place(&format!("{INBOXES}[{at}]")).map(|p| (format!("{under}path"), p)));
                self.wrong(&format!("{under}path"), format!("{INBOXES}[{at}] has no path"));
            }
            entries.push(Value::Table(defaults));
        }
        if given.as_array().is_none_or(|list| list.iter().any(|entry| !entry.is_table())) {
            let what = "inbox must be a list of tables, as [[inbox]] makes them in a file, or [{ path = \"/srv/feeds\" }] in a variable";
            self.wrong(INBOXES, what.to_owned());
        }
        entries
    }

    fn nearest_variable(&self, name: &str) -> Option<String> {
        // What all begin with tells nothing of what was meant.
        let rest = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_owned();
        let known: Vec<String> =
            self.flat().keys().map(|key| rest(&variable(key))).chain([rest(&variable(INBOXES))]).collect();
        nearest(&rest(name), known.iter().map(String::as_str)).map(|near| format!("{PREFIX}{near}"))
    }
}

/// What the variable of a key is called.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// An inbox with every key that one may have.
fn inbox_example() -> [(String, Value); 5] {
    let text = || Value::String(String::new());
    [
        ("path", text()),
        ("source", text()),
        ("watch", text()),
        ("ignore", Value::Array(Vec::new())),
        ("done", text()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
}

fn top_level(under: &str) -> Option<&'static str> {
    under.is_empty().then_some(INBOXES)
}

/// A value of the default's type, or what is wrong with it.
fn like(default: &Value, value: Value) -> Result<Value, String> {
    #[expect(clippy::cast_precision_loss, reason = "a setting that is a number is small")]
    let value = match (default, value) {
        (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
        (_, value) => value,
    };
    let is_text = |item: &Value| item.is_str();
    let is_list_of_texts = value.as_array().is_some_and(|list| list.iter().all(is_text));
    if value.same_type(default) && (!default.is_array() || is_list_of_texts) {
        return Ok(value);
    }
    Err(format!("{}; it must be {}", shown(&value), type_in_words(default)))
}

/// A value as a person would quote it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => format!("'{text}'"),
        value => value.to_string(),
    }
}

fn type_in_words(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of texts, as [\"one\", \"another\"]",
        Value::Table(_) => "a table of keys",
        Value::Datetime(_) => "a time",
    }
}

/// What is written as TOML writes values; what is not is a text.
fn as_toml(typed: &str) -> Value {
    toml::from_str::<Table>(&format!("value = {typed}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(typed.to_owned()))
}

/// A dotted key and its value as a file would have them.
fn nested(key: &str, value: Value) -> Table {
    match key.split_once('.') {
        Some((part, rest)) => Table::from_iter([(part.to_owned(), Value::Table(nested(rest, value)))]),
        None => Table::from_iter([(key.to_owned(), value)]),
    }
}

fn flatten(table: &Table, under: &str, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => flatten(inner, &format!("{under}{name}."), into),
            value => {
                let tables = value.as_array().into_iter().flatten().enumerate();
                for (at, table) in tables.filter_map(|(at, item)| Some((at, item.as_table()?))) {
                    flatten(table, &format!("{under}{name}[{at}]."), into);
                }
                into.insert(format!("{under}{name}"), value.clone());
            }
        }
    }
}

/// The byte at which each key of a file stands.
fn spans(table: &DeTable<'_>, under: &str, into: &mut BTreeMap<String, usize>) {
    for (name, value) in table {
        let key = format!("{under}{}", name.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => spans(inner, &format!("{key}."), into),
            DeValue::Array(list) => {
                for (at, item) in list.iter().enumerate() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        spans(inner, &format!("{key}[{at}]."), into);
                        into.insert(format!("{key}[{at}]"), item.span().start);
                    }
                }
            }
            _ => {}
        }
        into.insert(key, name.span().start);
    }
}

/// The known key that was meant, where one is so near that it may have been.
fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let letters = key.chars().count();
    known
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .filter(|(edits, known)| edits * 2 <= letters.max(known.chars().count()))
        .min()
        .map(|(_, known)| known.to_owned())
}
