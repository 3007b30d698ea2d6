//! `slipway`, as a person would call it: the program with its words, its JSON read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;

/// The program, in the project that the demo delivers.
pub(super) struct Slipway {
    program: PathBuf,
    project: PathBuf,
    state: PathBuf,
    target: PathBuf,
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
    /// The program at `program`; its pipelines build into `target`.
    pub(super) fn new(program: PathBuf, project: &Path, state: &Path, target: &Path) -> Self {
        Self {
            program,
            project: project.to_owned(),
            state: state.to_owned(),
            target: target.to_owned(),
        }
    }

    /// Runs one verb; its progress is shown, its output returned.
    pub(super) fn call(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments)
            .output()
            .with_context(|| format!("starting slipway {}", arguments.join(" ")))
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
    pub(super) fn begin_deploy(&self, release: &str) -> anyhow::Result<std::process::Child> {
        self.command(&["deploy", release, "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .context("starting slipway deploy")
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
