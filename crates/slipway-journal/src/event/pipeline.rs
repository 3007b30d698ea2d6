//! Events of a run of the pipeline.

use serde::{Deserialize, Serialize};

use crate::ids::{ReleaseId, RunId, ServiceName};
use crate::outcome::Outcome;

/// What happened in a run of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PipelineEvent {
    /// A run started.
    RunStarted {
        /// The run.
        run: RunId,
        /// The commit that is built, with `-dirty` behind it where the tree has changes.
        commit: String,
        /// The jobs of the plan, in its order.
        jobs: Vec<String>,
    },
    /// A job ended, or was answered from the cache.
    JobFinished {
        /// The run.
        run: RunId,
        /// The job.
        job: String,
        /// How it ended.
        result: JobResult,
        /// The key that its result is cached under, 64 hex digits; empty where it never is.
        key: String,
        /// Wall time in milliseconds.
        took_ms: u64,
    },
    /// A gate answered.
    GateEvaluated {
        /// The run.
        run: RunId,
        /// The gate.
        gate: String,
        /// The answer.
        outcome: Outcome,
        /// What was measured against what, in words, a line per condition.
        findings: Vec<String>,
    },
    /// A release was made.
    ReleaseMade {
        /// The run.
        run: RunId,
        /// The service.
        service: ServiceName,
        /// Its digest.
        release: ReleaseId,
        /// The commit.
        commit: String,
    },
    /// A run ended.
    RunFinished {
        /// The run.
        run: RunId,
        /// Whether everything asked for passed.
        passed: bool,
        /// Wall time in milliseconds.
        took_ms: u64,
    },
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum JobResult {
    /// Ran and succeeded.
    Passed,
    /// Not run: the same inputs passed before.
    Cached,
    /// Ran and ended with this exit code.
    Failed {
        /// The exit code.
        code: i32,
    },
    /// Ended by a signal that Slipway did not send.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// Ended because its time was up.
    TimedOut,
    /// Ended because the run was cancelled.
    Cancelled,
    /// Not run, because a job that it needs did not pass.
    Skipped {
        /// That job.
        because: String,
    },
    /// Could not be started.
    NotStarted {
        /// Why, in words.
        reason: String,
    },
}
