//! The answer of a gate, as a pure function of the evidence. No evidence, too little and old
//! evidence are never green; a waiver helps against a condition, never against blindness.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_journal::Outcome;

use crate::condition::Condition;
use crate::definition::{Definition, Gate, ReportSpec};
use crate::report::{self, Numbers};
use crate::waiver::Waiver;

/// What a run has of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The job did not come to an end; says how it ended.
    NotRun(String),
    /// The job left no such file.
    Missing,
    /// The file is older than the start of the job that should have written it.
    Stale,
    /// What the job wrote.
    Content(Vec<u8>),
}

/// A gate's answer, with what was measured against what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The gate.
    pub gate: String,
    /// Whether no release is made without it.
    pub required: bool,
    /// The answer.
    pub outcome: Outcome,
    /// A line per condition, or why there is no answer.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether this verdict keeps a release from being made.
    pub fn blocks(&self) -> bool {
        self.required && !self.outcome.passes()
    }
}

/// Why a report answers nothing.
type Blind = (Outcome, String);

/// Judges one gate.
pub(crate) fn judge(
    definition: &Definition,
    name: &str,
    gate: &Gate,
    evidence: &BTreeMap<String, Evidence>,
    waivers: &[Waiver],
    now: Timestamp,
) -> Verdict {
    let mut numbers = BTreeMap::new();
    let mut blind: Vec<Blind> = Vec::new();
    for (report, spec) in definition.report_of_gate(gate) {
        match look(report, spec, evidence.get(report)) {
            Ok(found) => {
                numbers.insert(report, found);
            }
            Err(reason) => blind.push(reason),
        }
    }
    let verdict = |outcome, findings| Verdict {
        gate: name.to_owned(),
        required: gate.required,
        outcome,
        findings,
    };
    if let Some(outcome) = blind
        .iter()
        .map(|(outcome, _)| *outcome)
        .max_by_key(|outcome| severity(*outcome))
    {
        return verdict(outcome, blind.into_iter().map(|(_, words)| words).collect());
    }
    let valid: Vec<&Waiver> = waivers.iter().filter(|w| w.gate == name).collect();
    let answers: Vec<(Outcome, String)> = gate
        .conditions
        .iter()
        .map(|condition| {
            answer(
                condition,
                numbers.get(condition.report.as_str()),
                &valid,
                now,
            )
        })
        .collect();
    let outcome = answers
        .iter()
        .map(|(outcome, _)| *outcome)
        .max_by_key(|outcome| severity(*outcome));
    let findings = answers.into_iter().map(|(_, words)| words).collect();
    verdict(outcome.unwrap_or(Outcome::NotEvaluated), findings)
}

/// Which of several answers is the gate's.
fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Met => 0,
        Outcome::Waived => 1,
        Outcome::NotMet => 2,
        Outcome::NotEvaluated => 3,
        Outcome::Error => 4,
    }
}

/// The numbers of a report, or why there are none that count.
fn look(name: &str, spec: &ReportSpec, evidence: Option<&Evidence>) -> Result<Numbers, Blind> {
    let unseen = |words: String| Err((Outcome::NotEvaluated, words));
    let content = match evidence {
        None => return unseen(format!("{name}: job {} was not part of this run", spec.job)),
        Some(Evidence::NotRun(how)) => {
            return unseen(format!("{name}: job {} {how}", spec.job));
        }
        Some(Evidence::Missing) => {
            let path = spec.path.as_deref().unwrap_or("its log");
            return unseen(format!("{name}: job {} did not write {path}", spec.job));
        }
        Some(Evidence::Stale) => {
            return unseen(format!(
                "{name}: the report is older than the run of job {}",
                spec.job
            ));
        }
        Some(Evidence::Content(content)) => content,
    };
    let numbers = report::read(spec.format, content)
        .map_err(|error| (Outcome::Error, format!("{name}: cannot be read: {error}")))?;
    if numbers.population < spec.least {
        return unseen(format!(
            "{name}: {} {}, at least {} are needed for an answer",
            numbers.population,
            spec.format.population(),
            spec.least
        ));
    }
    Ok(numbers)
}

fn answer(
    condition: &Condition,
    numbers: Option<&Numbers>,
    waivers: &[&Waiver],
    now: Timestamp,
) -> (Outcome, String) {
    let Some(numbers) = numbers else {
        return (
            Outcome::Error,
            format!("{condition}: there is no such report"),
        );
    };
    let Some(value) = numbers.metric(&condition.metric) else {
        let words = format!("{condition}: the report does not say");
        return (Outcome::Error, words);
    };
    let unit = if condition.is_percentage { " %" } else { "" };
    let shown = if condition.is_percentage {
        // Cut, not rounded: 89.99 is not 90.
        format!("{:.2}", (value * 100.0).floor() / 100.0)
    } else {
        value.to_string()
    };
    let words = format!("{condition}: {shown}{unit}");
    if condition.holds(value) {
        return (Outcome::Met, words);
    }
    let failures = match numbers.failures.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    let text = condition.to_string();
    let covering: Vec<&&Waiver> = waivers.iter().filter(|w| w.condition == text).collect();
    if let Some(waiver) = covering.iter().find(|w| w.is_valid_at(now)) {
        let words = format!(
            "{words}{failures}; waived until {} by {}: {}",
            waiver.expires, waiver.approver, waiver.reason
        );
        return (Outcome::Waived, words);
    }
    let useless = covering.first().map_or(String::new(), |waiver| {
        let (verb, day) = if waiver.has_begun_at(now) {
            ("ended", waiver.expires)
        } else {
            ("begins", waiver.created)
        };
        format!("; the waiver of {} {verb} on {day}", waiver.author)
    });
    (Outcome::NotMet, format!("{words}{failures}{useless}"))
}
