//! What every verb starts with: the project, its state folder, clock, chance and
//! environment, and a runtime to wait in.

use std::future::Future;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chassis::{Clock, Env, Random};
use slipway_journal::{Entry, EnvironmentName, JournalError};
use tokio::runtime::{Builder, Runtime};

use crate::cli::failure::Failure;
use crate::environment::{Calendar, Environment};
use crate::keeper::record::Record;
use crate::reading::Reading;
use crate::state::State;

/// How a verb finds the state folder.
type Locate = fn(Option<&Path>, &Env, &Path) -> anyhow::Result<State>;

/// The ground that a verb stands on.
pub(crate) struct Context {
    pub(crate) project: PathBuf,
    pub(crate) state: State,
    pub(crate) env: Env,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// This very program.
    pub(crate) program: PathBuf,
    runtime: Runtime,
}

impl Context {
    pub(crate) fn new(
        state: Option<&Path>,
        project: Option<&Path>,
        env: Env,
        locate: Locate,
    ) -> anyhow::Result<Self> {
        let project = match project {
            Some(path) => path.canonicalize().map_err(|e| {
                Failure::usage(format!("the project folder {}: {e}", path.display()))
            })?,
            None => nearest_project()?,
        };
        let state = locate(state, &env, &project)?;
        Ok(Self {
            project,
            state,
            env,
            clock: Clock::system(),
            random: Random::system(),
            program: std::env::current_exe().context("finding this program's own file")?,
            runtime: Builder::new_current_thread()
                .enable_all()
                .build()
                .context("starting the runtime")?,
        })
    }

    /// Waits for `work` on this thread.
    pub(crate) fn wait<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.runtime.block_on(work)
    }

    /// Every entry of the journal, read from its file; none where there is no journal yet.
    pub(crate) async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let path = self.state.journal();
        if !path.exists() {
            return Ok(Vec::new());
        }
        match slipway_journal::replay_file(&path).await {
            Ok(entries) => Ok(entries),
            Err(error @ JournalError::Broken { .. }) => Err(Failure::failed(error.to_string())
                .hint("slipway journal verify")
                .into()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// What the journal says.
    pub(crate) async fn reading(&self) -> anyhow::Result<Reading> {
        Ok(Reading::of(&self.entries().await?))
    }

    /// The record of the keeper that runs here, or a failure that says that none does.
    pub(crate) fn running(&self) -> anyhow::Result<Record> {
        match Record::read(&self.state)? {
            Some(record) if record.keeper.is_alive() => Ok(record),
            _ => Err(Failure::unreachable(format!(
                "Slipway does not run in {}",
                self.state.root().display()
            ))
            .hint("`slipway up` starts it")
            .into()),
        }
    }

    /// When nothing is deployed in the environment that runs here, by its file as it is now.
    pub(crate) fn calendar(&self) -> anyhow::Result<Calendar> {
        let name = self.environment(None)?;
        Ok(Environment::read(&self.project, &name)?.calendar())
    }

    /// The environment that runs here, checked against the one that was asked for.
    pub(crate) fn environment(
        &self,
        asked: Option<&EnvironmentName>,
    ) -> anyhow::Result<EnvironmentName> {
        let record = self.running()?;
        let running = record
            .environment
            .context("the keeper's record names no environment")?;
        match asked {
            Some(asked) if *asked != running => Err(Failure::refused(format!(
                "{} runs the environment {running}, not {asked}",
                self.state.root().display()
            ))
            .hint(format!("slipway --state DIR up --environment {asked}"))
            .into()),
            _ => Ok(running),
        }
    }
}

/// This folder, or the nearest above it, that holds a `slipway.toml`; else this one.
fn nearest_project() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("finding the current folder")?;
    let found = here
        .ancestors()
        .find(|folder| folder.join("slipway.toml").is_file());
    Ok(found.unwrap_or(&here).to_path_buf())
}
