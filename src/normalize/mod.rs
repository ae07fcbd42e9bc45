//! stub
use crate::model::{Article, Normalized};
/// stub
pub fn normalize(a: &Article) -> Normalized { let t = a.title.clone().unwrap_or_default(); let n=t.len(); Normalized { text: if n>0 {format!("{t}\n{}", a.text)} else {a.text.clone()}, title_bytes: n } }
/// stub
pub fn title_of(_t: &str) -> Option<String> { None }
