//! What the proxy counted, as it tells it: cumulative since the proxy started, by
//! service and release, with the last seconds one by one.

use serde::{Deserialize, Serialize};

use crate::table::Generation;

/// Everything that the proxy counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Tells one start of the proxy from another: counts begin at nought with each.
    pub start: String,
    /// The table that is served.
    pub generation: Generation,
    /// The lowest generation that a request in flight was routed by.
    pub oldest_in_flight: Generation,
    /// By service and release, also of pools that left the table in this start.
    pub pools: Vec<PoolStats>,
    /// Requests that reached no target: no route, no target in time, queue full. By service;
    /// an empty name where no route matched.
    pub unrouted: Vec<Unrouted>,
    /// Requests refused because they were malformed or over a limit, before they reached a
    /// pool. Whatever is wrong with a body shows later: its pool counts it as broken off.
    pub refused: u64,
    /// Why certificates that changed are not served; those from before are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_problem: Option<String>,
}

/// Requests of one service that reached no target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unrouted {
    /// The service.
    pub service: String,
    /// How many; each was answered 502, 503 or 504 by the proxy itself.
    pub requests: u64,
    /// How many more were shown the maintenance page, as somebody had ordered.
    #[serde(default)]
    pub maintained: u64,
}

/// What one release of one service served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolStats {
    /// The service.
    pub service: String,
    /// The release.
    pub release: String,
    /// Requests answered or broken off, good or bad.
    pub served: u64,
    /// Of them: answered 5xx, or not to the end through no fault of the client.
    pub failed: u64,
    /// Of them: broken off by the client.
    pub abandoned: u64,
    /// Tries beyond the first.
    pub retried: u64,
    /// Requests that waited in the hold queue.
    pub held: u64,
    /// Of those failed: answered by the live pool instead, so that no visitor saw it.
    #[serde(default)]
    pub shielded: u64,
    /// Of them bad, as it is told to whoever judges the release; none of a proxy that is too old
    /// to count it, of which nothing may be concluded.
    #[serde(default)]
    pub bad: Option<Bad>,
    /// Of them such that say nothing about that, by what they could have been: what a client asked
    /// beyond one answer in ten seconds for each kind of question, and where it left before there was an answer.
    #[serde(default)]
    pub left_out: Bad,
    /// Different clients of those that were bad, each once within ten minutes; none where an older
    /// proxy did not count them.
    #[serde(default)]
    pub bad_clients: Option<Bad>,
    /// Requests of testers, who showed a preview token. In none of the other counts, so that
    /// no judge mistakes them for visitors.
    #[serde(default)]
    pub previewed: u64,
    /// Requests in flight now, those of testers too.
    pub in_flight: u64,
    /// Slowest answer, microseconds from the last byte of the request's head to the first of
    /// the answer.
    pub slowest_us: u64,
    /// The time to the first byte of the answer: (upper bound in microseconds, count), rising,
    /// without empty buckets.
    pub latency: Vec<(u64, u64)>,
    /// The last 15 seconds or fewer, oldest first.
    pub seconds: Vec<Second>,
    /// The instances of the table now.
    pub targets: Vec<TargetStats>,
}

/// Requests by what was bad about them; one client counts once for each kind within ten
/// seconds, so that one who tries again and again does not look like many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bad {
    /// Failed, or not answered within five seconds and then broken off.
    pub failed: u64,
    /// Slow, by the table.
    pub slow: u64,
    /// Very slow, by the table.
    pub very_slow: u64,
}

/// One second of one pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the proxy started.
    pub at: u64,
    /// Requests that ended in it.
    pub served: u64,
    /// Of them failed.
    pub failed: u64,
    /// Different clients among the failed, counted up to 64.
    pub failed_clients: u32,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetStats {
    /// Its id.
    pub instance: String,
    /// How it does.
    pub health: Health,
    /// Failed looks in a row.
    pub failures: u32,
    /// What the last failed look saw, in words.
    pub last_failure: Option<String>,
    /// Requests in flight now.
    pub in_flight: u64,
}

/// How a target does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Not looked at yet.
    Unknown,
    /// Good.
    Up,
    /// Gets requests only when no other is left.
    Down,
}
