//! The routing table: an immutable value that says where every request goes. It is
//! checked before it is published; a live route without a target is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The number of a table. It only grows.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where every request goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its number.
    pub generation: Generation,
    /// The routes, by name of the service.
    #[serde(default)]
    pub routes: BTreeMap<String, Route>,
}

/// How one service is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Host names that lead here, without port; empty means every host that no other
    /// route names.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The pools, by name (`blue`, `green`).
    pub pools: BTreeMap<String, Pool>,
    /// The pool that visitors reach.
    pub live: String,
    /// A share of the visitors that goes to another pool.
    #[serde(default)]
    pub split: Option<Split>,
    /// Who may see another pool before visitors do.
    #[serde(default)]
    pub preview: Option<Preview>,
    /// Keep new requests waiting, within the proxy's limits, instead of forwarding them.
    #[serde(default)]
    pub hold: bool,
    /// Limits of its own, by the beginning of the path; the longest beginning holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Visitors see a page instead of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
    /// Pages keep their release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
    /// How targets are looked at.
    pub health: HealthCheck,
    /// Over how long the share of a target that has just come up grows to that of the others,
    /// milliseconds; nought: it has it at once.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub slow_start_ms: u32,
    /// From when on an answer is slow; where there is none, no answer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_nought(number: &u32) -> bool {
    *number == 0
}

/// From when on an answer is slow: microseconds from the last byte of the request's head to the
/// first of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slow {
    /// Slow above this.
    pub slow_us: u64,
    /// Very slow, and slow, above this; not less than `slow_us`.
    pub very_slow_us: u64,
}

/// What a page asks for after it was loaded, such as its scripts and its API, goes to the release
/// that it was loaded from. Pages are told apart by the cookie `slipway-page`, which is given
/// with every HTML page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    /// For how long after it was loaded a page keeps its release, seconds, 1 to 86400.
    pub for_s: u32,
    /// Pools that visitors do not reach any more, whose pages they still answer. A release that
    /// was taken back is not among them: its pages get what everybody gets.
    #[serde(default)]
    pub pools: Vec<String>,
}

/// Limits for requests whose path begins so, as it is written in the request. What is not set
/// is the proxy's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The beginning, `/` for all paths.
    pub path: String,
    /// The largest body of a request, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    /// How long the head of an answer may take, milliseconds, at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_ms: Option<u32>,
    /// How long a body may stand still, in either direction, milliseconds, at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_idle_ms: Option<u32>,
    /// What the body of a request must bring in the time that it is waited for, bytes a second;
    /// nought: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_rate: Option<u32>,
}

/// What visitors see instead of a service, with the status 503. Looks go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// The page, HTML, at most 256 KiB.
    pub page: String,
    /// Who brings this as the header or the cookie `slipway-preview` reaches the service all the
    /// same; at least 16 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// After how many seconds it is worth to come again.
    pub retry_after_s: u32,
}

/// The instances of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The release that they run; an answer to a look whose `x-release` names another one is
    /// not theirs.
    pub release: String,
    /// Where they answer.
    pub targets: Vec<Target>,
    /// The path of the look at them, where it is not the route's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Its id.
    pub instance: String,
    /// Where it answers.
    pub address: SocketAddr,
}

/// A share of the visitors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The pool that gets it.
    pub pool: String,
    /// The share in hundredths of a per cent, 1 to 10000. A visitor who is in at one
    /// weight is in at every higher one, as long as the epoch is the same.
    pub weight: u16,
    /// A new epoch draws the visitors anew.
    pub epoch: u64,
}

/// Who may see a pool before visitors do: requests with the header or the cookie
/// `slipway-preview` of this value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The pool.
    pub pool: String,
    /// The value, at least 16 characters.
    pub token: String,
}

/// How a target is looked at while it is in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The path of the look, `/health`; a 2xx answer of the right release is good.
    pub path: String,
    /// Milliseconds from one look to the next.
    pub every_ms: u32,
    /// Milliseconds until a look counts as failed.
    pub timeout_ms: u32,
    /// Failed looks in a row after which a target is down.
    pub down_after: u32,
    /// Good looks in a row after which it is up again.
    pub up_after: u32,
}

/// Why a table is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Its number is not higher than that of the table that is served.
    #[error("generation {offered} is not above {current}, which is served")]
    Stale {
        /// The number offered.
        offered: Generation,
        /// The number served.
        current: Generation,
    },
    /// Something in it cannot be served.
    #[error("the route {route}: {reason}")]
    Route {
        /// The service.
        route: String,
        /// What is wrong.
        reason: String,
    },
}
