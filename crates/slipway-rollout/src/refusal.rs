//! The ways in which the engine says no. Each says what to do next.

use std::fmt;

use slipway_journal::{Outcome, ReleaseId, RolloutId, ServiceName};

use crate::approval::NotTaken;
use crate::footing::Unfooted;

/// Why something that was asked for is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The environment has no such service.
    UnknownService {
        /// What was asked for.
        service: ServiceName,
        /// What there is.
        known: Vec<ServiceName>,
    },
    /// There is no such release.
    UnknownRelease {
        /// What was asked for.
        release: ReleaseId,
    },
    /// The release is of another service.
    OtherService {
        /// The release.
        release: ReleaseId,
        /// What it is a release of.
        is_of: ServiceName,
        /// What was asked for.
        asked: ServiceName,
    },
    /// What lies in the release's folder is not what its manifest says.
    ContentMismatch {
        /// The release.
        release: ReleaseId,
        /// The first difference, in words.
        what: String,
    },
    /// A gate does not let the release pass.
    GateNotPassing {
        /// The release.
        release: ReleaseId,
        /// The gate.
        gate: String,
        /// What it says.
        outcome: Outcome,
    },
    /// Nobody recorded what the gates said.
    NoVerdicts {
        /// The release.
        release: ReleaseId,
        /// What is missing, in words.
        what: String,
    },
    /// The release was taken back before.
    Quarantined {
        /// The release.
        release: ReleaseId,
        /// Why.
        reason: String,
    },
    /// A service that it stands on is not there, or changes.
    Unfooted(Unfooted),
    /// The release is what visitors reach already.
    AlreadyLive {
        /// The release.
        release: ReleaseId,
    },
    /// The same release is on its way already.
    AlreadyUnderWay {
        /// The rollout that brings it.
        rollout: RolloutId,
    },
    /// There is nothing that could get the traffic.
    NothingToRollBackTo {
        /// Why.
        why: String,
    },
    /// Nothing keeps the release from coming again.
    NotQuarantined {
        /// The release.
        release: ReleaseId,
    },
    /// Somebody's yes or no is not taken.
    NotTaken(NotTaken),
    /// There is no such rollout.
    UnknownRollout {
        /// What was asked for.
        rollout: RolloutId,
    },
    /// The rollout is over.
    AlreadyOver {
        /// The rollout.
        rollout: RolloutId,
    },
    /// Nobody can say how the rollout goes on.
    NotSteerable {
        /// The rollout.
        rollout: RolloutId,
        /// Why, in words.
        why: &'static str,
    },
    /// The rollout has traffic, so it can only be rolled back.
    HasTraffic {
        /// The rollout.
        rollout: RolloutId,
    },
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        Self::NotTaken(why)
    }
}

impl From<Unfooted> for Refusal {
    fn from(why: Unfooted) -> Self {
        Self::Unfooted(why)
    }
}

impl Refusal {
    /// Why a release itself is not fit.
    fn unfit(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownRelease { release } => write!(
                f,
                "there is no release {}; `slipway ship` makes one, `slipway history` lists them",
                release.short()
            ),
            Self::OtherService {
                release,
                is_of,
                asked,
            } => write!(
                f,
                "{} is a release of {is_of}, not of {asked}; name a release of {asked}",
                release.short()
            ),
            Self::ContentMismatch { release, what } => write!(
                f,
                "the files of {} are not what its manifest says: {what}. Make the release again",
                release.short()
            ),
            Self::GateNotPassing {
                release,
                gate,
                outcome,
            } => write!(
                f,
                "the gate {gate} of {} is {outcome}; only met and waived let a release pass. \
                 `slipway why {gate}` says why",
                release.short()
            ),
            Self::NoVerdicts { release, what } => write!(
                f,
                "nobody knows what the gates said of {}: {what}. Make the release again with `slipway ship`",
                release.short()
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownService { service, known } => {
                let known: Vec<&str> = known.iter().map(ServiceName::as_str).collect();
                write!(
                    f,
                    "this environment has no service {service}; it has: {}. Add [service.{service}] to its file",
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )
            }
            Self::UnknownRelease { .. }
            | Self::OtherService { .. }
            | Self::ContentMismatch { .. }
            | Self::GateNotPassing { .. }
            | Self::NoVerdicts { .. } => self.unfit(f),
            Self::Quarantined { release, reason } => write!(
                f,
                "{} was taken back before: {reason}. Ship a corrected release; `slipway quarantine lift` lets it come again, --force does once",
                release.short()
            ),
            Self::Unfooted(why) => why.fmt(f),
            Self::AlreadyLive { release } => {
                write!(
                    f,
                    "{} is live already; there is nothing to do",
                    release.short()
                )
            }
            Self::AlreadyUnderWay { rollout } => write!(
                f,
                "rollout {rollout} brings this release already; `slipway status` shows it"
            ),
            Self::NothingToRollBackTo { why } => {
                write!(
                    f,
                    "there is nothing to roll back to: {why}. Deploy a release instead"
                )
            }
            Self::NotQuarantined { release } => write!(
                f,
                "{} is not quarantined; it can be deployed as it is",
                release.short()
            ),
            Self::NotTaken(why) => why.fmt(f),
            Self::UnknownRollout { rollout } => write!(
                f,
                "there is no rollout {rollout} here; `slipway history` lists them"
            ),
            Self::AlreadyOver { rollout } => {
                write!(f, "rollout {rollout} is over; there is nothing to cancel")
            }
            Self::NotSteerable { rollout, why } => write!(
                f,
                "rollout {rollout} {why}; `slipway status` shows where it stands"
            ),
            Self::HasTraffic { rollout } => write!(
                f,
                "rollout {rollout} has traffic already; `slipway rollback` takes it back"
            ),
        }
    }
}
