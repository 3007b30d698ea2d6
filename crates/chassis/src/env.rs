//! The environment as an argument: a snapshot of names and values.
//! The only module that reads the process environment; nothing ever writes it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// A snapshot of environment variables.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, String>);

/// Why a variable could not be used. Never shows the value, which may be secret.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// The variable is not set, or is empty.
    #[error("{name} is not set; it is {meaning}")]
    Missing {
        /// The variable.
        name: String,
        /// What it is for, in words.
        meaning: String,
    },
    /// The variable is set to something that cannot be read.
    #[error("{name} cannot be read: {reason}")]
    Invalid {
        /// The variable.
        name: String,
        /// What the parser said.
        reason: String,
    },
}

impl Env {
    /// The variables of this process. Values that are not UTF-8 are left out.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// An environment made of the given pairs.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }

    /// The value, where it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// The value, or an error that says what the variable is for.
    pub fn require(&self, name: &str, meaning: &str) -> Result<&str, EnvError> {
        self.get(name).ok_or_else(|| EnvError::Missing {
            name: name.into(),
            meaning: meaning.into(),
        })
    }

    /// The parsed value, or `default` where it is not set.
    pub fn parse_or<T>(&self, name: &str, default: T) -> Result<T, EnvError>
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|e: T::Err| EnvError::Invalid {
                name: name.into(),
                reason: e.to_string(),
            }),
        }
    }

    /// Every pair, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

impl std::fmt::Debug for Env {
    /// Names only: values may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_missing() {
        let env = Env::from_pairs([("DATABASE_URL", "")]);
        let error = env
            .require("DATABASE_URL", "where PostgreSQL answers")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "DATABASE_URL is not set; it is where PostgreSQL answers"
        );
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let env = Env::from_pairs([("TOKEN", "hunter2")]);
        assert_eq!(format!("{env:?}"), r#"{"TOKEN"}"#);
    }

    #[test]
    fn an_unreadable_value_names_the_variable() {
        let env = Env::from_pairs([("PORT", "http")]);
        let error = env.parse_or("PORT", 80_u16).unwrap_err();
        assert!(
            error.to_string().starts_with("PORT cannot be read"),
            "{error}"
        );
    }
}
