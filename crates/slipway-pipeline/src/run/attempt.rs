//! One attempt at one job, on a task of its own: run the command, take its reports, check
//! that it made what it promised, keep the result where that is allowed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use slipway_journal::event::pipeline::JobResult;

use crate::cache::{Cache, Facts, Leavings};
use crate::definition::{Definition, Job};
use crate::digest;
use crate::execution::{Ended, Order, Surroundings, execute};
use crate::judge::Evidence;
use crate::key::Parts;
use crate::tree::{SelectError, Selection, Tree, TreeFile};

/// A report larger than this is not read.
const REPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What an attempt needs, owned, because it runs beside others.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) order: Order,
    pub(super) root: PathBuf,
    pub(super) outputs: Vec<String>,
    /// The reports of this job: name and path, none for its log.
    pub(super) reports: BTreeMap<String, Option<String>>,
    /// Where the result is kept; none where it must not be.
    pub(super) keep: Option<(Cache, Facts)>,
    pub(super) inputs: Inputs,
}

/// The files that the key was made of, and how to find them again.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) selection: Selection,
    /// The folders of Slipway, which are no inputs.
    pub(super) own: Vec<PathBuf>,
    pub(super) files: Vec<TreeFile>,
    pub(super) parts: Parts,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) result: JobResult,
    pub(super) took: Duration,
    pub(super) log: PathBuf,
    pub(super) tail: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) evidence: BTreeMap<String, Evidence>,
}

impl Attempt {
    /// The reports of the job `name`.
    pub(super) fn reports_of(
        definition: &Definition,
        name: &str,
    ) -> BTreeMap<String, Option<String>> {
        definition
            .reports
            .iter()
            .filter(|(_, spec)| spec.job == name)
            .map(|(report, spec)| (report.clone(), spec.path.clone()))
            .collect()
    }

    /// Runs it.
    pub(super) async fn run(self, around: &Surroundings) -> io::Result<Tried> {
        let ended = execute(&self.order, around).await?;
        // Digests of large outputs take a while; other jobs print meanwhile.
        tokio::task::spawn_blocking(move || self.take_stock(ended))
            .await
            .map_err(io::Error::other)?
    }

    fn take_stock(self, ended: Ended) -> io::Result<Tried> {
        let mut tried = Tried {
            result: ended.result,
            took: ended.took,
            log: ended.log.path().to_path_buf(),
            tail: ended.log.tail(),
            notes: Vec::new(),
            evidence: BTreeMap::new(),
        };
        let came_to_an_end = matches!(tried.result, JobResult::Passed | JobResult::Failed { .. });
        for (report, path) in &self.reports {
            let evidence = if came_to_an_end {
                let file = path.as_ref().map(|p| self.root.join(p));
                let started = file.is_some().then_some(ended.started);
                take(file.as_deref().unwrap_or(&tried.log), started)?
            } else {
                Evidence::NotRun(words(&tried.result))
            };
            tried.evidence.insert(report.clone(), evidence);
        }
        if tried.result == JobResult::Passed
            && let Some(missing) = self.missing_output()
        {
            tried.result = JobResult::Failed { code: 0 };
            tried
                .notes
                .push(format!("it passed, but did not make its output {missing}"));
        }
        if tried.result == JobResult::Passed {
            self.keep(&mut tried);
        }
        Ok(tried)
    }

    fn missing_output(&self) -> Option<&String> {
        let is_there = |output: &&String| self.root.join(output).symlink_metadata().is_ok();
        self.outputs.iter().find(|output| !is_there(output))
    }

