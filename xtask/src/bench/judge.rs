//! The judge beside what else is used to judge a release, on made-up traffic that is the same
//! for all and in every run. Nothing is timed, so that a busy machine changes no figure.

use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::Args;

/// The shape of the measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Runs of each case
    #[arg(long, default_value_t = 2000)]
    runs: u64,
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<()> {
    let status = crate::cargo::command()
        .args(["run", "--quiet", "--locked", "--release"])
        .args(["--package", "slipway-rollout", "--example", "judge", "--"])
        .arg(options.runs.to_string())
        .current_dir(root)
        .status()
        .context("starting cargo")?;
    ensure!(
        status.success(),
        "the simulation of the judge ended with {status}"
    );
    Ok(())
}
