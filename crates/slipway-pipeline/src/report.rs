//! What a job says about itself, as numbers. A reader fails rather than guess; what a
//! report does not say is absent, never zero.

mod cargo_test;
mod junit;
mod lcov;

use std::collections::BTreeMap;

use crate::definition::Format;

/// The numbers of one report.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Numbers {
    /// How much was examined: tests that ran, or lines.
    pub(crate) population: u64,
    metrics: BTreeMap<&'static str, f64>,
    /// The first things that went wrong, by name.
    pub(crate) failures: Vec<String>,
}

/// Why a report cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

impl Numbers {
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }
}

/// Names shown in a finding; the report has all of them.
const FAILURES_NAMED: usize = 5;

/// What tests did, of every runner.
#[derive(Debug, Default)]
struct Tests {
    passed: u64,
    failed: u64,
    skipped: u64,
    failures: Vec<String>,
}

impl Tests {
    fn fail(&mut self, name: &str) {
        if self.failures.len() < FAILURES_NAMED {
            self.failures.push(name.to_owned());
        }
    }

    fn numbers(self) -> Numbers {
        let ran = self.passed.saturating_add(self.failed);
        let metrics = [
            ("passed", self.passed),
            ("failed", self.failed),
            ("skipped", self.skipped),
            ("total", ran.saturating_add(self.skipped)),
        ];
        Numbers {
            population: ran,
            metrics: metrics
                .into_iter()
                .map(|(name, count)| (name, as_number(count)))
                .collect(),
            failures: self.failures,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no report counts beyond 2^52")]
fn as_number(count: u64) -> f64 {
    count as f64
}

/// Reads a report.
pub(crate) fn read(format: Format, content: &[u8]) -> Result<Numbers, Unreadable> {
    let text = std::str::from_utf8(content);
    match format {
        Format::Junit => junit::read(text.map_err(|_| not_text())?),
        Format::Lcov => lcov::read(text.map_err(|_| not_text())?),
        // A log is whatever was printed; the lines that count are plain.
        Format::CargoTest => cargo_test::read(&String::from_utf8_lossy(content)),
    }
}

fn not_text() -> Unreadable {
    Unreadable("it is not text".to_owned())
}
