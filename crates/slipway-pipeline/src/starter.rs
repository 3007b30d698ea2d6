//! A first `slipway.toml` for a folder that has none: what lies there decides, and what was
//! only guessed is said so. Pure over what was seen; writes nothing, and never gives a text
//! that could not be read back.

mod clues;
mod command;
mod draft;
mod folder;
mod go;
mod node;
mod page;
mod procfile;
mod program;
mod rust;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde::Serialize;
use slipway_journal::ServiceName;

pub use clues::Variable;
pub use folder::Folder;

use crate::definition::Definition;
use draft::Draft;

/// What a person said instead of leaving it to be seen.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// What the service is called [default: as the folder's own manifest says].
    pub service: Option<ServiceName>,
    /// The command that serves, as it is typed.
    pub start: Option<String>,
    /// The path of the health look.
    pub health: Option<String>,
}

/// What kind of application lies in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `package.json` with something to start.
    Node,
    /// `go.mod` with a program.
    Go,
    /// `Cargo.toml` with a binary.
    Rust,
    /// A `Procfile` and nothing else that is known.
    Procfile,
    /// A program that reads `PORT`.
    Program,
}

/// One thing that was found out, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is about, in a word or two.
    pub what: &'static str,
    /// What was found.
    pub value: String,
    /// Where it was seen, or why it was guessed.
    pub whence: String,
    /// Whether a person should look at it.
    pub is_guess: bool,
}

/// A first `slipway.toml`, and what it rests on.
#[derive(Debug, Clone)]
pub struct Starter {
    /// What lies there.
    pub kind: Kind,
    /// The service.
    pub service: ServiceName,
    /// What was found out, in the order in which a person would ask.
    pub facts: Vec<Fact>,
    /// The variables that the sources name and Slipway does not set by itself.
    pub variables: Vec<Variable>,
    /// The text of `slipway.toml`; at most 30 lines.
    pub text: String,
}

/// Why a folder cannot be made sense of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// Nothing that could be started.
    #[error("nothing here says how it is started: {looked}")]
    Nothing {
        /// What was looked at.
        looked: String,
    },
    /// More than one thing that could be started.
    #[error("several programs could be meant: {}", .0.join(", "))]
    Several(Vec<String>),
    /// A file that must be understood cannot be.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// The start command is a program of a package that is not installed here.
    #[error("{program} is started, which comes with a package, and node_modules is not there")]
    NotInstalled {
        /// The program.
        program: String,
    },
    /// The text that came out cannot be read back.
    #[error("the slipway.toml that was made of it has a mistake: {0}")]
    Unusable(String),
}

impl Kind {
    /// What it is, with its article.
    pub fn words(self) -> &'static str {
        match self {
            Self::Node => "a Node application",
            Self::Go => "a Go program",
            Self::Rust => "a Rust program",
            Self::Procfile => "an application with a Procfile",
            Self::Program => "a program that reads PORT",
        }
    }
}

/// The first `slipway.toml` for `folder`.
pub fn draft(folder: &Folder, wishes: &Wishes) -> Result<Starter, Unseen> {
    let mut draft = kind_of(folder, wishes)?;
    procfile::apply(folder, &mut draft);
    if let Some(line) = &wishes.start {
        let words = command::of(line).words();
        draft.fact("starts as", line.clone(), "--start");
        draft.start = words;
    }
    let service = match &wishes.service {
        Some(name) => name.clone(),
        None => draft.service_name(folder),
    };
    let health = clues::health(folder, wishes, &mut draft);
    clues::port(folder, &mut draft);
    let text = page::write(&draft, &service, &health);
    Definition::parse("slipway.toml", &text, Path::new(".")).map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        Unseen::Unusable(first.unwrap_or_default())
    })?;
    Ok(Starter {
        kind: draft.kind,
        variables: clues::variables(folder),
        facts: draft.facts,
        service,
        text,
    })
}

/// The first kind that has something to start. A manifest that only has tools in it, as the
/// `package.json` of many Go and Rust projects, is none.
fn kind_of(folder: &Folder, wishes: &Wishes) -> Result<Draft, Unseen> {
    for kind in [rust::draft, go::draft, node::draft] {
        if let Some(draft) = kind(folder, wishes)? {
            return Ok(draft);
        }
    }
    let draft = match procfile::draft(folder) {
        Some(draft) => Some(draft),
        None => program::draft(folder, wishes)?,
    };
    draft.ok_or_else(|| Unseen::Nothing {
        looked: folder.summary(),
    })
}
