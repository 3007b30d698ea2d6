//! The console's door to the rollout engine.

use std::path::PathBuf;

use anyhow::Context as _;
use chassis::Clock;
use futures_util::future::BoxFuture;
use slipway_journal::event::rollout::Steering;
use slipway_journal::{Actor, EnvironmentName, RolloutId, ServiceName};
use slipway_rollout::{Engine, RollbackPlan, Standing};

use crate::console::{Answer, Helm, Plan};
use crate::environment::Environment;

/// Steers the rollouts of one engine.
pub(crate) struct EngineHelm {
    pub(crate) engine: Engine,
    pub(crate) project: PathBuf,
    pub(crate) environment: EnvironmentName,
    pub(crate) clock: Clock,
}

impl Helm for EngineHelm {
    fn closed(&self) -> Option<String> {
        let environment = Environment::read(&self.project, &self.environment).ok()?;
        let closed = environment.calendar().closed(self.clock.now())?;
        Some(closed.words())
    }

    fn rollback_plan<'a>(&'a self, service: &'a ServiceName) -> BoxFuture<'a, Plan> {
        Box::pin(async move {
            match self.engine.rollback_plan(service).await {
                RollbackPlan::Warm { words, .. } => Plan::Warm { words },
                RollbackPlan::Slow { words, .. } => Plan::Slow { words },
                RollbackPlan::Impossible { why } => Plan::Impossible { why },
            }
        })
    }

    fn rollback<'a>(
        &'a self,
        actor: Actor,
        service: &'a ServiceName,
        reason: String,
    ) -> BoxFuture<'a, Answer<RolloutId>> {
        Box::pin(async move {
            let asked = self.engine.rollback(actor, service, reason).await;
            let answered = asked.context("rolling back")?;
            Ok(answered.map_err(|refusal| refusal.to_string()))
        })
    }

    fn cancel(
        &self,
        actor: Actor,
        rollout: RolloutId,
        reason: String,
    ) -> BoxFuture<'_, Answer<()>> {
        Box::pin(async move {
            let asked = self.engine.cancel(actor, rollout, reason).await;
            let answered = asked.context("cancelling the rollout")?;
            Ok(answered.map_err(|refusal| refusal.to_string()))
        })
    }

    fn steer(
        &self,
        actor: Actor,
        rollout: RolloutId,
        said: (Steering, u16),
        reason: String,
    ) -> BoxFuture<'_, Answer<()>> {
        Box::pin(async move {
            let asked = self.engine.steer(actor, rollout, said, reason).await;
            let answered = asked.context("saying how the rollout goes on")?;
            Ok(answered.map_err(|refusal| refusal.to_string()))
        })
    }

    fn standing(&self, rollout: RolloutId) -> Option<Standing> {
        self.engine.standing(rollout)
    }
}
