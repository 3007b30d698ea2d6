//! The end of a run for a person: why it failed with the last lines of the log, what the
//! gates said, the releases, where the time went, and what to do next.

use slipway_journal::Outcome;
use slipway_pipeline::{JobReport, Report, Verdict};

use crate::cli::context::Context;
use crate::terminal::{self, BAD, BOLD, DIM, GOOD, LIVE, WARN, paint};

use super::board::words;

const COLUMNS: usize = 80;

/// Prints the account of a run on standard error, where its progress went.
pub(super) fn print(report: &Report) {
    for job in &report.jobs {
        notes(job);
    }
    for job in report.jobs.iter().filter(|job| !job.tail.is_empty()) {
        failure(job);
    }
    if !report.gates.is_empty() {
        terminal::note(paint(BOLD, "gates"));
    }
    for verdict in &report.gates {
        gate(verdict);
    }
    for made in &report.releases {
        let existed = if made.existed { ", as before" } else { "" };
        terminal::note(format!(
            "{} {} {}{existed}",
            paint(BOLD, "release"),
            made.service,
            paint(LIVE, made.release.short())
        ));
    }
    for reason in &report.unmade {
        terminal::note(terminal::wrapped(reason, COLUMNS - 2, "  "));
    }
    time(report);
}

/// Says what a person may want to do after a run that nothing follows.
pub(crate) fn say_next(report: &Report, context: &Context) {
    if let Some(next) = next(report, context) {
        terminal::note(format!("  {} {next}", paint(DIM, "next")));
    }
}

/// What else there is to know of a job.
fn notes(job: &JobReport) {
    for note in &job.notes {
        terminal::note(format!("  {} {}: {note}", paint(WARN, "!"), job.name));
    }
    if let slipway_journal::event::pipeline::JobResult::NotStarted { reason } = &job.result {
        terminal::note(format!("  {} {}: {reason}", paint(BAD, "✗"), job.name));
    }
}

fn failure(job: &JobReport) {
    let head = format!("{} {}", job.name, words(&job.result));
    terminal::note(format!("\n{}", paint(BAD.bold(), head)));
    for line in &job.tail {
        terminal::note(format!("  {} {line}", paint(DIM, "│")));
    }
    if let Some(log) = &job.log {
        terminal::note(format!("  {} {}\n", paint(DIM, "whole log"), log.display()));
    }
}

fn gate(verdict: &Verdict) {
    let style = match verdict.outcome {
        Outcome::Met => GOOD,
        Outcome::Waived => WARN,
        _ if verdict.required => BAD,
        _ => WARN,
    };
    let mark = match verdict.outcome {
        Outcome::Met => "✓",
        Outcome::Waived => "~",
        _ => "✗",
    };
    let advisory = if verdict.required { "" } else { " (advisory)" };
    terminal::note(format!(
        "  {} {} {}{advisory}",
        paint(style, mark),
        verdict.gate,
        paint(style, verdict.outcome)
    ));
    for finding in &verdict.findings {
        let text = terminal::wrapped(finding, COLUMNS - 6, "      ");
        terminal::note(format!("      {}", paint(DIM, text)));
    }
}

fn time(report: &Report) {
    let path: Vec<String> = report
        .critical_path
        .iter()
        .filter(|leg| !leg.took.is_zero())
        .map(|leg| format!("{} {}", leg.job, terminal::span(leg.took)))
        .collect();
    let (style, word) = if report.passed {
        (GOOD, "passed")
    } else if report.cancelled {
        (WARN, "stopped")
    } else {
        (BAD, "failed")
    };
    let longest = match path.as_slice() {
        [] => String::new(),
        steps => format!("; longest way: {}", steps.join(" → ")),
    };
    let text = format!("in {}{longest}", terminal::span(report.took));
    terminal::note(format!(
        "{} {}",
        paint(style.bold(), word),
        terminal::wrapped(&text, COLUMNS - 8, "  ")
    ));
}

fn next(report: &Report, context: &Context) -> Option<String> {
    if report.cancelled {
        return Some("slipway run    goes on from what has passed".to_owned());
    }
    if let Some(made) = report.releases.first() {
        let short: String = made.release.as_str().chars().take(8).collect();
        return Some(if context.running().is_ok() {
            format!("slipway deploy {short}")
        } else {
            format!("slipway up, then slipway deploy {short}")
        });
    }
    let failed = report.jobs.iter().find(|job| !job.tail.is_empty())?;
    Some(format!("slipway run {} --verbose", failed.name))
}
