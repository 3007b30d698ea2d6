//! Locking deployments and lifting that: both are events in the journal, under the name that
//! the kernel proved. Orders to deploy and to lock are taken one after the other, so that no
//! deployment slips past a lock.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event};
use tokio::sync::MutexGuard;

use crate::cli::failure::Failure;
use crate::control::orders::{Body, Desk, No};
use crate::control::peer::Caller;
use crate::control::wire::{LockOrder, UnlockOrder};
use crate::lock::{Lock, Locks, scope};

/// A reason is a sentence or two.
const REASON_CHARS_MAX: usize = 500;

/// `POST /v1/lock`
pub(crate) async fn lock(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<LockOrder>,
) -> Result<Json<Lock>, No> {
    let Json(order) = order?;
    check_reason(
        &order.reason,
        "slipway lock \"the database is being moved\"",
    )?;
    let mut locks = desk.locks().await;
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
    note(&desk, &mut locks, actor, event).await?;
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
    let mut locks = desk.locks().await;
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
    note(&desk, &mut locks, actor, ControlEvent::Unlocked { service }).await?;
    Ok(Json(lock))
}

async fn note(
    desk: &Desk,
    locks: &mut MutexGuard<'_, Locks>,
    actor: Actor,
    event: ControlEvent,
) -> Result<(), No> {
    let written = desk.journal().append(actor, vec![Event::Control(event)]);
    for entry in written.await.map_err(|error| No::Broken(error.into()))? {
        locks.take(&entry);
    }
    Ok(())
}

/// Refuses what is no reason; `example` shows where one goes.
pub(crate) fn check_reason(reason: &str, example: &str) -> Result<(), Failure> {
    let is_words = !reason.trim().is_empty() && !reason.chars().any(char::is_control);
    if is_words && reason.chars().count() <= REASON_CHARS_MAX {
        return Ok(());
    }
    let words = format!("a reason is words, {REASON_CHARS_MAX} characters at most");
    Err(Failure::usage(words).hint(example))
}
