//! A figure, what it is to reach, and the row that tells both: one form for `wirefold bench` and for every benchmark.

use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// One thing that was measured. Its `Display` is a row of the table that [`head`] stands over, 80 columns at most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What.
    pub what: &'static str,
    /// How many articles it was measured with.
    pub articles: usize,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it is to reach on two cores, where that is said.
    #[serde(flatten)]
    pub target: Option<Target>,
}

/// What a figure is to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    /// What it must reach.
    pub required: f64,
    /// What is aimed at. It lies on the side of the better figures.
    pub aim: f64,
    /// With how many articles that is asked for; 0 where any number tells.
    #[serde(rename = "required_at", skip_serializing_if = "is_any")]
    pub at: usize,
}

impl Target {
    /// What must be reached, and what is aimed at.
    pub const fn new(required: f64, aim: f64) -> Self {
        Self { required, aim, at: 0 }
    }

    /// The same where it is asked for with so many articles.
    #[must_use]
    pub const fn at(self, articles: usize) -> Self {
        Self { at: articles, ..self }
    }
}

impl Figure {
    /// Whether it reaches what it must; nothing where nothing is asked of it.
    pub fn is_met(&self) -> Option<bool> {
        let Target { required, aim, .. } = self.target?;
        Some(if aim < required { self.value <= required } else { self.value >= required })
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (required, aim) = match self.target {
            Some(Target { required, aim, .. }) => {
                let side = if aim < required { "<=" } else { ">=" };
                (format!("{side} {}", number(required)), number(aim))
            }
            None => Default::default(),
        };
        let (articles, value) = (self.articles.to_string(), number(self.value));
        // With fewer articles than it is asked for at, what is met tells little; what is missed is missed all the same.
        let met = match self.is_met() {
            None => "",
            Some(false) => "no",
            Some(true) if self.target.is_some_and(|target| self.articles < target.at) => "-",
            Some(true) => "yes",
        };
        f.write_str(&columns([self.what, &articles, &value, self.unit, &required, &aim, met]))
    }
}

/// What stands over the columns of a table of figures.
pub fn head() -> String {
    columns(["WHAT", "ARTICLES", "FIGURE", "", "REQUIRED", "AIM", "MET"])
}

fn columns([what, articles, value, unit, required, aim, met]: [&str; 7]) -> String {
    format!("{what:<36} {articles:>8} {value:>6} {unit:<8} {required:>8} {aim:>5} {met:<3}")
        .trim_end()
        .to_owned()
}

/// With as many places as tell anything.
fn number(value: f64) -> String {
    let places = usize::from(value < 100. && value.fract() != 0.);
    format!("{value:.places$}")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
const fn is_any(at: &usize) -> bool {
    *at == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_fits_the_narrowest_terminal() {
        let target = Some(Target::new(10_000., 15_000.));
        let figure = Figure {
            what: "articles of JSON Lines taken in",
            articles: 1_000_000,
            value: 9_876.54,
            unit: "a second",
            target,
        };
        assert_eq!(
            figure.to_string(),
            "articles of JSON Lines taken in       1000000   9877 a second >= 10000 15000 no"
        );
        assert!(head().len() <= 80);
        assert_eq!([0.25, 9.96, 120.4, 5.].map(number), ["0.2", "10.0", "120", "5"]);
    }

    #[test]
    fn what_is_met_with_fewer_articles_than_it_is_asked_for_at_is_not_said_to_be() {
        let of = |articles, value| {
            let target = Some(Target::new(5., 1.).at(1_000_000));
            Figure { what: "start", articles, value, unit: "s", target }.to_string()
        };
        assert!(
            of(1_000, 2.).ends_with(" -")
                && of(1_000, 9.).ends_with(" no")
                && of(1_000_000, 2.).ends_with(" yes")
        );
    }

    #[test]
    fn a_target_is_met_on_the_side_of_its_aim() {
        let figure = |value, target| Figure { what: "", articles: 1, value, unit: "", target };
        assert_eq!(figure(5., Some(Target::new(6., 3.))).is_met(), Some(true));
        assert_eq!(figure(7., Some(Target::new(6., 3.))).is_met(), Some(false));
        assert_eq!(figure(7., Some(Target::new(6., 9.))).is_met(), Some(true));
        assert_eq!(figure(7., None).is_met(), None);
    }
}
