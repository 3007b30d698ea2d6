//! The tables `[service.NAME]`: what is delivered, and how it is run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use slipway_journal::{RoleName, ServiceName};
use toml::Spanned;

use super::job::Read;
use super::path;
use super::table::{Entry, Notes, Table};
use crate::problem::suggest;

/// A service that releases are made of.
#[derive(Debug, Clone)]
pub struct Service {
    /// Jobs that must have passed before a release is made.
    pub needs: BTreeSet<String>,
    /// The command that serves.
    pub start: Vec<String>,
    /// The command that expands the schema.
    pub migrate: Option<Vec<String>>,
    /// The path that answers 200 when an instance can take traffic.
    pub health: String,
    /// Paths that are looked at before visitors see the release.
    pub preview: Vec<String>,
    /// The commands of its workers, by role.
    pub workers: BTreeMap<RoleName, Vec<String>>,
    /// The files of a release.
    pub files: Vec<PackagedFile>,
}

/// A file, or a folder with all in it, and its place in the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedFile {
    /// Where it lies in the project.
    pub from: String,
    /// Where it lies in the release.
    pub to: String,
}

pub(super) fn read(
    file: &Table<'_>,
    jobs: &BTreeMap<String, Read>,
) -> BTreeMap<ServiceName, Service> {
    let mut services = BTreeMap::new();
    for (name, table) in file.named("service") {
        let service = one(&table, jobs);
        match name.get_ref().parse::<ServiceName>() {
            Ok(parsed) => {
                if let Some(service) = service {
                    services.insert(parsed, service);
                }
            }
            Err(_) => path::check_name(table.notes(), "service", &name),
        }
        table.finish();
    }
    services
}

fn one(table: &Table<'_>, jobs: &BTreeMap<String, Read>) -> Option<Service> {
    let notes = table.notes();
    let start = command(table, "start");
    if table.value("start").is_none() {
        table.missing("start", "the command that serves: start = [\"./server\"]");
    }
    let migrate = command(table, "migrate");
    let health = table.required_text("health", "health = \"/health\"");
    if let Some(health) = &health {
        check_url_path(notes, &format!("{}.health", table.name), health);
    }
    let preview = table.texts("preview").map(Spanned::into_inner);
    let preview = preview.unwrap_or_default();
    for path in &preview {
        check_url_path(notes, &format!("{}.preview", table.name), path);
    }
    let needs = table.texts("needs").map(Spanned::into_inner);
    let needs = needs.unwrap_or_default();
    for need in &needs {
        if !jobs.contains_key(need.get_ref()) {
            notes.add(
                need.span(),
                format!("{}.needs: there is no job {:?}", table.name, need.get_ref()),
                "no such job",
                suggest(need.get_ref(), jobs.keys().map(String::as_str)),
            );
        }
    }
    if needs.is_empty() {
        table.missing(
            "needs",
            "the job that makes its files: needs = [\"package\"]",
        );
    }
    let workers = workers(table);
    let files = files(table);
    Some(Service {
        needs: needs.into_iter().map(Spanned::into_inner).collect(),
        start: start?,
        migrate,
        health: health?.into_inner(),
        preview: preview.into_iter().map(Spanned::into_inner).collect(),
        workers,
        files,
    })
}

/// The tables `[service.NAME.worker.ROLE]`.
fn workers(table: &Table<'_>) -> BTreeMap<RoleName, Vec<String>> {
    let mut workers = BTreeMap::new();
    for (name, worker) in table.named("worker") {
        let start = command(&worker, "start");
        if worker.value("start").is_none() {
            worker.missing(
                "start",
                "the command that works: start = [\"./server\", \"work\"]",
            );
        }
        match (name.get_ref().parse(), start) {
            (Ok(role), Some(start)) => {
                workers.insert(role, start);
            }
            (Ok(_), None) => {}
            (Err(_), _) => path::check_name(table.notes(), "worker role", &name),
        }
        worker.finish();
    }
    workers
}

fn command(table: &Table<'_>, key: &'static str) -> Option<Vec<String>> {
    let words = table.texts(key)?;
    let span = words.span();
    let words: Vec<String> = words
        .into_inner()
        .into_iter()
        .map(Spanned::into_inner)
        .collect();
    if words
        .first()
        .is_none_or(|program| program.trim().is_empty())
    {
        let message = format!("{}.{key} is an empty command", table.name);
        let help = "a program and its arguments: [\"./server\", \"serve\"]";
        table.notes().add(span, message, "nothing to run", help);
    }
    Some(words)
}

fn check_url_path(notes: &Notes, key: &str, path: &Spanned<String>) {
    let text = path.get_ref();
    if !text.starts_with('/') || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        notes.add(
            path.span(),
            format!("{key} is no path of an address"),
            format!("{text:?}"),
            "begin with a slash: \"/health\"",
        );
    }
}

fn files(table: &Table<'_>) -> Vec<PackagedFile> {
    let notes = table.notes();
    let mut files: Vec<PackagedFile> = Vec::new();
    for entry in table.mixed("files") {
        let Some((file, span)) = file(table, entry) else {
            continue;
        };
        if files.iter().any(|f| f.to == file.to) {
            let message = format!("{} has two files at {:?}", table.name, file.to);
            notes.add(span, message, "a second time", "give each its own place");
        }
        files.push(file);
    }
    let written = table.value("files").and_then(|v| v.get_ref().as_array());
    if written.is_none_or(|list| list.is_empty()) {
        table.missing(
            "files",
            "files = [\"server.js\", { from = \"target/server\", to = \"server\" }]",
        );
    }
    files
}

/// One thing that is packed, and where its place in the release is written. A text alone is
/// both: where it lies, and where it will.
fn file(table: &Table<'_>, entry: Entry<'_>) -> Option<(PackagedFile, Range<usize>)> {
    let notes = table.notes();
    let entry = match entry {
        Entry::Table(entry) => entry,
        Entry::Text(text) => {
            let path = path::inside(notes, &format!("{}.files", table.name), &text)?;
            let file = PackagedFile {
                from: path.clone(),
                to: path,
            };
            return Some((file, text.span()));
        }
    };
    let from = entry.required_text("from", "where it lies in the project");
    let to = entry.required_text("to", "where it lies in the release");
    let span = to.as_ref().map(Spanned::span);
    let from = from.and_then(|t| path::inside(notes, &format!("{}.from", entry.name), &t));
    let to = to.and_then(|t| path::inside(notes, &format!("{}.to", entry.name), &t));
    entry.finish();
    let file = PackagedFile {
        from: from?,
        to: to?,
    };
    Some((file, span?))
}
