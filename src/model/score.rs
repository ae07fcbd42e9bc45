//! A share between 0 and 1, and log-odds, as fixed-point integers, so that every machine decides and prints alike.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A share or probability in millionths. It is printed, and kept by the journal, with four decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u32);

impl Score {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);
    /// Certainty.
    pub const ONE: Self = Self(1_000_000);

    /// From a share; what lies outside 0 to 1 is cut to it, and what is no number is 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1e6 before")]
    pub fn from_share(share: f64) -> Self {
        Self((share.clamp(0., 1.) * 1e6).round() as u32)
    }

    /// A part of a whole; 0 where there is no whole.
    #[expect(clippy::cast_precision_loss, reason = "counts of shingles and of scores are far below 2^52")]
    pub fn ratio(part: usize, whole: usize) -> Self {
        if whole == 0 { Self::ZERO } else { Self::from_share(part as f64 / whole as f64) }
    }

    /// The mean of some scores; 0 where there are none.
    pub fn mean(scores: impl IntoIterator<Item = Self>) -> Self {
        let (sum, count) = scores.into_iter().fold((0_u64, 0_u64), |(s, n), x| (s + u64::from(x.0), n + 1));
        Self(u32::try_from((sum + count / 2).checked_div(count).unwrap_or(0)).unwrap_or(0))
    }

    /// As a share between 0 and 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// As it is printed and as the journal keeps it, in ten-thousandths.
    pub const fn ten_thousandths(self) -> u32 {
        (self.0 + 50) / 100
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.ten_thousandths();
        write!(f, "{}.{:04}", n / 10_000, n % 10_000)
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_f64(f64::from(self.ten_thousandths()) / 1e4)
        } else {
            // A row of the view says what the journal says, and not more: so a view made anew is the same.
            to.serialize_u32(self.ten_thousandths() * 100)
        }
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            f64::deserialize(from).map(Self::from_share)
        } else {
            u32::deserialize(from).map(Self)
        }
    }
}

/// Log-odds in ten-thousandths, with their sign: what a piece of evidence gives, or takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogOdds(i32);

impl LogOdds {
    /// From a number; it is cut to what a fitted model can give.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 1e3 before")]
    pub fn from_real(value: f64) -> Self {
        Self((value.clamp(-1e3, 1e3) * 1e4).round() as i32)
    }

    /// As a number.
    pub fn real(self) -> f64 {
        f64::from(self.0) / 1e4
    }

    /// The probability with these odds.
    pub fn probability(self) -> Score {
        Score::from_share(1. / (1. + libm::exp(-self.real())))
    }
}

impl std::iter::Sum for LogOdds {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self(all.fold(0, |sum: i32, one| sum.saturating_add(one.0)))
    }
}

/// With its sign and two decimals, as a person compares them.
impl fmt::Display for LogOdds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2}", self.real())
    }
}

impl Serialize for LogOdds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.real())
    }
}

impl<'de> Deserialize<'de> for LogOdds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        f64::deserialize(from).map(Self::from_real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_four_decimals() {
        assert_eq!(Score::from_share(0.288_149).to_string(), "0.2881");
        assert_eq!(Score::ONE.to_string(), "1.0000");
        assert_eq!(serde_json::to_string(&Score::from_share(0.288_149)).unwrap(), "0.2881");
    }

    /// A view said more than the journal, and so another thing than the view that is made anew from it.
    #[test]
    fn a_row_keeps_what_the_journal_keeps() {
        let score = Score::from_share(0.288_149);
        let row: Score = postcard::from_bytes(&postcard::to_stdvec(&score).unwrap()).unwrap();
        let line: Score = serde_json::from_str(&serde_json::to_string(&score).unwrap()).unwrap();
        assert_eq!(row, line);
    }

    #[test]
    fn is_never_outside_its_range() {
        assert_eq!(Score::from_share(f64::NAN), Score::ZERO);
        assert_eq!(Score::from_share(7.), Score::ONE);
        assert_eq!(Score::ratio(1, 0), Score::ZERO);
        assert_eq!(Score::mean([]), Score::ZERO);
        assert_eq!(Score::mean([Score::ZERO, Score::ONE]), Score::from_share(0.5));
    }

    #[test]
    fn log_odds_add_up_and_print_their_sign() {
        let sum: LogOdds = [2.5, -3.25].map(LogOdds::from_real).into_iter().sum();
        assert_eq!((sum.to_string(), serde_json::to_string(&sum).unwrap()), ("-0.75".into(), "-0.75".into()));
        assert_eq!(LogOdds::default().probability(), Score::from_share(0.5));
        assert_eq!(serde_json::from_str::<LogOdds>("-0.75").unwrap(), sum);
    }
}
