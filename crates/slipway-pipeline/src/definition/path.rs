//! Paths, patterns, names and lengths of time as they are written in the file.

use std::ops::Range;
use std::time::Duration;

use globset::{GlobBuilder, GlobMatcher};
use jiff::SignedDuration;
use toml::Spanned;

use super::table::{Notes, Table};

/// Whether `text` may be the name of a job, a report or a gate.
fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Notes a name that cannot be used.
pub(super) fn check_name(notes: &Notes, kind: &str, name: &Spanned<String>) {
    if !is_name(name.get_ref()) {
        notes.add(
            name.span(),
            format!("{:?} is no name for a {kind}", name.get_ref()),
            "this name",
            "a name has lower-case letters, digits and hyphens, a letter first, at most 40",
        );
    }
}

/// Notes a path that leaves the project; gives it back without a slash at its end.
pub(super) fn inside(notes: &Notes, key: &str, path: &Spanned<String>) -> Option<String> {
    let text = path.get_ref().trim_end_matches('/');
    let (message, help) = if text.is_empty() && path.get_ref().is_empty() {
        (format!("{key} is an empty path"), "name a file or a folder")
    } else if path.get_ref().starts_with('/') {
        (
            format!("{key} is an absolute path"),
            "write it relative to the folder of slipway.toml, so that it works on every machine",
        )
    } else if text.split('/').any(|part| part == "..") {
        (
            format!("{key} leaves the project"),
            "only files below the folder of slipway.toml can be used",
        )
    } else if text.split('/').any(|part| part == "." || part.is_empty()) && text != "." {
        (
            format!("{key} is not written plainly"),
            "leave out \"./\" and doubled slashes",
        )
    } else {
        return Some(text.to_owned());
    };
    notes.add(path.span(), message, "this path", help);
    None
}

/// Like `inside`, for what a job makes: never the project itself, its history or a pattern.
pub(super) fn made(notes: &Notes, key: &str, path: &Spanned<String>) -> Option<String> {
    let text = inside(notes, key, path)?;
    let first = text.split('/').next().unwrap_or_default();
    let (message, help) = if text.contains(['*', '?', '[', '{']) {
        (
            format!("{key} has a pattern"),
            "name the files, or the folder that they lie in",
        )
    } else if matches!(first, "." | ".git") || text == "slipway.toml" {
        (
            format!("{key} holds what no job makes"),
            "what is made is given back exactly, and everything else there would go: name a folder for it",
        )
    } else {
        return Some(text);
    };
    notes.add(path.span(), message, "this path", help);
    None
}

/// Whether `path` is `place`, or lies in it.
pub(crate) fn lies_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Notes a text that no program can be given: it ends at its first zero byte.
pub(super) fn no_zero(notes: &Notes, key: &str, text: &Spanned<String>) {
    if text.get_ref().contains('\0') {
        let message = format!("{key} has a zero byte");
        notes.add(
            text.span(),
            message,
            "in here",
            "no program can be given one",
        );
    }
}

/// A pattern of paths as it was written, and what it matches.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As written.
    pub(crate) text: String,
    /// Whether what it matches is taken away.
    pub(crate) excludes: bool,
    /// The part before the first special character: what it matches begins so.
    pub(crate) prefix: String,
    /// None where there is no special character: a file, or a folder with all in it.
    pub(crate) matcher: Option<GlobMatcher>,
}

impl Pattern {
    /// Whether it matches a path, written with slashes.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Some(matcher) => matcher.is_match(path),
            None => lies_in(path, &self.prefix),
        }
    }
}

/// Notes a pattern that cannot be used.
fn pattern(notes: &Notes, key: &str, written: &Spanned<String>) -> Option<Pattern> {
    let excludes = written.get_ref().starts_with('!');
    let body = written.get_ref().trim_start_matches('!').to_owned();
    let text = inside(notes, key, &Spanned::new(written.span(), body))?;
    let special = text.find(['*', '?', '[', '{', '\\']);
    let matcher = match special {
        None => None,
        Some(_) => match GlobBuilder::new(&text).literal_separator(true).build() {
            Ok(glob) => Some(glob.compile_matcher()),
            Err(error) => {
                bad_pattern(notes, key, written.span(), &error);
                return None;
            }
        },
    };
    let prefix = text.get(..special.unwrap_or(text.len()))?.to_owned();
    Some(Pattern {
        text: written.get_ref().clone(),
        excludes,
        prefix,
        matcher,
    })
}

/// The patterns under `key`.
pub(super) fn patterns(table: &Table<'_>, key: &'static str) -> Vec<Pattern> {
    let full = format!("{}.{key}", table.name);
    let texts = table.texts(key).map(Spanned::into_inner);
    texts
        .unwrap_or_default()
        .iter()
        .filter_map(|text| pattern(table.notes(), &full, text))
        .collect()
}

fn bad_pattern(notes: &Notes, key: &str, span: Range<usize>, error: &globset::Error) {
    notes.add(
        span,
        format!("{key} has a pattern that cannot be read: {}", error.kind()),
        "this pattern",
        "* matches within a folder, ** across folders, {a,b} either, [a-z] one character",
    );
}

/// A length of time such as `90s` or `10m`; more than nothing.
pub(super) fn duration(notes: &Notes, key: &str, text: &Spanned<String>) -> Option<Duration> {
    let help = "write it like 500ms, 90s, 10m or 1h 30m";
    let parsed = text.get_ref().parse::<SignedDuration>();
    let Some(duration) = parsed.ok().and_then(|d| Duration::try_from(d).ok()) else {
        notes.add(
            text.span(),
            format!("{key} is no length of time"),
            format!("{:?} cannot be read", text.get_ref()),
            help,
        );
        return None;
    };
    if duration.is_zero() {
        let message = format!("{key} must be more than nothing");
        notes.add(text.span(), message, "this is no time at all", help);
        return None;
    }
    Some(duration)
}

/// The name of an environment variable.
pub(super) fn variable(notes: &Notes, key: &str, name: &Spanned<String>) -> Option<String> {
    let text = name.get_ref();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !plain {
        notes.add(
            name.span(),
            format!("{key} has a name that no environment variable can have"),
            format!("{text:?}"),
            "list names only, such as \"CI\"; fixed values go into set = { NAME = \"value\" }",
        );
        return None;
    }
    Some(text.clone())
}
