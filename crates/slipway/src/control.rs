//! Control: the one writer of the journal. Starts or adopts the accessories and answers
//! on its Unix socket and on the console's. Traffic does not pass through here.

pub(crate) mod api;
pub(crate) mod peer;

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::Context as _;
use chassis::Shutdown;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event, Journal, JournalError};

use crate::accessories::{Accessories, Ground};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::environment::Environment;

/// What control is started with.
pub(crate) struct Control<'a> {
    pub(crate) context: &'a Context,
    pub(crate) environment: Environment,
    /// The console's socket, where the keeper handed one over.
    pub(crate) console: Option<TcpListener>,
    /// This very program, for `slipway launch`.
    pub(crate) program: PathBuf,
}

impl Control<'_> {
    /// Runs until SIGTERM or SIGINT. Accessories and instances go on without it.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Context {
            state,
            clock,
            random,
            ..
        } = self.context;
        state.create()?;
        let shutdown = Shutdown::on_signals()?;
        let journal = open_journal(&state.journal(), clock).await?;
        let ground = Ground {
            state: state.clone(),
            random: random.clone(),
            program: self.program,
        };
        let accessories =
            Accessories::start(&self.environment.accessories, &ground, journal.clone())
                .await
                .context("starting the accessories")?;
        for service in self.environment.service.keys() {
            if self.environment.accessories.postgres {
                accessories.postgres_url(service).await?;
            }
        }
        note(&journal, started()).await?;
        let watch = tokio::spawn(accessories.watch(ground, shutdown.clone()));
        if let Some(console) = self.console {
            tracing::debug!(address = ?console.local_addr(), "the console's socket is held");
        }
        api::serve(&state.control_socket(), journal.clone(), shutdown.clone()).await?;
        watch.await.context("looking after the accessories")?;
        note(
            &journal,
            ControlEvent::Stopped {
                reason: "asked to".to_owned(),
            },
        )
        .await
    }
}

fn started() -> ControlEvent {
    ControlEvent::Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        recovered: 0,
    }
}

async fn open_journal(path: &std::path::Path, clock: &chassis::Clock) -> anyhow::Result<Journal> {
    Journal::open(path, clock.clone())
        .await
        .map_err(|error| match error {
            JournalError::Held { .. } => Failure::refused(error.to_string())
                .hint("another control runs in this state folder: `slipway down` stops it")
                .into(),
            JournalError::Broken { .. } => Failure::failed(error.to_string())
                .hint("slipway journal verify")
                .into(),
            error => anyhow::Error::new(error).context("opening the journal"),
        })
}

async fn note(journal: &Journal, event: ControlEvent) -> anyhow::Result<()> {
    let actor = Actor::System("control".to_owned());
    journal
        .append(actor, vec![Event::Control(event)])
        .await
        .context("writing the journal")?;
    Ok(())
}
