//! An e-mail address as the key of an account: one spelling for all that lead to the
//! same place. Pure.

use crate::intake;
use crate::language::Message;

/// An address that was checked, in the one spelling that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// Reads what was typed, or says what it must look like.
    pub(crate) fn read(text: &str) -> Result<Self, Message> {
        intake::email(text).map(|email| Self(email.to_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        let email = Email::read("  Thandi@Karoo-Cuts.Example ").unwrap();
        assert_eq!(email.as_str(), "thandi@karoo-cuts.example");
        assert!(Email::read("thandi").is_err());
    }
}
