//! The life of `booking worker`: takes what is due, delivers it, counts it, and finishes
//! what it has in hand at the end. Any number may run at once, of any release: rows are
//! leased in the database, and the queue in Redis only makes the way shorter.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use chassis::{Clock, Health, Random, Shutdown};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::appointments::Appointments;
use crate::config::worker::{SmsConfig, WorkerConfig};
use crate::database;
use crate::links::Links;
use crate::messages::courier::Courier;
use crate::messages::mail::Mail;
use crate::messages::outbound::Outbound;
use crate::messages::queue::Queue;
use crate::messages::sms::{HttpVendor, Vendor};
use crate::messages::tally::Tally;
use crate::server;
use crate::store::outbox;
use crate::sweep::Sweep;

/// How soon the outbox is looked at again where nothing was due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How soon after an error.
const AFTER_ERROR: Duration = Duration::from_secs(2);
/// Rows that are leased at once.
const BATCH: usize = 16;
/// Ids that are put into the queue at once.
const QUEUED_AT_ONCE: i64 = 1000;
/// What was queued so long ago and is still nobody's was lost.
const QUEUED_FOR: SignedDuration = SignedDuration::from_secs(30);
/// How often timers are looked at.
const SWEEP_AGAIN: Duration = Duration::from_secs(2);
/// How often the outbox is counted.
const COUNT_AGAIN: Duration = Duration::from_secs(5);

/// The shared parts of one worker.
struct Worker {
    release: String,
    courier: Courier,
    queue: Option<Queue>,
    /// Deliveries that may be under way at once.
    room: Arc<Semaphore>,
    deliveries: TaskTracker,
    shutdown: Shutdown,
}

/// Works until `shutdown`, then finishes what is in hand.
pub(crate) async fn work(
    config: WorkerConfig,
    clock: Clock,
    random: Random,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let internal = match config.internal_port {
        Some(port) => Some(
            TcpListener::bind(("127.0.0.1", port))
                .await
                .with_context(|| format!("listening on 127.0.0.1:{port}"))?,
        ),
        None => None,
    };
    let internal_at = internal
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose()
        .context("reading an address")?;
    let drain = Duration::from_secs(config.drain_seconds);
    let worker = Arc::new(Worker::new(config, clock, random, shutdown.clone())?);
    tracing::info!(
        internal = internal_at.map(|address| address.to_string()),
        release = worker.release,
        "working"
    );
    // The internal port outlives the work, so that the drain can be watched.
    let end = Shutdown::new();
    let watched = internal.map(|listener| {
        let router = internal_router(Arc::clone(&worker));
        tokio::spawn(server::serve(listener, router, end.child(), Duration::ZERO))
    });
    let queueing = tokio::spawn(fill_queue(Arc::clone(&worker)));
    let counting = tokio::spawn(count(Arc::clone(&worker)));
    let sweeping = tokio::spawn(sweep(Arc::clone(&worker)));
    let giving_back = tokio::spawn(give_back(Arc::clone(&worker)));
    take(&worker).await;
    worker.deliveries.close();
    let drained = tokio::time::timeout(drain, worker.deliveries.wait()).await;
    queueing.await.context("ending the queue")?;
    counting.await.context("ending the count")?;
    sweeping.await.context("ending the sweeps")?;
    giving_back.await.context("ending what is given back")?;
    end.request();
    if let Some(watched) = watched {
        watched.await.context("ending the internal port")?;
    }
    if drained.is_err() {
        let left = worker.deliveries.len();
        anyhow::bail!("{left} messages were still in hand {drain:?} after the end was asked for");
    }
    tracing::info!("drained; every message in hand was finished");
    Ok(())
}

impl Worker {
    fn new(
        config: WorkerConfig,
        clock: Clock,
        random: Random,
        shutdown: Shutdown,
    ) -> anyhow::Result<Self> {
        let queue = config.redis_url.as_ref().map(Queue::new).transpose()?;
        let courier = Courier {
            pool: database::pool(&config.database_url, config.database_connections)?,
            owner: random.uuid(clock.now()),
            links: Links::derive(config.form_key_material()),
            sms: vendor(config.sms.as_ref())?,
            webhooks: Outbound::new(config.webhooks)?,
            mail: Mail::new(&config.smtp_url, &config.mail_from)?,
            public_url: config.public_url,
            tally: Tally::new(&config.release),
            clock,
            random,
        };
        Ok(Self {
            release: config.release,
            courier,
            queue,
            room: Arc::new(Semaphore::new(config.slots)),
            deliveries: TaskTracker::new(),
            shutdown,
        })
    }

    /// Waits, but not beyond the end.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.shutdown.requested() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Ids from the queue; none where it is empty, away, or not set up.
    async fn take_ids(&self, limit: usize) -> Vec<Uuid> {
        let Some(queue) = &self.queue else {
            return Vec::new();
        };
        let taken = tokio::select! {
            () = self.shutdown.requested() => return Vec::new(),
            taken = queue.take(limit) => taken,
        };
        taken.unwrap_or_else(|error| {
            // The text of the error could name the address.
            tracing::debug!(kind = ?error.kind(), "the queue does not answer; going without");
            Vec::new()
        })
    }
}

fn vendor(sms: Option<&SmsConfig>) -> anyhow::Result<Option<Box<dyn Vendor>>> {
    let Some(sms) = sms else {
        return Ok(None);
    };
    let vendor = HttpVendor::new(&sms.url, sms.token.clone())?;
    Ok(Some(Box::new(vendor)))
}

