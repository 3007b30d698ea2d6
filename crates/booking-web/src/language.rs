//! The languages that people are addressed in. Every sentence that a person reads is a
//! message of `locales/`, asked for by its key; programs are answered in English.

mod catalogue;
#[cfg(test)]
#[path = "language/tests/keys.rs"]
mod keys;
mod message;
mod wanted;

use std::fmt;

pub(crate) use catalogue::{missing, prepare};
pub(crate) use message::{Argument, Message, message};
pub(crate) use wanted::Wanted;

/// A language that has all messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Language {
    #[default]
    English,
    Afrikaans,
    Zulu,
    /// English with every message in brackets, to find text that is none.
    #[cfg(test)]
    Bracketed,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::English, Self::Afrikaans, Self::Zulu];

    /// The language's tag (BCP 47), also as it is stored.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Afrikaans => "af",
            Self::Zulu => "zu",
            #[cfg(test)]
            Self::Bracketed => "en-x-brackets",
        }
    }

    /// What its speakers call it.
    pub(crate) fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Afrikaans => "Afrikaans",
            Self::Zulu => "isiZulu",
            #[cfg(test)]
            Self::Bracketed => "⟦English⟧",
        }
    }

    /// The language of a tag; regions such as in `af-ZA` make no difference.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The message of that key in this language.
    pub(crate) fn text(self, key: &'static str) -> Text {
        message(key).text(self)
    }
}

/// A message in a language, with what is put into it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    language: Language,
    message: Message,
}

impl Text {
    /// Puts `value` where the message names it.
    pub(crate) fn with(self, name: &'static str, value: impl Argument) -> Self {
        Self {
            language: self.language,
            message: self.message.with(name, value),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&catalogue::format(self.language, &self.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_language_whatever_the_region() {
        for (tag, expected) in [
            ("af", Some(Language::Afrikaans)),
            ("af-ZA", Some(Language::Afrikaans)),
            ("ZU", Some(Language::Zulu)),
            ("en_GB", Some(Language::English)),
            ("afr", None),
            ("", None),
        ] {
            assert_eq!(Language::of_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn numbers_choose_the_form_of_the_language() {
        let count = |language: Language, count: i64| {
            language.text("free-times").with("count", count).to_string()
        };
        assert_eq!(count(Language::English, 1), "1 free time");
        assert_eq!(count(Language::English, 5), "5 free times");
        assert_eq!(count(Language::Afrikaans, 1), "1 vry tyd");
        assert_eq!(count(Language::Afrikaans, 5), "5 vry tye");
        assert_ne!(count(Language::Zulu, 1), count(Language::Zulu, 5));
    }
}
