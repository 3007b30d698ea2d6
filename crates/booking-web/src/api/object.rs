//! A body that is a JSON object and nothing else. Left to itself, what is read into fields
//! takes a list of values as well, in the order in which the fields were written.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What an object holds.
#[derive(Debug, Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::deserialize(deserializer)?;
        let read = serde_json::from_value(Value::Object(map));
        read.map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Wanted {
        #[serde(default)]
        name: Option<String>,
    }

    #[test]
    fn a_list_of_values_is_no_object() {
        let read = serde_json::from_str::<Object<Wanted>>;
        let Object(wanted) = read(r#"{"name": "Till", "more": 1}"#).unwrap();
        assert_eq!(wanted.name.as_deref(), Some("Till"));
        for other in [r#"["Till"]"#, "[]", "null", "7", r#"{"name": 7}"#] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
