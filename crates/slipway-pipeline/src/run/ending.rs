//! Everything after the last job: gates, releases, and the account of the run.

use std::collections::BTreeMap;

use slipway_journal::ServiceName;
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::pipeline::JobResult;

use crate::definition::Service;
use crate::judge::{Verdict, judge};
use crate::key::Parts;
use crate::plan::critical_path;
use crate::release::{self, Made, ProvenJob, Provenance};

use super::runner::Runner;
use super::start::file_error;
use super::{JobReport, Leg, Report, RunError};

impl Runner<'_> {
    pub(super) async fn finish(mut self) -> Result<Report, RunError> {
        let cancelled = self.ground.stop.is_requested();
        let gates = self.judge_all().await?;
        let (releases, unmade) = if cancelled {
            (Vec::new(), Vec::new())
        } else {
            self.release_all(&gates).await?
        };
        let has_passed = !cancelled
            && self.done.values().all(JobReport::passed)
            && !gates.iter().any(Verdict::blocks);
        let took = self.ground.clock.monotonic().saturating_sub(self.begin);
        let event = PipelineEvent::RunFinished {
            run: self.run,
            passed: has_passed,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        let has_run = self.is_tree_stale || !has_passed;
        self.tell(event, has_run).await?;
        // Both only make the next run faster; a disk without room must not fail this one.
        for saved in [self.history.save(), self.keying.digests.save()] {
            if let Err(error) = saved {
                tracing::warn!(%error, "what this run learnt could not be kept");
            }
        }
        let times = self.done.iter().map(|(name, d)| (name.clone(), d.took));
        let path = critical_path(self.definition, &self.plan, &times.collect());
        let folder = self.record.folder.clone();
        let runs = &self.ground.runs;
        self.record.end().map_err(file_error(runs))?;
        let mut done = self.done;
        Ok(Report {
            run: self.run,
            commit: self.revision.label(),
            passed: has_passed,
            cancelled,
            jobs: self
                .plan
                .order
                .iter()
                .filter_map(|name| done.remove(name))
                .collect(),
            gates,
            releases,
            unmade,
            took,
            critical_path: path
                .into_iter()
                .map(|(job, took)| Leg { job, took })
                .collect(),
            folder,
        })
    }

    /// Judges the gates whose reports come from jobs of this run.
    async fn judge_all(&mut self) -> Result<Vec<Verdict>, RunError> {
        let now = self.ground.clock.now();
        let mut verdicts = Vec::new();
        for (name, gate) in &self.definition.gates {
            let mut reports = self.definition.report_of_gate(gate);
            if !reports.any(|(_, spec)| self.done.contains_key(&spec.job)) {
                continue;
            }
            let verdict = judge(
                self.definition,
                name,
                gate,
                &self.evidence,
                &self.waivers,
                now,
            );
            let event = PipelineEvent::GateEvaluated {
                run: self.run,
                gate: name.clone(),
                outcome: verdict.outcome,
                findings: verdict.findings.clone(),
            };
            self.tell(event, false).await?;
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// Makes a release of each service whose jobs were part of this run, or says why not.
    async fn release_all(
        &mut self,
        verdicts: &[Verdict],
    ) -> Result<(Vec<Made>, Vec<String>), RunError> {
        let mut made = Vec::new();
        let mut unmade = Vec::new();
        for (name, service) in &self.definition.services {
            if !service
                .needs
                .iter()
                .all(|need| self.done.contains_key(need))
            {
                continue;
            }
            if let Some(reason) = self.obstacle(service, verdicts) {
                unmade.push(format!("no release of {name}: {reason}"));
                continue;
            }
            let release = self.release(name, service, verdicts).await?;
            let event = PipelineEvent::ReleaseMade {
                run: self.run,
                service: name.clone(),
                release: release.release.clone(),
                commit: self.revision.label(),
            };
            self.tell(event, true).await?;
            made.push(release);
        }
        Ok((made, unmade))
    }

    /// What keeps a release from being made.
    fn obstacle(&self, service: &Service, verdicts: &[Verdict]) -> Option<String> {
        let failed = |need: &&String| !self.done.get(*need).is_some_and(JobReport::passed);
        if let Some(need) = service.needs.iter().find(failed) {
            return Some(format!("job {need} did not pass"));
        }
        for (name, gate) in self
            .definition
            .gates
            .iter()
            .filter(|(_, gate)| gate.required)
        {
            match verdicts.iter().find(|v| v.gate == *name) {
                Some(verdict) if verdict.blocks() => {
                    return Some(format!("gate {name} is {}", verdict.outcome));
                }
                Some(_) => {}
                None => {
                    let jobs: Vec<&str> = self
                        .definition
                        .report_of_gate(gate)
                        .map(|(_, spec)| spec.job.as_str())
                        .collect();
                    return Some(format!(
                        "gate {name} was not asked, because {} was not part of this run",
                        jobs.join(" and ")
                    ));
                }
            }
        }
        None
    }

    async fn release(
        &self,
        name: &ServiceName,
        service: &Service,
        verdicts: &[Verdict],
    ) -> Result<Made, RunError> {
        let closure = self.closure(&service.needs);
        let parts: BTreeMap<&String, &Parts> = self
            .parts
            .iter()
            .filter(|(job, _)| closure.contains(*job))
            .collect();
        let jobs = closure.iter().filter_map(|job| self.done.get(job));
        let jobs = jobs
            .map(|done| ProvenJob {
                job: done.name.clone(),
                key: done.key.clone(),
                fresh: done.result == JobResult::Passed,
            })
            .collect();
        let inputs = parts
            .into_iter()
            .map(|(job, parts)| (job.clone(), parts.inputs_digest()))
            .collect();
        let (service_, name_, run) = (service.clone(), name.clone(), self.run);
        let (root, releases) = (self.definition.root.clone(), self.ground.releases.clone());
        let (revision, verdicts) = (self.revision.clone(), verdicts.to_vec());
        let toolchain = self.keying.fingerprints.said.clone();
        let made_at = self.ground.clock.now();
        let work = tokio::task::spawn_blocking(move || {
            release::make(&releases, &root, &name_, &service_, |release| Provenance {
                release,
                service: name_.clone(),
                commit: revision.commit,
                dirty: revision.dirty,
                authors: revision.authors,
                toolchain,
                inputs,
                jobs,
                run,
                made_at,
                verdicts,
            })
        });
        let made = work.await.map_err(std::io::Error::other);
        made.and_then(|made| made)
            .map_err(file_error(&self.ground.releases))
    }
}
