//! How rollouts of a service go: the numbers, with their defaults and reasons.
//! Only numbers; what follows from them is decided in `strategy` and `trigger`.

use std::collections::BTreeMap;
use std::time::Duration;

use slipway_journal::RoleName;

use crate::judge::{self, Rules};
use crate::strategy::WHOLE;

/// How rollouts of one service go.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Instances of a release. Default 2, so that the death of one is no outage.
    pub instances: u32,
    /// Good probes in a row that an instance needs. Default 3.
    pub ready_successes: u32,
    /// From one probe to the next. Default 100 ms.
    pub ready_every: Duration,
    /// How long instances may take to become ready. Default 60 s.
    pub ready_within: Duration,
    /// How long they must then stay good before anything is shown to anybody. Default 1 s.
    pub quiet: Duration,
    /// How long expanding migrations may take. Default 10 min.
    pub migrate_within: Duration,
    /// How long a preview request may take. Default 10 s.
    pub preview_within: Duration,
    /// From the switch to the first receipt and to baking; triggers go on after it. Default 2 s:
    /// long enough for what was in flight at the switch and for a burst to show, short enough
    /// for a person to wait.
    pub observe: Duration,
    /// How long the old release stays warm. Default 24 h; a rollout that waits ends it early,
    /// because it needs the place.
    pub bake: Duration,
    /// For how long a page keeps the release that it was loaded from, 1 s to 24 h: what it asks
    /// for goes there as long as that is warm, so the bake is no shorter, also where another
    /// rollout waits. Default none: it asks whatever is live.
    pub skew: Option<Duration>,
    /// How long requests in flight on a release that is taken out may go on. Default 10 min.
    pub drain_window: Duration,
    /// From SIGTERM to SIGKILL. Default 30 s.
    pub stop_grace: Duration,
    /// No progress for this long before traffic moves ends the rollout. Default 10 min.
    pub progress_within: Duration,
    /// From one look at the proxy's counts to the next while the new release has traffic.
    /// Default 100 ms.
    pub look_every: Duration,
    /// The proxy may be silent for this long before that is written down as a hold. Default 2 s.
    pub silence: Duration,
    /// The wait before a dead instance is started again; doubles with each death of its
    /// release within a minute, up to 30 s. Default 500 ms.
    pub restart_after: Duration,
    /// Free disk space without which a rollout does not begin. Default 128 MiB.
    pub disk_bytes: u64,
    /// When bad answers take a release back.
    pub burst: Burst,
    /// Processes of each worker role of a release. Default one of each.
    pub workers: BTreeMap<RoleName, u32>,
    /// Whether workers of the old release and of the new one may run at the same time. Default
    /// they may: the new ones are there before the old ones are asked to end. Otherwise the old
    /// ones have ended before the first new one starts.
    pub workers_overlap: bool,
    /// How traffic moves. Default blue-green.
    pub strategy: Strategy,
}

/// How traffic moves to a new release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// All at once.
    BlueGreen,
    /// In steps, with the judge between them.
    Canary(Canary),
    /// Instance by instance.
    Rolling(Rolling),
    /// The old release is stopped before the new one starts; visitors wait meanwhile.
    Recreate(Recreate),
}

/// Instances of the new release come and those of the old one go, a batch at a time; each batch
/// gets its share of the visitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    /// Instances beyond the wanted ones that may run meanwhile; a part of one counts as one.
    /// Default 1.
    pub surge: Portion,
    /// Wanted instances that may be missing meanwhile; a part of one does not count. Default 0.
    pub unavailable: Portion,
    /// How long each batch is watched before the next. Default 10 s.
    pub dwell: Duration,
}

/// The old release is stopped before the new one starts: for what may never run twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recreate {
    /// How long requests in flight may go on before their instance is asked to end; whoever
    /// comes waits meanwhile. Default 2 s, a fifth of what the proxy lets them wait.
    pub drain: Duration,
}

/// A number of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// So many.
    Count(u32),
    /// Per cent of the wanted ones.
    Percent(u32),
}

impl Portion {
    /// In instances, where `wanted` are wanted; a part of one counts as one.
    pub fn up(self, wanted: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => wanted.saturating_mul(percent).div_ceil(100),
        }
    }

    /// In instances, where `wanted` are wanted; a part of one does not count.
    pub fn down(self, wanted: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => wanted.saturating_mul(percent) / 100,
        }
    }
}

