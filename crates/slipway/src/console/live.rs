//! The picture of now that every page is drawn from: the journal folded as it grows,
//! and the proxy asked once a second. Never writes, and holds no lock across a wait.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chassis::{Clock, Shutdown};
use slipway_journal::event::RolloutEvent;
use slipway_journal::{Entry, Event, Journal, JournalError, Seq};
use slipway_proxy::{Client, Stats, Table};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::console::traffic::Traffic;
use crate::console::verdicts::Verdicts;
use crate::reading::Reading;

const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// A proxy that is busy answers later than this only when it is in trouble.
const ANSWER_WITHIN: Duration = Duration::from_millis(900);
const PAGE: u32 = 1000;

/// Everything that is shown.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    pub(crate) reading: Reading,
    pub(crate) verdicts: Verdicts,
    /// The hash of the last entry.
    pub(crate) head: String,
    pub(crate) proxy: Proxy,
    pub(crate) traffic: Traffic,
}

/// What the proxy last told.
#[derive(Debug, Default)]
pub(crate) struct Proxy {
    pub(crate) table: Option<Table>,
    pub(crate) stats: Option<Stats>,
    /// Why it does not answer now.
    pub(crate) silent: Option<String>,
}

impl Picture {
    pub(crate) fn take(&mut self, entry: &Entry) {
        if entry.seq <= self.reading.seq {
            return;
        }
        self.reading.take(entry);
        self.verdicts.take(entry);
        self.head.clone_from(&entry.hash);
    }
}

/// The picture, kept up to date.
#[derive(Debug)]
pub(crate) struct Live {
    picture: RwLock<Picture>,
    revision: watch::Sender<u64>,
    /// A step was done, so the proxy's table may be another.
    stepped: Notify,
}

impl Live {
    /// Reads the journal once; `follow` and `sample` keep up from there.
    pub(crate) async fn read(journal: &Journal) -> Result<(Arc<Self>, Follow), JournalError> {
        // Subscribed first, so that no entry falls between the two.
        let entries = journal.subscribe();
        let mut picture = Picture::default();
        for entry in journal.replay().await? {
            picture.take(&entry);
        }
        let (revision, _) = watch::channel(0);
        let live = Arc::new(Self {
            picture: RwLock::new(picture),
            revision,
            stepped: Notify::new(),
        });
        let follow = Follow {
            live: Arc::clone(&live),
            journal: journal.clone(),
            entries,
        };
        Ok((live, follow))
    }

    /// The picture as it is; never kept across a wait.
    pub(crate) fn picture(&self) -> RwLockReadGuard<'_, Picture> {
        self.picture.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Picture)) {
        let mut picture: RwLockWriteGuard<'_, Picture> =
            self.picture.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut picture);
        drop(picture);
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// Asks the proxy once a second until `shutdown`.
    pub(crate) async fn sample(self: Arc<Self>, proxy: Client, clock: Clock, shutdown: Shutdown) {
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => {}
                () = self.stepped.notified() => {
                    self.look_at_table(&proxy).await;
                    continue;
                }
            }
            let known = self.picture().proxy.table.as_ref().map(|t| t.generation);
            let asked = timeout(ANSWER_WITHIN, async {
                let stats = proxy.stats().await?;
                let table = if known == Some(stats.generation) {
                    None
                } else {
                    Some(proxy.table().await?)
                };
                Ok::<_, slipway_proxy::ClientError>((stats, table))
            })
            .await;
            let at = clock.monotonic();
            self.change(|picture| match asked {
                Ok(Ok((stats, table))) => {
                    picture.traffic.take(at, &stats);
                    picture.proxy.table = table.or_else(|| picture.proxy.table.take());
                    picture.proxy.stats = Some(stats);
                    picture.proxy.silent = None;
                }
                Ok(Err(error)) => picture.proxy.silent = Some(error.to_string()),
                Err(_) => {
                    picture.proxy.silent = Some("the proxy does not answer in time".to_owned());
                }
            });
        }
    }

    /// Looks at the table between two samples, so that what is live is never behind what the
    /// journal says. Counts wait for their second: rates need equal lengths of time.
    async fn look_at_table(&self, proxy: &Client) {
        // Where it does not answer, the next sample finds out why, and says it.
        if let Ok(Ok(table)) = timeout(ANSWER_WITHIN, proxy.table()).await {
            self.change(|picture| picture.proxy.table = Some(table));
        }
    }
}

/// Follows the journal from where it was read.
pub(crate) struct Follow {
    live: Arc<Live>,
    journal: Journal,
    entries: broadcast::Receiver<Entry>,
}

impl Follow {
    /// Takes every entry into the picture until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        loop {
            let received = tokio::select! {
                () = shutdown.requested() => return,
                received = self.entries.recv() => received,
            };
            match received {
                Ok(entry) => {
                    self.live.change(|picture| picture.take(&entry));
                    if matches!(entry.event, Event::Rollout(RolloutEvent::Done { .. })) {
                        self.live.stepped.notify_one();
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    if let Err(error) = self.catch_up().await {
                        tracing::error!(%error, "the console cannot read the journal");
                    }
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Reads from the file what came too fast.
    async fn catch_up(&self) -> Result<(), JournalError> {
        loop {
            let after: Seq = self.live.picture().reading.seq;
            let entries = self.journal.read(after, PAGE).await?;
            if entries.is_empty() {
                return Ok(());
            }
            self.live.change(|picture| {
                for entry in &entries {
                    picture.take(entry);
                }
            });
        }
    }
}
