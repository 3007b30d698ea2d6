//! What people say of rollouts that wait for them: which there are, yes, no. Who speaks was
//! proved by the kernel; the engine says whose word is taken.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use slipway_journal::Actor;
use slipway_rollout::Approval;

use crate::cli::failure::Failure;
use crate::control::admission::{asked_now, check_open};
use crate::control::orders::{Body, Desk, No};
use crate::control::peer::Caller;
use crate::control::reason;
use crate::control::wire::{ApproveOrder, DeclineOrder, LiftOrder, Waiting};
use crate::reading::{Reading, Rollout, actor_name};

/// The shortest part of an id that something is called by.
const CALLED_CHARS_MIN: usize = 6;

/// `GET /v1/approvals`
pub(crate) async fn waiting(State(desk): State<Desk>) -> Result<Json<Vec<Waiting>>, No> {
    let reading = read(&desk).await?;
    let waiting = reading.rollouts.iter().filter_map(|rollout| {
        let approval = rollout.waits_for()?;
        Some(told(&reading, rollout, approval))
    });
    Ok(Json(waiting.collect()))
}

/// `POST /v1/approve`
pub(crate) async fn approve(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<ApproveOrder>,
) -> Result<Json<Waiting>, No> {
    let Json(order) = order?;
    let environment = desk.read_environment()?;
    let reading = read(&desk).await?;
    let rollout = find(&reading, &order.what)?;
    let Some(approval) = rollout.waits_for() else {
        return Err(Failure::refused("it waits for nobody any more").into());
    };
    let what = (&rollout.service, &rollout.release);
    let now = asked_now(&desk, &environment, &rollout.actor, what, &approval.asked).await?;
    // Held until the yes is in the journal, so that no lock slips in between.
    let locks = desk.locks().await;
    let overrides = approval.asked.overrides.is_some();
    check_open(&desk, &environment, &locks, &rollout.service, overrides)?;
    let said = desk
        .engine()
        .approve(name(actor)?, rollout.rollout, &now)
        .await;
    let approval = said??;
    Ok(Json(told(&reading, rollout, &approval)))
}

/// `POST /v1/decline`
pub(crate) async fn decline(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<DeclineOrder>,
) -> Result<StatusCode, No> {
    let Json(order) = order?;
    reason::check(
        &order.reason,
        "slipway decline 7f3a9c21 \"prices are wrong\"",
    )?;
    let reading = read(&desk).await?;
    let rollout = find(&reading, &order.what)?;
    let engine = desk.engine();
    let said = engine.decline(name(actor)?, rollout.rollout, order.reason);
    said.await??;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/lift-quarantine`
pub(crate) async fn lift_quarantine(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<LiftOrder>,
) -> Result<StatusCode, No> {
    let Json(order) = order?;
    reason::check(
        &order.reason,
        "slipway quarantine lift 7f3a9c21 \"the database was at fault\"",
    )?;
    let said = desk
        .engine()
        .lift_quarantine(actor, order.release, order.reason);
    said.await??;
    Ok(StatusCode::NO_CONTENT)
}

fn told(reading: &Reading, rollout: &Rollout, approval: &Approval) -> Waiting {
    let mut made = reading.releases.iter().rev();
    let release = made.find(|made| made.release == rollout.release);
    let asked = &approval.asked;
    Waiting {
        rollout: rollout.rollout,
        service: rollout.service.clone(),
        release: rollout.release.clone(),
        commit: release.map(|release| release.commit.clone()),
        asked_by: actor_name(&rollout.actor).to_owned(),
        need: asked.need,
        given: approval.given.clone(),
        own: asked.own.clone(),
        until: asked.until,
        overrides: asked.overrides.clone(),
        begins: approval.is_given(),
        words: approval.to_string(),
    }
}

async fn read(desk: &Desk) -> Result<Reading, No> {
    let entries = desk.journal().replay().await;
    Ok(Reading::of(
        &entries.map_err(|error| No::Broken(error.into()))?,
    ))
}

/// The rollout that waits and is called so: by its own id or by that of its release, by six
/// characters at least, as all ids of one time begin alike.
fn find<'a>(reading: &'a Reading, what: &str) -> Result<&'a Rollout, Failure> {
    let wanted = what.to_lowercase();
    let is_called = |rollout: &&Rollout| {
        let id = rollout.rollout.to_string();
        let own = id.starts_with(&wanted) || id.ends_with(&wanted);
        wanted.len() >= CALLED_CHARS_MIN && (own || rollout.release.as_str().starts_with(&wanted))
    };
    let waiting = reading.rollouts.iter().filter(|r| r.waits_for().is_some());
    let mut found = waiting.filter(is_called);
    match (found.next(), found.next()) {
        (Some(rollout), None) => Ok(rollout),
        (None, _) => Err(Failure::refused(format!(
            "no rollout or release that waits for approval is called {what:?}"
        ))
        .hint("`slipway approve` alone lists what waits")),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "more than one that waits is called {what:?}"
        ))
        .hint("give more of the id; `slipway approve` alone lists what waits")),
    }
}

fn name(actor: Actor) -> Result<String, Failure> {
    match actor {
        Actor::Person(name) => Ok(name),
        Actor::System(_) => Err(Failure::refused("only people approve")),
    }
}
