//! The language of a text that does not say it, by its first letters.

/// The beginning of a text that tells its language, in bytes. More makes the guess slower, not better.
const HEAD_BYTES: usize = 512;

/// The languages that can be told apart, as ISO 639-3 and, where there is one, ISO 639-1.
const CODES: [(&str, &str); 70] = [
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

/// The ISO 639-1 code of a text's language; nothing where the guess would not be reliable.
pub fn language_of(text: &str) -> Option<&'static str> {
    let head = text.get(..text.floor_char_boundary(HEAD_BYTES)).unwrap_or_default();
    let guess = whatlang::detect(head).filter(whatlang::Info::is_reliable)?;
    let three = guess.lang().code();
    CODES.iter().find(|(code, _)| *code == three).map(|(_, two)| *two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_that_can_be_told_has_a_code() {
        for lang in whatlang::Lang::all() {
            assert!(CODES.iter().any(|(three, _)| *three == lang.code()), "{}", lang.code());
        }
    }

    #[test]
    fn plain_texts_are_told_and_scraps_are_not() {
        let german =
            "Die Feuerwehr rettete am Dienstag im Hafen zwölf Menschen von einem brennenden Ausflugsschiff.";
        assert_eq!(language_of(german), Some("de"));
        let russian = "В среду правительство области объявило о строительстве нового моста через реку. Работы \
            начнутся весной и продлятся два года, сообщил журналистам министр транспорта.";
        assert_eq!(language_of(russian), Some("ru"));
        assert_eq!(language_of("12 / 34"), None);
    }
}
