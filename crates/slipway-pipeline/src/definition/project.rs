//! The table `[project]`: what holds for every job.

use std::collections::BTreeSet;

use super::path::{self, Pattern};
use super::table::{Notes, Table};

/// What holds for every job.
#[derive(Debug, Clone)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// Commands whose output tells one toolchain from another; part of every key.
    pub toolchain: Vec<Vec<String>>,
    /// Variables that every job gets, and whose values are part of every key.
    pub env: BTreeSet<String>,
    /// Variables that every job gets, and whose values change no result.
    pub pass: BTreeSet<String>,
    /// Files that can change the result of every job.
    pub(crate) inputs: Vec<Pattern>,
    /// Whether the first failure ends the run; default true.
    pub fail_fast: bool,
    /// The file of waivers.
    pub waivers: Option<String>,
}

pub(super) fn read(file: &Table<'_>) -> Option<Project> {
    let Some(table) = file.table("project") else {
        file.notes().add(
            0..0,
            "there is no [project]",
            "the file starts here",
            "begin with:  [project]  name = \"…\"",
        );
        return None;
    };
    let notes = table.notes();
    let name = table.required_text("name", "name = \"…\"");
    if let Some(name) = &name {
        path::check_name(notes, "project", name);
    }
    let waivers = table
        .text("waivers")
        .and_then(|text| path::inside(notes, "project.waivers", &text));
    let project = Project {
        name: name.map(toml::Spanned::into_inner).unwrap_or_default(),
        toolchain: toolchain(&table, notes),
        env: variables(&table, "env"),
        pass: variables(&table, "pass"),
        inputs: path::patterns(&table, "inputs"),
        fail_fast: table.flag("fail_fast").unwrap_or(true),
        waivers,
    };
    table.finish();
    Some(project)
}

/// Each command is written as one text; words are parted by spaces, there is no shell.
fn toolchain(table: &Table<'_>, notes: &Notes) -> Vec<Vec<String>> {
    let Some(commands) = table.texts("toolchain") else {
        return Vec::new();
    };
    let mut read = Vec::new();
    for command in commands.into_inner() {
        let words: Vec<String> = command
            .get_ref()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        if words.is_empty() {
            notes.add(
                command.span(),
                "project.toolchain has an empty command",
                "nothing to run",
                "a command whose output names the version, such as \"rustc -Vv\"",
            );
        } else {
            read.push(words);
        }
    }
    read
}

/// The names of variables under `key`.
pub(super) fn variables(table: &Table<'_>, key: &'static str) -> BTreeSet<String> {
    let full = format!("{}.{key}", table.name);
    let names = table.texts(key).map(toml::Spanned::into_inner);
    names
        .unwrap_or_default()
        .iter()
        .filter_map(|name| path::variable(table.notes(), &full, name))
        .collect()
}
