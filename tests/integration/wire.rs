//! Files as agencies deliver them: what is read of each is pinned by length and digest, and was read by eye once.

use crate::{
    corpus::{files_in, shared},
    place::Place,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufReader, Cursor},
    path::Path,
};
use unicode_normalization::UnicodeNormalization as _;
use wirefold::{
    config::Config,
    format,
    model::{Article, Digest},
};

/// Two have no text of their own and speak through what they list or their headline: a package of Reuters, and AP's item
/// whose text lies behind an address. So do two posts of the WordPress export that are pictures.
///
/// File, place in it, letters of the headline and of the text, and the beginning of the digest of both.
const AGENCY: &[(&str, &str, usize, usize, &str)] = &[
    ("IPTC7901.txt", "", 64, 1248, "4b0e33fb1a05"),
    ("afp.xml", "1", 51, 1424, "9d35f9f7f3ec"),
    ("anpa-1.tst", "", 46, 2758, "2d47ab6bebe4"),
    ("ansa-newsmlg2-text.xml", "1", 54, 478, "4a79e300f3dc"),
    ("ap.xml", "1", 54, 1373, "946c8ce701af"),
    ("ap.xml", "2", 79, 1500, "69f978248a91"),
    ("ap.xml", "3", 56, 1141, "03f9b99fc760"),
    ("ap_anpa-1.tst", "", 56, 2356, "12acf07455ce"),
    ("ap_media_text_item.json", "", 15, 15, "913b38fb666c"),
    ("bbc-ninjs-text-test.json", "1", 8, 4, "fe31484ca971"),
    ("dpa.xml", "1", 65, 1524, "1d0d2965d2ed"),
    ("efe_nitf.xml", "", 44, 37, "47ea3a52872d"),
    ("pa1.xml", "", 28, 4128, "126351d15694"),
    ("ritzau_feed.xml", "1", 23, 3895, "a694747a5400"),
    ("ritzau_feed.xml", "2", 13, 471, "c503d440db76"),
    ("simple_email.txt", "", 17, 9, "5cf523f3360e"),
    ("stt1.xml", "", 50, 927, "a31b5dacd3e2"),
    ("tag_reuters.com_2014_newsml_KBN0FL0NM_version_10", "1", 54, 584, "a22484c0cd59"),
    ("wordpress_wxr.xml", "1", 57, 243, "ff949e6d2488"),
    ("wordpress_wxr.xml", "2", 5, 244, "e89348ed3d0c"),
    ("wordpress_wxr.xml", "3", 5, 244, "f3ab3c76e0cc"),
    ("wordpress_wxr.xml", "4", 5, 5, "1a4c1f5e3b0b"),
    ("wordpress_wxr.xml", "5", 5, 5, "dfcd493dff74"),
];

/// How many articles came out of a file, and how many items of it were refused or passed over, by the word for why.
fn counts(file: &Path) -> (usize, BTreeMap<&'static str, usize>) {
    let reading = Config::load(None, Some(Path::new("/nowhere"))).unwrap().reading();
    let (mut good, mut bad) = (0, BTreeMap::new());
    let mut bytes = BufReader::new(File::open(file).unwrap());
    let end = format::cut(&mut bytes, &reading, &mut |item| {
        match item.map_err(|bad| bad.error).and_then(|item| format::decode(&item, &reading.fields)) {
            Ok(_) => good += 1,
            Err(error) => *bad.entry(error.code()).or_default() += 1,
        }
        true
    });
    for (why, count) in end.passed_over {
        *bad.entry(why).or_default() += usize::try_from(count).unwrap();
    }
    if let Err(error) = end.end {
        *bad.entry(error.code()).or_default() += 1;
    }
    (good, bad)
}

/// What a file holds: each article with its place, or why it is none.
fn read(file: &Path) -> Vec<(String, Result<Article, String>)> {
    let reading = Config::load(None, Some(Path::new("/nowhere"))).unwrap().reading();
    let mut found = Vec::new();
    let mut bytes = Cursor::new(fs::read(file).unwrap());
    let end = format::cut(&mut bytes, &reading, &mut |item| {
        let place =
            |place: Option<_>| place.map_or_else(String::new, |p: wirefold::model::ItemPlace| p.to_string());
        found.push(match item {
            Ok(item) => {
                let article = format::decode(&item, &reading.fields).map_err(|e| e.to_string());
                (place(item.place), article)
            }
            Err(bad) => (place(bad.place), Err(bad.error.to_string())),
        });
        true
    });
    found.extend(end.end.err().map(|error| (String::new(), Err(error.to_string()))));
    found
}

