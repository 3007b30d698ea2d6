//! The project's own commands, so that nobody needs to remember a list of others.
//! Exit codes: 0 good, 1 something failed, 2 no such command.

mod bench;
mod cargo;
mod contract;
mod coverage;
mod demo;
mod docs;
mod e2e;
mod setup;
mod site;
mod sqlx;
mod stage;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use chassis::Env;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  cargo xtask demo\n  cargo xtask test\n\n\
                  Exit codes: 0 good, 1 something failed, 2 no such command"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install the system packages that are missing (as root), or name the command that does
    Setup,
    /// The main job: source to production under load, and back
    Demo(demo::Options),
    /// Measurements beside a peer, as ratios
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// The API of Booking held against its own description, with requests that are made up
    Contract,
    /// Which lines of some packages their tests ran, from the counters that they left
    Coverage(coverage::Options),
    /// Set-up, format, lints, tidy, every test
    Test,
    /// Booking in a real browser, as a part of `test` by itself
    E2e {
        /// Take a picture of every page instead
        #[arg(long, conflicts_with = "suites")]
        screens: bool,
        /// Only these suites
        suites: Vec<e2e::Suite>,
    },
    /// The project's own rules about its source
    Tidy,
    /// Write the pages that are made out of programs: docs/cli.md
    Docs,
    /// Record anew what the checked queries of Booking mean
    Sqlx {
        /// Only say whether the records are current
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let env = Env::process();
    let arguments = Arguments::parse();
    let done = root(&env).and_then(|root| match arguments.command {
        Command::Setup => setup::run(setup::Purpose::All),
        Command::Demo(options) => demo::run(&root, &env, options),
        Command::Bench { what } => bench::run(&root, &env, what),
        Command::Contract => contract::run(&root),
        Command::Coverage(options) => coverage::run(&root, &options),
        Command::Test => test::run(&root, &env),
        Command::E2e { screens: true, .. } => e2e::screens(&root),
        Command::E2e { suites, .. } => e2e::alone(&root, &suites),
        Command::Tidy => tidy::run(&root),
        Command::Docs => docs::run(&root),
        Command::Sqlx { check } => sqlx::run(&root, check),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace. Cargo names it anew at every start, so a target folder that
/// several clones share does not send this one into another.
fn root(env: &Env) -> anyhow::Result<PathBuf> {
    let here = env
        .get("CARGO_MANIFEST_DIR")
        .context("no folder to work in: start this as `cargo xtask`")?;
    Ok(Path::new(here)
        .parent()
        .context("xtask lies in the workspace's folder")?
        .to_owned())
}
