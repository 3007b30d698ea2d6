//! All messages in all languages, built into the binary and compiled once. A message that
//! a language lacks is said in English, and counted and logged; pages never fail for it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use prometheus_client::metrics::counter::Counter;

use super::message::Value;
use super::{Language, Message};

type Bundle = FluentBundle<FluentResource>;

/// The files of one language, by name.
type Files = &'static [(&'static str, &'static str)];

/// Every file stands here once, and exists in every language.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        const ENGLISH: Files =
            &[$(($name, include_str!(concat!("../../locales/en/", $name, ".ftl")))),*];
        const AFRIKAANS: Files =
            &[$(($name, include_str!(concat!("../../locales/af/", $name, ".ftl")))),*];
        const ZULU: Files =
            &[$(($name, include_str!(concat!("../../locales/zu/", $name, ".ftl")))),*];
    };
}

files![
    "account", "booking", "business", "change", "customer", "desk", "fault", "field", "frame",
    "kept", "mail", "offer", "office", "privacy", "programs", "series", "settings", "terms",
    "words",
];

struct Catalogue {
    english: Bundle,
    afrikaans: Bundle,
    zulu: Bundle,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
    english: compile(Language::English),
    afrikaans: compile(Language::Afrikaans),
    zulu: compile(Language::Zulu),
});

static MISSING: LazyLock<Counter> = LazyLock::new(Counter::default);
static MISSED: Mutex<BTreeSet<(&str, &str)>> = Mutex::new(BTreeSet::new());

/// Compiles all messages now, so that no visitor waits for it.
pub(crate) fn prepare() {
    LazyLock::force(&CATALOGUE);
}

/// Counts how often a message was wanted that a language does not have as it should.
pub(crate) fn missing() -> Counter {
    MISSING.clone()
}

pub(super) fn files(language: Language) -> Files {
    match language {
        Language::Afrikaans => AFRIKAANS,
        Language::Zulu => ZULU,
        Language::English => ENGLISH,
        #[cfg(test)]
        Language::Bracketed => ENGLISH,
    }
}

fn compile(language: Language) -> Bundle {
    let tag = language
        .tag()
        .parse()
        .expect("our tags have the right form");
    let mut bundle = Bundle::new_concurrent(vec![tag]);
    // All our languages are written from left to right; marks around what is put in would
    // only travel along when somebody copies a sentence.
    bundle.set_use_isolating(false);
    for (name, source) in files(language) {
        let resource =
            FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(rest, errors)| {
                tracing::error!(
                    language = language.tag(),
                    file = name,
                    ?errors,
                    "messages are broken"
                );
                rest
            });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(
                language = language.tag(),
                file = name,
                ?errors,
                "messages come twice"
            );
        }
    }
    bundle
}

/// The message in that language; in English where it lacks there; its key as a last resort.
pub(super) fn format(language: Language, message: &Message) -> String {
    let catalogue = &*CATALOGUE;
    let own = match language {
        Language::English => &catalogue.english,
        Language::Afrikaans => &catalogue.afrikaans,
        Language::Zulu => &catalogue.zulu,
        #[cfg(test)]
        Language::Bracketed => return format!("⟦{}⟧", format(Language::English, message)),
    };
    say(own, message).unwrap_or_else(|| {
        note_missing(language, message.key);
        say(&catalogue.english, message).unwrap_or_else(|| message.key.to_owned())
    })
}

/// Nothing where the bundle does not have the message, or wants something else put in.
fn say(bundle: &Bundle, message: &Message) -> Option<String> {
    let pattern = bundle.get_message(message.key)?.value()?;
    let arguments: FluentArgs<'_> = message
        .arguments
        .iter()
        .map(|(name, value)| (*name, fluent(value)))
        .collect();
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
    errors.is_empty().then(|| text.into_owned())
}

fn fluent(value: &Value) -> FluentValue<'_> {
    match value {
        Value::Text(text) => FluentValue::String(Cow::Borrowed(text)),
        Value::Number(number) => FluentValue::from(*number),
    }
}

fn note_missing(language: Language, key: &'static str) {
    MISSING.inc();
    let mut missed = MISSED.lock().unwrap_or_else(PoisonError::into_inner);
    if missed.insert((language.tag(), key)) {
        tracing::error!(language = language.tag(), key, "a message is missing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::message;

    #[test]
    fn a_message_that_is_missing_is_counted_and_never_an_error() {
        let before = missing().get();
        let unknown = ["no", "such", "message"].join("-").leak();
        assert_eq!(Language::Zulu.text(unknown).to_string(), "no-such-message");
        assert!(missing().get() > before);
        assert!(say(&CATALOGUE.zulu, &message("free-times")).is_none());
    }
}
