//! The project's own commands, so that nobody needs to remember a list of others:
//! `cargo xtask setup | test | tidy | sqlx`.

mod setup;
mod stage;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chassis::Env;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  setup   installs the system packages that are missing (as root), or names the
          command that does
  test    set-up, format, lints, tidy, every test; exits 1 when anything fails
  tidy    the project's own rules about its source; exits 1 when one is broken

Exit codes: 0 good, 1 something failed, 2 no such command.
";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let env = Env::process();
    let done = root().and_then(|root| match command.as_str() {
        "setup" => setup::run(&root),
        "test" => test::run(&root, &env),
        "tidy" => tidy::run(&root),
        _ => bail!(NoSuchCommand),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<NoSuchCommand>() => {
            eprint!("{HELP}");
            if matches!(command.as_str(), "help" | "--help" | "-h") {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            }
        }
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct NoSuchCommand;

impl std::fmt::Display for NoSuchCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no such command")
    }
}

impl std::error::Error for NoSuchCommand {}

/// The folder of the workspace.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here
        .parent()
        .context("xtask lies in the workspace's folder")?
        .to_owned())
}
