//! The loop: start what can start, take in what ended, until nothing is open. Decisions are
//! made here, in one place and one at a time; commands run on tasks of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use chassis::Shutdown;
use slipway_journal::RunId;
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::pipeline::JobResult;
use tokio::task::JoinSet;

use crate::cache::{Cache, Entry, Facts, Restored, Tier};
use crate::definition::{Definition, Job};
use crate::execution::{Order, Surroundings};
use crate::history::History;
use crate::judge::Evidence;
use crate::key::Parts;
use crate::lock::Lock;
use crate::mask::{Mask, SECRET_BYTES_MIN};
use crate::plan::Plan;
use crate::process::Roster;
use crate::source::Revision;
use crate::tree::SelectError;
use crate::waiver::Waiver;

use super::attempt::{self, Attempt, Tried};
use super::keying::{self, Keyed, Keying};
use super::queue::Queue;
use super::record::Record;
use super::start::{file_error, own_folders, show};
use super::{Ground, Happening, JobReport, Report, Request, RunError, passed};

/// Everything that a run knows.
pub(super) struct Runner<'a> {
    pub(super) definition: &'a Definition,
    pub(super) ground: &'a Ground,
    pub(super) request: &'a Request,
    /// When it began, on the clock that never jumps.
    pub(super) begin: Duration,
    pub(super) run: RunId,
    pub(super) revision: Revision,
    pub(super) waivers: Vec<Waiver>,
    pub(super) roster: Roster,
    pub(super) cache: Cache,
    pub(super) plan: Plan,
    pub(super) queue: Queue,
    pub(super) history: History,
    pub(super) keying: Keying<'a>,
    /// Whether a job ran, or outputs were given back, since the files were looked at.
    pub(super) is_tree_stale: bool,
    pub(super) record: Record,
    /// Ends the jobs that run: the run is to end, or the first failure ended it.
    pub(super) halt: Shutdown,
    pub(super) done: BTreeMap<String, JobReport>,
    pub(super) parts: BTreeMap<String, Parts>,
    pub(super) evidence: BTreeMap<String, Evidence>,
    pub(super) _lock: Lock,
}

/// The jobs that run.
struct Running {
    tasks: JoinSet<(String, io::Result<Tried>)>,
    cores: BTreeMap<String, u64>,
}