/// A canary: a share of the visitors first, each of them staying where they are, and more when
/// the judge says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Shares in hundredths of a per cent, rising, below 10,000. Default 1,000, 2,500, 5,000.
    pub steps: Vec<u16>,
    /// How long each lasts at least. Default 60 s.
    pub dwell: Duration,
    /// How long the judge has at most to say something. Default 10 min.
    pub dwell_most: Duration,
    /// Requests of the new release without which no step is over. Default 200.
    pub requests: u32,
    /// What follows when it cannot say. Default hold.
    pub unsure: Unsure,
}

/// What follows when the judge cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsure {
    /// Nothing: the share stays, and it is looked at until there is enough to say.
    Hold,
    /// The next step; the bake is then twice as long.
    Continue,
    /// The old release gets the traffic back.
    Abort,
}

impl Strategy {
    /// The share that follows `weight` where shares follow from nothing but the last one; that
    /// of a rolling rollout follows from its instances.
    pub fn after(&self, weight: u16) -> u16 {
        match self {
            Self::BlueGreen | Self::Rolling(_) | Self::Recreate(_) => WHOLE,
            Self::Canary(canary) => {
                let mut steps = canary.steps.iter().copied();
                steps.find(|s| *s > weight).unwrap_or(WHOLE).min(WHOLE)
            }
        }
    }

    /// What follows when the judge cannot say.
    pub fn unsure(&self) -> Unsure {
        match self {
            Self::BlueGreen | Self::Rolling(_) | Self::Recreate(_) => Unsure::Hold,
            Self::Canary(canary) => canary.unsure,
        }
    }
}

impl Rolling {
    /// The rules of the judge for each batch: it may take the release back, and otherwise time
    /// alone decides.
    pub fn rules(&self) -> Rules {
        Rules {
            dwell_most_ms: judge::NEVER_MS,
            requests_least: judge::NEVER,
            ..judge::two_arms()
        }
    }
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            surge: Portion::Count(1),
            unavailable: Portion::Count(0),
            dwell: Duration::from_secs(10),
        }
    }
}

impl Default for Recreate {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(2),
        }
    }
}

impl Canary {
    /// The rules of the judge at each step.
    pub fn rules(&self) -> Rules {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Rules {
            dwell_least_ms: ms(self.dwell),
            dwell_most_ms: ms(self.dwell_most),
            requests_least: self.requests,
            ..judge::two_arms()
        }
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            steps: vec![1_000, 2_500, 5_000],
            dwell: Duration::from_secs(60),
            dwell_most: Duration::from_secs(600),
            requests: 200,
            unsure: Unsure::Hold,
        }
    }
}

/// When bad answers take a release back: all of it must hold at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Burst {
    /// Seconds that are looked at together, at most; fewer do as well. Default 5.
    pub window_s: u64,
    /// Failed requests within them. Default 10.
    pub failed: u64,
    /// Failed among the served, per cent. Default 20.
    pub share_percent: u64,
    /// Different clients among the failed of one second of them. Default 3.
    pub clients: u32,
    /// The old release's failed among its served before the switch, per cent; from there on the
    /// cause may be shared. Default 5.
    pub old_percent: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            instances: 2,
            ready_successes: 3,
            ready_every: Duration::from_millis(100),
            ready_within: Duration::from_secs(60),
            quiet: Duration::from_secs(1),
            migrate_within: Duration::from_secs(600),
            preview_within: Duration::from_secs(10),
            observe: Duration::from_secs(2),
            bake: Duration::from_secs(24 * 3600),
            skew: None,
            drain_window: Duration::from_secs(600),
            stop_grace: Duration::from_secs(30),
            progress_within: Duration::from_secs(600),
            look_every: Duration::from_millis(100),
            silence: Duration::from_secs(2),
            restart_after: Duration::from_millis(500),
            disk_bytes: 128 * 1024 * 1024,
            burst: Burst::default(),
            workers: BTreeMap::new(),
            workers_overlap: true,
            strategy: Strategy::BlueGreen,
        }
    }
}

impl Default for Burst {
    fn default() -> Self {
        Self {
            window_s: 5,
            failed: 10,
            share_percent: 20,
            clients: 3,
            old_percent: 5,
        }
    }
}
