//! Control: the one writer of the journal. Starts or adopts the accessories and answers
//! on its Unix socket and on the console's. Traffic does not pass through here.

mod admission;
pub(crate) mod api;
mod approvals;
mod change;
pub(crate) mod helm;
mod locks;
pub(crate) mod orders;
pub(crate) mod peer;
mod reason;
pub(crate) mod settings;
pub(crate) mod wire;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chassis::Shutdown;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, EnvironmentName, Event, Journal, JournalError};
use slipway_proxy::{Client, Trust};
use slipway_rollout::Engine;
use slipway_rollout::book::Book;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::accessories::{Accessories, Ground};
use crate::acme::Acme;
use crate::acme::shelf::Shelf;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::console;
use crate::console::session::Sessions;
use crate::control::helm::EngineHelm;
use crate::control::orders::{Desk, Inner};
use crate::environment::Environment;
use crate::keeper::record::Record;
use crate::local_http;
use crate::lock::Locks;
use crate::terminal;

/// How long the proxy may take to answer before control gives up and is started again.
const PROXY_WITHIN: Duration = Duration::from_secs(30);

/// From one look at variables that could not be filled to the next.
const COMPLETE_AFTER: Duration = Duration::from_secs(5);

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
        let shutdown = Shutdown::on_signals()?;
        let ended = tokio::select! {
            ended = self.start(&shutdown) => ended?,
            // Nothing to end in order yet.
            () = shutdown.requested() => return Ok(()),
        };
        ended.serve(shutdown).await
    }

    async fn start(self, shutdown: &Shutdown) -> anyhow::Result<Running> {
        let context = self.context;
        context.state.create()?;
        let journal = open_journal(&context.state.journal(), &context.clock).await?;
        let accessories = self.accessories(&journal).await;
        await_proxy(context).await?;
        let (services, missing) = settings::resolve_what_is_known(&self.environment, &accessories);
        for failure in &missing {
            tracing::error!(%failure, "a variable is not known before its accessory runs");
        }
        let (ground, name) = (self.ground(&journal)?, self.name()?);
        let names = services.keys().cloned().collect();
        // Before the engine reads the journal, so that it knows how often it was begun anew.
        let entries = journal.replay().await.context("reading the journal")?;
        let (book, locks) = (Book::of(name.clone(), &entries), Locks::of(&entries));
        note(&journal, started(book.unfinished())).await;
        let engine = Engine::start(ground, services, shutdown.child()).await?;
        if !missing.is_empty() {
            let project = context.project.clone();
            tokio::spawn(complete(
                engine.clone(),
                project,
                name.clone(),
                accessories.clone(),
            ));
        }
        let sessions = Arc::new(Sessions::new(context.clock.clone(), context.random.clone()));
        let address = self.console_address()?;
        let acme = self.acme(&journal);
        let console = self.console.map(|socket| {
            let ground = console::Ground {
                journal: journal.clone(),
                proxy: Client::new(context.state.proxy_socket()),
                state: context.state.clone(),
                environment: name.clone(),
                services: names,
                helm: Some(Arc::new(EngineHelm {
                    engine: engine.clone(),
                    project: context.project.clone(),
                    environment: name.clone(),
                    clock: context.clock.clone(),
                })),
                sessions: Arc::clone(&sessions),
                clock: context.clock.clone(),
                random: context.random.clone(),
            };
            (socket, ground)
        });
        Ok(Running {
            acme,
            desk: Desk::new(Inner {
                state: context.state.clone(),
                project: context.project.clone(),
                environment: name,
                journal: journal.clone(),
                engine,
                accessories: accessories.clone(),
                console: address.map(|address| (address, sessions)),
                clock: context.clock.clone(),
                locks: Arc::new(Mutex::new(locks)),
            }),
            approvals: context.state.approvals_socket(),
            socket: context.state.control_socket(),
            journal,
            accessories,
            console,
        })
    }

    fn console_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let address = self.console.as_ref().map(TcpListener::local_addr);
        address.transpose().context("reading the console's address")
    }

    /// What services need beside themselves: started, or adopted where it runs.
    async fn accessories(&self, journal: &Journal) -> Accessories {
        let accessories = Accessories::new(
            Ground {
                state: self.context.state.clone(),
                random: self.context.random.clone(),
                program: self.program.clone(),
            },
            journal.clone(),
        );
        // What runs already needs no waiting; a first start takes seconds.
        if accessories.all_run(&self.environment) {
            let (accessories, environment) = (accessories.clone(), self.environment.clone());
            tokio::spawn(async move { accessories.ensure(&environment).await });
        } else {
            accessories.ensure(&self.environment).await;
        }
        accessories
    }

    fn ground(&self, journal: &Journal) -> anyhow::Result<slipway_rollout::Ground> {
        let context = self.context;
        let record = Record::read(&context.state)?.context("there is no keeper's record")?;
        Ok(slipway_rollout::Ground {
            journal: journal.clone(),
            proxy: Client::new(context.state.proxy_socket()),
            releases: context.state.releases(),
            instances: context.state.instances(),
            launcher: vec![self.program.clone().into(), "launch".into()],
            clock: context.clock.clone(),
            random: context.random.clone(),
            environment: self.name()?,
            public: record.listen,
            announced_by: Trust::Networks(self.environment.proxy.announced_by.clone()),
        })
    }

    /// Who looks after the certificate, where one is to be fetched.
    fn acme(&self, journal: &Journal) -> Option<Acme> {
        let context = self.context;
        let settings = self.environment.proxy.tls.as_ref()?.acme.clone()?;
        let authority = settings.authority.as_ref();
        Some(Acme {
            authority: authority.map(|file| context.project.join(file)),
            settings,
            shelf: Shelf(context.state.certificates()),
            proxy: Client::new(context.state.proxy_socket()),
            journal: journal.clone(),
            clock: context.clock.clone(),
            random: context.random.clone(),
        })
    }

    fn name(&self) -> anyhow::Result<EnvironmentName> {
        let name = self.environment.name.clone();
        name.context("the environment has no name")
    }
}

