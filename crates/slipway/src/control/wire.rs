//! What control and its callers say to each other: the bodies of `/v1`, both ways.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_journal::event::rollout::Steering;
use slipway_journal::{ReleaseId, RolloutId, ServiceName};

/// `POST /v1/deploy`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeployOrder {
    pub(crate) service: ServiceName,
    pub(crate) release: ReleaseId,
    /// Deploy although the release is quarantined.
    #[serde(default)]
    pub(crate) force: bool,
    /// Why it goes although nothing is deployed at this time.
    #[serde(default)]
    pub(crate) overrides: Option<String>,
}

/// `POST /v1/rollback`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RollbackOrder {
    pub(crate) service: ServiceName,
    pub(crate) reason: String,
}

/// `POST /v1/cancel`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CancelOrder {
    pub(crate) rollout: RolloutId,
    pub(crate) reason: String,
}

/// `POST /v1/steer`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SteerOrder {
    pub(crate) rollout: RolloutId,
    pub(crate) order: Steering,
    /// The share that whoever says it saw, in hundredths of a per cent.
    pub(crate) seen: u16,
    pub(crate) reason: String,
}

/// The answer to `POST /v1/sign-in`: where whoever asked may sign in at the console.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SignInLink {
    /// A secret, good once.
    pub(crate) url: String,
    /// For so long.
    pub(crate) seconds: u64,
}

/// `POST /v1/lock`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LockOrder {
    /// None is every service.
    #[serde(default)]
    pub(crate) service: Option<ServiceName>,
    pub(crate) reason: String,
    /// It ends by itself after so many seconds.
    #[serde(default)]
    pub(crate) lasts_s: Option<u64>,
}

/// `POST /v1/unlock`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UnlockOrder {
    /// None is the lock of every service.
    #[serde(default)]
    pub(crate) service: Option<ServiceName>,
}

/// `POST /v1/lift-quarantine`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LiftOrder {
    pub(crate) release: ReleaseId,
    pub(crate) reason: String,
}

/// `POST /v1/approve`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApproveOrder {
    /// A rollout or its release, or a part of the id that leaves no doubt.
    pub(crate) what: String,
}

/// `POST /v1/decline`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeclineOrder {
    /// A rollout or its release, or a part of the id that leaves no doubt.
    pub(crate) what: String,
    pub(crate) reason: String,
}

/// A rollout that waits for approval, or did until the yes that this answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) rollout: RolloutId,
    pub(crate) service: ServiceName,
    pub(crate) release: ReleaseId,
    /// What it was made from, where the journal knows.
    pub(crate) commit: Option<String>,
    pub(crate) asked_by: String,
    pub(crate) need: u32,
    pub(crate) given: Vec<String>,
    /// Whose own change it is.
    pub(crate) own: Vec<String>,
    pub(crate) until: Timestamp,
    pub(crate) overrides: Option<String>,
    /// Whether it has all that it needs.
    pub(crate) begins: bool,
    pub(crate) words: String,
}

/// The answer to an order that is carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Accepted {
    pub(crate) rollout: RolloutId,
}

/// The answer to what is not done: a rule says no.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) refused: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// The answer when control could not do its part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) error: String,
}

/// What a rollback would be. `GET /v1/rollback-plan?service=S`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) kind: PlanKind,
    pub(crate) to: Option<ReleaseId>,
    pub(crate) words: String,
}

/// How a rollback would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlanKind {
    /// A change of routes: the old release still runs.
    Warm,
    /// A rollout of the old release.
    Slow,
    /// There is nothing to go back to.
    Impossible,
}

/// `GET /v1/ready`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// Why accessories do not run, by name.
    #[serde(default)]
    pub(crate) problems: BTreeMap<String, String>,
}

/// `POST /v1/exec`: somebody wants to run a program with a service's variables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ExecOrder {
    pub(crate) service: ServiceName,
    /// For the journal; its arguments may be secret and are not told.
    pub(crate) program: String,
}

/// What that program gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Variables {
    /// The live release.
    pub(crate) release: ReleaseId,
    /// By name; the values may be secret.
    pub(crate) variables: BTreeMap<String, String>,
}
