//! The words of made-up news: English ones drawn as often as news has them, and names of people, places and bodies
//! that do not exist.

use super::rng::Rng;
use crate::model::prior;
use std::sync::LazyLock;

/// A word that is in more of the prior's 1,483 texts than this is a function word or nearly one; the sentences' own
/// frames bring those.
const CONTENT_DOCUMENTS_MAX: u32 = 500;
/// What a story is about is said in words that at most this many texts have: 8%.
const TELLING_DOCUMENTS_MAX: u32 = 120;
/// The table that words are drawn from has about so many places. The rarest word, in 2 of 1,483 texts, then
/// gets two of them.
const PLACES: f64 = 262_144.;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::read);

/// Words by how often they are drawn: each stands as often in a list as its frequency asks for.
pub(super) struct Vocabulary {
    content: Vec<&'static str>,
    telling: Vec<&'static str>,
    figures: Vec<&'static str>,
    names: Vec<String>,
}

impl Vocabulary {
    pub fn get() -> &'static Self {
        &VOCABULARY
    }

    /// Any content word of news, as often as it occurs there.
    pub fn word(&self, rng: &mut Rng) -> &str {
        rng.pick(&self.content)
    }

    /// A word that says what a story is about.
    pub fn telling_word(&self, rng: &mut Rng) -> &'static str {
        self.telling.get(rng.below(self.telling.len())).copied().unwrap_or_default()
    }

    /// A number as texts have them, of digits alone.
    pub fn number(&self, rng: &mut Rng) -> &str {
        rng.pick(&self.figures)
    }

    /// Reads the prior: a word that is in the share d of texts is drawn as often as makes it miss the share 1 - d of
    /// articles, if draws are independent, which is -ln(1 - d) times an article.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the table's places"
    )]
    fn read() -> Self {
        let documents = f64::from(prior::Prior::english().documents + 1);
        let draws = |with: u32| -libm::log(1. - f64::from(with) / documents);
        let rows: Vec<_> = prior::english_terms().filter(|(term, with, _)| is_content(term, *with)).collect();
        let whole: f64 = rows.iter().map(|(_, with, _)| draws(*with)).sum();
        let (mut content, mut telling, mut figures, mut names) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (term, with, capital) in rows {
            let places = ((draws(with) / whole * PLACES).round() as usize).max(1);
            let is_name = capital * 10 > with * 8;
            let list =
                if term.starts_with(|c: char| c.is_ascii_digit()) { &mut figures } else { &mut content };
            if is_name {
                names.push(capitalized(term));
                continue;
            }
            list.extend(std::iter::repeat_n(term, places));
            if with <= TELLING_DOCUMENTS_MAX
                && term.len() > 3
                && !term.starts_with(|c: char| c.is_ascii_digit())
            {
                telling.extend(std::iter::repeat_n(term, places));
            }
        }
        Self { content, telling, figures, names }
    }

    /// A name that news is full of, of a real place or person.
    pub fn known_name(&self, rng: &mut Rng) -> &str {
        // The names stand most frequent first. The square of a uniform draw has most of them near the front.
        let (near, far) = (rng.below(self.names.len() + 1), rng.below(self.names.len() + 1));
        let at = near * far / self.names.len().max(1);
        self.names.get(at).map(String::as_str).unwrap_or_default()
    }
}

fn is_content(term: &str, with: u32) -> bool {
    let is_plain = term.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_figure = term.bytes().all(|b| b.is_ascii_digit());
    is_plain && with <= CONTENT_DOCUMENTS_MAX && (is_figure || term.len() > 2)
}

