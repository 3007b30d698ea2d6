//! kamal-proxy as a peer: built by go from its module, kept under the target folder for the
//! next time. Where go or the module is not to be had, it is left out and that is said.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use chassis::Env;

use super::peer::{Ground, Peer, listening};
use super::running::{Running, await_listening, free_address, pinned};

const MODULE: &str = "github.com/basecamp/kamal-proxy/cmd/kamal-proxy";
const VERSION: &str = "v0.9.0";

/// Starts it with one service, with TLS and without.
pub(super) fn start(env: &Env, ground: &Ground) -> anyhow::Result<Peer> {
    let program = program(env)?;
    let (plain, secure) = (free_address()?, free_address()?);
    let home = ground.folder.path().join("kamal");
    std::fs::create_dir_all(&home).context("making a folder")?;
    let process = Running::start(
        at_home(&mut pinned(0, &program), &home)
            .arg("run")
            .args(["--http-port", &plain.port().to_string()])
            .args(["--https-port", &secure.port().to_string()]),
    )?;
    await_listening(plain)?;
    deploy(&program, &home, ground)?;
    let local = |address: SocketAddr| SocketAddr::from(([127, 0, 0, 1], address.port()));
    listening("kamal-proxy", process, local(plain), local(secure))
}

fn deploy(program: &Path, home: &Path, ground: &Ground) -> anyhow::Result<()> {
    let certificate = &ground.certificate;
    let status = at_home(&mut Command::new(program), home)
        .args(["deploy", "web", "--target", &ground.upstream.to_string()])
        .args(["--health-check-path", "/", "--host", "127.0.0.1,localhost"])
        .args(["--tls", "--tls-redirect=false", "--forward-headers"])
        .arg("--tls-certificate-path")
        .arg(&certificate.chain)
        .arg("--tls-private-key-path")
        .arg(&certificate.key)
        .status()
        .context("starting kamal-proxy deploy")?;
    ensure!(status.success(), "kamal-proxy deploy ended with {status}");
    Ok(())
}

/// Its state and its socket lie here, and not where an installed one has its own.
fn at_home<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home)
}

/// The program, built when it is not there.
fn program(env: &Env) -> anyhow::Result<PathBuf> {
    let target = env.get("CARGO_TARGET_DIR").unwrap_or("target");
    let folder = std::path::absolute(target)?.join("peers").join(VERSION);
    let program = folder.join("kamal-proxy");
    if program.exists() {
        return Ok(program);
    }
    let built = Command::new("go")
        .args(["install", &format!("{MODULE}@{VERSION}")])
        .env("GOBIN", &folder)
        .output();
    match built {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("go is not installed, and builds it: https://go.dev/doc/install")
        }
        Err(error) => Err(error).context("starting go"),
        Ok(output) if output.status.success() => Ok(program),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().last().unwrap_or_default().trim();
            bail!("go does not build it: {said}")
        }
    }
}
