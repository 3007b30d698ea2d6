//! The console: what the journal and the proxy say, as pages on loopback, and buttons that ask
//! the rollout engine, for whoever is signed in. Writes nothing itself; no traffic passes here.

mod assets;
mod door;
mod events;
mod fault;
mod guard;
mod helm;
mod live;
mod pages;
mod router;
pub(crate) mod session;
mod traffic;
mod verdicts;
mod view;
mod words;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Clock, Random, Shutdown};
use jiff::tz::TimeZone;
use slipway_journal::{EnvironmentName, Journal, ServiceName};
use slipway_proxy::Client;
use tokio::sync::Semaphore;

use crate::console::door::Door;
use crate::console::guard::FormKey;
pub(crate) use crate::console::helm::{Answer, Helm, Plan};
use crate::console::live::Live;
use crate::console::session::Sessions;
use crate::console::words::Clockface;
use crate::state::State;

/// Streams of live updates at once; a browser tab that is looked at has one.
const STREAMS_MAX: usize = 32;
/// Connections at once: the streams, and the pages beside them.
const CONNECTIONS_MAX: usize = 128;
/// How long answers in flight may take once control ends.
const DRAIN: Duration = Duration::from_secs(3);

/// What the console stands on.
pub(crate) struct Ground {
    pub(crate) journal: Journal,
    pub(crate) proxy: Client,
    pub(crate) state: State,
    pub(crate) environment: EnvironmentName,
    /// The services of the environment, in the order of the page.
    pub(crate) services: Vec<ServiceName>,
    /// The rollout engine; without it the console only shows.
    pub(crate) helm: Option<Arc<dyn Helm>>,
    /// Who is signed in.
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

/// What every handler has at hand.
pub(crate) struct Desk {
    ground: Ground,
    live: Arc<Live>,
    zone: TimeZone,
    key: FormKey,
    streams: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Desk {
    /// The moment in which a page is written.
    pub(crate) fn face(&self) -> Clockface {
        Clockface {
            now: self.ground.clock.now(),
            zone: self.zone.clone(),
        }
    }
}

/// Answers on `listener` until `shutdown`; open streams end with it.
pub(crate) async fn serve(
    listener: TcpListener,
    ground: Ground,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    listener
        .set_nonblocking(true)
        .context("preparing the console's socket")?;
    let listener =
        tokio::net::TcpListener::from_std(listener).context("preparing the console's socket")?;
    let (live, follow) = Live::read(&ground.journal)
        .await
        .context("reading the journal for the console")?;
    let follow = tokio::spawn(follow.run(shutdown.clone()));
    let sample = tokio::spawn(Arc::clone(&live).sample(
        ground.proxy.clone(),
        ground.clock.clone(),
        shutdown.clone(),
    ));
    let desk = Arc::new(Desk {
        live,
        zone: TimeZone::system(),
        key: FormKey::new(&ground.random),
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        shutdown: shutdown.clone(),
        ground,
    });
    let asked = shutdown.clone();
    let door = Door::new(listener, CONNECTIONS_MAX);
    let served = axum::serve(door, router::routes(desk))
        .with_graceful_shutdown(async move { asked.requested().await });
    let drained = async {
        shutdown.requested().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = async { served.await } => served.context("answering as the console")?,
        // A client that never finishes its request must not keep control from ending.
        () = drained => tracing::debug!("connections to the console were cut"),
    }
    follow.await.context("following the journal")?;
    sample.await.context("asking the proxy")?;
    Ok(())
}

#[cfg(test)]
mod tests;