/// With a capital.
pub(super) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const FIRST_NAMES: [&str; 48] = [
    "Maren", "Tobias", "Ines", "Callum", "Priya", "Dmitri", "Aoife", "Kofi", "Leila", "Marcus", "Hanna",
    "Joao", "Sven", "Amina", "Peter", "Grace", "Ravi", "Nadia", "Owen", "Clara", "Hugo", "Mina", "Oscar",
    "Ruth", "Ibrahim", "Elena", "Victor", "Alice", "Simon", "Zofia", "Daniel", "Martha", "Yusuf", "Laura",
    "Piet", "Carmen", "Felix", "Noor", "Walter", "Edith", "Andre", "Sofia", "Karl", "Helen", "Tariq",
    "Julia", "Ben", "Olga",
];
const NAME_STARTS: [&str; 40] = [
    "Al", "Ber", "Cor", "Dal", "El", "Fen", "Gar", "Hol", "Is", "Jor", "Kel", "Lam", "Mor", "Nor", "Od",
    "Pel", "Quen", "Ros", "Sel", "Tor", "Ul", "Ver", "Wes", "Yar", "Zan", "Bra", "Cre", "Dru", "Fla", "Gri",
    "Hu", "Ka", "Lu", "Ma", "Ne", "Pa", "Ste", "Tra", "Vi", "Wi",
];
const NAME_MIDDLES: [&str; 24] = [
    "", "", "", "", "an", "en", "in", "on", "ar", "er", "ir", "or", "al", "el", "il", "ol", "as", "es", "is",
    "os", "at", "et", "it", "ot",
];
const NAME_ENDS: [&str; 30] = [
    "berg", "by", "croft", "dahl", "don", "eira", "ez", "field", "gard", "ham", "ides", "kov", "lund", "man",
    "mark", "nesh", "ova", "quist", "rade", "sen", "shaw", "ski", "son", "stein", "ter", "tolo", "uya",
    "wick", "worth", "yama",
];
const PLACE_ENDS: [&str; 22] = [
    "bridge", "burg", "bury", "cester", "cliff", "combe", "dale", "ford", "gate", "haven", "hurst", "leigh",
    "mere", "minster", "mouth", "port", "stad", "stead", "ton", "vale", "ville", "wick",
];
const PLACE_FRONTS: [&str; 12] = ["", "", "", "", "", "", "", "Port ", "New ", "West ", "Upper ", "Saint "];
const BODIES: [&str; 24] = [
    "Council",
    "Bank",
    "University",
    "Hospital",
    "Police",
    "Group",
    "Airlines",
    "Union",
    "Institute",
    "Energy",
    "Ministry",
    "Court",
    "United",
    "Holdings",
    "Foundation",
    "Party",
    "Railways",
    "Agency",
    "Motors",
    "Authority",
    "Chamber",
    "Labs",
    "Steel",
    "Commission",
];

/// A family name that nobody is likely to have. There are 28,800, some far more frequent than others.
pub(super) fn family_name(rng: &mut Rng) -> String {
    let start = skewed(rng, &NAME_STARTS);
    let (middle, end) = (skewed(rng, &NAME_MIDDLES), skewed(rng, &NAME_ENDS));
    format!("{start}{middle}{end}")
}

/// A full name.
pub(super) fn person(rng: &mut Rng) -> (String, String) {
    let (first, family) = (rng.pick(&FIRST_NAMES), family_name(rng));
    (format!("{first} {family}"), family)
}

/// A place that is on no map.
pub(super) fn place(rng: &mut Rng) -> String {
    let front = rng.pick(&PLACE_FRONTS);
    let (start, end) = (skewed(rng, &NAME_STARTS), rng.pick(&PLACE_ENDS));
    let middle = rng.pick(&NAME_MIDDLES);
    format!("{front}{start}{middle}{end}")
}

/// A body that a reporter would call for a comment.
pub(super) fn body(rng: &mut Rng) -> String {
    let owner = if rng.percent(50) { place(rng) } else { family_name(rng) };
    format!("{owner} {}", rng.pick(&BODIES))
}

/// One of a list, its front more often than its end.
fn skewed<'l>(rng: &mut Rng, list: &'l [&'l str]) -> &'l str {
    let (a, b) = (rng.below(list.len()), rng.below(list.len()));
    list.get(a.min(b)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_as_often_as_news_has_them() {
        let (vocabulary, mut rng) = (Vocabulary::get(), Rng::new(1));
        let drawn: Vec<&str> = (0..200_000).map(|_| vocabulary.word(&mut rng)).collect();
        let count = |word: &str| drawn.iter().filter(|w| **w == word).count();
        assert!(count("police") > 4 * count("harbour") && count("harbour") > 0);
        assert_eq!(count("the"), 0, "function words are the frames' part");
        let telling: Vec<&str> = (0..1000).map(|_| vocabulary.telling_word(&mut rng)).collect();
        assert!(!telling.contains(&"people"));
    }

    #[test]
    fn names_are_many_and_some_come_often() {
        let mut rng = Rng::new(1);
        let mut names: Vec<String> = (0..4000).map(|_| family_name(&mut rng)).collect();
        names.sort();
        names.dedup();
        assert!((2000..3900).contains(&names.len()), "{}", names.len());
    }
}