#[test]
fn agency_files_are_read_as_they_were_by_eye() {
    let Some(folder) = shared("wire/agency") else { return };
    let mut table = Vec::new();
    for file in files_in(&folder) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        for (place, article) in read(&file) {
            let article = article.unwrap_or_else(|why| panic!("{name} {place}: {why}"));
            let title = article.title.unwrap_or_default();
            let has_tags = |text: &str| {
                ["</", "/>", "<p", "&lt;", "&amp;", "&quot;", "&apos;"].iter().any(|t| text.contains(t))
            };
            assert!(
                !has_tags(&title) && !has_tags(&article.text),
                "{name} {place}: {title} {}",
                article.text
            );
            assert!(!title.is_empty() && !article.text.trim().is_empty(), "{name} {place}");
            let digest = Digest::of(format!("{title}\n{}", article.text).as_bytes()).to_string();
            table.push((
                name.clone(),
                place,
                title.chars().count(),
                article.text.chars().count(),
                digest[..12].to_owned(),
            ));
        }
    }
    let row = |(name, place, title, text, digest): &(String, String, usize, usize, String)| {
        format!("    (\"{name}\", \"{place}\", {title}, {text}, \"{digest}\"),\n")
    };
    let pinned =
        AGENCY.iter().map(|(a, b, c, d, e)| ((*a).to_owned(), (*b).to_owned(), *c, *d, (*e).to_owned()));
    let pinned: Vec<_> = pinned.collect();
    assert_eq!(table, pinned, "now:\n{}", table.iter().map(row).collect::<String>());
}

