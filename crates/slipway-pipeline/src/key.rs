//! What a result depends on, and the key that follows from it. The encoding is versioned,
//! every field has its length before it and keeps its order, and what is absent differs
//! from what is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

const VERSION: &[u8] = b"slipway-job/1";

/// Everything that can change a job's result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// The command's words in their order; a script is its path alone, its text an input.
    pub command: Vec<String>,
    /// Whether the command is a script.
    pub is_script: bool,
    /// Where it runs.
    pub folder: String,
    /// The digests of the values of declared variables; none where one is not set.
    pub env: BTreeMap<String, Option<String>>,
    /// Fixed variables.
    pub set: BTreeMap<String, String>,
    /// The names of secrets; never their values.
    pub secrets: BTreeSet<String>,
    /// What each command that tells the toolchain said, as a digest.
    pub toolchain: BTreeMap<String, String>,
    /// Operating system and architecture.
    pub platform: String,
    /// The files that it reads.
    pub inputs: BTreeMap<String, Input>,
    /// The paths that it makes.
    pub outputs: Vec<String>,
    /// The reports that are taken from it: name, and path where it is a file.
    pub reports: BTreeMap<String, Option<String>>,
    /// The keys of the jobs that it needs.
    pub needs: BTreeMap<String, String>,
}

/// One file that a job reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// BLAKE3 of its content.
    pub digest: String,
    /// Whether it may be executed.
    pub executable: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

/// One difference between two keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What kind of thing: `input`, `variable`, `argument` …
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
}

/// What became of a part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Is there now, and was not.
    Added,
    /// Was there, and is not now.
    Removed,
    /// Is another one.
    Changed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        })
    }
}

/// Hashes fields so that no byte can move from one to the next unseen.
struct Encoder(blake3::Hasher);

impl Encoder {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn section(&mut self, name: &str, items: usize) {
        self.bytes(name.as_bytes());
        self.bytes(&(items as u64).to_be_bytes());
    }

    fn optional(&mut self, value: Option<&str>) {
        match value {
            None => self.bytes(b"absent"),
            Some(value) => {
                self.bytes(b"present");
                self.bytes(value.as_bytes());
            }
        }
    }

    fn texts<'a>(&mut self, name: &str, texts: impl ExactSizeIterator<Item = &'a String>) {
        self.section(name, texts.len());
        for text in texts {
            self.bytes(text.as_bytes());
        }
    }

    fn pairs(&mut self, name: &str, pairs: &BTreeMap<String, String>) {
        self.section(name, pairs.len());
        for (key, value) in pairs {
            self.bytes(key.as_bytes());
            self.bytes(value.as_bytes());
        }
    }

    fn optional_pairs(&mut self, name: &str, pairs: &BTreeMap<String, Option<String>>) {
        self.section(name, pairs.len());
        for (key, value) in pairs {
            self.bytes(key.as_bytes());
            self.optional(value.as_deref());
        }
    }
}

impl Parts {
    /// The key: 64 hex digits.
    pub fn key(&self) -> String {
        let mut encoder = Encoder(blake3::Hasher::new());
        encoder.bytes(VERSION);
        encoder.texts("command", self.command.iter());
        encoder.bytes(&[u8::from(self.is_script)]);
        encoder.bytes(self.folder.as_bytes());
        encoder.optional_pairs("env", &self.env);
        encoder.pairs("set", &self.set);
        encoder.texts("secrets", self.secrets.iter());
        encoder.pairs("toolchain", &self.toolchain);
        encoder.bytes(self.platform.as_bytes());
        encoder.section("inputs", self.inputs.len());
        for (path, input) in &self.inputs {
            encoder.bytes(path.as_bytes());
            encoder.bytes(&[u8::from(input.executable), u8::from(input.is_link)]);
            encoder.bytes(input.digest.as_bytes());
        }
        encoder.texts("outputs", self.outputs.iter());
        encoder.optional_pairs("reports", &self.reports);
        encoder.pairs("needs", &self.needs);
        encoder.0.finalize().to_hex().to_string()
    }

    /// One digest over the files that were read.
    pub fn inputs_digest(&self) -> String {
        let only = Self {
            inputs: self.inputs.clone(),
            ..Self::default()
        };
        only.key()
    }

    /// What is different now from `before`, part by part.
    pub fn differences(&self, before: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        compare_words(&before.command, &self.command, &mut found);
        let single = [
            ("working folder", &before.folder, &self.folder),
            ("platform", &before.platform, &self.platform),
        ];
        for (kind, old, new) in single {
            if old != new {
                found.push(difference(kind, new.clone(), Change::Changed));
            }
        }
        if before.is_script != self.is_script {
            found.push(difference("command", "script".into(), Change::Changed));
        }
        compare("variable", &before.env, &self.env, &mut found);
        compare("fixed variable", &before.set, &self.set, &mut found);
        compare("toolchain", &before.toolchain, &self.toolchain, &mut found);
        compare("input", &before.inputs, &self.inputs, &mut found);
        compare("report", &before.reports, &self.reports, &mut found);
        compare("needed job", &before.needs, &self.needs, &mut found);
        let names = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
        let (old, new) = (names(&before.outputs), names(&self.outputs));
        compare_names("output", &old, &new, &mut found);
        if old == new && before.outputs != self.outputs {
            found.push(difference("output", "order".into(), Change::Changed));
        }
        compare_names("secret", &before.secrets, &self.secrets, &mut found);
        found
    }
}

