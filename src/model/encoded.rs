//! What a sentence encoder made of an article: a direction for each of its first sentences, as small integers.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The directions of an article's first sentences, in their order. They are measured once, where the article is read,
/// and kept with it: floating point is not the same on every machine, integers are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    /// The low half of the xxh3 of the model's files. Those of two models say nothing of each other.
    pub model: u32,
    /// One for each sentence.
    pub sentences: Vec<Direction>,
}

/// Where a sentence points in the model's space, whatever its length: each value in 127ths of the largest. The journal
/// has it as hexadecimal digits, two for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direction(Vec<i8>);

impl Direction {
    /// Of a vector as a model gives it. Nothing where it points nowhere or holds what is no number.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no value is above the largest, so all are within 127"
    )]
    pub fn of(vector: &[f32]) -> Option<Self> {
        let largest = vector.iter().map(|value| value.abs()).fold(0., f32::max);
        let is_sound = largest > 0. && vector.iter().all(|value| value.is_finite());
        is_sound.then(|| {
            Self(vector.iter().map(|value| (value / largest * f32::from(i8::MAX)).round() as i8).collect())
        })
    }

    /// The sum of the products of two, which is exact for up to 100,000 values.
    pub fn product(&self, other: &Self) -> i32 {
        self.0.iter().zip(&other.0).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
    }
}

impl Serialize for Direction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return self.0.serialize(to);
        }
        let bytes: Vec<u8> = self.0.iter().map(|value| value.cast_unsigned()).collect();
        to.serialize_str(&hex::encode(bytes))
    }
}

impl<'d> Deserialize<'d> for Direction {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return Vec::deserialize(from).map(Self);
        }
        let bytes = hex::decode(String::deserialize(from)?).map_err(D::Error::custom)?;
        Ok(Self(bytes.into_iter().map(u8::cast_signed).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_forgets_how_long_the_vector_was() {
        let direction = Direction::of(&[0.5, -0.25, 0.]).unwrap();
        assert_eq!(direction, Direction(vec![127, -64, 0]));
        assert_eq!(Direction::of(&[2., -1., 0.]).unwrap(), direction);
        assert_eq!(direction.product(&direction), 127 * 127 + 64 * 64);
        assert_eq!(Direction::of(&[0., 0.]), None);
        assert_eq!(Direction::of(&[1., f32::NAN]), None);
        assert_eq!(Direction::of(&[1., f32::INFINITY]), None);
    }

    #[test]
    fn golden_forms_in_the_journal_and_in_the_view() {
        let encoded = Encoded { model: 7, sentences: vec![Direction(vec![127, -64, 0])] };
        let line = serde_json::to_string(&encoded).unwrap();
        assert_eq!(line, r#"{"model":7,"sentences":["7fc000"]}"#);
        assert_eq!(serde_json::from_str::<Encoded>(&line).unwrap(), encoded);
        let row = postcard::to_stdvec(&encoded).unwrap();
        assert_eq!(row, [7, 1, 3, 127, 192, 0]);
        assert_eq!(postcard::from_bytes::<Encoded>(&row).unwrap(), encoded);
    }
}
