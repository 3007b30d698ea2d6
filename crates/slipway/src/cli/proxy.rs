//! `slipway proxy`: the data plane, in the foreground. The keeper starts it and hands
//! over the listening sockets; a service manager may do the same.

use std::net::TcpListener;
use std::num::NonZero;

use chassis::Env;
use clap::Args;
use slipway_journal::EnvironmentName;
use slipway_proxy::{Options, Secure, Trust};

use crate::acme::shelf::Shelf;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::environment::{Environment, ProxySettings};
use crate::keeper::sockets::{Handed, Public};

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
        let public = inherited(&context.env)?;
        let settings = settings(context, &self.environment);
        let (folder, admin) = (context.state.proxy(), context.state.proxy_socket());
        let world = (context.clock.clone(), context.random.clone());
        let mut options = Options::new(public.plain, folder, admin, world);
        options.workers = workers(settings.as_ref());
        if let Some(settings) = &settings {
            options.trust = settings.trusted();
            let log = settings.access_log.as_ref();
            let file = context.state.logs().join("access.log");
            options.access_log = log.map(|log| log.log(file));
            options.announced_by = Trust::Networks(settings.announced_by.clone());
        }
        options.secure = secure(context, settings.as_ref(), public.secure);
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

/// TLS on its sockets. Without a word on how, they stay closed: the others serve still.
fn secure(
    context: &Context,
    settings: Option<&ProxySettings>,
    listeners: Vec<TcpListener>,
) -> Option<Secure> {
    if listeners.is_empty() {
        return None;
    }
    let Some((settings, tls)) = settings.and_then(|s| Some((s, s.tls.as_ref()?))) else {
        tracing::error!("sockets for TLS were handed over, and no environment says how");
        return None;
    };
    let shelf = Shelf(context.state.certificates());
    Some(Secure {
        listeners,
        certificates: settings.certificates(&context.project),
        awaited: tls.acme.iter().map(|_| shelf.files()).collect(),
        redirect: tls.redirect,
        public_port: tls.public_port,
        hsts: tls.hsts.map(|span| span.0),
    })
}

/// The sockets that the keeper or a service manager hands over.
fn inherited(env: &Env) -> anyhow::Result<Public> {
    let public = Handed::of(env)?.public;
    if public.plain.is_empty() && public.secure.is_empty() {
        return Err(Failure::usage(
            "the proxy serves on sockets that are handed over, and none was",
        )
        .hint("`slipway up` starts it; a service manager passes sockets with LISTEN_FDS")
        .into());
    }
    Ok(public)
}