#[test]
fn every_file_of_the_standards_ends_as_it_must() {
    let of = |name: &str| shared(name).map(|file| counts(&file));
    let said = |pairs: &[(&'static str, usize)]| pairs.iter().copied().collect::<BTreeMap<_, _>>();
    // Entries that hold a picture or a script and no word, feeds without any, and XML that is no feed.
    if let Some(found) = of("wire/feeds.tar.xz") {
        assert_eq!(
            found,
            (525, said(&[("cut-short", 1), ("empty", 1), ("no-article", 910), ("no-text", 712)]))
        );
    }
    // Items that plan or describe, and news without a word in it.
    if let Some(found) = of("wire/newsml-g2.tar.xz") {
        assert_eq!(found, (52, said(&[("empty", 2), ("no-text", 182), ("not-text", 13)])));
    }
}

#[test]
fn ninjs_that_has_text_is_read() {
    let Some(folder) = shared("wire/ninjs") else { return };
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for path in files_in(&folder) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let keys = [
        "headline",
        "body_text",
        "body_html",
        "body_xhtml",
        "description_text",
        "headlines",
        "bodies",
        "descriptions",
    ];
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let object: Option<serde_json::Map<_, _>> = serde_json::from_str(&text).ok();
        let has_text =
            object.as_ref().is_some_and(|o| o.contains_key("uri") && keys.iter().any(|k| o.contains_key(*k)));
        let must_pass = !file.components().any(|part| part.as_os_str() == "should_fail");
        let (good, bad) = counts(&file);
        assert!(good + bad.values().sum::<usize>() > 0, "{} ends without a word", file.display());
        if has_text && must_pass {
            assert_eq!((good, bad.len()), (1, 0), "{}: {bad:?}", file.display());
        }
    }
}

#[test]
fn web_archives_give_what_is_whole_in_them() {
    let Some(folder) = shared("wire/warc") else { return };
    let found: Vec<_> = files_in(&folder)
        .iter()
        .map(|file| {
            let (good, bad) = counts(file);
            (
                file.file_name().unwrap().to_str().unwrap().to_owned(),
                good,
                bad.into_keys().collect::<Vec<_>>(),
            )
        })
        .collect();
    let with = |name: &str, good, bad: &[&'static str]| (name.to_owned(), good, bad.to_vec());
    assert_eq!(
        found,
        [
            with("bad.arc", 0, &["no-answer", "unreadable"]),
            with("example-bad-non-chunked.warc.gz", 1, &["no-page"]),
            with("example-bad.warc.gz.bad", 1, &["no-answer", "no-page"]),
            with("example-digest.warc", 0, &["no-page"]),
            with("example-iana.org-chunked.warc", 1, &["no-page"]),
            with("example-resource.warc.gz", 1, &["no-page"]),
            with("example-space-in-target-uri.warc.gz", 0, &["no-page"]),
            with("example-space-in-url.arc", 0, &["cut-short", "no-page", "unreadable"]),
            with("example-trunc.warc", 0, &["cut-short", "no-page"]),
            with("example-wget-bad-target-uri.warc.gz", 1, &["no-page"]),
            with("example-wrong-chunks.warc.gz", 1, &["no-page"]),
            with("example.arc", 1, &["no-page"]),
            with("example.arc.gz", 1, &["no-page"]),
            with("example.warc", 1, &["no-page"]),
            with("example.warc.gz", 1, &["no-page"]),
            with("post-test.warc.gz", 0, &["no-page"]),
        ]
    );
}

/// The mean over pages of the F1 of the words found, against the body as it was marked by hand.
#[test]
fn the_body_of_a_page_is_found() {
    let Some(folder) = shared("html") else { return };
    let truth: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let words = |text: &str| {
        let mut words = BTreeMap::<String, u32>::new();
        for word in
            text.to_lowercase().split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty())
        {
            *words.entry(word.to_owned()).or_default() += 1;
        }
        words
    };
    let mut scores = Vec::new();
    for (name, page) in &truth {
        let found = read(&folder.join("pages").join(format!("{name}.html.gz")));
        let found =
            found.iter().filter_map(|(_, article)| article.as_ref().ok()).map(|a| a.text.as_str()).next();
        let (found, body) = (words(found.unwrap_or_default()), words(page["articleBody"].as_str().unwrap()));
        let both: u32 = body.iter().map(|(word, n)| found.get(word).map_or(0, |m| *n.min(m))).sum();
        let all: u32 = found.values().chain(body.values()).sum();
        scores.push(2. * f64::from(both) / f64::from(all.max(1)));
    }
    let mean = scores.iter().sum::<f64>() / f64::from(u32::try_from(scores.len()).unwrap());
    println!("{} pages, mean F1 {mean:.4}", scores.len());
    assert!(scores.len() == 89 && mean >= 0.96, "{} pages, mean F1 {mean:.4}", scores.len());
}

/// What is shown is what was sent, in every script, also where it is not in a normal form.
#[test]
fn texts_of_17_languages_survive_the_round_trip() {
    let Some(folder) = shared("multilingual") else { return };
    let place = Place::new();
    let (mut sent, mut names) = (BTreeMap::new(), Vec::new());
    for file in files_in(&folder) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        fs::copy(&file, place.path(&name)).unwrap();
        names.push(name.clone());
        for line in fs::read_to_string(&file).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = line["text"].as_str().unwrap().to_owned();
            sent.insert((name.clone(), line["id"].to_string().trim_matches('"').to_owned()), text);
        }
    }
    place.ingest(&names);
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_odd = |text: &str| text.nfc().ne(text.chars());
    let (mut shown, mut odd, mut languages) = (0, 0, BTreeSet::new());
    for record in place.export() {
        let wanted = |a: &crate::answers::Article| (a.path.clone(), a.item.clone().unwrap_or_default());
        // One of each language, and all that are in no normal form.
        let is_wanted = |key: &(String, String)| {
            sent.get(key).is_some_and(|text| is_odd(text)) || !languages.contains(&key.0)
        };
        if !record.articles.iter().map(wanted).any(|key| is_wanted(&key)) {
            continue;
        }
        for article in place.show(&record.record)["articles"].as_array().unwrap() {
            let key =
                (article["path"].as_str().unwrap().to_owned(), article["item"].as_str().unwrap().to_owned());
            let (text, original) = (article["text"].as_str().unwrap(), &sent[&key]);
            assert_eq!(squeezed(text), squeezed(original), "{key:?}");
            shown += 1;
            odd += usize::from(is_odd(text));
            languages.insert(key.0);
        }
    }
    assert_eq!((languages.len(), odd), (17, 6), "{shown} were shown");
}
