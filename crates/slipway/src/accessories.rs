//! Programs that run beside the services: PostgreSQL and Redis, from what is installed,
//! each in a private folder and as an unprivileged user. They outlive control, which
//! finds them again by their record. Never removes data.

pub(crate) mod postgres;
pub(crate) mod record;
pub(crate) mod redis;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Random, SecretString, Shutdown};
use rustix::process::Signal;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event, Journal, ServiceName};
use tokio::time::sleep;

use crate::accessories::postgres::Postgres;
use crate::accessories::record::Record;
use crate::accessories::redis::Redis;
use crate::environment::AccessorySettings;
use crate::state::State;
use slipway_rollout::process::Ending;

/// How often a running accessory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long an accessory may take to end.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// The accessories of an environment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Accessories {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    journal: Journal,
}

/// What an accessory is started with.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) state: State,
    pub(crate) random: Random,
    /// This very program, for `slipway launch`.
    pub(crate) program: PathBuf,
}

impl Accessories {
    /// Starts what `settings` name, or adopts what already runs.
    pub(crate) async fn start(
        settings: &AccessorySettings,
        ground: &Ground,
        journal: Journal,
    ) -> anyhow::Result<Self> {
        let mut accessories = Self {
            postgres: None,
            redis: None,
            journal,
        };
        // PostgreSQL takes seconds at its first start, so the two start side by side.
        let postgres = start_one(settings.postgres, ground.clone(), Postgres::start);
        let redis = start_one(settings.redis, ground.clone(), Redis::start);
        let (postgres, redis) = tokio::try_join!(postgres, redis)?;
        if let Some((postgres, record)) = postgres {
            accessories.started("postgres", record).await?;
            accessories.postgres = Some(postgres);
        }
        if let Some((redis, record)) = redis {
            accessories.started("redis", record).await?;
            accessories.redis = Some(redis);
        }
        Ok(accessories)
    }

    /// Where `service` finds its own database; made at its first use.
    pub(crate) async fn postgres_url(&self, service: &ServiceName) -> anyhow::Result<SecretString> {
        let postgres = self
            .postgres
            .clone()
            .context("this environment has no PostgreSQL")?;
        let service = service.clone();
        tokio::task::spawn_blocking(move || postgres.database_of(&service)).await?
    }

    /// Where Redis answers.
    pub(crate) fn redis_url(&self) -> anyhow::Result<SecretString> {
        Ok(self
            .redis
            .as_ref()
            .context("this environment has no Redis")?
            .url())
    }

    /// Starts what ends by itself again, until `shutdown`; leaves them running then.
    pub(crate) async fn watch(self, ground: Ground, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            for (name, wanted) in [
                ("postgres", self.postgres.is_some()),
                ("redis", self.redis.is_some()),
            ] {
                if !wanted {
                    continue;
                }
                if let Err(error) = self.look(name, &ground).await {
                    tracing::error!(accessory = name, error = %format!("{error:#}"), "cannot be started again");
                }
            }
        }
    }

    async fn look(&self, name: &'static str, ground: &Ground) -> anyhow::Result<()> {
        if Record::read(&ground.state, name)?.is_some_and(|r| r.process.is_alive()) {
            return Ok(());
        }
        tracing::warn!(accessory = name, "ended by itself; starting it again");
        let exited = ControlEvent::AccessoryExited {
            name: name.to_owned(),
            how: "its process is gone".to_owned(),
        };
        self.note(exited).await?;
        let ground = ground.clone();
        let started = tokio::task::spawn_blocking(move || match name {
            "postgres" => Postgres::start(&ground).map(|(_, record)| record),
            _ => Redis::start(&ground).map(|(_, record)| record),
        });
        self.started(name, started.await??).await
    }

    async fn started(&self, name: &str, started: Option<Record>) -> anyhow::Result<()> {
        let Some(record) = started else {
            return Ok(());
        };
        let pid = u32::try_from(record.process.pid)?;
        self.note(ControlEvent::AccessoryStarted {
            name: name.to_owned(),
            pid,
        })
        .await
    }

    async fn note(&self, event: ControlEvent) -> anyhow::Result<()> {
        let actor = Actor::System("control".to_owned());
        self.journal
            .append(actor, vec![Event::Control(event)])
            .await
            .context("writing the journal")?;
        Ok(())
    }
}

/// Runs a blocking start; the record is there only when a process was really started.
async fn start_one<T: Send + 'static>(
    wanted: bool,
    ground: Ground,
    start: fn(&Ground) -> anyhow::Result<(T, Option<Record>)>,
) -> anyhow::Result<Option<(T, Option<Record>)>> {
    if !wanted {
        return Ok(None);
    }
    Ok(Some(
        tokio::task::spawn_blocking(move || start(&ground)).await??,
    ))
}

/// Stops the accessories of a state folder. Blocking; needs no control.
pub(crate) fn stop_all(state: &State) -> anyhow::Result<Vec<(&'static str, Ending)>> {
    let mut endings = Vec::new();
    // SIGINT is PostgreSQL's fast shutdown: it ends sessions and writes a checkpoint.
    for (name, ask) in [("postgres", Signal::INT), ("redis", Signal::TERM)] {
        let Some(record) = Record::read(state, name)? else {
            continue;
        };
        let ending = record
            .process
            .stop(ask, STOP_GRACE)
            .with_context(|| format!("stopping {name}, process {}", record.process.pid))?;
        endings.push((name, ending));
    }
    Ok(endings)
}
