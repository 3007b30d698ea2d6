//! `slipway`, as a person would call it: the program with its words, its JSON read.
//! Once the demo is told to end, no verb but the last `down` is called any more.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use chassis::Shutdown;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Deserialize;
use serde_json::Value;

/// A Ctrl-C of the terminal reaches a running verb by itself; any other signal is passed
/// on once the verb had this long to end.
const PASS_ON_AFTER: Duration = Duration::from_secs(2);

/// The program, in the project that the demo delivers.
pub(super) struct Slipway {
    program: PathBuf,
    project: PathBuf,
    state: PathBuf,
    target: PathBuf,
    shutdown: Shutdown,
}

/// What `slipway up` says.
#[derive(Debug, Deserialize)]
pub(super) struct Up {
    pub(super) listen: Vec<String>,
    pub(super) console: String,
    pub(super) state: PathBuf,
}

/// What `slipway deploy` says at the end.
#[derive(Debug, Deserialize)]
pub(super) struct Deployed {
    pub(super) rollout: String,
    pub(super) release: String,
    pub(super) state: State,
    pub(super) good: bool,
    pub(super) took_ms: u64,
    #[serde(default)]
    pub(super) triggers: Vec<Fired>,
    pub(super) receipt: Option<Receipt>,
}

/// A state of a rollout.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) reason: Option<String>,
}

/// A trigger that fired.
#[derive(Debug, Deserialize)]
pub(super) struct Fired {
    pub(super) trigger: String,
    pub(super) evidence: String,
}

/// The account of a rollout, by the proxy's own count.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Receipt {
    pub(super) switch_us: Option<u64>,
    pub(super) rollback_us: Option<u64>,
    pub(super) traffic: Vec<Traffic>,
    pub(super) rollback_now: String,
}

/// What one release served.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Traffic {
    pub(super) release: String,
    pub(super) served: u64,
    pub(super) failed: u64,
    pub(super) retried: u64,
    pub(super) held: u64,
    pub(super) slowest_us: u64,
    pub(super) p99_us: u64,
}

impl Slipway {
    /// The program at `program`; its pipelines build into `target`. Within a Tokio runtime.
    pub(super) fn new(
        program: PathBuf,
        project: &Path,
        state: &Path,
        target: &Path,
        shutdown: &Shutdown,
    ) -> Self {
        Self {
            program,
            project: project.to_owned(),
            state: state.to_owned(),
            target: target.to_owned(),
            shutdown: shutdown.clone(),
        }
    }

    /// Runs one verb; its progress is shown, its output returned.
    pub(super) fn call(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.ensure_wanted()?;
        let child = self.begin(arguments)?;
        let watch = self.pass_signals_on(&child)?;
        let output = child.wait_with_output();
        watch.abort();
        self.ensure_wanted()?;
        output.with_context(|| format!("waiting for slipway {}", arguments.join(" ")))
    }

    /// Takes everything down, whether the demo is to end or not.
    pub(super) fn down(&self) -> anyhow::Result<()> {
        let output = self
            .command(&["down"])
            .output()
            .context("starting slipway down")?;
        anyhow::ensure!(
            output.status.success(),
            "slipway down ended with {}; see above",
            output.status
        );
        Ok(())
    }

    fn ensure_wanted(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.shutdown.is_requested(),
            "stopped by a signal; what was started is taken down"
        );
        Ok(())
    }

    fn pass_signals_on(&self, child: &Child) -> anyhow::Result<tokio::task::JoinHandle<()>> {
        let process = Pid::from_child(child);
        let process = pidfd_open(process, PidfdFlags::empty()).context("watching slipway")?;
        let shutdown = self.shutdown.clone();
        Ok(tokio::spawn(async move {
            shutdown.requested().await;
            tokio::time::sleep(PASS_ON_AFTER).await;
            if let Err(error) = pidfd_send_signal(&process, Signal::INT) {
                eprintln!("asking slipway to end: {error}");
            }
        }))
    }

    /// Runs one verb that must end well, and reads the JSON that it prints.
    pub(super) fn json<T: serde::de::DeserializeOwned>(
        &self,
        arguments: &[&str],
    ) -> anyhow::Result<T> {
        let output = self.call(arguments)?;
        if !output.status.success() {
            bail!(
                "slipway {} ended with {}; what it said stands above",
                arguments.join(" "),
                output.status
            );
        }
        read(arguments, &output)
    }

    /// Brings one release live; how it ended is for the caller to judge.
    pub(super) fn deploy(&self, release: &str) -> anyhow::Result<Deployed> {
        let arguments = ["deploy", release, "--json"];
        read(&arguments, &self.call(&arguments)?)
    }

    /// Starts a deployment and does not wait for it; the caller does.
    pub(super) fn begin_deploy(&self, release: &str) -> anyhow::Result<Child> {
        self.begin(&["deploy", release, "--json"])
    }

    fn begin(&self, arguments: &[&str]) -> anyhow::Result<Child> {
        self.command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting slipway {}", arguments.join(" ")))
    }

    /// Makes releases by the pipeline, and gives the one of Booking.
    pub(super) fn make_release(&self) -> anyhow::Result<String> {
        let report: Value = self.json(&["run", "--json"])?;
        let releases = report["releases"].as_array().context("no releases")?;
        releases
            .iter()
            .find(|r| r["service"] == "booking")
            .and_then(|r| r["release"].as_str())
            .map(str::to_owned)
            .context("the pipeline made no release of booking")
    }

    /// The picture of now.
    pub(super) fn status(&self) -> anyhow::Result<Value> {
        self.json(&["status", "--json"])
    }

    /// The command as a person would type it.
    pub(super) fn words(&self, arguments: &[&str]) -> String {
        format!(
            "{} --state {} {}",
            self.program.display(),
            self.state.display(),
            arguments.join(" ")
        )
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--project")
            .arg(&self.project)
            .arg("--state")
            .arg(&self.state)
            .args(arguments)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .current_dir(&self.project);
        command
    }
}

/// Reads the JSON that a verb printed, whatever its exit code was.
pub(super) fn read<T: serde::de::DeserializeOwned>(
    arguments: &[&str],
    output: &Output,
) -> anyhow::Result<T> {
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "reading what slipway {} printed ({}): {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout)
        )
    })
}
