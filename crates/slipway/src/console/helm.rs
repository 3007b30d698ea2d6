//! What the console may change, as a narrow door to the rollout engine: a test puts a
//! fake behind it.

use futures_util::future::BoxFuture;
use slipway_journal::event::rollout::Steering;
use slipway_journal::{Actor, RolloutId, ServiceName};
use slipway_rollout::Standing;

/// What rolling back would do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The old release is warm: a routing change.
    Warm {
        /// What it would do and cost, in words.
        words: String,
    },
    /// The old release has to be started again.
    Slow {
        /// What it would do and cost, in words.
        words: String,
    },
    /// There is nothing to roll back to.
    Impossible {
        /// Why, in words.
        why: String,
    },
}

/// Done, with what came of it; or refused, with words that say what to do next.
pub(crate) type Answer<T> = anyhow::Result<Result<T, String>>;

/// Steers rollouts.
pub(crate) trait Helm: Send + Sync {
    /// Why nothing is deployed at this time, and until when; none where one may.
    fn closed(&self) -> Option<String>;

    /// What rolling `service` back would do now.
    fn rollback_plan<'a>(&'a self, service: &'a ServiceName) -> BoxFuture<'a, Plan>;

    /// Rolls `service` back; gives the rollout to watch.
    fn rollback<'a>(
        &'a self,
        actor: Actor,
        service: &'a ServiceName,
        reason: String,
    ) -> BoxFuture<'a, Answer<RolloutId>>;

    /// Takes back a rollout that has no traffic yet.
    fn cancel(&self, actor: Actor, rollout: RolloutId, reason: String)
    -> BoxFuture<'_, Answer<()>>;

    /// Says how a rollout goes on that was seen with a share of the traffic.
    fn steer(
        &self,
        actor: Actor,
        rollout: RolloutId,
        said: (Steering, u16),
        reason: String,
    ) -> BoxFuture<'_, Answer<()>>;

    /// What the judge sees of a rollout now.
    fn standing(&self, rollout: RolloutId) -> Option<Standing>;
}
