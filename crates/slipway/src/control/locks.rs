//! Locking deployments and lifting that: both are events in the journal, under the name that
//! the kernel proved. Orders to deploy and to lock are taken one after the other, so that no
//! deployment slips past a lock.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event, JournalError, ServiceName};
use tokio::sync::OwnedMutexGuard;

use crate::cli::failure::Failure;
use crate::control::orders::{Body, Desk, No};
use crate::control::peer::Caller;
use crate::control::reason;
use crate::control::wire::{LockOrder, UnlockOrder};
use crate::environment::Environment;
use crate::lock::{Lock, Locks, scope};

/// `POST /v1/lock`
pub(crate) async fn lock(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<LockOrder>,
) -> Result<Json<Lock>, No> {
    let Json(order) = order?;
    reason::check(
        &order.reason,
        "slipway lock \"the database is being moved\"",
    )?;
    if let Some(service) = &order.service {
        check_known(&desk, service)?;
    }
    let locks = desk.locks().await;
    let (now, service) = (desk.now(), order.service);
    if let Some(lock) = locks.of_scope(service.as_ref(), now) {
        return Err(lock.refusal().into());
    }
    let lasts = order.lasts_s.map(Duration::from_secs);
    let event = ControlEvent::Locked {
        service: service.clone(),
        reason: order.reason,
        until: lasts.and_then(|lasts| now.checked_add(lasts).ok()),
    };
    let locks = note(&desk, locks, actor, event).await?;
    let lock = locks.of_scope(service.as_ref(), now).cloned();
    lock.map(Json)
        .ok_or_else(|| No::Broken(anyhow::anyhow!("the lock is not in the journal")))
}

/// `POST /v1/unlock`
pub(crate) async fn unlock(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<UnlockOrder>,
) -> Result<Json<Lock>, No> {
    let Json(UnlockOrder { service }) = order?;
    let locks = desk.locks().await;
    let now = desk.now();
    let Some(lock) = locks.of_scope(service.as_ref(), now).cloned() else {
        let others: Vec<String> = locks.held(now).map(Lock::lift).collect();
        let words = format!("{} are not locked", scope(service.as_ref()));
        let hint = if others.is_empty() {
            "`slipway lock REASON` takes a lock".to_owned()
        } else {
            format!("others are: `{}`", others.join("`, `"))
        };
        return Err(Failure::refused(words).hint(hint).into());
    };
    note(&desk, locks, actor, ControlEvent::Unlocked { service }).await?;
    Ok(Json(lock))
}

/// Writes it down and lets it be in force: both, also when whoever ordered it goes away meanwhile.
async fn note(
    desk: &Desk,
    mut locks: OwnedMutexGuard<Locks>,
    actor: Actor,
    event: ControlEvent,
) -> Result<OwnedMutexGuard<Locks>, No> {
    let journal = desk.journal().clone();
    let noted = tokio::spawn(async move {
        for entry in journal.append(actor, vec![Event::Control(event)]).await? {
            locks.take(&entry);
        }
        Ok(locks)
    });
    let noted = noted.await.unwrap_or(Err(JournalError::Closed));
    noted.map_err(|error| No::Broken(error.into()))
}

/// Refuses a service that nobody has: whoever mistyped it would believe that it is locked. Where
/// the environment's file cannot be read, what control goes by counts.
fn check_known(desk: &Desk, service: &ServiceName) -> Result<(), No> {
    let known = desk.engine().services();
    let in_file = |environment: Environment| environment.service.contains_key(service);
    if known.contains(service) || desk.read_environment().is_ok_and(in_file) {
        return Ok(());
    }
    let known: Vec<&str> = known.iter().map(ServiceName::as_str).collect();
    let words = format!("there is no service {service}, and nothing is locked");
    let hint = match known.as_slice() {
        [] => "without --service everything is".to_owned(),
        known => format!(
            "there is: {}; without --service everything is",
            known.join(", ")
        ),
    };
    Err(Failure::usage(words).hint(hint).into())
}
