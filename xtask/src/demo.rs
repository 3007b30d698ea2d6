//! `cargo xtask demo`: the main job, with real parts and under real traffic. Source to
//! release to production; a good release, a bad one that is taken back, a control
//! process that dies in the middle. Ends with the numbers, and fails if one is wrong.

mod claim;
mod database;
mod edits;
mod slipway;
mod source;
mod story;
mod traffic;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::Context as _;
use chassis::{Env, Shutdown};
use clap::Args;

use crate::setup;
use crate::stage::Stages;
use claim::Claims;
use slipway::{Slipway, Up};
use source::Source;

/// How the demo is run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Leave everything running at the end, for a look at the console
    #[arg(long)]
    keep: bool,
    /// Requests per second that the visitors make together
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(50..=5000))]
    rate: u32,
}

pub(crate) fn run(root: &Path, env: &Env, options: Options) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut stages = Stages::default();
    let mut claims = Claims::default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    // A signal ends the verb that is running; what is left is then taken down here.
    let _entered = runtime.enter();
    let shutdown = Shutdown::on_signals()?;
    let told = open(root, env, &shutdown, &mut stages).and_then(|(house, source)| {
        story::tell(
            &house,
            &source,
            options.rate,
            &runtime,
            &mut stages,
            &mut claims,
        )?;
        Ok(house)
    });
    eprint!("{}", stages.table());
    let house = told?;
    println!("\n{}", claims.table());
    println!("  took {:.0} s", started.elapsed().as_secs_f64());
    house.leave(options.keep);
    let broken = claims.broken();
    anyhow::ensure!(
        broken.is_empty(),
        "the demo failed: {} of its numbers are not what they must be: {}",
        broken.len(),
        broken.join("; ")
    );
    Ok(())
}

/// Builds the program, starts it, and lays out the source that it is to deliver.
fn open(
    root: &Path,
    env: &Env,
    shutdown: &Shutdown,
    stages: &mut Stages,
) -> anyhow::Result<(House, Source)> {
    let target = target(root, env);
    let program = stages.run("set-up, slipway", || prepare(root, &target))?;
    let state = state_folder(root);
    let source = stages.run("source", || {
        Source::copy(root, &state.join("source")).context("copying the source")
    })?;
    let run = state.join("run");
    let slipway = Slipway::new(program, source.folder(), &run, &target, shutdown);
    clear(&slipway, &run)?;
    let any = "127.0.0.1:0";
    let arguments = ["up", "--listen", any, "--console", any, "--json"];
    let up: Up = match stages.run("up", || slipway.json(&arguments)) {
        Ok(up) => up,
        Err(error) => {
            // Stopped half-way, some of it may run already.
            slipway.down()?;
            return Err(error);
        }
    };
    Ok((House { slipway, up }, source))
}

/// What runs; taken down when this value goes.
pub(crate) struct House {
    slipway: Slipway,
    up: Up,
}

impl House {
    fn leave(self, keep: bool) {
        if keep {
            println!("  visitors  {}", self.up.listen.join(" "));
            println!("  console   {}", self.up.console);
            println!("  stop it   {}", self.slipway.words(&["down"]));
            std::mem::forget(self);
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Err(error) = self.slipway.down() {
            eprintln!("{error:#}");
        }
    }
}

/// Installs what is missing and builds the program that the demo shows, at the same time: the
/// one waits for the net, the other for the processor.
fn prepare(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let missing = setup::Missing::look(setup::Purpose::Demo)?;
    let mut cargo = crate::cargo::command()
        // The default members, as for this program: the libraries are there already.
        .args(["build", "--locked", "--bin", "slipway"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(root)
        .stdin(Stdio::null())
        .spawn()
        .context("starting cargo")?;
    let installed = missing.install();
    // Also where that failed: what it compiled by then is not compiled again.
    let status = cargo.wait().context("waiting for cargo")?;
    installed?;
    anyhow::ensure!(
        status.success(),
        "building slipway: cargo ended with {status}"
    );
    Ok(target.join("debug/slipway"))
}

fn target(root: &Path, env: &Env) -> PathBuf {
    env.get("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Where the demo keeps its things. As root they lie where the unprivileged account of
/// the instances may pass through, which it may not through a home folder.
fn state_folder(root: &Path) -> PathBuf {
    if rustix::process::geteuid().is_root() {
        PathBuf::from("/var/lib/slipway/demo")
    } else {
        root.join(".slipway/demo")
    }
}

/// Ends what an earlier demo left running, and forgets its data; what was built stays.
fn clear(slipway: &Slipway, state: &Path) -> anyhow::Result<()> {
    if !state.exists() {
        return Ok(());
    }
    slipway.down().context("stopping an earlier demo")?;
    for entry in std::fs::read_dir(state).context("reading the state folder")? {
        let path = entry?.path();
        if path.ends_with("cache") {
            continue;
        }
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}
