//! The events of one run in a file of its own, a JSON line each, only ever appended to; and
//! the mark that a run goes on, by which the next one knows that it was killed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chassis::Clock;
use serde::{Deserialize, Serialize};
use slipway_journal::RunId;
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::pipeline::JobResult;

use crate::run::passed;

/// Folders of runs that are kept.
const RUNS_KEPT: usize = 30;
const CURRENT: &str = "current";

/// The record of the run that goes on.
#[derive(Debug)]
pub(super) struct Record {
    runs: PathBuf,
    pub(super) folder: PathBuf,
    file: File,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: jiff::Timestamp,
    event: PipelineEvent,
}

/// A run that was killed.
#[derive(Debug)]
pub(super) struct Interrupted {
    pub(super) run: RunId,
    pub(super) passed: usize,
}

impl Record {
    /// Begins the record of `run`.
    pub(super) fn begin(runs: &Path, run: RunId, clock: Clock) -> io::Result<Self> {
        let folder = runs.join(run.to_string());
        fs::create_dir(&folder)?;
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(folder.join("events.jsonl"))?;
        chassis::durable::replace(&runs.join(CURRENT), run.to_string().as_bytes(), 0o600)?;
        Ok(Self {
            runs: runs.to_path_buf(),
            folder,
            file,
            clock,
        })
    }

    /// Appends an event; `is_boundary` makes it durable, because work would be lost.
    pub(super) fn append(&mut self, event: &PipelineEvent, is_boundary: bool) -> io::Result<()> {
        let line = Line {
            at: self.clock.now(),
            event: event.clone(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        if is_boundary {
            self.file.sync_data()?;
        }
        Ok(())
    }

    pub(super) fn log_path(&self, job: &str) -> PathBuf {
        self.folder.join(format!("{job}.log"))
    }

    /// The run has ended in order.
    pub(super) fn end(self) -> io::Result<()> {
        fs::remove_file(self.runs.join(CURRENT))?;
        // Only room is lost; a run that is over does not fail for that.
        if let Err(error) = prune(&self.runs) {
            tracing::warn!(%error, "the folders of old runs stay");
        }
        Ok(())
    }
}

/// The run that was killed, if the last one was.
pub(super) fn interrupted(runs: &Path) -> io::Result<Option<Interrupted>> {
    let text = match fs::read_to_string(runs.join(CURRENT)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(run) = text.trim().parse::<RunId>() else {
        return Ok(None);
    };
    let events = runs.join(run.to_string()).join("events.jsonl");
    let text = match fs::read_to_string(events) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    // The last line may be half a line.
    let passed = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok())
        .filter(|line| is_pass(&line.event))
        .count();
    Ok(Some(Interrupted { run, passed }))
}

fn is_pass(event: &PipelineEvent) -> bool {
    let result: Option<&JobResult> = match event {
        PipelineEvent::JobFinished { result, .. } => Some(result),
        _ => None,
    };
    result.is_some_and(passed)
}

/// Removes the folders of old runs. Their names grow with time.
fn prune(runs: &Path) -> io::Result<()> {
    let mut old: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(runs)? {
        let entry = entry?;
        let is_run = entry.file_name().to_string_lossy().parse::<RunId>().is_ok();
        if is_run {
            old.push(entry.path());
        }
    }
    old.sort();
    let surplus = old.len().saturating_sub(RUNS_KEPT);
    old.iter().take(surplus).try_for_each(fs::remove_dir_all)
}
