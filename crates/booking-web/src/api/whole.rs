//! Whole numbers in what programs send: `3.0` is the integer 3 (JSON Schema 2020-12, §4.2.3).

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};
use serde_json::Number;

/// A whole number, if there is one; what is beyond 64 bits is the outermost that there is.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if let Some(whole) = number.as_i64() {
        return Ok(Some(whole));
    }
    let value = number.as_f64().filter(|value| value.fract() == 0.0);
    let value = value.ok_or_else(|| D::Error::custom("a whole number is needed"))?;
    let outermost = if value < 0.0 { i64::MIN } else { i64::MAX };
    Ok(Some(format!("{value:.0}").parse().unwrap_or(outermost)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<i64>, serde_json::Error> {
        number(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (text, expected) in [
            ("3", 3),
            ("3.0", 3),
            ("-1440.0", -1440),
            ("1e300", i64::MAX),
            ("18446744073709551615", i64::MAX),
        ] {
            assert_eq!(read(text).unwrap(), Some(expected), "{text}");
        }
        assert_eq!(read("null").unwrap(), None);
        for text in ["3.5", "\"3\"", "true", "[3]"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
