//! Reading a TOML table with the place of everything in it. A wrong type is a problem and
//! an absence; a key that nobody asked for is a problem when the reading is finished.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, Source, suggest};

/// Where problems are collected.
#[derive(Debug)]
pub(crate) struct Notes {
    source: Source,
    problems: RefCell<Vec<Problem>>,
}

impl Notes {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            problems: RefCell::default(),
        }
    }

    /// Notes a mistake at `span`: what is wrong, what stands there, what to write instead.
    pub(crate) fn add(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = self.source.problem(span, message, label, help);
        self.problems.borrow_mut().push(problem);
    }

    /// Every mistake in the order of the file.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| (p.line(), p.column()));
        problems
    }
}

/// One table of the file.
pub(crate) struct Table<'a> {
    notes: &'a Notes,
    /// As a person would call it: `job.test`.
    pub(crate) name: String,
    /// Where its name stands.
    pub(crate) span: Range<usize>,
    entries: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

/// One thing in a list.
pub(crate) enum Entry<'a> {
    Text(Spanned<String>),
    Table(Table<'a>),
}

impl<'a> Table<'a> {
    pub(crate) fn root(notes: &'a Notes, entries: &'a DeTable<'a>) -> Self {
        Self::new(notes, String::new(), 0..0, entries)
    }

    fn new(notes: &'a Notes, name: String, span: Range<usize>, entries: &'a DeTable<'a>) -> Self {
        Self {
            notes,
            name,
            span,
            entries,
            known: RefCell::default(),
        }
    }

    pub(crate) fn notes(&self) -> &'a Notes {
        self.notes
    }

    /// The value under `key`, which is from now on a known key.
    pub(crate) fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().push(key);
        let entry = self.entries.iter().find(|(k, _)| k.get_ref() == key);
        entry.map(|(_, value)| value)
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a text in quotes");
            return None;
        };
        Some(Spanned::new(value.span(), text.to_owned()))
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, key: &'static str, help: &str) -> Option<Spanned<String>> {
        if self.value(key).is_none() {
            self.missing(key, help);
            return None;
        }
        self.text(key)
    }

    pub(crate) fn missing(&self, key: &str, help: &str) {
        self.notes.add(
            self.span.clone(),
            format!("{} has no {key:?}", self.name),
            format!("{key} is missing here"),
            help,
        );
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    pub(crate) fn count(&self, key: &'static str) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|i| u64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok());
        let Some(number) = number else {
            self.wrong_type(key, value, "a whole number, 0 or more");
            return None;
        };
        Some(Spanned::new(value.span(), number))
    }

    /// A list of texts; absent is `None`, and so is a list of something else.
    pub(crate) fn texts(&self, key: &'static str) -> Option<Spanned<Vec<Spanned<String>>>> {
        let value = self.value(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts: [\"…\", \"…\"]");
            return None;
        };
        let mut texts = Vec::new();
        for item in list {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Spanned::new(item.span(), text.to_owned())),
                None => self.wrong_type(key, item, "a text in quotes"),
            }
        }
        Some(Spanned::new(value.span(), texts))
    }

    /// The table under `key`.
    pub(crate) fn table(&self, key: &'static str) -> Option<Self> {
        self.value(key)?;
        let (name, value) = self.entries.iter().find(|(k, _)| k.get_ref() == key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table");
            return None;
        };
        let full = self.full_name(key);
        Some(Self::new(self.notes, full, name.span(), entries))
    }

    /// The tables under `key` by their names, in the order of the names.
    pub(crate) fn named(&self, key: &'static str) -> Vec<(Spanned<String>, Self)> {
        let Some(outer) = self.table(key) else {
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, value) in outer.entries {
            let Some(entries) = value.get_ref().as_table() else {
                self.wrong_type(name.get_ref(), value, "a table");
                continue;
            };
            let full = outer.full_name(name.get_ref());
            let named = Spanned::new(name.span(), name.get_ref().to_string());
            tables.push((named, Self::new(self.notes, full, name.span(), entries)));
        }
        tables
    }

    /// The tables in the list under `key`.
    pub(crate) fn listed(&self, key: &'static str) -> Vec<Self> {
        let tables = self.mixed(key).into_iter().filter_map(|entry| match entry {
            Entry::Table(table) => Some(table),
            Entry::Text(text) => {
                let message = format!("{} must be a table", self.full_name(key));
                self.notes.add(text.span(), message, "this is a text", "");
                None
            }
        });
        tables.collect()
    }

    /// The texts and tables in the list under `key`.
    pub(crate) fn mixed(&self, key: &'static str) -> Vec<Entry<'a>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list");
            return Vec::new();
        };
        let mut entries = Vec::new();
        for item in list {
            match item.get_ref() {
                DeValue::String(text) => {
                    entries.push(Entry::Text(Spanned::new(item.span(), text.to_string())));
                }
                DeValue::Table(table) => {
                    let full = self.full_name(key);
                    entries.push(Entry::Table(Self::new(
                        self.notes,
                        full,
                        item.span(),
                        table,
                    )));
                }
                _ => self.wrong_type(key, item, "a text in quotes or a table"),
            }
        }
        entries
    }

    /// A table of texts, such as `{ NAME = "value" }`.
    pub(crate) fn pairs(&self, key: &'static str) -> BTreeMap<String, Spanned<String>> {
        let Some(table) = self.table(key) else {
            return BTreeMap::new();
        };
        let mut pairs = BTreeMap::new();
        for (name, value) in table.entries {
            match value.get_ref().as_str() {
                Some(text) => {
                    let text = Spanned::new(value.span(), text.to_owned());
                    pairs.insert(name.get_ref().to_string(), text);
                }
                None => self.wrong_type(name.get_ref(), value, "a text in quotes"),
            }
        }
        pairs
    }

    /// Ends the reading: whatever was not asked for by now is not known.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for name in self.entries.keys() {
            if known.iter().any(|k| k == name.get_ref()) {
                continue;
            }
            let place = match self.name.as_str() {
                "" => "this file".to_owned(),
                name => name.to_owned(),
            };
            self.notes.add(
                name.span(),
                format!("{place} has no key {:?}", name.get_ref()),
                "not a known key",
                suggest(name.get_ref(), known.iter().copied()),
            );
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        self.notes.add(
            value.span(),
            format!("{} must be {wanted}", self.full_name(key)),
            format!("this is {}", kind(value.get_ref())),
            "",
        );
    }

    fn full_name(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{name}.{key}"),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
