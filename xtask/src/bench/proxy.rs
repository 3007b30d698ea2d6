//! Our data plane beside other proxies: nginx, haproxy and kamal-proxy. One proxy at a time
//! works, on the first core; the upstream (nginx again) and the load share the second. Rounds
//! alternate, so that a machine that slows down slows all of them.

mod idle;
mod kamal;
mod load;
mod peer;
mod report;
mod running;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chassis::Env;
use clap::{Args, ValueEnum};

use load::Round;
use peer::{Ground, Peer};

/// The shape of the measurement.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Rounds of each, in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load in a round
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Connections that are kept open
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// Connections that do nothing
    #[arg(long, default_value_t = 1000)]
    idle: usize,
    /// What is measured; everything where nothing is said
    #[arg(long, value_enum)]
    scene: Vec<Scene>,
    /// Beside which proxies; all that are installed where nothing is said
    #[arg(long, value_enum)]
    beside: Vec<Other>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scene {
    /// Answers of 32 octets
    Tiny,
    /// Answers of 64 kB
    Large,
    /// Requests with bodies of 64 kB
    Upload,
    /// Answers of 32 octets over TLS
    Tls,
    /// The same over HTTP/2, 16 connections with four requests at once
    Http2,
    /// Memory: after the start, and with connections that do nothing
    Idle,
}

/// A proxy that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Other {
    /// nginx, which must be there
    Nginx,
    /// haproxy, where it is installed
    Haproxy,
    /// kamal-proxy, built by go
    Kamal,
}

pub(crate) fn run(root: &Path, env: &Env, options: &Options) -> anyhow::Result<()> {
    let ours = build(root, env)?;
    let ground = Ground::new()?;
    let mut peers = vec![peer::slipway(&ours, &ground)?];
    for other in others(options) {
        match peer::start(other, env, &ground) {
            Ok(peer) => peers.push(peer),
            Err(error) if other != Other::Nginx => eprintln!("without {other:?}: {error:#}"),
            Err(error) => return Err(error),
        }
    }
    for scene in scenes(options) {
        if scene == Scene::Idle {
            // Of processes that have answered nothing else yet.
            continue;
        }
        let rounds = measure(scene, &peers, options)?;
        print!("{}", report::table(scene, &names(&peers), &rounds));
    }
    if scenes(options).contains(&Scene::Idle) {
        drop(peers);
        let all = others(options);
        print!("{}", idle::table(&ours, env, &ground, &all, options.idle)?);
    }
    Ok(())
}

fn scenes(options: &Options) -> Vec<Scene> {
    if options.scene.is_empty() {
        return Scene::value_variants().to_vec();
    }
    options.scene.clone()
}

fn others(options: &Options) -> Vec<Other> {
    if options.beside.is_empty() {
        return Other::value_variants().to_vec();
    }
    options.beside.clone()
}

fn names(peers: &[Peer]) -> Vec<&str> {
    peers.iter().map(|peer| peer.name.as_str()).collect()
}

/// The rounds of each peer. The first one warms up and does not count.
fn measure(scene: Scene, peers: &[Peer], options: &Options) -> anyhow::Result<Vec<Vec<Round>>> {
    let mut rounds = vec![Vec::new(); peers.len()];
    for round in 0..=options.rounds {
        for (peer, rounds) in peers.iter().zip(&mut rounds) {
            let measured = load::round(scene, peer, (options.connections, options.seconds))
                .with_context(|| format!("{scene:?} by {}", peer.name))?;
            if round > 0 {
                rounds.push(measured);
            }
        }
        eprint!(".");
    }
    eprintln!();
    Ok(rounds)
}

fn build(root: &Path, env: &Env) -> anyhow::Result<PathBuf> {
    let status = crate::cargo::command()
        .args(["build", "--profile", "dist", "--locked"])
        .args(["--package", "slipway-proxy", "--example", "proxy"])
        .current_dir(root)
        .status()
        .context("starting cargo")?;
    anyhow::ensure!(
        status.success(),
        "building the proxy: cargo ended with {status}"
    );
    let target = env
        .get("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("dist/examples/proxy"))
}
