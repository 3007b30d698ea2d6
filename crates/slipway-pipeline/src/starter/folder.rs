//! What lies in a folder, as far as it may say how the application in it is started: every
//! path that Git would keep, and the texts of those that can be sources. Reads, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::tree::{Tree, written};

/// A longer file is no source that a person wrote.
const TEXT_BYTES_MAX: u64 = 256 * 1024;
/// Texts of more files than this are not read.
const TEXTS_MAX: usize = 3000;
/// A program is looked through up to here.
const PROGRAM_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Never sources, though some projects keep them under version control.
const MADE: [&str; 5] = [".slipway", "node_modules", "target", "vendor", ".venv"];
/// Top folders and files that a running service does not need.
const LEFT_HERE: [&str; 14] = [
    "slipway.toml",
    "delivery",
    "Procfile",
    "Makefile",
    "Justfile",
    "test",
    "tests",
    "__tests__",
    "spec",
    "e2e",
    "coverage",
    "docs",
    "out",
    "tsconfig.json",
];

/// A folder, as it was when it was looked at.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    name: String,
    files: BTreeMap<String, Seen>,
    /// What stands in `node_modules/.bin`, with the file that it leads to.
    programs: BTreeMap<String, String>,
}

/// One file.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// None where it is long, no text, or one of too many.
    text: Option<String>,
    is_executable: bool,
    /// Whether a program that is no text names the variable `PORT`.
    names_port: bool,
}

impl Folder {
    /// Looks at the folder `root`. Blocking.
    pub fn look(root: &Path) -> io::Result<Self> {
        let made: Vec<_> = MADE.iter().map(|name| root.join(name)).collect();
        let tree = Tree::walk(root, &made)?;
        let mut folder = Self {
            name: root
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            files: BTreeMap::new(),
            programs: package_programs(root),
        };
        for file in tree.files() {
            let mut seen = Seen {
                is_executable: file.executable,
                ..Seen::default()
            };
            let is_short = file.stat.bytes <= TEXT_BYTES_MAX;
            if !file.is_link && is_short && folder.files.len() < TEXTS_MAX {
                seen.text = text_of(&root.join(&file.path));
            }
            if seen.text.is_none() && file.executable && !file.path.contains('/') {
                seen.names_port = names_port(&root.join(&file.path));
            }
            folder.files.insert(file.path.clone(), seen);
        }
        Ok(folder)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.text.as_deref()
    }

    pub(super) fn is_executable(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|seen| seen.is_executable)
    }

    pub(super) fn names_port(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|seen| {
            seen.names_port || seen.text.as_ref().is_some_and(|text| text.contains("PORT"))
        })
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The sources with their texts, those of tests last.
    pub(super) fn sources(&self) -> Vec<(&str, &str)> {
        let mut sources: Vec<(&str, &str)> = self
            .files
            .iter()
            .filter(|(path, _)| is_source(path))
            .filter_map(|(path, seen)| Some((path.as_str(), seen.text.as_deref()?)))
            .collect();
        sources.sort_by_key(|(path, _)| is_test(path));
        sources
    }

    /// The file that the program `name` of a package lies in, where it is installed.
    pub(super) fn program(&self, name: &str) -> Option<&str> {
        self.programs.get(name).map(String::as_str)
    }

    pub(super) fn has_packages(&self) -> bool {
        !self.programs.is_empty()
    }

    /// Files and folders at the top, in order.
    pub(super) fn top(&self) -> BTreeSet<&str> {
        self.paths()
            .map(|path| path.split('/').next().unwrap_or(path))
            .collect()
    }

    /// What may be needed to run: all at the top that is neither hidden, nor documentation,
    /// nor a test, nor a tool's own.
    pub(super) fn to_pack(&self) -> Vec<String> {
        let kept = |name: &&str| {
            let lower = name.to_lowercase();
            !name.starts_with('.')
                && !LEFT_HERE.contains(name)
                && !["license", "dockerfile", "docker-compose"]
                    .iter()
                    .any(|start| lower.starts_with(start))
                && ![".md", "lock.json", "lock.yaml", ".lock"]
                    .iter()
                    .any(|end| lower.ends_with(end))
                && !is_test(name)
        };
        self.top()
            .into_iter()
            .filter(kept)
            .map(str::to_owned)
            .collect()
    }

    /// What can change how it is built or tested: all at the top but documentation and what
    /// Slipway reads itself.
    pub(super) fn inputs(&self) -> Vec<String> {
        let kept = |name: &&str| {
            let lower = name.to_lowercase();
            !matches!(
                *name,
                "slipway.toml" | "delivery" | "docs" | "out" | ".git" | ".github" | ".gitignore"
            ) && ![".md"].iter().any(|end| lower.ends_with(end))
                && !lower.starts_with("license")
        };
        self.top()
            .into_iter()
            .filter(kept)
            .map(str::to_owned)
            .collect()
    }

    /// What is there, in a line.
    pub(super) fn summary(&self) -> String {
        let top = self.top();
        if top.is_empty() {
            return "the folder is empty".to_owned();
        }
        let some: Vec<&str> = top.iter().copied().take(8).collect();
        let more = if top.len() > some.len() { ", …" } else { "" };
        format!("there is {}{more}", some.join(", "))
    }
}

#[cfg(test)]
impl Folder {
    /// A folder of these files; one whose text begins with `#!` may be executed.
    pub(super) fn of(name: &str, files: &[(&str, &str)]) -> Self {
        let seen = |text: &str| Seen {
            text: Some(text.to_owned()),
            is_executable: text.starts_with("#!"),
            names_port: false,
        };
        Self {
            name: name.to_owned(),
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), seen(text)))
                .collect(),
            programs: BTreeMap::new(),
        }
    }

    pub(super) fn with_program(mut self, name: &str, path: &str) -> Self {
        self.programs.insert(name.to_owned(), path.to_owned());
        self
    }
}

/// Whether a path is a test by its name.
pub(super) fn is_test(path: &str) -> bool {
    let in_folder = ["test/", "tests/", "__tests__/", "spec/", "e2e/"];
    in_folder
        .iter()
        .any(|f| path.starts_with(f) || path.contains(&format!("/{f}")))
        || [".test.", ".spec.", "_test."]
            .iter()
            .any(|mark| path.contains(mark))
}

fn is_source(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_lowercase();
    let documents = [
        ".md", ".txt", ".toml", ".yaml", ".yml", ".lock", ".svg", ".css",
    ];
    !documents.iter().any(|end| lower.ends_with(end)) && !lower.ends_with("lock.json")
}

fn text_of(path: &Path) -> Option<String> {
    String::from_utf8(fs::read(path).ok()?)
        .ok()
        .filter(|text| !text.contains('\0'))
}

fn names_port(path: &Path) -> bool {
    let Ok(file) = fs::File::open(path) else {
        return false;
    };
    let mut bytes = Vec::new();
    let read = file.take(PROGRAM_BYTES_MAX).read_to_end(&mut bytes);
    read.is_ok() && bytes.windows(4).any(|four| four == b"PORT")
}

/// The programs of installed packages. Their links are not kept by a release, so each is
/// known by the file that it leads to.
fn package_programs(root: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(root.join("node_modules/.bin")) else {
        return BTreeMap::new();
    };
    let mut programs = BTreeMap::new();
    for entry in entries.flatten() {
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        let target = written(&target);
        if let Some(inside) = target.strip_prefix("../")
            && !inside.contains("../")
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            programs.insert(name, format!("node_modules/{inside}"));
        }
    }
    programs
}