/// Control with everything started.
struct Running {
    desk: Desk,
    socket: PathBuf,
    /// Where other accounts approve.
    approvals: PathBuf,
    journal: Journal,
    accessories: Accessories,
    console: Option<(TcpListener, console::Ground)>,
    acme: Option<Acme>,
}

impl Running {
    async fn serve(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let watch = tokio::spawn(self.accessories.watch(shutdown.clone()));
        let acme = self
            .acme
            .map(|acme| tokio::spawn(acme.keep(shutdown.clone())));
        let console = self.console.map(|(socket, ground)| {
            let shutdown = shutdown.clone();
            tokio::spawn(async move {
                if let Err(error) = console::serve(socket, ground, shutdown).await {
                    // Control is there for rollouts; a page less is no reason to end.
                    tracing::error!(error = %format!("{error:#}"), "the console ended");
                }
            })
        });
        let approvals = {
            let (desk, shutdown) = (self.desk.clone(), shutdown.clone());
            tokio::spawn(async move { api::serve_approvers(&self.approvals, desk, shutdown).await })
        };
        api::serve(&self.socket, self.desk, shutdown).await?;
        approvals.await.context("taking approvals")??;
        watch.await.context("looking after the accessories")?;
        if let Some(acme) = acme {
            acme.await.context("looking after the certificate")?;
        }
        if let Some(console) = console {
            console.await.context("ending the console")?;
        }
        note(
            &self.journal,
            ControlEvent::Stopped {
                reason: "asked to".to_owned(),
            },
        )
        .await;
        Ok(())
    }
}

/// The engine looks at the proxy when it takes rollouts up again, so that one goes first.
async fn await_proxy(context: &Context) -> anyhow::Result<()> {
    let deadline = Instant::now() + PROXY_WITHIN;
    while !local_http::answers(&context.state.proxy_socket(), "/ready").await {
        if Instant::now() > deadline {
            return Err(Failure::unreachable(format!(
                "the proxy did not answer within {}",
                terminal::span(PROXY_WITHIN)
            ))
            .hint("`slipway logs proxy` tells why; control is started again and goes on waiting")
            .into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Hands the engine the whole settings as soon as there are such.
async fn complete(
    engine: Engine,
    project: PathBuf,
    name: EnvironmentName,
    accessories: Accessories,
) {
    loop {
        sleep(COMPLETE_AFTER).await;
        // Read anew, as every deployment does, so that none is put back by this.
        let services = Environment::read(&project, &name)
            .and_then(|environment| settings::resolve(&environment, &accessories));
        if let Ok(services) = services {
            return engine.configure(services).await;
        }
    }
}

fn started(recovered: u32) -> ControlEvent {
    ControlEvent::Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        recovered,
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

/// A journal that takes no note is no reason not to be there for a rollback.
async fn note(journal: &Journal, event: ControlEvent) {
    let actor = Actor::System("control".to_owned());
    if let Err(error) = journal.append(actor, vec![Event::Control(event)]).await {
        let error = format!("{:#}", anyhow::Error::new(error));
        tracing::error!(error, "the journal does not take events");
    }
}
