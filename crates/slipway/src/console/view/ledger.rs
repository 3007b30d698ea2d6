//! Entries of the journal in words, and the search through them. Pure.

use serde::Deserialize;
use slipway_journal::event::control::ControlEvent;
use slipway_journal::event::pipeline::{JobResult, PipelineEvent};
use slipway_journal::event::rollout::RolloutEvent;
use slipway_journal::{Entry, Event};

use crate::console::words::{Clockface, When, capital, short, span};
use crate::lock;
use crate::reading::{
    actor_name, approval_words, share_name, state_name, state_reason, steering_words, step_name,
    trigger_name, verdict_words,
};

/// What is looked for; an empty field is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    pub(crate) area: String,
    pub(crate) kind: String,
    pub(crate) rollout: String,
    /// Only entries before this one.
    pub(crate) before: Option<i64>,
    /// `yes` to check the whole chain as well.
    pub(crate) check: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryWords {
    pub(crate) seq: i64,
    pub(crate) when: When,
    pub(crate) actor: String,
    pub(crate) area: String,
    pub(crate) kind: String,
    pub(crate) words: String,
    pub(crate) rollout: Option<String>,
    pub(crate) json: String,
    pub(crate) hash: String,
}

impl Search {
    /// Whether an entry is what is looked for.
    pub(crate) fn finds(&self, entry: &EntryWords) -> bool {
        let wanted = |field: &str, value: &str| {
            let field = field.trim();
            field.is_empty() || value.contains(&field.to_lowercase())
        };
        wanted(&self.area, &entry.area)
            && wanted(&self.kind, &entry.kind)
            && wanted(&self.rollout, entry.rollout.as_deref().unwrap_or_default())
    }
}

/// `entry` in words.
pub(crate) fn entry_words(entry: &Entry, face: &Clockface) -> EntryWords {
    let json = serde_json::to_value(&entry.event).unwrap_or_default();
    let field = |name: &str| json.get(name).and_then(|v| v.as_str()).unwrap_or("unknown");
    EntryWords {
        seq: entry.seq.0,
        when: face.when(entry.at),
        actor: actor_name(&entry.actor).to_owned(),
        area: field("area").to_owned(),
        kind: field("kind").to_owned(),
        words: words(&entry.event),
        rollout: match &entry.event {
            Event::Rollout(event) => Some(rollout_of(event)),
            _ => None,
        },
        json: serde_json::to_string_pretty(&json).unwrap_or_default(),
        hash: entry.hash.clone(),
    }
}

fn words(event: &Event) -> String {
    match event {
        Event::Pipeline(event) => pipeline(event),
        Event::Rollout(event) => rollout(event),
        Event::Control(event) => control(event),
        Event::Unknown(_) => "Written by a newer version of Slipway".into(),
    }
}

fn pipeline(event: &PipelineEvent) -> String {
    match event {
        PipelineEvent::RunStarted { run, jobs, .. } => {
            format!("Run {} starts, {} jobs", short(run), jobs.len())
        }
        PipelineEvent::JobFinished {
            job,
            result,
            took_ms,
            ..
        } => format!(
            "{job}: {}, {}",
            job_result(result),
            span(std::time::Duration::from_millis(*took_ms))
        ),
        PipelineEvent::GateEvaluated { gate, outcome, .. } => format!("Gate {gate}: {outcome}"),
        PipelineEvent::ReleaseMade {
            service, release, ..
        } => format!("Release {} of {service} made", release.short()),
        PipelineEvent::RunFinished {
            run,
            passed,
            took_ms,
            ..
        } => format!(
            "Run {} {}, {}",
            short(run),
            if *passed { "passed" } else { "failed" },
            span(std::time::Duration::from_millis(*took_ms))
        ),
    }
}

fn job_result(result: &JobResult) -> String {
    match result {
        JobResult::Passed => "passed".into(),
        JobResult::Cached => "from the cache".into(),
        JobResult::Failed { code } => format!("failed with code {code}"),
        JobResult::Signalled { signal } => format!("ended by signal {signal}"),
        JobResult::TimedOut => "out of time".into(),
        JobResult::Cancelled => "cancelled".into(),
        JobResult::Skipped { because } => format!("skipped because of {because}"),
        JobResult::NotStarted { reason } => format!("not started: {reason}"),
    }
}

