//! Words that Britons and Americans spell apart. The made-up texts are British; one edit makes Americans of them.

use super::{rng::Rng, vocabulary::capitalized};
use std::{collections::HashMap, sync::LazyLock};

/// British first.
const PAIRS: [(&str, &str); 64] = [
    ("colour", "color"),
    ("colours", "colors"),
    ("labour", "labor"),
    ("harbour", "harbor"),
    ("neighbour", "neighbor"),
    ("neighbours", "neighbors"),
    ("honour", "honor"),
    ("rumours", "rumors"),
    ("behaviour", "behavior"),
    ("favour", "favor"),
    ("favourite", "favorite"),
    ("centre", "center"),
    ("centres", "centers"),
    ("theatre", "theater"),
    ("metres", "meters"),
    ("kilometres", "kilometers"),
    ("litres", "liters"),
    ("fibre", "fiber"),
    ("defence", "defense"),
    ("offence", "offense"),
    ("licence", "license"),
    ("organise", "organize"),
    ("organised", "organized"),
    ("organisation", "organization"),
    ("organisations", "organizations"),
    ("recognise", "recognize"),
    ("recognised", "recognized"),
    ("realise", "realize"),
    ("realised", "realized"),
    ("criticised", "criticized"),
    ("emphasised", "emphasized"),
    ("apologised", "apologized"),
    ("authorised", "authorized"),
    ("privatise", "privatize"),
    ("stabilise", "stabilize"),
    ("modernise", "modernize"),
    ("analyse", "analyze"),
    ("analysed", "analyzed"),
    ("travelled", "traveled"),
    ("travellers", "travelers"),
    ("cancelled", "canceled"),
    ("labelled", "labeled"),
    ("fuelled", "fueled"),
    ("modelling", "modeling"),
    ("programme", "program"),
    ("programmes", "programs"),
    ("catalogue", "catalog"),
    ("dialogue", "dialog"),
    ("tonnes", "tons"),
    ("cheque", "check"),
    ("grey", "gray"),
    ("tyres", "tires"),
    ("plough", "plow"),
    ("ageing", "aging"),
    ("judgement", "judgment"),
    ("sceptical", "skeptical"),
    ("manoeuvre", "maneuver"),
    ("mould", "mold"),
    ("storey", "story"),
    ("aluminium", "aluminum"),
    ("jewellery", "jewelry"),
    ("armour", "armor"),
    ("humour", "humor"),
    ("vapour", "vapor"),
];

static AMERICAN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| PAIRS.into_iter().collect());

/// A word in its British spelling.
pub(super) fn british(rng: &mut Rng) -> &'static str {
    PAIRS.get(rng.below(PAIRS.len())).map(|(british, _)| *british).unwrap_or_default()
}

/// The American spelling of a word, with a capital where it had one; nothing where it is the same.
pub(super) fn american(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let spelt = AMERICAN.get(lower.as_str())?;
    Some(if lower == word { (*spelt).to_owned() } else { capitalized(spelt) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_stay() {
        assert_eq!(american("Harbour").as_deref(), Some("Harbor"));
        assert_eq!(american("centre").as_deref(), Some("center"));
        assert_eq!(american("bridge"), None);
    }
}
