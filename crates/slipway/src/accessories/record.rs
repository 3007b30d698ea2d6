//! `accessory.json`: which process an accessory is, and where it answers. The port stays
//! the same from start to start, because running instances know it.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::accessories::{Ground, STOP_GRACE};
use crate::inhabitants;
use crate::state::State;
use slipway_rollout::account::Account;
use slipway_rollout::process::ProcessIdentity;

/// What is known of one accessory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) process: ProcessIdentity,
    pub(crate) port: u16,
}

impl Record {
    pub(crate) fn read(state: &State, name: &str) -> anyhow::Result<Option<Self>> {
        let path = path(state, name);
        match fs::read(&path) {
            Ok(bytes) => {
                let record = serde_json::from_slice(&bytes)
                    .with_context(|| format!("reading {}", path.display()))?;
                Ok(Some(record))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Whether its process runs.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_alive()
    }

    pub(crate) fn write(&self, state: &State, name: &str) -> anyhow::Result<()> {
        let path = path(state, name);
        chassis::durable::replace(&path, &serde_json::to_vec_pretty(self)?, 0o600)
            .with_context(|| format!("writing {}", path.display()))
    }
}

fn path(state: &State, name: &str) -> PathBuf {
    state.accessory(name).join("accessory.json")
}

/// The port of an earlier start where it is free, else one that the system chooses.
pub(crate) fn choose_port(before: Option<&Record>) -> anyhow::Result<u16> {
    if let Some(record) = before
        && TcpListener::bind(("127.0.0.1", record.port)).is_ok()
    {
        return Ok(record.port);
    }
    let free = TcpListener::bind("127.0.0.1:0").context("finding a free port")?;
    Ok(free.local_addr()?.port())
}

/// A folder of an accessory, owned by its account.
pub(crate) fn folder(path: &Path, account: Option<&Account>) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    slipway_rollout::account::give(path, account)
        .with_context(|| format!("giving {} to its user", path.display()))
}

/// Ends what still works in the folder of an accessory although no record names it: control
/// was killed before it could write down what it had started. Two servers on the same data
/// would destroy it. Blocking.
pub(crate) fn end_strays(state: &State, name: &str, ask: Signal) -> anyhow::Result<()> {
    let strays = inhabitants::of(&state.accessory(name))?;
    for stray in &strays {
        tracing::warn!(
            accessory = name,
            pid = stray.pid,
            "ends a process that nobody wrote down"
        );
        stray.signal(ask)?;
    }
    for stray in &strays {
        stray
            .stop(ask, STOP_GRACE)
            .with_context(|| format!("stopping {name}, process {}", stray.pid))?;
    }
    Ok(())
}

/// Starts `argv` in a session of its own, as `account`, its output in `log`.
pub(crate) fn spawn(
    ground: &Ground,
    name: &str,
    account: Option<&Account>,
    argv: &[String],
) -> anyhow::Result<ProcessIdentity> {
    let folder = ground.state.accessory(name);
    let log_path = folder.join("log");
    // A statement that failed is logged with its values, and those concern nobody else.
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log_path)
        .with_context(|| format!("opening {}", log_path.display()))?;
    log.set_permissions(fs::Permissions::from_mode(0o600))?;
    let mut child = launch(ground, account, &folder)
        .args(argv)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let identity = ProcessIdentity::of(i32::try_from(child.id())?)?;
    // Waiting for it in a thread of its own leaves no zombie behind.
    std::thread::spawn(move || child.wait());
    identity.with_context(|| format!("{name} ended at once; see {}", log_path.display()))
}

/// `slipway launch … --`, to which a program and its arguments are added.
pub(crate) fn launch(ground: &Ground, account: Option<&Account>, folder: &Path) -> Command {
    let mut command = Command::new(&ground.program);
    // Accessories get none of the variables of this process, which may be secret.
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8");
    command.arg("launch").arg("--folder").arg(folder);
    if let Some(account) = account {
        command.args([
            "--uid",
            &account.uid.to_string(),
            "--gid",
            &account.gid.to_string(),
        ]);
    }
    command.arg("--");
    command
}

/// A secret of this accessory, made at its first use; only this account can read it.
pub(crate) fn secret(ground: &Ground, name: &str, of: &str) -> anyhow::Result<String> {
    let folder = ground.state.accessory(name).join("secrets");
    fs::create_dir_all(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    let path = folder.join(of);
    match fs::read_to_string(&path) {
        Ok(secret) if !secret.trim().is_empty() => return Ok(secret.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    }
    let secret = ground.random.token();
    chassis::durable::replace(&path, secret.as_bytes(), 0o600)
        .with_context(|| format!("writing {}", path.display()))?;
    Ok(secret)
}

/// Waits until `ready`, or until the process is gone or the time is up. Blocking.
pub(crate) fn await_ready(
    ground: &Ground,
    name: &str,
    process: &ProcessIdentity,
    within: Duration,
    ready: impl Fn() -> bool,
) -> anyhow::Result<()> {
    let log = ground.state.accessory(name).join("log");
    let deadline = Instant::now() + within;
    while !ready() {
        if process.wait(Duration::from_millis(50))? {
            bail!("{name} ended while it started: {}", last_lines(&log));
        }
        if Instant::now() > deadline {
            bail!(
                "{name} did not answer within {within:?}: {}",
                last_lines(&log)
            );
        }
    }
    Ok(())
}

/// The last lines of a log, for a message.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read(log)
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().take(6).collect();
    lines.reverse();
    if lines.is_empty() {
        return format!("{} is empty", log.display());
    }
    format!(
        "its log {} ends with\n    {}",
        log.display(),
        lines.join("\n    ")
    )
}

/// A program that is installed: on the search path, or in one of `folders`.
pub(crate) fn program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let usual = [
        "/usr/local/bin",
        "/usr/bin",
        "/bin",
        "/usr/local/sbin",
        "/usr/sbin",
        "/sbin",
    ];
    folders
        .iter()
        .cloned()
        .chain(usual.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
