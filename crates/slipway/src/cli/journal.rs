//! `slipway journal`: verify the chain, show the entries. Reads the file only, so it
//! works while control writes and while nothing runs.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use slipway_journal::event::ControlEvent;
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::rollout::RolloutEvent;
use slipway_journal::{Entry, Event, Verification};

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::lock;
use crate::reading::{
    actor_name, approval_words, share_name, state_name, state_reason, steering_words, step_name,
    trigger_name, verdict_words,
};
use crate::terminal::{self, BAD, DIM, GOOD, paint};

const COLUMNS: usize = 80;

/// Verify or show the record of everything that happened
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway journal verify
  slipway journal show --last 20
  slipway journal show --json | jq .event")]
pub(crate) struct Journal {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check the whole chain; name the first broken entry
    Verify {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print entries, oldest first
    Show {
        /// Only the last N entries
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: usize,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
}

impl Journal {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.what {
            What::Verify { json } => verify(context, json),
            What::Show { last, json } => show(context, last, json),
        }
    }
}

fn verify(context: &Context, json: bool) -> anyhow::Result<Exit> {
    let path = context.state.journal();
    if !path.exists() {
        return Err(
            Failure::usage(format!("there is no journal at {}", path.display()))
                .hint("`slipway up` starts one; --state DIR names another folder")
                .into(),
        );
    }
    let found = context.wait(async {
        let found = slipway_journal::verify_file(&path).await;
        found.with_context(|| format!("reading {}", path.display()))
    })?;
    if json {
        terminal::json(&found)?;
    }
    match found {
        Verification::Whole { entries, head } => {
            if !json {
                let head: String = head.chars().take(16).collect();
                let count = terminal::number(u64::try_from(entries).unwrap_or(0));
                terminal::line(format!(
                    "{} {count} entries, unbroken, head {head}",
                    paint(GOOD, "✓")
                ));
            }
            Ok(Exit::Success)
        }
        Verification::Broken { seq, reason } => {
            if !json {
                terminal::line(format!(
                    "{} entry {seq} is broken: {reason}",
                    paint(BAD, "✗")
                ));
                terminal::line(
                    "  everything before it is as it was written; keep the file as evidence",
                );
            }
            Ok(Exit::Failed)
        }
    }
}

fn show(context: &Context, last: usize, json: bool) -> anyhow::Result<Exit> {
    let entries = context.wait(context.entries())?;
    let skipped = entries.len().saturating_sub(last);
    for entry in entries.iter().skip(skipped) {
        if json {
            terminal::line(serde_json::to_string(entry)?);
        } else {
            terminal::line(shown(entry));
        }
    }
    Ok(Exit::Success)
}

/// One entry as a person reads it, in lines that fit into a terminal.
fn shown(entry: &Entry) -> String {
    let at = entry.at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let actor = terminal::plain(actor_name(&entry.actor));
    let words = words(entry);
    let (indent, words) = match words.strip_prefix("  ") {
        Some(words) => ("  ", words),
        None => ("", words.as_str()),
    };
    let before = 7 + at.len() + 1 + actor.chars().count() + 1 + indent.len();
    let columns = COLUMNS.saturating_sub(before).max(COLUMNS / 2);
    let words = terminal::wrapped(words, columns, &" ".repeat(before));
    format!(
        "{:>6} {} {} {indent}{words}",
        entry.seq.0,
        paint(DIM, at),
        paint(DIM, actor),
    )
}

/// One entry in words.
fn words(entry: &Entry) -> String {
    match &entry.event {
        Event::Rollout(event) => rollout_words(event),
        Event::Pipeline(event) => pipeline_words(event),
        Event::Control(event) => control_words(event),
        Event::Unknown(_) => "written by a later version of Slipway; --json shows it".to_owned(),
    }
}

fn rollout_words(event: &RolloutEvent) -> String {
    match event {
        RolloutEvent::Requested {
            service,
            environment,
            release,
            slot,
            ..
        } => {
            format!(
                "{service} {} asked for in {environment}, slot {slot}",
                release.short()
            )
        }
        RolloutEvent::Entered { state, .. } => match state_reason(state) {
            Some(reason) => format!("{}: {reason}", state_name(state)),
            None => state_name(state),
        },
        RolloutEvent::Intent { step, .. } => format!("  will {}", step_name(step)),
        RolloutEvent::Done { step, observed, .. } => {
            format!("  did {}: {observed}", step_name(step))
        }
        RolloutEvent::InstanceStarted { pid, address, .. } => {
            format!("  instance runs as process {pid} on {address}")
        }
        RolloutEvent::InstanceExited { how, expected, .. } => {
            format!(
                "  instance ended, {}: {how}",
                if *expected { "as asked" } else { "by itself" }
            )
        }
        RolloutEvent::TriggerFired {
            trigger, evidence, ..
        } => {
            format!("trigger {}: {evidence}", trigger_name(*trigger))
        }
        RolloutEvent::Judged {
            weight, judgement, ..
        } => format!(
            "judge at {}: {}",
            share_name(*weight),
            verdict_words(&judgement.verdict)
        ),
        RolloutEvent::Steered { order, reason, .. } => {
            format!("{}: {reason}", steering_words(*order))
        }
        RolloutEvent::Quarantined {
            release, reason, ..
        } => {
            format!("{} quarantined: {reason}", release.short())
        }
        RolloutEvent::QuarantineLifted {
            release, reason, ..
        } => format!("{} may come again: {reason}", release.short()),
        RolloutEvent::ApprovalAsked { .. }
        | RolloutEvent::Approved { .. }
        | RolloutEvent::Declined { .. } => approval_words(event),
        RolloutEvent::ReceiptIssued { receipt } => {
            let (served, failed) = (receipt.served(), receipt.failed());
            format!(
                "receipt: {} served, {failed} failed",
                terminal::number(served)
            )
        }
    }
}

fn pipeline_words(event: &PipelineEvent) -> String {
    match event {
        PipelineEvent::RunStarted { commit, jobs, .. } => format!(
            "pipeline: {} jobs on {}",
            jobs.len(),
            commit.chars().take(12).collect::<String>()
        ),
        PipelineEvent::JobFinished {
            job,
            result,
            took_ms,
            ..
        } => {
            format!(
                "  job {job}: {} in {took_ms} ms",
                serde_json::to_value(result)
                    .ok()
                    .and_then(|v| v.get("how").and_then(|h| h.as_str().map(str::to_owned)))
                    .unwrap_or_default()
            )
        }
        PipelineEvent::GateEvaluated { gate, outcome, .. } => format!("  gate {gate}: {outcome}"),
        PipelineEvent::ReleaseMade {
            service, release, ..
        } => {
            format!("release {service} {}", release.short())
        }
        PipelineEvent::RunFinished {
            passed, took_ms, ..
        } => {
            format!(
                "pipeline {} in {took_ms} ms",
                if *passed { "passed" } else { "failed" }
            )
        }
    }
}

fn control_words(event: &ControlEvent) -> String {
    match event {
        ControlEvent::Started {
            version,
            pid,
            recovered,
        } => {
            format!(
                "control {version} started as process {pid}, {recovered} rollouts taken up again"
            )
        }
        ControlEvent::SignInLinkGiven => "given a link to the console".to_owned(),
        ControlEvent::ProgramRun {
            service,
            release,
            program,
        } => format!("{program} of {service} {} was run by hand", release.short()),
        ControlEvent::CertificateSigned { names, not_after } => {
            format!(
                "a certificate was signed for {}, until {not_after}",
                names.join(", ")
            )
        }
        ControlEvent::CertificateRefused { names, reason } => {
            format!(
                "no certificate was signed for {}: {reason}",
                names.join(", ")
            )
        }
        ControlEvent::Locked {
            service,
            reason,
            until,
        } => {
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            let scope = lock::scope(service.as_ref());
            format!("{scope} were locked{until}: {reason}")
        }
        ControlEvent::Unlocked { service } => {
            format!("{} were unlocked", lock::scope(service.as_ref()))
        }
        ControlEvent::Stopped { reason } => format!("control stopped: {reason}"),
        ControlEvent::AccessoryStarted { name, pid } => format!("{name} started as process {pid}"),
        ControlEvent::AccessoryExited { name, how } => format!("{name} ended by itself: {how}"),
    }
}
