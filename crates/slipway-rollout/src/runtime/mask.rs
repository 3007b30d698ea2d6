//! What an application was given must not come back through its log: the last lines go
//! into the journal, which forgets nothing. Every value of its variables is covered there,
//! and the password of every address by itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chassis::{ExposeSecret as _, SecretString};
use slipway_journal::InstanceId;

/// What stands where a value stood.
const COVER: &str = "[hidden]";
/// Shorter values are words such as `info` and `true`, and hide half of every log.
const CHARS_MIN: usize = 6;
/// Of so many instances the values are known; the oldest go first.
const INSTANCES_MAX: usize = 512;

/// The values that one instance was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mask(Vec<SecretString>);

impl Mask {
    pub(crate) fn of(variables: &BTreeMap<String, SecretString>) -> Self {
        let mut values: Vec<String> = variables
            .values()
            .flat_map(|value| {
                let value = value.expose_secret();
                [Some(value), password(value)].into_iter().flatten()
            })
            .filter(|value| value.chars().count() >= CHARS_MIN)
            .map(str::to_owned)
            .collect();
        // The longest first: a password is covered with its address, where that stands whole.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values.into_iter().map(SecretString::from).collect())
    }

    /// The text without the values.
    pub(crate) fn cover(&self, text: &str) -> String {
        let hide = |text: String, value: &SecretString| text.replace(value.expose_secret(), COVER);
        self.0.iter().fold(text.to_owned(), hide)
    }
}

/// The password of an address such as `postgres://role:password@host/name`.
fn password(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    Some(user.split_once(':')?.1)
}

/// The masks of the instances that this process started.
#[derive(Debug, Default)]
pub(crate) struct Masks(Mutex<BTreeMap<InstanceId, Mask>>);

impl Masks {
    pub(crate) fn keep(&self, instance: InstanceId, mask: Mask) {
        let mut masks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        masks.insert(instance, mask);
        if masks.len() > INSTANCES_MAX {
            masks.pop_first();
        }
    }

    /// None where the values are not known, such as of an instance that ran before us.
    pub(crate) fn of(&self, instance: InstanceId) -> Option<Mask> {
        let masks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        masks.get(&instance).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(variables: &[(&str, &str)]) -> Mask {
        let variables = variables.iter();
        Mask::of(
            &variables
                .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)))
                .collect(),
        )
    }

    #[test]
    fn an_address_is_covered_whole_and_its_password_by_itself() {
        let mask = mask(&[("DATABASE_URL", "postgres://booking:s3cret-word@db:5432/app")]);
        assert_eq!(
            mask.cover("no answer from postgres://booking:s3cret-word@db:5432/app"),
            "no answer from [hidden]"
        );
        assert_eq!(
            mask.cover("password \"s3cret-word\" is wrong"),
            "password \"[hidden]\" is wrong"
        );
    }

    #[test]
    fn any_other_value_is_covered_and_short_words_are_not() {
        let mask = mask(&[("API_KEY", "k-123456"), ("LOG", "info")]);
        assert_eq!(mask.cover("info: k-123456"), "info: [hidden]");
    }

    #[test]
    fn an_address_without_a_password_has_none() {
        for address in ["redis://127.0.0.1:6379", "http://a/b:c@d", "plain"] {
            assert_eq!(password(address), None, "{address}");
        }
    }

    #[test]
    fn the_oldest_instances_are_forgotten_first() {
        let masks = Masks::default();
        let id = |n: u128| InstanceId(uuid::Uuid::from_u128(n));
        for n in 0..=INSTANCES_MAX as u128 {
            masks.keep(id(n), Mask::default());
        }
        assert!(masks.of(id(0)).is_none() && masks.of(id(1)).is_some());
    }
}
