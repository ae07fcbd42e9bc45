//! A detector that takes up where another stopped decides as that one would have.

use super::*;
use proptest::prelude::*;

#[test]
fn a_restart_decides_as_an_undisturbed_run() {
    let texts: Vec<String> = (0..40)
        .map(|n| match n % 4 {
            0 => format!("{} Edition {n}.", FIRE.replace("Harrow", &format!("Harrow{}", n / 8))),
            1 => format!("{LOCAL} Call {n} for details."),
            2 => first_words(FIRE, 30 + n),
            _ => format!(
                "Notice {n}: the council of district {n} meets at noon on day {n} to vote on road {n}."
            ),
        })
        .collect();
    let mut undisturbed = Feed::new();
    let decided: Vec<Decision> = (0..)
        .zip(&texts)
        .map(|(n, text)| {
            undisturbed.day = n * 2;
            undisturbed.add(text)
        })
        .collect();
    for cut in [7_usize, 20, 33] {
        let mut restarted = restarted(SETTINGS, &decided[..cut]);
        for ((n, text), decision) in (0..).zip(&texts).zip(&decided).skip(cut) {
            restarted.day = n * 2;
            let again = restarted.add(text);
            assert_eq!(again.verdict, decision.verdict, "article {n} after a restart at {cut}");
            assert_eq!(again.profile.to_bytes(), decision.profile.to_bytes());
            assert_eq!(again.evicted, decision.evicted);
        }
    }
}

/// A detector that takes up behind these decisions.
fn restarted(settings: Settings, decided: &[Decision]) -> Feed {
    let no = u32::try_from(decided.len()).unwrap();
    let gone: Vec<ArticleNo> = decided.iter().flat_map(|decision| decision.evicted.clone()).collect();
    let mut remembered = Remembered::new(settings, ArticleNo(no.saturating_sub(1)));
    for (_, decision) in (0..).map(ArticleNo).zip(decided).filter(|(no, _)| !gone.contains(no)) {
        let record = decision.verdict.record;
        let filed = (undisturbed_founder(decided, record), record);
        remembered.add(&decision.profile.to_bytes(), filed, None).unwrap();
    }
    Feed { detector: remembered.into_detector(), no, day: 0 }
}

fn undisturbed_founder(decided: &[Decision], record: RecordId) -> ArticleNo {
    let founds = |d: &Decision| d.verdict.record == record && d.verdict.relation.is_none();
    ArticleNo(u32::try_from(decided.iter().position(founds).unwrap()).unwrap())
}

/// A window of many articles must not make rare what every report on a topic has: only the last ones are counted, and
/// which they are must not depend on a restart, also where later ones have left the window before.
#[test]
fn a_restart_counts_the_same_recent_articles() {
    let text = |n: u32| {
        format!("Notice {n}: the council of district {n} meets at noon to vote on road {n} and bridge {n}.")
    };
    let days = |n: u32| i64::from(if n % 5 == 4 { n / 300 } else { n / 300 + 5 });
    let mut undisturbed = Feed::new();
    let mut decided = Vec::new();
    for n in 0..1_700 {
        undisturbed.day = days(n);
        decided.push(undisturbed.add(&text(n)));
    }
    let cut = 1_650;
    let mut restarted = restarted(SETTINGS, &decided[..cut as usize]);
    for n in cut..1_700 {
        restarted.day = days(n);
        assert_eq!(
            restarted.add(&text(n)).profile.to_bytes(),
            decided[n as usize].profile.to_bytes(),
            "article {n}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever times the articles have: they may leave either window in any order, be in none when they come, and come from
    /// sources and with texts that others had.
    #[test]
    fn articles_of_any_times_are_taken_up_as_they_were(
        articles in prop::collection::vec((0_u32..12, 0_i64..60), 2..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let settings = Settings { merging: false, moving: false, ..SETTINGS };
        let text = |n: u32| match n % 3 {
            0 => format!("{} Edition {n}.", first_words(FIRE, 70)),
            1 => format!("{LOCAL} Call {n} for details."),
            _ => format!("Notice {n}: the council of district {n} meets at noon to vote on road {n} and bridge {n}."),
        };
        let cut = cut.index(articles.len());
        let mut undisturbed = Feed::with(settings);
        let add = |feed: &mut Feed, (n, day): (u32, i64)| {
            feed.day = day;
            feed.add(&text(n))
        };
        let before: Vec<Decision> = articles[..cut].iter().map(|a| add(&mut undisturbed, *a)).collect();
        let mut restarted = restarted(settings, &before);
        prop_assert_eq!(restarted.detector.live(), undisturbed.detector.live());
        for article in &articles[cut..] {
            let (decision, again) = (add(&mut undisturbed, *article), add(&mut restarted, *article));
            prop_assert_eq!(again.verdict, decision.verdict);
            prop_assert_eq!(again.profile.to_bytes(), decision.profile.to_bytes());
            prop_assert_eq!(again.evicted, decision.evicted);
        }
    }
}
