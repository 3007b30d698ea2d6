//! `slipway exec`: runs a program of the live release with the variables of its service,
//! on this terminal. The values come from control over its socket and are never on a
//! command line; the journal notes who ran which program.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;
use slipway_journal::ServiceName;
use slipway_rollout::account;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::target;
use crate::control::wire::{ExecOrder, Variables};

/// Run a program of the live release, with its variables
///
/// Works in the folder of the release, as the account that its instances have. The exit
/// code is that of the program.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway exec -- ./booking seed
  slipway exec --service booking -- sh -c 'echo $RELEASE'")]
pub(crate) struct Exec {
    /// The service [default: the only one]
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "ARGV")]
    argv: Vec<String>,
}

impl Exec {
    /// Never returns when it succeeds.
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let service = target::service(context, self.service.clone())?;
        let (program, arguments) = self.argv.split_first().context("there is no program")?;
        let order = ExecOrder {
            service: service.clone(),
            program: program.clone(),
        };
        let answer: Variables =
            context.wait(async { Ask::new(&context.state).post("/v1/exec", &order).await })?;
        let folder = context
            .state
            .releases()
            .join(answer.release.as_str())
            .join("content");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&folder)
            .env_clear()
            .envs(terminal_variables(context))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("RELEASE", answer.release.as_str())
            .envs(answer.variables);
        if let Some(account) = account::unprivileged(&["slipway", "nobody"])? {
            // With a user set, supplementary groups are dropped as well.
            command.uid(account.uid).gid(account.gid);
        }
        let error = command.exec();
        Err(
            Failure::usage(format!("{program} cannot be started: {error}"))
                .hint(format!(
                    "programs of the release are in {}",
                    folder.display()
                ))
                .into(),
        )
    }
}

/// What a program needs to know of the terminal that it runs on.
fn terminal_variables(context: &Context) -> BTreeMap<&'static str, String> {
    ["TERM", "LANG", "NO_COLOR", "COLUMNS"]
        .into_iter()
        .filter_map(|name| Some((name, context.env.get(name)?.to_owned())))
        .collect()
}
