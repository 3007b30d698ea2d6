//! What the pages show, as plain words and figures: pure functions from the picture to
//! structs without a decision left in them. Templates only lay them out.

pub(crate) mod barriers;
pub(crate) mod chart;
pub(crate) mod history;
pub(crate) mod judge;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod overview;
pub(crate) mod receipt;
pub(crate) mod rollout;
pub(crate) mod service;
pub(crate) mod stepper;
pub(crate) mod timeline;

use slipway_journal::event::rollout::RolloutState;
use slipway_journal::{Outcome, ReleaseId};

/// How something is going; a colour on the page, always beside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Busy,
    Warn,
    Bad,
    Calm,
}

impl Mood {
    /// The mood of a rollout's state.
    pub(crate) fn of(state: &RolloutState) -> Self {
        match state {
            RolloutState::Live
            | RolloutState::Baking
            | RolloutState::Retired
            | RolloutState::Done => Self::Good,
            RolloutState::Failed { .. }
            | RolloutState::Halted { .. }
            | RolloutState::RolledBack { .. } => Self::Bad,
            RolloutState::Holding { .. } => Self::Warn,
            RolloutState::Cancelled { .. } | RolloutState::Superseded { .. } => Self::Calm,
            _ => Self::Busy,
        }
    }

    /// The mood of a gate's answer.
    pub(crate) fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Met => Self::Good,
            Outcome::Waived => Self::Warn,
            Outcome::NotMet | Outcome::Error => Self::Bad,
            Outcome::NotEvaluated => Self::Calm,
        }
    }

    /// The end of a class name.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Calm => "calm",
        }
    }
}

/// A release by its short id, with all of it for who needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseWords {
    pub(crate) short: String,
    pub(crate) full: String,
    pub(crate) commit: Option<String>,
}

impl ReleaseWords {
    pub(crate) fn of(release: &ReleaseId, reading: &crate::reading::Reading) -> Self {
        let commit = reading
            .releases
            .iter()
            .rev()
            .find(|r| r.release == *release)
            .map(|r| short_commit(&r.commit));
        Self {
            short: release.short().to_owned(),
            full: release.as_str().to_owned(),
            commit,
        }
    }
}

/// Ten digits of a commit, and whether the tree had changes; of what is no commit, its words.
pub(crate) fn short_commit(commit: &str) -> String {
    let (hash, mark) = match commit.strip_suffix("-dirty") {
        Some(hash) => (hash, " with changes"),
        None => (commit, ""),
    };
    let is_hash = hash.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = if is_hash { 10 } else { usize::MAX };
    let short: String = hash.chars().take(digits).collect();
    format!("{short}{mark}")
}

pub(crate) mod sample;