impl Runner<'_> {
    /// Runs every job of the plan, judges the gates, makes the releases.
    pub(super) async fn run(mut self) -> Result<Report, RunError> {
        let mut running = Running {
            tasks: JoinSet::new(),
            cores: BTreeMap::new(),
        };
        let end = self.all(&mut running).await;
        if end.is_err() {
            // The tasks end their processes by themselves; wait until they have.
            self.halt.request();
            while running.tasks.join_next().await.is_some() {}
        }
        end?;
        self.finish().await
    }

    async fn all(&mut self, running: &mut Running) -> Result<(), RunError> {
        loop {
            while let Some(name) = self.next(running) {
                self.begin_job(&name, running).await?;
            }
            let Some(joined) = running.tasks.join_next().await else {
                break;
            };
            let (name, tried) = joined.map_err(|error| RunError::Job {
                job: "unknown".to_owned(),
                source: io::Error::other(error),
            })?;
            running.cores.remove(&name);
            let tried = tried.map_err(|source| RunError::Job {
                job: name.clone(),
                source,
            })?;
            self.end_job(&name, tried).await?;
        }
        // What is open now will never start.
        for name in self.plan.order.clone() {
            if !self.done.contains_key(&name) {
                let result = self.hopeless(&name).unwrap_or(JobResult::Cancelled);
                self.close(&name, result, "", Vec::new()).await?;
            }
        }
        Ok(())
    }

    /// The job to start now, if one can start and there is room for it.
    fn next(&mut self, running: &Running) -> Option<String> {
        if self.halt.is_requested() {
            return None;
        }
        let used: u64 = running.cores.values().sum();
        let room = self.request.cores.max(1).saturating_sub(used);
        let is_idle = running.cores.is_empty();
        let jobs = &self.definition.jobs;
        // A job that wants more cores than there are runs alone.
        self.queue.take(|name| {
            jobs.get(name)
                .is_some_and(|job| job.cores <= room || is_idle)
        })
    }

    /// The result of a job that one of its needs keeps from running.
    fn hopeless(&self, name: &str) -> Option<JobResult> {
        let job = self.definition.jobs.get(name)?;
        let failed = |need: &&String| self.done.get(*need).is_some_and(|done| !done.passed());
        let because = job.needs.iter().find(failed)?.clone();
        Some(JobResult::Skipped { because })
    }

    /// Answers a job from the cache, or starts it.
    async fn begin_job(&mut self, name: &str, running: &mut Running) -> Result<(), RunError> {
        let Some(job) = self.definition.jobs.get(name) else {
            return Ok(());
        };
        if self.is_tree_stale {
            let root = &self.definition.root;
            let looked = self.keying.look_again(&own_folders(self.ground)).await;
            looked.map_err(file_error(root))?;
            self.is_tree_stale = false;
        }
        let keyed = match self.keyed(name, job) {
            Ok(keyed) => keyed,
            Err(error) => {
                let reason = error.to_string();
                let result = JobResult::NotStarted { reason };
                return self.close(name, result, "", Vec::new()).await;
            }
        };
        self.parts.insert(name.to_owned(), keyed.parts.clone());
        let uncached = self.uncached(job);
        let mut notes = Vec::new();
        if uncached.is_none()
            && let Some(entry) = self.find(&keyed.key)?
        {
            match self.replay(name, &entry).await? {
                Ok(()) => {
                    return self.close(name, JobResult::Cached, &keyed.key, notes).await;
                }
                Err(note) => notes.push(note),
            }
        }
        match self.attempt(name, job, keyed, uncached.is_none()) {
            Ok(attempt) => {
                self.launch(name, job, attempt, running).await;
                Ok(())
            }
            Err(reason) => {
                let result = JobResult::NotStarted { reason };
                self.close(name, result, "", notes).await
            }
        }
    }

    fn keyed(&mut self, name: &str, job: &Job) -> Result<Keyed, SelectError> {
        let needs = job.needs.iter().filter_map(|need| {
            let done = self.done.get(need)?;
            Some((need.clone(), done.key.clone()))
        });
        let needs = needs.collect();
        self.keying.of(name, job, needs)
    }

    /// Why a job's result is neither taken from the cache nor kept.
    fn uncached(&self, job: &Job) -> Option<String> {
        if !job.cache {
            return Some("it says cache = false".to_owned());
        }
        if !job.secrets.is_empty() {
            return Some("it uses secrets".to_owned());
        }
        let silent = self.keying.fingerprints.silent.first_key_value();
        if let Some((command, reason)) = silent {
            return Some(format!("the toolchain is not known: {command}: {reason}"));
        }
        let has_key = |need: &String| self.done.get(need).is_some_and(|d| !d.key.is_empty());
        if !job.needs.iter().all(has_key) {
            return Some("a job that it needs is never cached".to_owned());
        }
        None
    }

    fn find(&self, key: &str) -> Result<Option<Entry>, RunError> {
        if !self.request.use_cache {
            return Ok(None);
        }
        let found = self.cache.find(key, self.request.trust);
        found.map_err(file_error(&self.ground.cache))
    }

    /// Puts everything of a kept result into its place; says why where that cannot be done.
    async fn replay(&mut self, name: &str, entry: &Entry) -> Result<Result<(), String>, RunError> {
        let file = |error| file_error(&self.definition.root)(error);
        let mut evidence = BTreeMap::new();
        for (report, object) in &entry.reports {
            match self.cache.content(object).map_err(file)? {
                Some(content) => evidence.insert(report.clone(), Evidence::Content(content)),
                None => return self.damaged(name, entry, report),
            };
        }
        let root = &self.definition.root;
        let is_there = Cache::is_in_place(entry, root, &mut self.keying.digests).map_err(file)?;
        if !is_there {
            let (cache, entry_, root) = (self.cache.clone(), entry.clone(), root.clone());
            let restored = tokio::task::spawn_blocking(move || cache.restore(&entry_, &root));
            let restored = restored.await.map_err(io::Error::other).map_err(file)?;
            if let Restored::Damaged(path) = restored.map_err(file)? {
                return self.damaged(name, entry, &path);
            }
            self.is_tree_stale = true;
        }
        self.evidence.extend(evidence);
        Ok(Ok(()))
    }

    fn damaged(
        &self,
        name: &str,
        entry: &Entry,
        what: &str,
    ) -> Result<Result<(), String>, RunError> {
        tracing::warn!(job = name, what, "a damaged cache entry is dropped");
        let dropped = self.cache.forget(&entry.key);
        dropped.map_err(file_error(&self.ground.cache))?;
        Ok(Err(format!(
            "the kept result was damaged ({what}) and was not used"
        )))
    }

    fn attempt(
        &self,
        name: &str,
        job: &Job,
        keyed: Keyed,
        may_keep: bool,
    ) -> Result<Attempt, String> {
        let variables = keying::job_variables(self.definition, job, &self.ground.env);
        let mut secrets = Vec::new();
        for secret in &job.secrets {
            let value = variables.get(secret);
            let value = value.ok_or_else(|| format!("the secret {secret} is not set"))?;
            if value.len() < SECRET_BYTES_MIN {
                return Err(format!(
                    "the secret {secret} has fewer than {SECRET_BYTES_MIN} characters and cannot \
                     be masked"
                ));
            }
            secrets.push(value.as_str());
        }
        let mask = Mask::new(secrets);
        let (argv, folder) = attempt::argv(&self.definition.root, job);
        let facts = Facts {
            key: keyed.key,
            job: name.to_owned(),
            tier: if self.revision.dirty {
                Tier::LocalDirty
            } else {
                Tier::LocalClean
            },
            run: self.run,
            made_at: self.ground.clock.now(),
            took_ms: 0,
        };
        Ok(Attempt {
            order: Order {
                job: name.to_owned(),
                argv,
                folder,
                mark: format!("{}/{name}", self.run),
                variables,
                mask,
                timeout: job.timeout,
                grace: job.grace,
                log: self.record.log_path(name),
            },
            root: self.definition.root.clone(),
            outputs: job.outputs.clone(),
            reports: Attempt::reports_of(self.definition, name),
            keep: may_keep.then(|| (self.cache.clone(), facts)),
            inputs: attempt::Inputs {
                selection: keyed.selection,
                own: own_folders(self.ground),
                files: keyed.inputs,
                parts: keyed.parts,
            },
        })
    }

    async fn launch(&self, name: &str, job: &Job, attempt: Attempt, running: &mut Running) {
        let around = Surroundings {
            roster: self.roster.clone(),
            clock: self.ground.clock.clone(),
            stop: self.halt.clone(),
            kill: self.ground.kill.clone(),
            live: self.ground.live.clone(),
        };
        let usual = self.history.durations().get(name).copied();
        let started = Happening::Started {
            job: name.to_owned(),
            usual,
        };
        show(self.ground, started).await;
        running.cores.insert(name.to_owned(), job.cores);
        let name = name.to_owned();
        running
            .tasks
            .spawn(async move { (name, attempt.run(&around).await) });
    }

    /// Takes in a job that ran.
    async fn end_job(&mut self, name: &str, tried: Tried) -> Result<(), RunError> {
        self.is_tree_stale = true;
        let Some(job) = self.definition.jobs.get(name) else {
            return Ok(());
        };
        let key = self.parts.get(name).map(Parts::key);
        // A result that is never kept has no key, and so has nothing that builds on it.
        let key = match self.uncached(job) {
            None => key.unwrap_or_default(),
            Some(_) => String::new(),
        };
        let has_passed = passed(&tried.result);
        if has_passed {
            self.history.lasted(name, tried.took);
        } else if self
            .request
            .fail_fast
            .unwrap_or(self.definition.project.fail_fast)
        {
            self.halt.request();
        }
        self.evidence.extend(tried.evidence);
        let report = JobReport {
            name: name.to_owned(),
            result: tried.result,
            key,
            took: tried.took,
            log: Some(tried.log),
            tail: if has_passed { Vec::new() } else { tried.tail },
            notes: tried.notes,
        };
        self.enter(report, true).await
    }

    /// Enters the end of a job that did not run.
    async fn close(
        &mut self,
        name: &str,
        result: JobResult,
        key: &str,
        notes: Vec<String>,
    ) -> Result<(), RunError> {
        if !passed(&result) {
            for report in Attempt::reports_of(self.definition, name).into_keys() {
                let how = Evidence::NotRun(attempt::words(&result));
                self.evidence.insert(report, how);
            }
            let is_own = matches!(result, JobResult::NotStarted { .. });
            if is_own
                && self
                    .request
                    .fail_fast
                    .unwrap_or(self.definition.project.fail_fast)
            {
                self.halt.request();
            }
        }
        let report = JobReport {
            name: name.to_owned(),
            result,
            key: key.to_owned(),
            took: Duration::ZERO,
            log: None,
            tail: Vec::new(),
            notes,
        };
        self.enter(report, false).await
    }

    async fn enter(&mut self, report: JobReport, is_boundary: bool) -> Result<(), RunError> {
        if let Some(parts) = self.parts.get(&report.name)
            && !report.key.is_empty()
        {
            let noted = self.history.ended(&report.name, &report.key, parts);
            noted.map_err(file_error(&self.ground.cache))?;
        }
        let event = PipelineEvent::JobFinished {
            run: self.run,
            job: report.name.clone(),
            result: report.result.clone(),
            key: report.key.clone(),
            took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        };
        if report.passed() {
            self.queue.passed(&report.name);
        }
        self.done.insert(report.name.clone(), report);
        self.tell(event, is_boundary).await
    }

    /// Writes an event down, then tells it.
    pub(super) async fn tell(
        &mut self,
        event: PipelineEvent,
        is_boundary: bool,
    ) -> Result<(), RunError> {
        let written = self.record.append(&event, is_boundary);
        written.map_err(file_error(&self.record.folder))?;
        show(self.ground, Happening::Event(event)).await;
        Ok(())
    }

    /// The jobs that a job rests on, itself included.
    pub(super) fn closure(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let mut open: Vec<&String> = names.iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if seen.insert(name.clone())
                && let Some(job) = self.definition.jobs.get(name)
            {
                open.extend(&job.needs);
            }
        }
        seen
    }
}
