//! `slipway keep`: the keeper, in the foreground. `slipway up` starts it in the background;
//! a service manager starts it directly.

use clap::Args;
use slipway_journal::EnvironmentName;

use crate::cli::addresses::Addresses;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::environment::Environment;
use crate::keeper::Keeper;
use crate::keeper::sockets::Handed;

/// Keep sockets, proxy and control, in the foreground
///
/// For a service manager; `slipway up` does the same in the background. Sockets that it
/// hands over take the place of the environment's addresses. Ends on SIGTERM: control
/// first, then the proxy, once its requests are finished.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  slipway keep\n  slipway keep --environment staging")]
pub(crate) struct Keep {
    /// The environment, a file in delivery/environments/
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
    #[command(flatten)]
    addresses: Addresses,
}

impl Keep {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        chassis::telemetry::init(&context.env)?;
        let mut environment = Environment::read(&context.project, &self.environment)?;
        self.addresses.apply(&mut environment);
        let keeper = Keeper {
            state: context.state.clone(),
            project: context.project.clone(),
            environment,
            program: context.program.clone(),
            handed: Handed::of(&context.env)?,
        };
        context.wait(keeper.run())?;
        Ok(Exit::Success)
    }
}
