//! What a gate can answer. Only `met` and an unexpired `waived` let anything pass;
//! a gate that could not look is never green.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The five answers of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Looked, and every condition holds.
    Met,
    /// Looked, and a condition does not hold.
    NotMet,
    /// A condition does not hold, and an unexpired waiver covers it.
    Waived,
    /// Could not look: a report cannot be read, or does not say what was asked.
    Error,
    /// Nothing to go by: the report is missing, too old or about too little, or the job that
    /// makes it was not run to its end.
    NotEvaluated,
}

impl Outcome {
    /// Whether a release may pass.
    pub fn passes(self) -> bool {
        matches!(self, Self::Met | Self::Waived)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::NotMet => "not-met",
            Self::Waived => "waived",
            Self::Error => "error",
            Self::NotEvaluated => "not-evaluated",
        })
    }
}
