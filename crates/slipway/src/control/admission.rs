//! Whether an order to deploy is carried out now, and with whose approval: locks first, then
//! the calendar, then the commit that it is of, then who has to say yes. A rollback never comes
//! here.

use slipway_journal::{Actor, ReleaseId, ServiceName};
use slipway_rollout::Asked;

use crate::cli::failure::Failure;
use crate::control::change;
use crate::control::orders::{Desk, No};
use crate::control::reason;
use crate::control::wire::DeployOrder;
use crate::environment::Environment;
use crate::lock::Locks;
use crate::reading::Reading;

/// What `order` needs before it begins; none where it may at once. Looking for that takes a
/// while, so the lock is looked at once more when it is ordered.
pub(crate) async fn asked(
    desk: &Desk,
    environment: &Environment,
    actor: &Actor,
    order: &DeployOrder,
) -> Result<Option<Asked>, No> {
    if let Some(why) = &order.overrides {
        reason::check(why, "slipway deploy --override \"customers cannot pay\"")?;
    }
    let now = desk.now();
    check_lock(desk, &*desk.locks().await, &order.service)?;
    let closed = environment.calendar().closed(now);
    let overrides = match (closed, &order.overrides) {
        (Some(closed), None) => return Err(closed.refusal().into()),
        (Some(_), Some(reason)) => Some(reason.clone()),
        (None, _) => None,
    };
    if !order.force {
        check_commit(desk, &order.release).await?;
    }
    match (&environment.approval, overrides) {
        (Some(settings), overrides) => {
            let change = change::of(desk, actor, &order.service, &order.release).await?;
            Ok(settings.asked(&change, overrides, now)?)
        }
        (None, Some(_)) => Err(Failure::refused(
            "nobody may approve here that the calendar is overridden, and nobody does so alone",
        )
        .hint("name people under [approval.by] in the environment's file")
        .into()),
        (None, None) => Ok(None),
    }
}

/// What a rollout needs by what is known now, that was ordered by `orderer` and waits with `asked`:
/// another release may be live by now, so that more is theirs, and the environment may ask others.
pub(crate) async fn asked_now(
    desk: &Desk,
    environment: &Environment,
    orderer: &Actor,
    (service, release): (&ServiceName, &ReleaseId),
    asked: &Asked,
) -> Result<Asked, No> {
    let Some(settings) = &environment.approval else {
        return Ok(asked.clone());
    };
    let change = change::of(desk, orderer, service, release).await?;
    let now = settings.asked(&change, asked.overrides.clone(), desk.now())?;
    Ok(now.unwrap_or_else(|| asked.clone()))
}

/// Refuses to say yes to what would not be deployed now: it would begin with that.
pub(crate) fn check_open(
    desk: &Desk,
    environment: &Environment,
    locks: &Locks,
    service: &ServiceName,
    overrides: bool,
) -> Result<(), No> {
    check_lock(desk, locks, service)?;
    match environment.calendar().closed(desk.now()) {
        Some(closed) if !overrides => Err(closed.refusal().into()),
        _ => Ok(()),
    }
}

/// Refuses another release of a commit of which one was taken back.
async fn check_commit(desk: &Desk, release: &ReleaseId) -> Result<(), No> {
    let entries = desk.journal().replay().await;
    let reading = Reading::of(&entries.map_err(|error| No::Broken(error.into()))?);
    let Some((other, reason)) = reading.condemned_with(release) else {
        return Ok(());
    };
    let (release, other) = (release.short(), other.short());
    Err(Failure::refused(format!(
        "{release} is of the same commit as {other}, which was taken back: {reason}"
    ))
    .hint(format!(
        "ship a corrected commit; `slipway quarantine lift {other} REASON` lets it come again, --force does once"
    ))
    .into())
}

pub(crate) fn check_lock(desk: &Desk, locks: &Locks, service: &ServiceName) -> Result<(), No> {
    match locks.on(service, desk.now()) {
        Some(lock) => Err(lock.refusal().into()),
        None => Ok(()),
    }
}
