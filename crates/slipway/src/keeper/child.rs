//! One child of the keeper: how it is started, noticed to have ended, and stopped.

use std::fmt;
use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use command_fds::{CommandFdExt as _, FdMapping};
use rustix::process::{Pid, Signal, kill_process};
use slipway_journal::EnvironmentName;
use tokio::process::{Child as Process, Command};
use tokio::time::{sleep_until, timeout};

use crate::state::State;
use slipway_rollout::process::{Ending, ProcessIdentity};

/// By systemd's convention the first socket that is handed over has this number.
const FIRST_FD: i32 = 3;
/// A child that ran this long was well; its next end counts as the first again.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// Which child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The data plane.
    Proxy,
    /// Journal, rollouts, API, console.
    Control,
}

impl Role {
    /// What the child is told to be.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Control => "serve",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proxy => "proxy",
            Self::Control => "control",
        })
    }
}

/// How long to wait before the next start: the first one, then doubling up to a limit.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    step: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// At once, then 50 ms doubling to a second: visitors wait for this child.
    pub(crate) fn at_once() -> Self {
        Self {
            first: Duration::ZERO,
            step: Duration::from_millis(50),
            most: Duration::from_secs(1),
            failures: 0,
        }
    }

    /// 100 ms doubling to five seconds.
    pub(crate) fn patient() -> Self {
        Self {
            first: Duration::from_millis(100),
            step: Duration::from_millis(200),
            most: Duration::from_secs(5),
            failures: 0,
        }
    }

    fn next(&mut self, ran: Duration) -> Duration {
        if ran >= WELL_AFTER {
            self.failures = 0;
        }
        self.failures += 1;
        match self.failures {
            1 => self.first,
            n => self
                .step
                .saturating_mul(1 << (n - 2).min(10))
                .min(self.most),
        }
    }
}

/// A child with the sockets that it is given at each start.
pub(crate) struct Child {
    role: Role,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    /// By name.
    sockets: Vec<(&'static str, TcpListener)>,
    backoff: Backoff,
    running: Option<(Process, Instant)>,
    rest: Option<tokio::time::Instant>,
}

impl Child {
    pub(crate) fn new(
        role: Role,
        program: PathBuf,
        state: &State,
        project: &Path,
        environment: Option<&EnvironmentName>,
        sockets: Vec<(&'static str, TcpListener)>,
        backoff: Backoff,
    ) -> Self {
        let mut arguments = vec![
            "--state".to_owned(),
            state.root().display().to_string(),
            "--project".to_owned(),
            project.display().to_string(),
            role.verb().to_owned(),
        ];
        if let Some(environment) = environment {
            arguments.extend(["--environment".to_owned(), environment.to_string()]);
        }
        let log = state.logs().join(format!("{role}.log"));
        Self {
            role,
            program,
            arguments,
            log,
            sockets,
            backoff,
            running: None,
            rest: None,
        }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Starts the child through `slipway launch`, which says whom the sockets are for.
    /// None when it ended before it could be looked at.
    pub(crate) fn start(&mut self) -> anyhow::Result<Option<ProcessIdentity>> {
        let role = self.role;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("opening {}", self.log.display()))?;
        let names: Vec<&str> = self.sockets.iter().map(|(name, _)| *name).collect();
        let mut command = std::process::Command::new(&self.program);
        command
            .args(["launch", "--listen-fds", &names.len().to_string()])
            .args(["--listen-names", &names.join(":"), "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        command
            .fd_mappings(self.mappings()?)
            .context("handing over the sockets")?;
        let process = Command::from(command)
            .spawn()
            .with_context(|| format!("starting {role}"))?;
        let pid = process.id().context("the child has no process id")?;
        self.running = Some((process, Instant::now()));
        self.rest = None;
        Ok(ProcessIdentity::of(i32::try_from(pid)?)?)
    }

    /// Waits its time before the next start, after one that did not succeed.
    pub(crate) fn rest(&mut self) {
        let wait = self.backoff.next(Duration::ZERO);
        self.rest = Some(tokio::time::Instant::now() + wait);
    }

    fn mappings(&self) -> anyhow::Result<Vec<FdMapping>> {
        let mut mappings = Vec::new();
        for ((_, socket), child_fd) in self.sockets.iter().zip(FIRST_FD..) {
            let parent_fd = OwnedFd::from(socket.try_clone().context("copying a socket")?);
            mappings.push(FdMapping {
                parent_fd,
                child_fd,
            });
        }
        Ok(mappings)
    }

    /// Waits until the child ended and its rest is over, so that it wants to be started.
    /// Cancel-safe: what was noticed is kept.
    pub(crate) async fn wanted(&mut self) {
        if let Some((process, since)) = &mut self.running {
            let how = describe(process.wait().await);
            let wait = self.backoff.next(since.elapsed());
            tracing::warn!(role = %self.role, how, wait_ms = wait.as_millis(), "a child ended");
            self.running = None;
            self.rest = Some(tokio::time::Instant::now() + wait);
        }
        if let Some(until) = self.rest {
            sleep_until(until).await;
        }
    }

    /// Asks the child to end, waits, then kills it.
    pub(crate) async fn stop(mut self, grace: Duration) -> anyhow::Result<Ending> {
        let Some((mut process, _)) = self.running.take() else {
            return Ok(Ending::Gone);
        };
        let Some(pid) = process
            .id()
            .and_then(|p| i32::try_from(p).ok())
            .and_then(Pid::from_raw)
        else {
            return Ok(Ending::Gone);
        };
        // The child is ours and not yet waited for, so its number is still its own.
        kill_process(pid, Signal::TERM)?;
        if timeout(grace, process.wait()).await.is_ok() {
            return Ok(Ending::Asked);
        }
        process.kill().await?;
        Ok(Ending::Killed)
    }
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|e| e.to_string(), |s| s.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_later_ones_wait_longer() {
        let mut backoff = Backoff::at_once();
        let waits: Vec<u128> = (0..8)
            .map(|_| backoff.next(Duration::ZERO).as_millis())
            .collect();
        assert_eq!(waits, [0, 50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.next(WELL_AFTER), Duration::ZERO);
    }
}