fn rollout(event: &RolloutEvent) -> String {
    match event {
        RolloutEvent::Requested {
            service, release, ..
        } => format!("Asked for release {} of {service}", release.short()),
        RolloutEvent::Entered { state, .. } => match state_reason(state) {
            Some(reason) => format!("Now {}: {reason}", state_name(state)),
            None => format!("Now {}", state_name(state)),
        },
        RolloutEvent::Intent { step, .. } => format!("About to {}", step_name(step)),
        RolloutEvent::Done { step, observed, .. } if observed.is_empty() => {
            format!("Done: {}", step_name(step))
        }
        RolloutEvent::Done { step, observed, .. } => {
            format!("Done: {}. {observed}", step_name(step))
        }
        RolloutEvent::InstanceStarted {
            instance,
            pid,
            address,
            ..
        } => format!("Instance {} is process {pid} at {address}", short(instance)),
        RolloutEvent::InstanceExited {
            instance,
            how,
            expected,
            ..
        } => format!(
            "Instance {} ended{}: {how}",
            short(instance),
            if *expected {
                ", as asked"
            } else {
                " by itself"
            }
        ),
        RolloutEvent::TriggerFired {
            trigger, evidence, ..
        } => format!("Trigger {}: {evidence}", trigger_name(*trigger)),
        RolloutEvent::Judged {
            weight, judgement, ..
        } => format!(
            "The judge at {}: {}",
            share_name(*weight),
            verdict_words(&judgement.verdict)
        ),
        RolloutEvent::Steered { order, reason, .. } => {
            format!("{}: {reason}", capital(steering_words(*order)))
        }
        RolloutEvent::Quarantined {
            release, reason, ..
        } => format!("Release {} quarantined: {reason}", release.short()),
        RolloutEvent::QuarantineLifted {
            release, reason, ..
        } => format!("Release {} may come again: {reason}", release.short()),
        RolloutEvent::ApprovalAsked { .. }
        | RolloutEvent::Approved { .. }
        | RolloutEvent::Declined { .. } => capital(&approval_words(event)),
        RolloutEvent::ReceiptIssued { receipt } => {
            format!("Receipt issued, {}", state_name(&receipt.end))
        }
    }
}

fn rollout_of(event: &RolloutEvent) -> String {
    match event {
        RolloutEvent::ReceiptIssued { receipt } => receipt.rollout,
        RolloutEvent::Requested { rollout, .. }
        | RolloutEvent::Entered { rollout, .. }
        | RolloutEvent::Intent { rollout, .. }
        | RolloutEvent::Done { rollout, .. }
        | RolloutEvent::InstanceStarted { rollout, .. }
        | RolloutEvent::InstanceExited { rollout, .. }
        | RolloutEvent::Judged { rollout, .. }
        | RolloutEvent::Steered { rollout, .. }
        | RolloutEvent::TriggerFired { rollout, .. }
        | RolloutEvent::ApprovalAsked { rollout, .. }
        | RolloutEvent::Approved { rollout, .. }
        | RolloutEvent::Declined { rollout, .. }
        | RolloutEvent::QuarantineLifted { rollout, .. }
        | RolloutEvent::Quarantined { rollout, .. } => *rollout,
    }
    .to_string()
}

fn control(event: &ControlEvent) -> String {
    match event {
        ControlEvent::Started {
            version, recovered, ..
        } => match recovered {
            0 => format!("Control {version} started"),
            1 => format!("Control {version} started and took up 1 unfinished rollout"),
            n => format!("Control {version} started and took up {n} unfinished rollouts"),
        },
        ControlEvent::CertificateSigned { names, not_after } => {
            format!(
                "A certificate for {} is good until {not_after}",
                names.join(", ")
            )
        }
        ControlEvent::CertificateRefused { names, reason } => {
            format!("No certificate for {}: {reason}", names.join(", "))
        }
        ControlEvent::Locked {
            service, reason, ..
        } => capital(&format!(
            "{} are locked: {reason}",
            lock::scope(service.as_ref())
        )),
        ControlEvent::Unlocked { service } => {
            capital(&format!("{} go again", lock::scope(service.as_ref())))
        }
        ControlEvent::Stopped { reason } => format!("Control stopped: {reason}"),
        ControlEvent::SignInLinkGiven => "A link to sign in here was given".to_owned(),
        ControlEvent::ProgramRun {
            service,
            release,
            program,
        } => format!("Ran {program} of release {} of {service}", release.short()),
        ControlEvent::AccessoryStarted { name, pid } => format!("{name} runs as process {pid}"),
        ControlEvent::AccessoryExited { name, how } => format!("{name} ended: {how}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    fn all() -> Vec<EntryWords> {
        let face = sample::face();
        sample::entries()
            .iter()
            .map(|e| entry_words(e, &face))
            .collect()
    }

    fn found(search: &Search) -> usize {
        all().iter().filter(|e| search.finds(e)).count()
    }

    #[test]
    fn entries_say_what_happened() {
        let words: Vec<String> = all().into_iter().map(|e| e.words).collect();
        for wanted in [
            "Gate coverage: met",
            "Asked for release aaaaaaaaaaaa of booking",
            "Now live",
            "Trigger error burst: 64 of 118 answers failed within 5 s, 31 clients",
        ] {
            assert!(words.iter().any(|w| w == wanted), "{wanted} in {words:#?}");
        }
    }

    #[test]
    fn fields_of_a_search_narrow_it_down() {
        let all = all().len();
        assert_eq!(found(&Search::default()), all);
        let area = Search {
            area: "rollout".into(),
            ..Search::default()
        };
        assert!(found(&area) < all);
        let both = Search {
            kind: " Trigger ".into(),
            ..area.clone()
        };
        assert_eq!(found(&both), 1);
        let one = Search {
            rollout: sample::rollout_id(2).to_string(),
            ..Search::default()
        };
        assert!(found(&one) > 1 && found(&one) < found(&area));
    }
}
