//! What the gates said of each release: a pure fold over the journal, beside the one
//! of rollouts. A run that made no release is forgotten when it ends.

use std::collections::BTreeMap;

use slipway_journal::event::PipelineEvent;
use slipway_journal::{Entry, Event, Outcome, ReleaseId, RunId};

/// What the gates said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts {
    runs: BTreeMap<RunId, Vec<Verdict>>,
    made_by: BTreeMap<ReleaseId, RunId>,
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) gate: String,
    pub(crate) outcome: Outcome,
    pub(crate) findings: Vec<String>,
}

impl Verdicts {
    /// Takes one more entry into account.
    pub(crate) fn take(&mut self, entry: &Entry) {
        let Event::Pipeline(event) = &entry.event else {
            return;
        };
        match event {
            PipelineEvent::GateEvaluated {
                run,
                gate,
                outcome,
                findings,
                ..
            } => {
                let verdicts = self.runs.entry(*run).or_default();
                verdicts.retain(|v| v.gate != *gate);
                verdicts.push(Verdict {
                    gate: gate.clone(),
                    outcome: *outcome,
                    findings: findings.clone(),
                });
            }
            PipelineEvent::ReleaseMade { run, release, .. } => {
                self.made_by.insert(release.clone(), *run);
            }
            PipelineEvent::RunFinished { run, .. }
                if !self.made_by.values().any(|made| made == run) =>
            {
                self.runs.remove(run);
            }
            _ => {}
        }
    }

    /// What the gates said of `release`, in the order in which they spoke.
    pub(crate) fn of(&self, release: &ReleaseId) -> &[Verdict] {
        self.made_by
            .get(release)
            .and_then(|run| self.runs.get(run))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use slipway_journal::{Actor, Seq};
    use uuid::Uuid;

    fn entry(event: PipelineEvent) -> Entry {
        Entry {
            seq: Seq(1),
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::System("pipeline".into()),
            event: Event::Pipeline(event),
            hash: String::new(),
        }
    }

    fn gate(run: RunId, outcome: Outcome) -> Entry {
        entry(PipelineEvent::GateEvaluated {
            run,
            gate: "tests".into(),
            outcome,
            findings: Vec::new(),
        })
    }

    fn finished(run: RunId) -> Entry {
        entry(PipelineEvent::RunFinished {
            run,
            passed: true,
            took_ms: 1,
        })
    }

    #[test]
    fn a_release_has_the_last_word_of_each_gate_of_its_run() {
        let (run, other) = (RunId(Uuid::from_u128(1)), RunId(Uuid::from_u128(2)));
        let release: ReleaseId = "a".repeat(64).parse().unwrap();
        let mut verdicts = Verdicts::default();
        let made = entry(PipelineEvent::ReleaseMade {
            run,
            service: "booking".parse().unwrap(),
            release: release.clone(),
            commit: "c0ffee".into(),
        });
        for entry in [
            gate(run, Outcome::Error),
            gate(run, Outcome::Met),
            gate(other, Outcome::NotMet),
            made,
            finished(run),
            finished(other),
        ] {
            verdicts.take(&entry);
        }
        let outcomes: Vec<Outcome> = verdicts.of(&release).iter().map(|v| v.outcome).collect();
        assert_eq!(outcomes, [Outcome::Met]);
        assert_eq!(verdicts.runs.len(), 1);
    }
}