/// Takes rows and delivers them until the end is asked for.
async fn take(worker: &Arc<Worker>) {
    // Whether the outbox holds more than the queue knows of, so that it is not waited for.
    let mut is_behind = false;
    while !worker.shutdown.is_requested() {
        let room = Arc::clone(&worker.room).acquire_many_owned(1);
        let first = tokio::select! {
            () = worker.shutdown.requested() => return,
            room = room => room.expect("the semaphore is never closed"),
        };
        let limit = worker.room.available_permits().min(BATCH - 1) + 1;
        drop(first);
        let ids = if is_behind {
            Vec::new()
        } else {
            worker.take_ids(limit).await
        };
        if worker.shutdown.is_requested() {
            // What was taken from the queue is found in the outbox again.
            return;
        }
        let leased = worker.courier.lease(&ids, limit).await;
        let found = leased.as_ref().map_or(0, Vec::len);
        is_behind = ids.is_empty() && found > 0;
        match leased {
            Ok(rows) if rows.is_empty() && ids.is_empty() => worker.pause(LOOK_AGAIN).await,
            Ok(rows) => {
                for row in rows {
                    deliver(worker, row).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                worker.pause(AFTER_ERROR).await;
            }
        }
    }
}

async fn deliver(worker: &Arc<Worker>, row: outbox::Leased) {
    let room = Arc::clone(&worker.room).acquire_owned().await;
    let permit = room.expect("the semaphore is never closed");
    let worker = Arc::clone(worker);
    worker.clone().deliveries.spawn(async move {
        worker.courier.tally.in_hand.inc();
        worker.courier.handle(&row).await;
        worker.courier.tally.in_hand.dec();
        drop(permit);
    });
}

/// Puts what is due into the queue, until the end is asked for.
async fn fill_queue(worker: Arc<Worker>) {
    let Some(queue) = &worker.queue else {
        return;
    };
    while !worker.shutdown.is_requested() {
        match queue_due(&worker.courier, queue).await {
            Ok(queued) if queued == QUEUED_AT_ONCE => {}
            Ok(_) => worker.pause(LOOK_AGAIN).await,
            Err(error) => {
                tracing::debug!(%error, "the queue is not filled; workers look for themselves");
                worker.pause(AFTER_ERROR).await;
            }
        }
    }
}

/// The note that a row is queued stands before Redis has it, so that whoever takes it finds
/// it free; where Redis does not take it, the note is taken back.
async fn queue_due(courier: &Courier, queue: &Queue) -> anyhow::Result<i64> {
    let now = courier.clock.now();
    let before = now.saturating_sub(QUEUED_FOR).unwrap_or(Timestamp::MIN);
    let mut transaction = outbox::begin(&courier.pool).await?;
    let ids = outbox::queue(&mut transaction, now, before, QUEUED_AT_ONCE).await?;
    transaction.commit().await?;
    if let Err(error) = queue.put(&ids).await {
        let mut transaction = outbox::begin(&courier.pool).await?;
        outbox::not_queued(&mut transaction, &ids).await?;
        transaction.commit().await?;
        anyhow::bail!("Redis does not answer: {:?}", error.kind());
    }
    courier.tally.queued.inc_by(u64::try_from(ids.len())?);
    Ok(i64::try_from(ids.len())?)
}

/// Gives times back that were held for too long, until the end is asked for. On its own, since
/// somebody waits for them, whatever else there is to sweep.
async fn give_back(worker: Arc<Worker>) {
    while !worker.shutdown.is_requested() {
        let courier = &worker.courier;
        let appointments = Appointments {
            pool: courier.pool.clone(),
            random: courier.random.clone(),
            link_key: courier.links.booking_key(),
        };
        if let Err(error) = appointments.sweep_holds(courier.clock.now()).await {
            tracing::warn!(%error, "what was held for too long is given back later");
        }
        worker.pause(SWEEP_AGAIN).await;
    }
}

/// Does what comes round again, until the end is asked for.
async fn sweep(worker: Arc<Worker>) {
    while !worker.shutdown.is_requested() {
        let courier = &worker.courier;
        for sweep in Sweep::ALL {
            let now = courier.clock.now();
            match sweep.run(&courier.pool, &courier.random, now).await {
                Ok(None) => {}
                Ok(Some(done)) => {
                    courier.tally.swept(sweep.name());
                    tracing::debug!(name = sweep.name(), done, "swept");
                }
                Err(error) => {
                    tracing::warn!(name = sweep.name(), %error, "a sweep is left for later");
                }
            }
        }
        worker.pause(SWEEP_AGAIN).await;
    }
}

/// Counts what the outbox holds, until the end is asked for.
async fn count(worker: Arc<Worker>) {
    while !worker.shutdown.is_requested() {
        if let Err(error) = count_once(&worker.courier).await {
            tracing::debug!(%error, "the outbox cannot be counted");
        }
        worker.pause(COUNT_AGAIN).await;
    }
}

async fn count_once(courier: &Courier) -> sqlx::Result<()> {
    let now = courier.clock.now();
    let mut transaction = outbox::begin(&courier.pool).await?;
    let rows = outbox::tally(&mut transaction, now).await?;
    transaction.rollback().await?;
    courier.tally.show(&rows, now);
    Ok(())
}

/// What only the operator's own programs reach.
fn internal_router(worker: Arc<Worker>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(alive))
        .with_state(worker)
}

async fn alive(State(worker): State<Arc<Worker>>) -> Response {
    Json(Health::of(&worker.release, Vec::new())).into_response()
}

async fn metrics(State(worker): State<Arc<Worker>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match worker.courier.tally.text() {
        Ok(text) => ([(CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
