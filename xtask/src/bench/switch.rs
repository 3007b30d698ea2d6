//! Releases that come and go under load over the real program, built as it is delivered. What is
//! measured is in `crates/slipway/examples/switch`; here it is built and started.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use chassis::Env;
use clap::Args;

/// The shape of the measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Switches and rollbacks together
    #[arg(long, default_value_t = 500)]
    switches: u64,
    /// Requests a second
    #[arg(long, default_value_t = 2400)]
    rate: u64,
}

pub(crate) fn run(root: &Path, env: &Env, options: Options) -> anyhow::Result<()> {
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "slipway",
    ];
    let built = crate::cargo::command()
        .args(build)
        .args(["--bins", "--examples"])
        .current_dir(root)
        .status()
        .context("starting cargo")?;
    ensure!(
        built.success(),
        "building slipway: cargo ended with {built}"
    );
    let target = env
        .get("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from);
    let release = target.join("release");
    let status = std::process::Command::new(release.join("examples/switch"))
        .arg(release.join("slipway"))
        .arg(release.join("examples/app"))
        .args([options.switches.to_string(), options.rate.to_string()])
        .status()
        .context("starting the measurement")?;
    ensure!(status.success(), "the measurement ended with {status}");
    Ok(())
}
