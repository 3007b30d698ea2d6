//! Programs that run beside the services: PostgreSQL and Redis, from what is installed,
//! each in a private folder and as an unprivileged user. They outlive control, which
//! finds them again by their record. One that cannot be started is tried again and keeps
//! nobody from rolling back. Never removes data.

pub(crate) mod postgres;
pub(crate) mod record;
pub(crate) mod redis;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Random, SecretString, Shutdown};
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event, Journal, ServiceName};
use slipway_rollout::process::Ending;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::accessories::postgres::Postgres;
use crate::accessories::record::Record;
use crate::accessories::redis::Redis;
use crate::environment::{AccessorySettings, Environment};
use crate::state::State;

/// How often a running accessory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long to wait before one that could not be started is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How long an accessory may take to end.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// The names under which accessories are known.
pub(crate) const NAMES: [&str; 2] = [postgres::NAME, redis::NAME];

/// The accessories of an environment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Accessories {
    ground: Ground,
    journal: Journal,
    wanted: Arc<Mutex<Wanted>>,
    /// Only one task starts programs at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What an accessory is started with.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) state: State,
    pub(crate) random: Random,
    /// This very program, for `slipway launch`.
    pub(crate) program: PathBuf,
}

#[derive(Debug, Clone, Default)]
struct Wanted {
    settings: AccessorySettings,
    services: Vec<ServiceName>,
    /// Why an accessory does not run, by its name.
    problems: BTreeMap<&'static str, String>,
}

impl Accessories {
    /// Nothing is started yet.
    pub(crate) fn new(ground: Ground, journal: Journal) -> Self {
        Self {
            ground,
            journal,
            wanted: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Starts what `environment` names and adopts what already runs; each service gets its
    /// database. What does not succeed is found in `problems`.
    pub(crate) async fn ensure(&self, environment: &Environment) {
        self.with(|wanted| {
            wanted.settings = environment.accessories.clone();
            wanted.services = environment.service.keys().cloned().collect();
        });
        // PostgreSQL takes seconds at its first start, so the two start side by side.
        let turn = self.turn.lock().await;
        tokio::join!(
            self.ensure_one(postgres::NAME),
            self.ensure_one(redis::NAME)
        );
        drop(turn);
    }

    /// Whether the processes of all that `environment` names run already.
    pub(crate) fn all_run(&self, environment: &Environment) -> bool {
        let wanted = &environment.accessories;
        let runs = |name| matches!(Record::read(&self.ground.state, name), Ok(Some(r)) if r.runs());
        (!wanted.postgres || runs(postgres::NAME)) && (!wanted.redis || runs(redis::NAME))
    }

    /// Why accessories do not run, by name.
    pub(crate) fn problems(&self) -> BTreeMap<&'static str, String> {
        self.with(|wanted| wanted.problems.clone())
    }

    /// Where `service` finds its own database.
    pub(crate) fn postgres_url(&self, service: &ServiceName) -> anyhow::Result<SecretString> {
        Postgres::url_of(&self.ground, service)
    }

    /// Where Redis answers.
    pub(crate) fn redis_url(&self) -> anyhow::Result<SecretString> {
        Redis::url(&self.ground)
    }

    /// Starts what ends by itself again, until `shutdown`; leaves them running then.
    pub(crate) async fn watch(self, shutdown: Shutdown) {
        let mut rest = Duration::ZERO;
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = sleep(LOOK_EVERY + rest) => {}
            }
            let turn = self.turn.lock().await;
            for name in NAMES {
                if let Err(error) = self.look(name).await {
                    tracing::error!(accessory = name, error = %format!("{error:#}"), "cannot be looked after");
                }
            }
            drop(turn);
            let well = self.problems().is_empty();
            rest = if well {
                Duration::ZERO
            } else {
                TRY_AGAIN_AFTER
            };
        }
    }

    async fn look(&self, name: &'static str) -> anyhow::Result<()> {
        let known = Record::read(&self.ground.state, name)?;
        let troubled = self.with(|w| w.problems.contains_key(name));
        if !self.is_wanted(name) || (known.as_ref().is_some_and(Record::runs) && !troubled) {
            return Ok(());
        }
        if !troubled {
            tracing::warn!(accessory = name, "ended by itself; starting it again");
            let exited = ControlEvent::AccessoryExited {
                name: name.to_owned(),
                how: "its process is gone".to_owned(),
            };
            self.note(exited).await?;
        }
        self.ensure_one(name).await;
        Ok(())
    }

    async fn ensure_one(&self, name: &'static str) {
        let (wanted, services) = (self.is_wanted(name), self.with(|w| w.services.clone()));
        if !wanted {
            self.with(|w| w.problems.remove(name));
            return;
        }
        let started = match name {
            postgres::NAME => self.start_postgres(services).await,
            _ => self.start_redis().await,
        };
        match started {
            Ok(()) => self.with(|w| w.problems.remove(name)),
            Err(error) => {
                tracing::error!(accessory = name, error = %format!("{error:#}"), "cannot be started");
                self.with(|w| w.problems.insert(name, format!("{error:#}")))
            }
        };
    }

    async fn start_postgres(&self, services: Vec<ServiceName>) -> anyhow::Result<()> {
        let ground = self.ground.clone();
        let started = spawn_blocking(move || Postgres::start(&ground)).await??;
        self.started(postgres::NAME, started).await?;
        let ground = self.ground.clone();
        spawn_blocking(move || Postgres::make_databases(&ground, &services)).await?
    }

    async fn start_redis(&self) -> anyhow::Result<()> {
        let ground = self.ground.clone();
        let started = spawn_blocking(move || Redis::start(&ground)).await??;
        self.started(redis::NAME, started).await
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

    fn is_wanted(&self, name: &str) -> bool {
        self.with(|wanted| match name {
            postgres::NAME => wanted.settings.postgres,
            _ => wanted.settings.redis,
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Wanted) -> T) -> T {
        act(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stops the accessories of a state folder. Blocking; needs no control.
pub(crate) fn stop_all(state: &State) -> anyhow::Result<Vec<(&'static str, Ending)>> {
    let mut endings = Vec::new();
    for (name, ask) in [(postgres::NAME, postgres::ASK), (redis::NAME, redis::ASK)] {
        // One that cannot be read is found by its folder.
        if let Ok(Some(record)) = Record::read(state, name) {
            let ending = record
                .process
                .stop(ask, STOP_GRACE)
                .with_context(|| format!("stopping {name}, process {}", record.process.pid))?;
            endings.push((name, ending));
        }
        record::end_strays(state, name, ask)?;
    }
    Ok(endings)
}
