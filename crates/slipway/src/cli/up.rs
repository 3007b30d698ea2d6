//! `slipway up`: starts the keeper in the background and waits until everything answers.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use slipway_journal::EnvironmentName;
use tokio::time::sleep;

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::watch::Progress;
use crate::environment::Environment;
use crate::keeper::hold;
use crate::keeper::record::Record;
use crate::local_http;
use crate::terminal::{self, BOLD, DIM, GOOD, LIVE, paint};

/// The first start makes a PostgreSQL cluster, which takes seconds on a slow disk.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Logs of an earlier start that are larger than this are set aside.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Start everything: sockets, proxy, control, PostgreSQL, Redis
///
/// Returns when all of it answers, and prints the addresses. Does nothing when it runs
/// already. What was live before is live again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway up
  slipway up --environment staging --state /srv/staging
  slipway up --json | jq -r .console")]
pub(crate) struct Up {
    /// The environment, a file in delivery/environments/
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    environment: EnvironmentName,
    already_running: bool,
    listen: Vec<String>,
    console: String,
    state: PathBuf,
    took_ms: u128,
}

impl Up {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let started = Instant::now();
        // Read here as well, so that a mistake shows before anything is started.
        Environment::read(&context.project, &self.environment)?;
        context.state.create()?;
        let running = hold::holder(&context.state)?.is_some();
        if running {
            context.wait(async { wait_for_record(context).await })?;
            context.environment(Some(&self.environment))?;
        }
        let mut keeper = if running {
            None
        } else {
            Some(self.start(context)?)
        };
        let record = context.wait(self.await_ready(context, keeper.as_mut()))?;
        let report = Report {
            environment: self.environment,
            already_running: running,
            listen: record
                .listen
                .iter()
                .map(|a| format!("http://{a}"))
                .collect(),
            console: format!("http://{}", record.console),
            state: context.state.root().to_path_buf(),
            took_ms: started.elapsed().as_millis(),
        };
        report.print(self.json, started.elapsed())?;
        Ok(Exit::Success)
    }

    /// Starts the keeper in a session of its own, so that it outlives this terminal.
    fn start(&self, context: &Context) -> anyhow::Result<Keeper> {
        for name in ["keeper", "proxy", "control"] {
            set_aside(&context.state.logs().join(format!("{name}.log")))?;
        }
        let path = context.state.logs().join("keeper.log");
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        let from = log.metadata()?.len();
        let program = context.program()?;
        let process = Command::new(&program)
            .args(["launch", "--folder", "/", "--"])
            .arg(&program)
            .arg("--state")
            .arg(context.state.root())
            .arg("--project")
            .arg(&context.project)
            .args(["keep", "--environment", self.environment.as_str()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting the keeper")?;
        Ok(Keeper {
            process,
            log: path,
            from,
        })
    }

    async fn await_ready(
        &self,
        context: &Context,
        mut keeper: Option<&mut Keeper>,
    ) -> anyhow::Result<Record> {
        let deadline = Instant::now() + READY_WITHIN;
        let progress = Progress::start("starting the proxy");
        loop {
            if let Some(keeper) = keeper.as_deref_mut() {
                keeper.check()?;
            }
            let proxy = local_http::answers(&context.state.proxy_socket(), "/ready").await;
            let control =
                proxy && local_http::answers(&context.state.control_socket(), "/v1/ready").await;
            if control {
                progress.clear();
                return context.running();
            }
            progress.say(if proxy {
                "starting accessories and control"
            } else {
                "starting the proxy"
            });
            if Instant::now() > deadline {
                progress.clear();
                let missing = if proxy { "control" } else { "proxy" };
                let log = context.state.logs().join(format!("{missing}.log"));
                return Err(Failure::unreachable(format!(
                    "{missing} did not answer within {}: {}",
                    terminal::span(READY_WITHIN),
                    last_error(&log)
                ))
                .hint("slipway down; slipway doctor")
                .into());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The keeper just started, and where its messages of this start begin.
struct Keeper {
    process: Child,
    log: PathBuf,
    from: u64,
}

impl Keeper {
    /// Fails with the keeper's own words when it has ended.
    fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.process.try_wait().context("looking at the keeper")? else {
            return Ok(());
        };
        let mut text = String::new();
        let mut log = File::open(&self.log)?;
        log.seek(SeekFrom::Start(self.from))?;
        log.read_to_string(&mut text)?;
        let word = |mark: &str| -> Vec<String> {
            text.lines()
                .skip_while(|l| !l.starts_with(mark))
                .take_while(|l| l.starts_with(mark) || !l.trim_start().starts_with("next:"))
                .filter(|l| !l.starts_with('{'))
                .map(|l| l.strip_prefix(mark).unwrap_or(l).trim_end().to_owned())
                .collect()
        };
        let message = word("error: ").join("\n");
        let next = text
            .lines()
            .rev()
            .find_map(|l| l.trim_start().strip_prefix("next: "));
        let exit = match status.code() {
            Some(2) => Exit::Usage,
            Some(3) => Exit::Refused,
            _ => Exit::Failed,
        };
        let message = if message.is_empty() {
            format!("the keeper ended: {status}")
        } else {
            message
        };
        let see = format!("see {}", self.log.display());
        Err(Failure::new(exit, message)
            .hint(next.map_or(see, str::to_owned))
            .into())
    }
}

impl Report {
    fn print(&self, json: bool, took: Duration) -> anyhow::Result<()> {
        if json {
            return terminal::json(self);
        }
        let head = if self.already_running {
            "runs already"
        } else {
            "is up"
        };
        terminal::line(format!(
            "{} {} {head} {}",
            paint(GOOD, "✓"),
            paint(BOLD, &self.environment),
            paint(DIM, format!("({})", terminal::span(took)))
        ));
        for address in &self.listen {
            terminal::line(format!("  visitors  {}", paint(LIVE, address)));
        }
        terminal::line(format!("  console   {}", paint(LIVE, &self.console)));
        terminal::line(format!("  state     {}", self.state.display()));
        terminal::line(format!("  next      {}", paint(BOLD, "slipway ship")));
        Ok(())
    }
}

/// Waits for the record that a keeper writes a moment after it took its lock.
async fn wait_for_record(context: &Context) -> anyhow::Result<()> {
    for _ in 0..100 {
        if context.running().is_ok() {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn set_aside(log: &std::path::Path) -> anyhow::Result<()> {
    if fs::metadata(log).is_ok_and(|m| m.len() > LOG_BYTES_MAX) {
        fs::rename(log, log.with_extension("log.1"))
            .with_context(|| format!("setting {} aside", log.display()))?;
    }
    Ok(())
}

/// The last line of a log that tells of an error.
fn last_error(log: &std::path::Path) -> String {
    let text = fs::read(log)
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .unwrap_or_default();
    let line = text.lines().rev().find(|l| l.starts_with("error: "));
    line.map_or_else(
        || format!("see {}", log.display()),
        |l| l.trim_start_matches("error: ").to_owned(),
    )
}
