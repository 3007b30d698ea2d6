//! The keeper: owns the listening sockets and the two children, proxy and control.
//! Starts a child again when it ends, and hands it the very same sockets.
//! Knows nothing of routing, rollouts or the journal.

pub(crate) mod child;
pub(crate) mod hold;
pub(crate) mod logs;
pub(crate) mod record;
pub(crate) mod sockets;
pub(crate) mod stray;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::net::sockopt::socket_peercred;
use rustix::process::Signal;
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, sleep};

use crate::environment::Environment;
use crate::keeper::child::{Backoff, Child, Role};
use crate::keeper::hold::Hold;
use crate::keeper::record::Record;
use crate::keeper::sockets::{Handed, Public};
use crate::local_http;
use crate::state::State;
use slipway_rollout::process::ProcessIdentity;

/// How long control may take to end in order.
const CONTROL_GRACE: Duration = Duration::from_secs(10);
/// How long the proxy may take to finish the requests in flight.
const PROXY_GRACE: Duration = Duration::from_secs(35);
/// After which time a new proxy that is not ready is told of, and how often it is looked for.
const LATE: Duration = Duration::from_secs(15);
const REST: Duration = Duration::from_millis(100);

/// What the keeper is started with.
pub(crate) struct Keeper {
    pub(crate) state: State,
    pub(crate) project: PathBuf,
    pub(crate) environment: Environment,
    /// This very program, for the children.
    pub(crate) program: PathBuf,
    /// Sockets of a service manager, in place of the environment's addresses.
    pub(crate) handed: Handed,
}

