//! Holds the messages of all languages against each other, and against what templates and
//! code ask for: nothing lacks, nothing is left over, everywhere the same is put in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{
    CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement,
};
use fluent_syntax::parser;

use super::{Language, catalogue};

type Names = BTreeSet<String>;

/// A message: what is put into it, and which messages it is made of.
#[derive(Debug, Default)]
struct Parts {
    arguments: Names,
    messages: Names,
}

impl Parts {
    fn of(pattern: &Pattern<&str>) -> Self {
        let mut parts = Self::default();
        parts.pattern(pattern);
        parts
    }

    fn pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.expression(expression);
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector);
                for variant in variants {
                    self.pattern(&variant.value);
                }
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                self.arguments.insert(id.name.to_owned());
            }
            InlineExpression::MessageReference { id, attribute } => {
                assert!(attribute.is_none(), "{}: attributes are not used", id.name);
                self.messages.insert(id.name.to_owned());
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::FunctionReference { arguments, .. } => self.arguments_of(arguments),
            InlineExpression::TermReference { .. }
            | InlineExpression::StringLiteral { .. }
            | InlineExpression::NumberLiteral { .. } => {}
        }
    }

    fn arguments_of(&mut self, arguments: &CallArguments<&str>) {
        for inline in &arguments.positional {
            self.inline(inline);
        }
    }
}

/// All messages of a language, by key.
fn messages(language: Language) -> BTreeMap<String, Parts> {
    let mut messages = BTreeMap::new();
    for (file, source) in catalogue::files(language) {
        let place = format!("{}/{file}.ftl", language.tag());
        let resource = parser::parse(*source)
            .unwrap_or_else(|(_, errors)| panic!("{place} cannot be read: {errors:?}"));
        for entry in resource.body {
            let Entry::Message(message) = entry else {
                continue;
            };
            let key = message.id.name.to_owned();
            let pattern = message.value.unwrap_or_else(|| panic!("{place}: {key}"));
            let before = messages.insert(key.clone(), Parts::of(&pattern));
            assert!(before.is_none(), "{place}: {key} comes twice");
        }
    }
    messages
}

/// What must be put into a message, also for the messages that it is made of.
fn arguments(messages: &BTreeMap<String, Parts>, key: &str) -> Names {
    let parts = messages
        .get(key)
        .unwrap_or_else(|| panic!("the message {key} does not exist"));
    let inner = parts.messages.iter();
    let inner = inner.flat_map(|key| arguments(messages, key));
    parts.arguments.iter().cloned().chain(inner).collect()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The files below a folder, without those of tests.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.push(path);
        } else if path.file_name().is_some_and(|name| name != "tests") {
            files.extend(files_below(&path));
        }
    }
    files
}

/// One place where a message is asked for.
struct Use {
    place: String,
    key: String,
    arguments: Names,
}

/// Where the text asks for messages: `text("key")` or `message("key")`, and what is put in
/// with `.with("name", …)` right behind it.
fn uses_in(place: &str, source: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for opening in ["text(\"", "message(\""] {
        for (at, _) in source.match_indices(opening) {
            let (before, rest) = source.split_at(at);
            let is_whole_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = rest.strip_prefix(opening).unwrap();
            let Some((key, mut rest)) = rest.split_once("\")").filter(|_| is_whole_word) else {
                continue;
            };
            let mut arguments = Names::new();
            while let Some(call) = rest.trim_start().strip_prefix(".with(") {
                let name = call.trim_start().strip_prefix('"').unwrap();
                arguments.insert(name.split('"').next().unwrap().to_owned());
                rest = behind_parenthesis(call);
            }
            uses.push(Use {
                place: place.to_owned(),
                key: key.to_owned(),
                arguments,
            });
        }
    }
    uses
}

/// What follows the parenthesis that closes the call in which `text` begins.
fn behind_parenthesis(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.split_at(at + 1).1;
        }
    }
    panic!("a call does not end: {text}");
}

fn uses() -> Vec<Use> {
    let mut files = files_below(&folder("src"));
    files.extend(files_below(&folder("templates")));
    let uses = files.iter().flat_map(|file| {
        let source = fs::read_to_string(file).unwrap();
        // What unit tests ask for proves nothing.
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        uses_in(&file.display().to_string(), code)
    });
    uses.collect()
}

#[test]
fn every_language_has_the_same_files_and_each_is_in_the_program() {
    let listed: Vec<_> = catalogue::files(Language::English)
        .iter()
        .map(|(name, _)| format!("{name}.ftl"))
        .collect();
    for language in Language::ALL {
        let mut found: Vec<_> = files_below(&folder("locales").join(language.tag()))
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        found.sort();
        assert_eq!(found, listed, "{}", language.tag());
    }
}

#[test]
fn every_language_has_the_same_messages_and_the_same_is_put_in() {
    let english = messages(Language::English);
    for language in [Language::Afrikaans, Language::Zulu] {
        let own = messages(language);
        let (ours, theirs): (Vec<_>, Vec<_>) = (own.keys().collect(), english.keys().collect());
        assert_eq!(ours, theirs, "{} has other messages", language.tag());
        for key in english.keys() {
            let (ours, theirs) = (arguments(&own, key), arguments(&english, key));
            assert_eq!(ours, theirs, "{}: {key}", language.tag());
        }
    }
}

#[test]
fn every_message_that_is_asked_for_exists_and_gets_what_it_needs() {
    let english = messages(Language::English);
    let uses = uses();
    assert!(uses.len() > 100, "the sources are not read");
    for used in uses {
        assert!(
            english.contains_key(&used.key),
            "{}: the message {} does not exist",
            used.place,
            used.key
        );
        let needed = arguments(&english, &used.key);
        assert_eq!(used.arguments, needed, "{}: {}", used.place, used.key);
    }
}

#[test]
fn no_message_is_left_over() {
    let english = messages(Language::English);
    let mut wanted: Names = uses().into_iter().map(|used| used.key).collect();
    wanted.extend(english.values().flat_map(|parts| parts.messages.clone()));
    let left: Vec<_> = english
        .keys()
        .filter(|key| !wanted.contains(*key))
        .collect();
    assert!(left.is_empty(), "nobody asks for {left:?}");
}
