//! Events of a rollout: its states, each step before (`Intent`) and after (`Done`),
//! instances, routing, triggers and the receipt.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::judgement::{Arm, Judgement};
use crate::ids::{
    EnvironmentName, Generation, InstanceId, ReleaseId, RoleName, RolloutId, ServiceName, Slot,
};

/// What happened in a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RolloutEvent {
    /// Somebody asked for a release in an environment.
    Requested {
        /// The rollout.
        rollout: RolloutId,
        /// The service.
        service: ServiceName,
        /// Where.
        environment: EnvironmentName,
        /// What.
        release: ReleaseId,
        /// What was live when it was asked for.
        previous: Option<ReleaseId>,
        /// The place that the new release gets.
        slot: Slot,
    },
    /// The rollout is in a new state.
    Entered {
        /// The rollout.
        rollout: RolloutId,
        /// The state.
        state: RolloutState,
    },
    /// A step is about to be done. Committed before its effect.
    Intent {
        /// The rollout.
        rollout: RolloutId,
        /// The step.
        step: Step,
    },
    /// A step was done. Committed after its effect, with what was seen.
    Done {
        /// The rollout.
        rollout: RolloutId,
        /// The step.
        step: Step,
        /// What was seen, in words.
        observed: String,
        /// From the decision to the end of the effect, microseconds, where it was measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        took_us: Option<u64>,
        /// What the proxy had counted by then, where the step is one to count from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counters: Option<Box<Counters>>,
    },
    /// A process of an instance runs.
    InstanceStarted {
        /// The rollout.
        rollout: RolloutId,
        /// The instance.
        instance: InstanceId,
        /// Its process id.
        pid: i32,
        /// The process's start, in clock ticks since boot; with the boot id it tells
        /// this process from a later one with the same number.
        start_ticks: u64,
        /// The boot that it belongs to.
        boot: String,
        /// Where it answers, `127.0.0.1:43211`.
        address: String,
    },
    /// An instance ended.
    InstanceExited {
        /// The rollout.
        rollout: RolloutId,
        /// The instance.
        instance: InstanceId,
        /// How it ended, in words.
        how: String,
        /// Whether Slipway had asked it to.
        expected: bool,
    },
    /// A trigger fired: the new release misbehaves, or a person wants it back.
    TriggerFired {
        /// The rollout.
        rollout: RolloutId,
        /// Which one.
        trigger: Trigger,
        /// The evidence in words, with its numbers.
        evidence: String,
    },
    /// A release may not be deployed again without a person's word.
    Quarantined {
        /// The rollout that condemned it.
        rollout: RolloutId,
        /// The release.
        release: ReleaseId,
        /// Why.
        reason: String,
    },
    /// A person lifted the quarantine of a release.
    QuarantineLifted {
        /// The rollout that had condemned it.
        rollout: RolloutId,
        /// The release.
        release: ReleaseId,
        /// Why, in the words of whoever did it.
        reason: String,
    },
    /// The rollout begins only when so many people say yes.
    ApprovalAsked {
        /// The rollout.
        rollout: RolloutId,
        /// How many.
        need: u32,
        /// Who may, by account.
        by: Vec<String>,
        /// Of them those whose own change it is; they may not.
        own: Vec<String>,
        /// Without enough of them by then it is cancelled.
        until: Timestamp,
        /// Why it goes although nothing is deployed at this time, where that is so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overrides: Option<String>,
    },
    /// Somebody said yes.
    Approved {
        /// The rollout.
        rollout: RolloutId,
        /// The account, as the kernel proved it.
        by: String,
    },
    /// Somebody said no; the rollout is cancelled.
    Declined {
        /// The rollout.
        rollout: RolloutId,
        /// The account, as the kernel proved it.
        by: String,
        /// Why.
        reason: String,
    },
    /// The judge said something of the release's traffic.
    Judged {
        /// The rollout.
        rollout: RolloutId,
        /// Share of the new release then, in hundredths of a per cent.
        weight: u16,
        /// What it said, and from what.
        judgement: Box<Judgement>,
    },
    /// A person said how a rollout with a share of the traffic goes on.
    Steered {
        /// The rollout.
        rollout: RolloutId,
        /// How.
        order: Steering,
        /// Why, in words.
        reason: String,
    },
    /// The account of a rollout, once its traffic has settled.
    ReceiptIssued {
        /// The receipt.
        receipt: Box<Receipt>,
    },
}

