//! The command line: what can be asked, and which verb answers. One file per verb.

pub(crate) mod addresses;
pub(crate) mod approve;
pub(crate) mod ask;
pub(crate) mod cancel;
pub(crate) mod completion;
pub(crate) mod console;
pub(crate) mod context;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod failure;
pub(crate) mod follow;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod journal;
pub(crate) mod keep;
pub(crate) mod launch;
pub(crate) mod lock;
pub(crate) mod logs;
pub(crate) mod manual;
pub(crate) mod proxy;
pub(crate) mod quarantine;
pub(crate) mod receipt;
pub(crate) mod report;
pub(crate) mod rollback;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod ship;
pub(crate) mod status;
pub(crate) mod steer;
pub(crate) mod target;
pub(crate) mod up;
pub(crate) mod watch;
pub(crate) mod why;

use std::path::PathBuf;

use chassis::Env;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::state::State;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Cyan.on_default().bold())
    .usage(AnsiColor::Cyan.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Yellow.on_default());

const AFTER_HELP: &str = "\
Examples:
  slipway init                  write a slipway.toml for this folder
  slipway up                    start everything, print the addresses
  slipway ship                  pipeline, release, deploy: one command
  slipway rollback              take the last release back, at once

Exit codes:
  0    what was asked for holds
  1    a job, a gate or a rollout failed, or was rolled back
  2    the command line or a configuration file cannot be used
  3    refused: a rule says no, and the message says which
  4    Slipway does not run here, or does not answer
  130  stopped from the keyboard

Colour is used on a terminal only, and never when NO_COLOR is set.";

/// Takes a web application from source to production without dropping a request.
#[derive(Debug, Parser)]
#[command(name = "slipway", version, styles = STYLES, after_help = AFTER_HELP, max_term_width = 80)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// Where Slipway keeps its state; also `SLIPWAY_STATE` [default: .slipway of the project]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The folder with slipway.toml [default: this one or the nearest above it]
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Init(init::Init),
    Up(up::Up),
    Down(down::Down),
    Ship(ship::Ship),
    Run(run::Run),
    Why(why::WhyVerb),
    Gate(gate::Gate),
    Deploy(deploy::Deploy),
    Rollback(rollback::Rollback),
    Cancel(cancel::Cancel),
    Hold(steer::Hold),
    Resume(steer::Resume),
    Advance(steer::Advance),
    Approve(approve::Approve),
    Decline(approve::Decline),
    Lock(lock::Lock),
    Unlock(lock::Unlock),
    Quarantine(quarantine::Quarantine),
    Status(status::StatusVerb),
    History(history::History),
    Receipt(receipt::ReceiptVerb),
    Logs(logs::Logs),
    Console(console::Console),
    Exec(exec::Exec),
    Journal(journal::Journal),
    Doctor(doctor::Doctor),
    Completion(completion::Completion),
    Keep(keep::Keep),
    #[command(hide = true)]
    Manual(manual::Manual),
    #[command(hide = true)]
    Proxy(proxy::Proxy),
    #[command(hide = true)]
    Serve(serve::Serve),
    #[command(hide = true)]
    Launch(launch::Launch),
}

/// Runs the verb that was asked for.
pub(crate) fn run(cli: Cli, env: Env) -> anyhow::Result<Exit> {
    // Whoever approves may be of another account than the one that Slipway runs as.
    let locate = match cli.verb {
        Verb::Approve(_) | Verb::Decline(_) => State::of_anybody,
        _ => State::locate,
    };
    let context = || Context::new(cli.state.as_deref(), cli.project.as_deref(), env, locate);
    match cli.verb {
        // The project that is to be is this folder, and none above it.
        Verb::Init(init) => init.run(cli.project.as_deref()),
        Verb::Completion(completion) => completion.run(),
        Verb::Manual(manual::Manual {}) => Ok(manual::print()),
        Verb::Launch(launch) => launch.run().map(|()| Exit::Success),
        Verb::Up(up) => up.run(&context()?),
        Verb::Down(down) => down.run(&context()?),
        Verb::Ship(ship) => ship.run(&context()?),
        Verb::Run(run) => run.run(&context()?),
        Verb::Why(why) => why.run(&context()?),
        Verb::Gate(gate) => gate.run(&context()?),
        Verb::Deploy(deploy) => deploy.run(&context()?),
        Verb::Rollback(rollback) => rollback.run(&context()?),
        Verb::Cancel(cancel) => cancel.run(&context()?),
        Verb::Hold(hold) => hold.run(&context()?),
        Verb::Resume(resume) => resume.run(&context()?),
        Verb::Advance(advance) => advance.run(&context()?),
        Verb::Approve(approve) => approve.run(&context()?),
        Verb::Decline(decline) => decline.run(&context()?),
        Verb::Lock(lock) => lock.run(&context()?),
        Verb::Unlock(unlock) => unlock.run(&context()?),
        Verb::Quarantine(quarantine) => quarantine.run(&context()?),
        Verb::Status(status) => status.run(&context()?),
        Verb::History(history) => history.run(&context()?),
        Verb::Receipt(receipt) => receipt.run(&context()?),
        Verb::Logs(logs) => logs.run(&context()?),
        Verb::Console(console) => console.run(&context()?),
        Verb::Exec(exec) => exec.run(&context()?),
        Verb::Journal(journal) => journal.run(&context()?),
        Verb::Doctor(doctor) => doctor.run(&context()?),
        Verb::Keep(keep) => keep.run(&context()?),
        Verb::Proxy(proxy) => proxy.run(&context()?),
        Verb::Serve(serve) => serve.run(&context()?),
    }
}
