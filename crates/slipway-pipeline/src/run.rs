//! A run of the pipeline: jobs as soon as what they need has passed, then the gates, then the
//! releases. Every step is told as it happens; a run that was killed goes on from what is in
//! the cache.

mod attempt;
mod ending;
mod keying;
mod queue;
mod record;
mod runner;
mod start;

use std::path::PathBuf;
use std::time::Duration;

use chassis::{Clock, Env, Random, Shutdown};
use serde::Serialize;
use slipway_journal::RunId;
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::pipeline::JobResult;
use tokio::sync::mpsc;

use crate::cache::Tier;
use crate::definition::Definition;
use crate::judge::Verdict;
use crate::plan::NoSuchJob;
use crate::problem::Problem;
use crate::release::Made;

pub(crate) use keying::Keying;
pub(crate) use start::own_folders;

/// What a run stands on.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Results of earlier runs. Made where it is not there.
    pub cache: PathBuf,
    /// A folder per run, with its events and logs. Made where it is not there.
    pub runs: PathBuf,
    /// Where releases are laid. Made where it is not there.
    pub releases: PathBuf,
    /// The variables that jobs may be given.
    pub env: Env,
    /// Tells the time.
    pub clock: Clock,
    /// Gives the run its number.
    pub random: Random,
    /// Ends the run: every job is asked to end and has its grace.
    pub stop: Shutdown,
    /// Ends the grace: every job is killed.
    pub kill: Shutdown,
    /// Whether every child of this process that the run did not start itself comes from a
    /// job, so that one that cannot be told from others may be ended.
    pub is_sole: bool,
    /// Told of everything as it happens. What nobody takes is dropped, and the run waits
    /// for one who is slow.
    pub live: mpsc::Sender<Happening>,
}

/// What is asked of a run.
#[derive(Debug, Clone)]
pub struct Request {
    /// The jobs, with all that they need; none for every job.
    pub jobs: Vec<String>,
    /// Whether results of earlier runs may be used.
    pub use_cache: bool,
    /// From whom on results are trusted.
    pub trust: Tier,
    /// How many cores may be filled.
    pub cores: u64,
    /// Whether the first failure ends the run; none for what the project says.
    pub fail_fast: Option<bool>,
    /// Whether to wait for another run to end.
    pub wait: bool,
}

/// Something that happens in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// Another run goes on; this one waits for it.
    Waiting {
        /// Who runs.
        holder: String,
    },
    /// An earlier run was killed; this one goes on from what it finished.
    Resumed {
        /// That run.
        run: RunId,
        /// How many jobs of it had passed.
        passed: usize,
        /// How many processes of it still ran and were ended.
        ended: usize,
    },
    /// A job starts.
    Started {
        /// The job.
        job: String,
        /// What it usually takes.
        usual: Option<Duration>,
    },
    /// Whole lines that a job printed, masked.
    Output {
        /// The job.
        job: String,
        /// The lines, with their ends.
        lines: Vec<u8>,
    },
    /// What the journal is told as well.
    Event(PipelineEvent),
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The commit, with `-dirty` behind it where the tree has changes.
    pub commit: String,
    /// Whether every job and every required gate that was asked passed.
    pub passed: bool,
    /// Whether it was ended before its end.
    pub cancelled: bool,
    /// The jobs, in the order of the plan.
    pub jobs: Vec<JobReport>,
    /// What the gates said.
    pub gates: Vec<Verdict>,
    /// The releases that were made, or found made.
    pub releases: Vec<Made>,
    /// Why a service has no release.
    pub unmade: Vec<String>,
    /// Wall time.
    #[serde(rename = "took_ms", serialize_with = "as_millis")]
    pub took: Duration,
    /// The chain of jobs that decided how long the run took.
    pub critical_path: Vec<Leg>,
    /// Its events and logs.
    pub folder: PathBuf,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobReport {
    /// The job.
    pub name: String,
    /// How it ended.
    pub result: JobResult,
    /// The key of its result; empty where it has none.
    pub key: String,
    /// Wall time.
    #[serde(rename = "took_ms", serialize_with = "as_millis")]
    pub took: Duration,
    /// Its whole log.
    pub log: Option<PathBuf>,
    /// The last lines of its log, where it did not pass.
    pub tail: Vec<String>,
    /// What else there is to know, such as why its result was not kept.
    pub notes: Vec<String>,
}

/// One job of the critical path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// The job.
    pub job: String,
    /// Wall time.
    #[serde(rename = "took_ms", serialize_with = "as_millis")]
    pub took: Duration,
}

fn as_millis<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

impl JobReport {
    /// Whether jobs that need it may run.
    pub fn passed(&self) -> bool {
        passed(&self.result)
    }
}

pub(crate) fn passed(result: &JobResult) -> bool {
    matches!(result, JobResult::Passed | JobResult::Cached)
}

/// Why a run could not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A job was asked for that is not there.
    #[error(transparent)]
    NoSuchJob(#[from] NoSuchJob),
    /// The file of waivers has mistakes.
    #[error("the waivers cannot be used")]
    Waivers(Vec<Problem>),
    /// Another run goes on, and this one was not to wait.
    #[error("another run goes on here: {0}")]
    Held(String),
    /// The run was ended while it waited for another.
    #[error("stopped while waiting for {0}")]
    StoppedWaiting(String),
    /// A file or folder could not be used.
    #[error("{}: {source}{}", path.display(), hint(source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Processes could not be looked at or ended.
    #[error("job {job}: {source}{}", hint(source))]
    Job {
        /// The job.
        job: String,
        /// What the system said.
        source: std::io::Error,
    },
}

fn hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "; make room on that disk and run again, what is finished is kept"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "; it must be writable, or name another state folder with --state"
        }
        _ => "",
    }
}

/// Runs what `request` asks of `definition`. Must be called within a Tokio runtime.
///
/// Ends early when `ground.stop` is requested; then no process of a job is left. Dropping
/// the future before its end leaves processes behind.
pub async fn run(
    definition: &Definition,
    ground: &Ground,
    request: &Request,
) -> Result<Report, RunError> {
    let runner = start::start(definition, ground, request).await?;
    runner.run().await
}
