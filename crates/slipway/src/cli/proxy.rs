//! `slipway proxy`: the data plane, in the foreground. The keeper starts it and hands
//! over the listening sockets; a service manager may do the same.

use std::net::TcpListener;
use std::num::NonZero;

use anyhow::Context as _;
use clap::Args;
use slipway_journal::EnvironmentName;
use slipway_proxy::{Limits, Options, Trust};

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::environment::{Environment, ProxySettings};

/// Run the proxy on sockets that are handed over
#[derive(Debug, Args)]
pub(crate) struct Proxy {
    /// The environment, a file in delivery/environments/
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
}

impl Proxy {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        chassis::telemetry::init(&context.env)?;
        let listeners = inherited()?;
        let settings = settings(context, &self.environment);
        let trusted = settings.as_ref().is_some_and(|s| s.trust_loopback);
        let options = Options {
            listeners,
            folder: context.state.proxy(),
            admin: context.state.proxy_socket(),
            workers: workers(settings.as_ref()),
            clock: context.clock.clone(),
            random: context.random.clone(),
            trust: if trusted {
                Trust::Loopback
            } else {
                Trust::Nobody
            },
            limits: Limits::default(),
        };
        context.wait(async {
            let shutdown = chassis::Shutdown::on_signals()?;
            slipway_proxy::serve(options, shutdown).await?;
            Ok(())
        })?;
        Ok(Exit::Success)
    }
}

/// What the environment says. The proxy needs nobody, so a file that cannot be read now is
/// no reason not to serve.
fn settings(context: &Context, name: &EnvironmentName) -> Option<ProxySettings> {
    match Environment::read(&context.project, name) {
        Ok(environment) => Some(environment.proxy),
        Err(error) => {
            tracing::warn!(%error, "the environment cannot be read; serving with what was known");
            Environment::recall(name, &context.state).map(|environment| environment.proxy)
        }
    }
}

/// As many as was said, else one per core.
fn workers(settings: Option<&ProxySettings>) -> usize {
    settings
        .and_then(|s| s.workers)
        .filter(|workers| *workers > 0)
        .or_else(|| std::thread::available_parallelism().ok().map(NonZero::get))
        .unwrap_or(1)
}

/// The sockets from file descriptor 3 on, as systemd and the keeper announce them.
fn inherited() -> anyhow::Result<Vec<TcpListener>> {
    let mut announced = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for number in 0..announced.len() {
        let listener = announced
            .take_tcp_listener(number)
            .with_context(|| format!("taking the inherited socket {number}"))?;
        listeners.extend(listener);
    }
    if listeners.is_empty() {
        return Err(Failure::usage(
            "the proxy serves on sockets that are handed over, and none was",
        )
        .hint("`slipway up` starts it; a service manager passes sockets with LISTEN_FDS")
        .into());
    }
    Ok(listeners)
}
