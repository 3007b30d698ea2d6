//! The project's own rules, checked by a program instead of by memory. Each rule is
//! a pure function from text to findings, with an example that it refuses.

mod arrows;
mod evidence;
mod markdown;
mod source;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// One place that breaks one rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: PathBuf,
    line: usize,
    rule: &'static str,
    /// What is there, and what to do.
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.file.display(),
            self.line,
            self.rule,
            self.advice
        )
    }
}

/// Reads the whole tree and fails when a rule is broken, naming every place.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    let mut files = 0;
    let mut functions = HashSet::new();
    let mut pages = Vec::new();
    for entry in ignore::WalkBuilder::new(root).hidden(false).build() {
        let entry = entry.context("walking through the tree")?;
        let path = entry.path();
        let file = path.strip_prefix(root).unwrap_or(path);
        if !entry.file_type().is_some_and(|t| t.is_file()) || file.starts_with(".git") {
            continue;
        }
        let read =
            || std::fs::read_to_string(path).with_context(|| format!("reading {}", file.display()));
        files += 1;
        match file.extension().and_then(|e| e.to_str()) {
            Some("rs") => {
                let text = read()?;
                functions.extend(evidence::functions(&text).map(str::to_owned));
                findings.extend(source::check(file, &text));
            }
            Some("md") => {
                let text = read()?;
                findings.extend(markdown::check(root, file, &text));
                pages.push((file.to_owned(), text));
            }
            Some("toml") if file.file_name().is_some_and(|n| n == "Cargo.toml") => {
                findings.extend(arrows::check(file, &read()?));
            }
            _ => {}
        }
    }
    for (page, text) in &pages {
        findings.extend(evidence::check(page, text, &functions));
    }
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} places break a rule", findings.len());
    }
    eprintln!("tidy: {files} files, nothing to say");
    Ok(())
}