fn difference(kind: &'static str, name: String, change: Change) -> Difference {
    Difference { kind, name, change }
}

fn compare_words(old: &[String], new: &[String], found: &mut Vec<Difference>) {
    for place in 0..old.len().max(new.len()) {
        let (before, now) = (old.get(place), new.get(place));
        let change = match (before, now) {
            (Some(before), Some(now)) if before == now => continue,
            (Some(_), Some(_)) => Change::Changed,
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
        };
        let word = now.or(before).cloned().unwrap_or_default();
        let name = format!("{} {word:?}", place + 1);
        found.push(difference("argument", name, change));
    }
}

fn compare_names(
    kind: &'static str,
    old: &BTreeSet<String>,
    new: &BTreeSet<String>,
    found: &mut Vec<Difference>,
) {
    let mut enter = |name: &String, change| found.push(difference(kind, name.clone(), change));
    new.difference(old)
        .for_each(|name| enter(name, Change::Added));
    old.difference(new)
        .for_each(|name| enter(name, Change::Removed));
}

fn compare<T: PartialEq>(
    kind: &'static str,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    found: &mut Vec<Difference>,
) {
    for (name, value) in new {
        match old.get(name) {
            None => found.push(difference(kind, name.clone(), Change::Added)),
            Some(before) if before != value => {
                found.push(difference(kind, name.clone(), Change::Changed));
            }
            Some(_) => {}
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        found.push(difference(kind, name.clone(), Change::Removed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    /// Few letters, so that texts which look the same when joined turn up often.
    fn text() -> impl Strategy<Value = String> {
        "[ab=]{0,3}"
    }

    fn input() -> impl Strategy<Value = Input> {
        (text(), any::<bool>(), any::<bool>()).prop_map(|(digest, executable, is_link)| Input {
            digest,
            executable,
            is_link,
        })
    }

    fn parts() -> impl Strategy<Value = Parts> {
        let optional = || btree_map(text(), proptest::option::of(text()), 0..3);
        let pairs = || btree_map(text(), text(), 0..3);
        let one = (
            vec(text(), 0..4),
            any::<bool>(),
            text(),
            optional(),
            pairs(),
            btree_set(text(), 0..3),
        );
        let two = (
            pairs(),
            btree_map(text(), input(), 0..3),
            vec(text(), 0..3),
            optional(),
            pairs(),
        );
        (one, two).prop_map(|(one, two)| Parts {
            command: one.0,
            is_script: one.1,
            folder: one.2,
            env: one.3,
            set: one.4,
            secrets: one.5,
            toolchain: two.0,
            platform: "linux".into(),
            inputs: two.1,
            outputs: two.2,
            reports: two.3,
            needs: two.4,
        })
    }

    fn command(words: &[&str]) -> Parts {
        Parts {
            command: words.iter().map(|w| (*w).to_owned()).collect(),
            ..Parts::default()
        }
    }

    proptest! {
        #[test]
        fn only_what_is_the_same_has_the_same_key(one in parts(), two in parts()) {
            prop_assert_eq!(one == two, one.key() == two.key());
            prop_assert_eq!(one == two, one.differences(&two).is_empty());
        }

        #[test]
        fn another_order_of_arguments_is_another_key(words in vec(text(), 2..6), by in 1_usize..5) {
            let mut turned = words.clone();
            turned.rotate_left(by % words.len());
            let (one, two) = (
                Parts { command: words.clone(), ..Parts::default() },
                Parts { command: turned.clone(), ..Parts::default() },
            );
            prop_assert_eq!(words == turned, one.key() == two.key());
        }

        #[test]
        fn a_byte_that_moves_to_the_next_argument_is_another_key(
            one in "[ab]{1,4}", two in "[ab]{0,4}",
        ) {
            let (kept, moved) = one.split_at(one.len() - 1);
            let joined = format!("{moved}{two}");
            prop_assert_ne!(command(&[&one, &two]).key(), command(&[kept, &joined]).key());
        }

        #[test]
        fn a_file_under_another_name_is_another_key(name in "[ab]{1,4}", other in "[ab]{1,4}") {
            let with = |name: &str| {
                let input = Input { digest: "d".into(), executable: false, is_link: false };
                Parts { inputs: BTreeMap::from([(name.to_owned(), input)]), ..Parts::default() }
            };
            prop_assert_eq!(name == other, with(&name).key() == with(&other).key());
        }
    }

    #[test]
    fn absent_is_not_empty() {
        let with = |value: Option<&str>| Parts {
            env: BTreeMap::from([("CI".to_owned(), value.map(str::to_owned))]),
            ..Parts::default()
        };
        let keys = [
            with(None).key(),
            with(Some("")).key(),
            Parts::default().key(),
        ];
        let distinct: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), 3);
    }

    #[test]
    fn the_encoding_that_is_hashed_never_changes() {
        let key = command(&["cargo", "test"]).key();
        insta::assert_snapshot!(key, @"7b374745097901b7c7d58effa90207e17aef0d4c36721f09ca49e20fbe3191ed");
    }
}
