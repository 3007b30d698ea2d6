//! What every handler shares. Nothing that must outlive the process is in here:
//! two releases run side by side, so the database decides.

use std::sync::Arc;

use chassis::{Clock, Random, Shutdown};
use http::HeaderValue;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::account::Accounts;
use crate::appointments::Appointments;
use crate::cache::Cache;
use crate::door::Door;
use crate::health;
use crate::links::Links;
use crate::messages::outbound::Reach;
use crate::metrics::Metrics;
use crate::security::FormKey;
use crate::turnstile::Turnstile;

/// The shared parts of one process.
pub(crate) struct App {
    pub(crate) release: String,
    pub(crate) release_header: HeaderValue,
    pub(crate) secure: bool,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) form_key: FormKey,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
    pub(crate) appointments: Appointments,
    pub(crate) accounts: Accounts,
    pub(crate) links: Links,
    /// Connections for looking at health only.
    pub(crate) probes: PgPool,
    pub(crate) parts: health::Shared,
    pub(crate) rehearsal: health::Shared,
    pub(crate) cache: Option<Cache>,
    /// Where those wait who change something.
    pub(crate) door: Door,
    /// Turns in which free times are computed.
    pub(crate) computing: Semaphore,
    /// Places of live streams, and of files that arrive.
    pub(crate) streams: Arc<Turnstile>,
    pub(crate) imports: Arc<Turnstile>,
    /// Where webhooks may lead.
    pub(crate) webhook_reach: Reach,
    /// How many requests a key may make in a minute.
    pub(crate) key_requests: u32,
}