impl Keeper {
    /// Runs until SIGTERM or SIGINT, then ends control and proxy, in this order.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        self.state.create()?;
        let hold = Hold::take(&self.state).await?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let before = Record::read(&self.state)?;
        let (public, console, orphans) = self.sockets(before.as_ref())?;
        let mut record = Record::of(&self.environment, &public, &console)?;
        // From here on nothing but a signal ends the keeper: visitors depend on it.
        let mut proxy = self.child(Role::Proxy, public.named(), Backoff::at_once());
        let mut control = self.child(
            Role::Control,
            vec![(sockets::CONSOLE, console)],
            Backoff::patient(),
        );
        self.start(&mut proxy, &mut record);
        tracing::info!(proxy = ?record.public(), console = %record.console, "keeping");
        let mut look = interval(logs::EVERY);
        let mut retiring = true;
        let mut retired = pin!(self.retire(&orphans));
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = &mut retired, if retiring => {
                    retiring = false;
                    self.start(&mut control, &mut record);
                }
                _ = look.tick() => logs::bound(&self.state),
                () = proxy.wanted() => self.start(&mut proxy, &mut record),
                () = control.wanted(), if !retiring => self.start(&mut control, &mut record),
            }
        }
        stop(control, CONTROL_GRACE).await;
        stop(proxy, PROXY_GRACE).await;
        if retiring {
            stop_all(&orphans, PROXY_GRACE).context("stopping the earlier proxy")?;
        }
        Record::remove(&self.state);
        hold.release();
        Ok(())
    }

    /// The sockets: those of a proxy that outlived its keeper, or new ones; and the proxies
    /// that serve on them until a new one does.
    fn sockets(
        &mut self,
        before: Option<&Record>,
    ) -> anyhow::Result<(Public, TcpListener, Vec<ProcessIdentity>)> {
        let handed = std::mem::take(&mut self.handed);
        let (plain, wanted) = self.wanted(&handed.public);
        // Two control processes must never share a journal; the old one goes first.
        let controls = self.outlived(Role::Control, before.and_then(|b| b.control.as_ref()))?;
        stop_all(&controls, CONTROL_GRACE).context("stopping the old control")?;
        let orphans = self.outlived(Role::Proxy, before.and_then(|b| b.proxy.as_ref()))?;
        let taken = orphans
            .iter()
            .find_map(|orphan| match sockets::take_over(orphan, &wanted) {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, "the earlier proxy's sockets cannot be taken over");
                    None
                }
            });
        let console = match handed.console {
            Some(console) => console,
            None => sockets::bind_again(
                self.environment.console.listen,
                before.map(|b| b.console).as_slice(),
            )?,
        };
        if let Some(public) = taken {
            let public = handed.public.and(Public::of(public, plain));
            return Ok((public, console, orphans));
        }
        stop_all(&orphans, PROXY_GRACE).context("stopping the earlier proxy")?;
        let earlier = before.map(Record::public).unwrap_or_default();
        let public: Result<Vec<_>, _> = wanted
            .iter()
            .map(|address| sockets::bind_again(*address, &earlier))
            .collect();
        let public = handed.public.and(Public::of(public?, plain));
        Ok((public, console, Vec::new()))
    }

    /// The addresses of the environment for which no socket was handed over: how many without
    /// TLS, and all of them, those first.
    fn wanted(&self, handed: &Public) -> (usize, Vec<SocketAddr>) {
        let proxy = &self.environment.proxy;
        let mut wanted = Vec::new();
        if handed.plain.is_empty() {
            wanted.extend(&proxy.listen);
        }
        let plain = wanted.len();
        if handed.secure.is_empty() {
            wanted.extend(proxy.tls.iter().flat_map(|tls| &tls.listen));
        }
        (plain, wanted)
    }

    /// What runs in `role` of an earlier keeper: the one that is written down first, then
    /// those that it was killed too early to write down.
    fn outlived(
        &self,
        role: Role,
        recorded: Option<&ProcessIdentity>,
    ) -> anyhow::Result<Vec<ProcessIdentity>> {
        let mut found: Vec<ProcessIdentity> = recorded
            .filter(|recorded| recorded.is_alive())
            .cloned()
            .into_iter()
            .collect();
        for stray in stray::of(&self.state, role)? {
            if !found.contains(&stray) {
                found.push(stray);
            }
        }
        for process in &found {
            tracing::info!(%role, pid = process.pid, "runs still, of an earlier keeper");
        }
        Ok(found)
    }

    fn child(
        &self,
        role: Role,
        sockets: Vec<(&'static str, TcpListener)>,
        backoff: Backoff,
    ) -> Child {
        Child::new(
            role,
            self.program.clone(),
            &self.state,
            &self.project,
            self.environment.name.as_ref(),
            sockets,
            backoff,
        )
    }

    /// Starts a child. One that cannot be started rests and is tried again.
    fn start(&self, child: &mut Child, record: &mut Record) {
        let role = child.role();
        match child.start() {
            Ok(Some(identity)) => record.set(role, identity),
            // It ended at once; that is noticed like every other end.
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%role, error = %format!("{error:#}"), "cannot be started");
                child.rest();
            }
        }
        if let Err(error) = record.write(&self.state) {
            tracing::error!(error = %format!("{error:#}"), "keeper.json is not up to date");
        }
    }

    /// Ends the proxies of earlier keepers once the new one can serve. Until then they serve,
    /// for ever where the new one cannot.
    async fn retire(&self, orphans: &[ProcessIdentity]) {
        if orphans.is_empty() {
            return;
        }
        let socket = self.state.proxy_socket();
        let late = Instant::now() + LATE;
        let mut is_told = false;
        while !(is_of_another(&socket, orphans).await
            && local_http::answers(&socket, "/ready").await)
        {
            if Instant::now() > late && !is_told {
                is_told = true;
                tracing::error!("the new proxy is not ready; the earlier one goes on, see its log");
            }
            sleep(REST).await;
        }
        for orphan in orphans {
            if let Err(error) = orphan.signal(Signal::TERM) {
                tracing::warn!(%error, pid = orphan.pid, "the earlier proxy cannot be stopped");
            }
        }
    }
}

/// Whether somebody who is none of `orphans` listens on a socket. It belongs to whoever bound it
/// last, which is one of them still while the new proxy has not come so far.
async fn is_of_another(socket: &Path, orphans: &[ProcessIdentity]) -> bool {
    let Ok(stream) = UnixStream::connect(socket).await else {
        return false;
    };
    let peer = socket_peercred(&stream).map(|peer| peer.pid.as_raw_nonzero().get());
    peer.is_ok_and(|peer| orphans.iter().all(|orphan| orphan.pid != peer))
}

/// Asks all of them at once, then waits for each. Blocking.
fn stop_all(processes: &[ProcessIdentity], grace: Duration) -> std::io::Result<()> {
    for process in processes {
        process.signal(Signal::TERM)?;
    }
    for process in processes {
        process.stop(Signal::TERM, grace)?;
    }
    Ok(())
}

async fn stop(child: Child, grace: Duration) {
    let role = child.role();
    match child.stop(grace).await {
        Ok(ending) => tracing::info!(%role, ?ending, "stopped"),
        Err(error) => tracing::warn!(%role, %error, "cannot be stopped"),
    }
}
