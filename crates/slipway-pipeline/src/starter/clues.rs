//! What the sources say by the way: a path that answers whether the service is well, and the
//! variables that they read. A clue is a text between quotes; nothing is understood.

use std::collections::BTreeMap;

use serde::Serialize;

use super::draft::Draft;
use super::folder::is_test;
use super::{Folder, Wishes};

/// The paths by which services say that they are well, the most telling first.
const HEALTH: [&str; 11] = [
    "/healthz",
    "/health",
    "/api/health",
    "/api/healthz",
    "/livez",
    "/readyz",
    "/ready",
    "/_health",
    "/up",
    "/ping",
    "/status",
];
/// How variables are read, in the languages that people write services in.
const READERS: [&str; 13] = [
    "process.env.",
    "process.env[\"",
    "process.env['",
    "os.Getenv(\"",
    "os.LookupEnv(\"",
    "env::var(\"",
    "env::var_os(\"",
    "os.environ[\"",
    "os.environ['",
    "os.environ.get(\"",
    "os.environ.get('",
    "os.getenv(\"",
    "ENV[\"",
];
/// What every instance has already, or gets from its platform.
const GIVEN: [&str; 12] = [
    "PORT", "RELEASE", "INSTANCE", "HOME", "PATH", "LANG", "HOST", "HOSTNAME", "NODE_ENV", "CI",
    "USER", "TZ",
];

/// A variable that the sources read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The file and line where it was seen first.
    pub whence: String,
}

/// The path of the health look: as wished, as the sources have it, or the first page.
pub(super) fn health(folder: &Folder, wishes: &Wishes, draft: &mut Draft) -> String {
    if let Some(path) = &wishes.health {
        draft.fact("health", path.clone(), "--health");
        return path.clone();
    }
    let sources = folder.sources();
    for path in HEALTH {
        let found = sources
            .iter()
            .find_map(|(file, text)| Some((file, quoted(text, path)?)));
        if let Some((file, line)) = found {
            draft.guess("health", path, format!("named in {file}:{line}"));
            return path.to_owned();
        }
    }
    draft.guess(
        "health",
        "/",
        "the sources name no path for it; --health says another",
    );
    "/".to_owned()
}

/// Says so where nothing reads `PORT`.
pub(super) fn port(folder: &Folder, draft: &mut Draft) {
    let in_start = draft.start.iter().any(|word| word.contains("PORT"));
    let frameworks = ["next", "nuxt", "astro", "svelte", "remix", "rails", "puma"];
    let by_framework = draft
        .start
        .iter()
        .any(|word| frameworks.iter().any(|name| word.contains(name)));
    let reads = folder
        .paths()
        .find(|path| !is_test(path) && folder.names_port(path));
    match reads {
        _ if in_start || by_framework => {}
        Some(path) => draft.fact("port", "PORT", format!("read in {path}")),
        None => draft.guess(
            "port",
            "PORT",
            "nothing here reads it: it must listen on 127.0.0.1:$PORT",
        ),
    }
}

/// The variables that the sources read and nothing gives them, by name.
pub(super) fn variables(folder: &Folder) -> Vec<Variable> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in folder
        .sources()
        .into_iter()
        .filter(|(file, _)| !is_test(file))
    {
        for (number, line) in text.lines().enumerate() {
            for name in READERS.iter().flat_map(|reader| named_after(line, reader)) {
                let whence = format!("{file}:{}", number + 1);
                found.entry(name.to_owned()).or_insert(whence);
            }
        }
    }
    found
        .into_iter()
        .filter(|(name, _)| !GIVEN.contains(&name.as_str()))
        .map(|(name, whence)| Variable { name, whence })
        .collect()
}

/// The names of variables that stand directly behind `reader`.
fn named_after<'a>(line: &'a str, reader: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(reader).filter_map(move |(at, _)| {
        let rest = line.get(at + reader.len()..)?;
        let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let name = rest.get(..end)?;
        name.starts_with(|c: char| c.is_ascii_uppercase())
            .then_some(name)
    })
}

/// The line, from 1, on which `path` stands between quotes.
fn quoted(text: &str, path: &str) -> Option<usize> {
    let has = |line: &str| {
        line.match_indices(path).any(|(at, _)| {
            let mark = line.get(..at).and_then(|before| before.chars().next_back());
            let after = line
                .get(at + path.len()..)
                .and_then(|rest| rest.chars().next());
            // Go writes the method before the path.
            let opens =
                matches!(mark, Some('"' | '\'' | '`')) || line.contains(&format!("GET {path}"));
            opens && matches!(after, Some('"' | '\'' | '`'))
        })
    };
    text.lines().position(has).map(|index| index + 1)
}