/// What a person says of a rollout with a share of the traffic. Triggers hold on whatever is
/// said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Steering {
    /// The share stays, also when the judge says that more is all right.
    Hold,
    /// The judge decides again.
    Resume,
    /// The next step follows at once, whatever the judge lacks.
    Advance,
}

/// Where a rollout stands. See the design, §5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum RolloutState {
    /// Asked for.
    Queued,
    /// Holds the lease of its service and environment.
    Locked,
    /// The release is there, its configuration is rendered, there is room.
    Prepared,
    /// Expanding migrations are applied.
    Expanded,
    /// Instances exist, without traffic.
    Started,
    /// Instances have proved themselves.
    Ready,
    /// Testers only.
    Preview,
    /// Traffic moves to the new release.
    Shifting {
        /// Share of the new release in hundredths of a per cent, 0 to 10000.
        weight: u16,
    },
    /// All traffic is on the new release.
    Live,
    /// The old release is kept warm.
    Baking,
    /// The old release is stopped.
    Retired,
    /// Over, and good.
    Done,
    /// Waits for something.
    Holding {
        /// For what.
        reason: String,
    },
    /// Taken back before it had traffic, by a person.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// A newer rollout took its place before it had traffic.
    Superseded {
        /// The newer one.
        by: RolloutId,
    },
    /// Could not be brought up; traffic never left the old release.
    Failed {
        /// Why, in words that say what to do.
        reason: String,
    },
    /// Had traffic and was taken back.
    RolledBack {
        /// Why.
        reason: String,
    },
    /// No automatic move is safe; a person is called.
    Halted {
        /// Why.
        reason: String,
    },
}

impl RolloutState {
    /// Whether nothing follows any more.
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Done
                | Self::Cancelled { .. }
                | Self::Superseded { .. }
                | Self::Failed { .. }
                | Self::RolledBack { .. }
                | Self::Halted { .. }
        )
    }
}

/// One effect on the world. Each is idempotent, so that it may be repeated after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// Check the release's digest and that there is room; write its configuration.
    Prepare,
    /// Apply expanding migrations, by the new release.
    Expand,
    /// Start an instance.
    Start {
        /// The instance.
        instance: InstanceId,
    },
    /// Start a process of a worker role.
    Work {
        /// The process, named like an instance.
        instance: InstanceId,
        /// The role.
        role: RoleName,
    },
    /// Wait until every instance has proved itself.
    AwaitReady,
    /// Let testers see the new release.
    Preview {
        /// The table that says so.
        generation: Generation,
    },
    /// Move traffic.
    Shift {
        /// Share of the new release in hundredths of a per cent.
        weight: u16,
        /// The table that says so.
        generation: Generation,
    },
    /// Bring all traffic back to the old release.
    Restore {
        /// The table that says so.
        generation: Generation,
    },
    /// Wait until no request is left on tables older than this one.
    Drain {
        /// The table.
        generation: Generation,
    },
    /// Take a slot's instances out of the table.
    Unroute {
        /// The slot.
        slot: Slot,
        /// The table that says so.
        generation: Generation,
    },
    /// Keep visitors waiting, within the proxy's limits, while no instance runs.
    Hold {
        /// The table that says so.
        generation: Generation,
    },
    /// Take some of the old release's instances out of the table, which are then stopped.
    Thin {
        /// The instances.
        instances: Vec<InstanceId>,
        /// Share of the new release from then on, in hundredths of a per cent; 0 where it has
        /// no traffic yet.
        weight: u16,
        /// The table that says so.
        generation: Generation,
    },
    /// Stop an instance: ask, wait, kill.
    Stop {
        /// The instance.
        instance: InstanceId,
    },
    /// Tell the table where the instances of a slot answer now, after one was replaced.
    Reroute {
        /// The slot.
        slot: Slot,
        /// The table that says so.
        generation: Generation,
    },
}

