//! What `slipway.toml` says, checked: every name that is referred to exists, every path
//! stays inside the project, and the jobs form a graph without a cycle. A definition that
//! was read can be run; everything wrong with a file is said at once.

mod check;
mod gate;
mod job;
mod path;
mod project;
mod report;
mod service;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use slipway_journal::ServiceName;
use toml::de::DeTable;

pub use gate::{Fixture, Gate};
pub use job::{Command, Job};
pub(crate) use path::{Pattern, lies_in};
pub use project::Project;
pub use report::{Format, ReportSpec};
pub use service::{PackagedFile, Service};

use crate::problem::{Problem, Source};
use table::{Notes, Table};

/// A checked `slipway.toml`.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The folder that the file lies in; every path of it is relative to this.
    pub root: PathBuf,
    /// What holds for every job.
    pub project: Project,
    /// The jobs by name.
    pub jobs: BTreeMap<String, Job>,
    /// The reports by name.
    pub reports: BTreeMap<String, ReportSpec>,
    /// The gates by name.
    pub gates: BTreeMap<String, Gate>,
    /// The services by name.
    pub services: BTreeMap<ServiceName, Service>,
}

impl Definition {
    /// Reads and checks the file at `path`. Blocking.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let name = path
            .file_name()
            .map_or_else(|| "slipway.toml".into(), |n| n.to_string_lossy());
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot be read: {error}");
            let help = match error.kind() {
                std::io::ErrorKind::InvalidData => "save it as UTF-8",
                _ => "a project has a slipway.toml in its topmost folder; --project names another one",
            };
            vec![Problem::of_file(&name, message, help)]
        })?;
        let root = path.parent().filter(|p| !p.as_os_str().is_empty());
        let root = std::path::absolute(root.unwrap_or(Path::new(".")))
            .unwrap_or_else(|_| PathBuf::from("."));
        Self::parse(&name, &text, &root)
    }

    /// Checks `text`, the content of a file called `name` in the folder `root`.
    pub fn parse(name: &str, text: &str, root: &Path) -> Result<Self, Vec<Problem>> {
        let source = Source::new(name, text);
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problem = |error: toml::de::Error| {
                let span = error.span().unwrap_or_default();
                source.problem(span, error.message(), "here", "")
            };
            return Err(errors.into_iter().map(problem).collect());
        }
        let notes = Notes::new(source);
        let definition = {
            let file = Table::root(&notes, document.get_ref());
            let definition = read_tables(&file, root);
            file.finish();
            definition
        };
        let problems = notes.into_problems();
        match definition {
            Some(definition) if problems.is_empty() => Ok(definition),
            _ => Err(problems),
        }
    }

    /// The reports that a gate asks something of.
    pub(crate) fn report_of_gate<'a>(
        &'a self,
        gate: &'a Gate,
    ) -> impl Iterator<Item = (&'a str, &'a ReportSpec)> {
        let mut names: Vec<&str> = gate
            .conditions
            .iter()
            .map(|condition| condition.report.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .filter_map(|name| Some((name, self.reports.get(name)?)))
    }
}

fn read_tables(file: &Table<'_>, root: &Path) -> Option<Definition> {
    let project = project::read(file);
    let jobs = job::read(file, root);
    let reports = report::read(file, &jobs);
    let gates = gate::read(file, &reports, root);
    let services = service::read(file, &jobs);
    check::needs(file.notes(), &jobs);
    check::outputs(file.notes(), &jobs);
    let strip = |jobs: BTreeMap<String, job::Read>| {
        jobs.into_iter()
            .map(|(name, read)| (name, read.job))
            .collect()
    };
    Some(Definition {
        root: root.to_path_buf(),
        project: project?,
        jobs: strip(jobs),
        reports: reports
            .into_iter()
            .filter_map(|(name, spec)| Some((name, spec?)))
            .collect(),
        gates,
        services,
    })
}
