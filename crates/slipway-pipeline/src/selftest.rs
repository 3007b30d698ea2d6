//! Whether gates can turn red at all. Each is given reports that it must refuse; a gate that
//! lets one pass, or a condition that none of them breaks, is worth nothing.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use serde::Serialize;
use slipway_journal::Outcome;

use crate::definition::{Definition, Gate};
use crate::judge::{Evidence, Verdict, judge};

/// What came of testing one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// The gate.
    pub gate: String,
    /// What was tried, and whether the gate answered as it must.
    pub trials: Vec<Trial>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// What the gate was given.
    pub given: String,
    /// What it must answer.
    pub wanted: Outcome,
    /// What it answered.
    pub outcome: Outcome,
    /// Whether that is right.
    pub holds: bool,
    /// What the gate said.
    pub findings: Vec<String>,
}

impl Tested {
    /// Whether the gate answered every time as it must.
    pub fn holds(&self) -> bool {
        !self.trials.is_empty() && self.trials.iter().all(|trial| trial.holds)
    }
}

/// Tests every gate of a definition. Blocking.
pub fn selftest(definition: &Definition, now: Timestamp) -> Vec<Tested> {
    let test = |(name, gate): (&String, &Gate)| Tested {
        gate: name.clone(),
        trials: trials(definition, name, gate, now),
    };
    definition.gates.iter().map(test).collect()
}

fn trials(definition: &Definition, name: &str, gate: &Gate, now: Timestamp) -> Vec<Trial> {
    // No waiver helps here: the question is what the gate sees.
    let ask =
        |evidence: &BTreeMap<String, Evidence>| judge(definition, name, gate, evidence, &[], now);
    let fixtures = evidence(definition, gate);
    let mut trials = vec![
        trial(
            "its known-bad fixture".into(),
            Outcome::NotMet,
            ask(&fixtures),
        ),
        trial(
            "no report at all".into(),
            Outcome::NotEvaluated,
            ask(&BTreeMap::new()),
        ),
    ];
    for (state, evidence) in [
        ("a report that was not written", Evidence::Missing),
        ("a report from before the job", Evidence::Stale),
    ] {
        let all = fixtures
            .keys()
            .map(|report| (report.clone(), evidence.clone()));
        trials.push(trial(
            state.into(),
            Outcome::NotEvaluated,
            ask(&all.collect()),
        ));
    }
    let garbage = || Evidence::Content(vec![0xff, b'<', 0, b'\n']);
    let all = fixtures.keys().map(|report| (report.clone(), garbage()));
    let verdict = ask(&all.collect());
    let wanted = if verdict.outcome == Outcome::Error {
        Outcome::Error
    } else {
        // A log is never unreadable, but holds no test.
        Outcome::NotEvaluated
    };
    trials.push(trial("bytes that are no report".into(), wanted, verdict));
    trials.extend(conditions(definition, name, gate, &fixtures, now));
    trials
}

/// Each condition alone must be broken by the fixture, or nothing shows that it works.
fn conditions(
    definition: &Definition,
    name: &str,
    gate: &Gate,
    fixtures: &BTreeMap<String, Evidence>,
    now: Timestamp,
) -> Vec<Trial> {
    let alone = |condition: &crate::Condition| {
        let gate = Gate {
            conditions: vec![condition.clone()],
            ..gate.clone()
        };
        let verdict = judge(definition, name, &gate, fixtures, &[], now);
        trial(
            format!("its fixture, asked only {condition}"),
            Outcome::NotMet,
            verdict,
        )
    };
    gate.conditions.iter().map(alone).collect()
}

fn trial(given: String, wanted: Outcome, verdict: Verdict) -> Trial {
    Trial {
        given,
        wanted,
        outcome: verdict.outcome,
        holds: verdict.outcome == wanted,
        findings: verdict.findings,
    }
}

/// The fixtures of a gate as if jobs had written them.
fn evidence(definition: &Definition, gate: &Gate) -> BTreeMap<String, Evidence> {
    gate.fixtures
        .iter()
        .map(|fixture| {
            let content = fs::read(definition.root.join(&fixture.path));
            let evidence = content.map_or(Evidence::Missing, Evidence::Content);
            (fixture.report.clone(), evidence)
        })
        .collect()
}