/// What the proxy had counted for a service at one moment: cumulative since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Tells one start of the proxy from another.
    pub start: String,
    /// The proxy's own second, from its start.
    #[serde(default)]
    pub second: u64,
    /// Requests of the service that reached no instance.
    pub unrouted: u64,
    /// By release.
    pub releases: Vec<ReleaseCounters>,
}

/// What the proxy had counted for one release at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseCounters {
    /// The release.
    pub release: ReleaseId,
    /// Requests answered or broken off.
    pub served: u64,
    /// Of them failed.
    pub failed: u64,
    /// Of those failed: answered by the live release instead, which served them too.
    #[serde(default)]
    pub shielded: u64,
    /// Tries beyond the first.
    pub retried: u64,
    /// Requests that waited.
    pub held: u64,
    /// The same requests as a judge counts them; none where nobody wrote that down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Arm>,
    /// The slowest answer, microseconds.
    pub slowest_us: u64,
    /// Answers by time: (upper bound in microseconds, count), rising.
    pub latency: Vec<(u64, u64)>,
}

/// What can take a rollout back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// An instance with traffic ended.
    InstanceDeath,
    /// Many bad answers within seconds.
    ErrorBurst,
    /// Active health checks fail.
    FailedHealth,
    /// The judge: more requests go badly than can be chance.
    Judge,
    /// No progress in time.
    Deadline,
    /// A person.
    Person,
}

/// The exact account of a rollout, by the proxy's own count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The rollout.
    pub rollout: RolloutId,
    /// The service.
    pub service: ServiceName,
    /// Where.
    pub environment: EnvironmentName,
    /// What.
    pub release: ReleaseId,
    /// What was live before.
    pub previous: Option<ReleaseId>,
    /// How it ended.
    pub end: RolloutState,
    /// From the request to the end of the switch, milliseconds.
    pub took_ms: u64,
    /// From the decision to publish until the proxy served the new table, microseconds.
    pub switch_us: Option<u64>,
    /// From the trigger until no new request went to the new release, microseconds.
    pub rollback_us: Option<u64>,
    /// Requests between start and end, by release.
    pub traffic: Vec<ReleaseTraffic>,
    /// Requests between start and end that reached no instance; the proxy answered them 502,
    /// 503 or 504 itself. They count as failed.
    #[serde(default)]
    pub unrouted: u64,
    /// What rolling back would cost at the end of this rollout, in words.
    pub rollback_now: String,
}

impl Receipt {
    /// Requests of visitors that reached a release, each once.
    pub fn served(&self) -> u64 {
        let own = |t: &ReleaseTraffic| t.served.saturating_sub(t.shielded);
        self.traffic.iter().map(own).sum()
    }

    /// Requests of visitors that failed, those that reached no instance included.
    pub fn failed(&self) -> u64 {
        let seen = |t: &ReleaseTraffic| t.failed.saturating_sub(t.shielded);
        self.traffic.iter().map(seen).sum::<u64>() + self.unrouted
    }
}

/// What one release served during a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseTraffic {
    /// The release.
    pub release: ReleaseId,
    /// Requests answered, good or bad.
    pub served: u64,
    /// Of them: answered 5xx, or not to the end.
    pub failed: u64,
    /// Of those failed: answered by the live release instead, so that no visitor saw it. It
    /// served them too.
    #[serde(default)]
    pub shielded: u64,
    /// Tries beyond the first.
    pub retried: u64,
    /// Requests that waited in the hold queue.
    pub held: u64,
    /// The slowest answer, microseconds.
    pub slowest_us: u64,
    /// 99th percentile, microseconds.
    pub p99_us: u64,
}