    /// Keeps the result where it may be used again. A cache that cannot be written costs
    /// time later, not this run.
    fn keep(self, tried: &mut Tried) {
        let Some((cache, mut facts)) = self.keep else {
            return;
        };
        if let Some(changed) = self.inputs.changed(&self.root) {
            tried
                .notes
                .push(format!("not kept: {changed} while it ran"));
            return;
        }
        let mut reports = BTreeMap::new();
        for (name, evidence) in &tried.evidence {
            let Evidence::Content(content) = evidence else {
                tried
                    .notes
                    .push(format!("not kept: it wrote no report {name}"));
                return;
            };
            reports.insert(name.clone(), content.clone());
        }
        facts.took_ms = u64::try_from(tried.took.as_millis()).unwrap_or(u64::MAX);
        let left = Leavings {
            root: &self.root,
            outputs: &self.outputs,
            log: &tried.log,
            reports: &reports,
        };
        if let Err(error) = cache.keep(facts, &left) {
            tried.notes.push(format!("not kept: {error}"));
        }
    }
}

impl Inputs {
    /// What is not as it was when the key was made, in words. A file that was written in the
    /// meantime counts although it reads the same again: the job may have seen it otherwise.
    fn changed(&self, root: &Path) -> Option<String> {
        let now = Tree::walk(root, &self.own)
            .map_err(SelectError::from)
            .and_then(|tree| self.selection.of(&tree));
        let now = match now {
            Ok(now) => now,
            Err(error) => return Some(format!("its inputs cannot be told any more ({error})")),
        };
        let before: BTreeMap<&str, &TreeFile> =
            self.files.iter().map(|f| (f.path.as_str(), f)).collect();
        for file in &now {
            match before.get(file.path.as_str()) {
                None => return Some(format!("the input {} came", file.path)),
                Some(known) if *known != file || self.leads_elsewhere(root, file) => {
                    return Some(format!("the input {} changed", file.path));
                }
                Some(_) => {}
            }
        }
        let gone = self
            .files
            .iter()
            .find(|file| !now.iter().any(|n| n.path == file.path))?;
        Some(format!("the input {} went", gone.path))
    }

    /// Whether what a link leads to reads otherwise now.
    fn leads_elsewhere(&self, root: &Path, file: &TreeFile) -> bool {
        file.is_link && {
            let known = self.parts.inputs.get(&file.path).map(|i| &i.digest);
            digest::of_link(&root.join(&file.path)).ok().as_ref() != known
        }
    }
}

/// What is to be said of a job that gave no report.
pub(super) fn words(result: &JobResult) -> String {
    match result {
        JobResult::Passed => "passed".to_owned(),
        JobResult::Cached => "was answered from the cache".to_owned(),
        JobResult::Failed { code } => format!("failed with exit code {code}"),
        JobResult::Signalled { signal } => format!("was ended by signal {signal}"),
        JobResult::TimedOut => "took too long and was ended".to_owned(),
        JobResult::Cancelled => "was cancelled".to_owned(),
        JobResult::Skipped { because } => format!("was skipped, because {because} did not pass"),
        JobResult::NotStarted { reason } => format!("could not be started: {reason}"),
    }
}

/// Reads a report that must not be older than `started`, by the same clock.
fn take(path: &Path, started: Option<SystemTime>) -> io::Result<Evidence> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(Evidence::Missing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Evidence::Missing),
        Err(error) => return Err(error),
    };
    if let Some(started) = started
        && metadata.modified()? < started
    {
        return Ok(Evidence::Stale);
    }
    if metadata.len() > REPORT_BYTES_MAX {
        let words = format!(
            "left a report of {} bytes, which is too large",
            metadata.len()
        );
        return Ok(Evidence::NotRun(words));
    }
    Ok(Evidence::Content(fs::read(path)?))
}

/// The command of a job as words to start, and where.
pub(super) fn argv(root: &Path, job: &Job) -> (Vec<String>, PathBuf) {
    let folder = root.join(&job.folder);
    let words = match &job.command {
        crate::definition::Command::Argv(words) => {
            let mut words = words.clone();
            // A program with a slash belongs to the project, not to wherever we stand.
            if let Some(program) = words.first_mut()
                && program.contains('/')
                && !program.starts_with('/')
            {
                *program = folder.join(&*program).to_string_lossy().into_owned();
            }
            words
        }
        crate::definition::Command::Script(path) => {
            vec![root.join(path).to_string_lossy().into_owned()]
        }
    };
    (words, folder)
}
