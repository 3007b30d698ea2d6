//! `slipway serve`: control, in the foreground. The keeper starts it.

use anyhow::Context as _;
use clap::Args;
use slipway_journal::EnvironmentName;

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::control::Control;
use crate::environment::Environment;

/// Run control: journal, accessories, API
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The environment, a file in delivery/environments/
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
}

impl Serve {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        chassis::telemetry::init(&context.env)?;
        let environment =
            Environment::read_or_remember(&context.project, &self.environment, &context.state)?;
        let console = listenfd::ListenFd::from_env()
            .take_tcp_listener(0)
            .context("taking the console's socket from the keeper")?;
        let control = Control {
            context,
            environment,
            console,
            program: context.program.clone(),
        };
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("starting the runtime")?
            .block_on(control.run())?;
        Ok(Exit::Success)
    }
}
