//! `slipway up`: starts the keeper in the background and waits until everything answers.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use http::Method;
use serde::Serialize;
use slipway_journal::EnvironmentName;
use slipway_proxy::{Client, Health};
use slipway_rollout::process::ProcessIdentity;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::cli::addresses::Addresses;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::watch::Progress;
use crate::control::wire::Ready;
use crate::environment::Environment;
use crate::keeper::hold;
use crate::keeper::record::Record;
use crate::local_http;
use crate::terminal::{self, BOLD, DIM, GOOD, LIVE, WARN, paint};

/// The first start makes a PostgreSQL cluster, which takes seconds on a slow disk.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// What was live before is waited for so long; it may be a release that does not start any more.
const BACK_WITHIN: Duration = Duration::from_secs(20);
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
  slipway up --listen 127.0.0.1:0 --console 127.0.0.1:0
  slipway up --json | jq -r .console")]
pub(crate) struct Up {
    /// The environment, a file in delivery/environments/
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
    #[command(flatten)]
    addresses: Addresses,
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
        let environment = Environment::read(&context.project, &self.environment)?;
        context.state.create()?;
        let running = context.wait(is_running(context))?;
        if running {
            // Said at once, not when everything answers.
            context.environment(Some(&self.environment))?;
        } else {
            environment.proxy.check_certificates(&context.project)?;
        }
        let mut keeper = if running {
            None
        } else {
            Some(self.start(context)?)
        };
        let Some(record) = context.wait(self.watch(context, keeper.as_mut()))? else {
            return Ok(interrupted());
        };
        context.environment(Some(&self.environment))?;
        let report = Report {
            environment: self.environment,
            already_running: running,
            listen: record.visited(),
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
        let process = Command::new(&context.program)
            .args(["launch", "--folder", "/", "--"])
            .arg(&context.program)
            .arg("--state")
            .arg(context.state.root())
            .arg("--project")
            .arg(&context.project)
            .args(["keep", "--environment", self.environment.as_str()])
            .args(self.addresses.options())
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

    /// Waits until everything answers; none when the keyboard said stop.
    async fn watch(
        &self,
        context: &Context,
        keeper: Option<&mut Keeper>,
    ) -> anyhow::Result<Option<Record>> {
        let mut interrupt = signal(SignalKind::interrupt()).context("listening to the keyboard")?;
        let progress = Progress::start("starting the proxy");
        let ready = tokio::select! {
            ready = self.await_ready(context, keeper, &progress) => ready.map(Some),
            _ = interrupt.recv() => Ok(None),
        };
        progress.clear();
        ready
    }

    async fn await_ready(
        &self,
        context: &Context,
        mut keeper: Option<&mut Keeper>,
        progress: &Progress,
    ) -> anyhow::Result<Record> {
        let deadline = Instant::now() + READY_WITHIN;
        let mut back: Option<Instant> = None;
        loop {
            if let Some(started) = keeper.as_deref_mut()
                && let Err(error) = started.check()
            {
                // Somebody else was quicker by a moment; then that one is waited for.
                let is_refused = error
                    .downcast_ref::<Failure>()
                    .is_some_and(|failure| failure.exit == Exit::Refused);
                if !is_refused || hold::holder(&context.state)?.is_none() {
                    return Err(error);
                }
                keeper = None;
            }
            let (record, missing) = match look(context).await {
                Look::Ready(record, ready) => {
                    let back = *back.get_or_insert_with(|| Instant::now() + BACK_WITHIN);
                    let is_over = !ready.problems.is_empty() || Instant::now() > back;
                    if is_over || !is_coming_back(context).await {
                        return checked(record, &ready);
                    }
                    progress.say("bringing back what was live");
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Look::Missing(record, missing) => (record, missing),
            };
            progress.say(match missing {
                "control" => "starting PostgreSQL, Redis and control",
                _ => "starting the proxy",
            });
            if Instant::now() > deadline {
                let log = context.state.logs().join(format!("{missing}.log"));
                let started = if record.is_some() { "answer" } else { "start" };
                return Err(Failure::unreachable(format!(
                    "{missing} did not {started} within {}: {}",
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

/// What answers at a moment.
enum Look {
    Ready(Record, Ready),
    Missing(Option<Record>, &'static str),
}

/// Looks at the processes of the keeper that runs now; those of an earlier one, which may
/// answer still, do not count.
async fn look(context: &Context) -> Look {
    let Ok(record) = context.running() else {
        return Look::Missing(None, "keeper");
    };
    let alive = |p: Option<&ProcessIdentity>| p.is_some_and(ProcessIdentity::is_alive);
    if !alive(record.proxy.as_ref())
        || !local_http::answers(&context.state.proxy_socket(), "/ready").await
    {
        return Look::Missing(Some(record), "proxy");
    }
    if !alive(record.control.as_ref()) {
        return Look::Missing(Some(record), "control");
    }
    match ready(context).await {
        Some(ready) => Look::Ready(record, ready),
        None => Look::Missing(Some(record), "control"),
    }
}

/// Whether a release that is live by the routes has no instance that answers yet.
async fn is_coming_back(context: &Context) -> bool {
    let client = Client::new(context.state.proxy_socket());
    let (Ok(table), Ok(stats)) = tokio::join!(client.table(), client.stats()) else {
        return false;
    };
    table.routes.values().any(|route| {
        let live = route.pools.get(&route.live);
        let is_up = |instance: &str| {
            let mut seen = stats.pools.iter().flat_map(|pool| &pool.targets);
            seen.any(|target| target.instance == instance && target.health == Health::Up)
        };
        live.is_some_and(|pool| !pool.targets.iter().any(|target| is_up(&target.instance)))
    })
}

async fn ready(context: &Context) -> Option<Ready> {
    let within = Duration::from_secs(2);
    let socket = context.state.control_socket();
    let answer = local_http::call(&socket, Method::GET, "/v1/ready", Vec::new(), within);
    serde_json::from_slice(&answer.await.ok()?.body).ok()
}

/// Everything answers; whether the accessories do as well.
fn checked(record: Record, ready: &Ready) -> anyhow::Result<Record> {
    let Some((name, why)) = ready.problems.iter().next() else {
        return Ok(record);
    };
    Err(
        Failure::failed(format!("{name} cannot be started: {why}"))
            .hint("`slipway doctor` looks for the cause; it is tried again every few seconds, and `slipway down` stops that")
            .into(),
    )
}

/// What is said when the keyboard stops the waiting.
fn interrupted() -> Exit {
    terminal::note(format!(
        "\n{} stopped waiting; Slipway goes on starting without this terminal",
        paint(WARN, "…")
    ));
    terminal::note("  slipway status     shows how far it is");
    terminal::note("  slipway down       stops it");
    Exit::Interrupted
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

/// Whether a keeper runs here. One that has taken its lock writes its record a moment later; one
/// that was killed has its lock for a moment longer than it lives.
async fn is_running(context: &Context) -> anyhow::Result<bool> {
    for _ in 0..100 {
        if hold::holder(&context.state)?.is_none() {
            return Ok(false);
        }
        if context.running().is_ok() {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(true)
}

fn set_aside(log: &std::path::Path) -> anyhow::Result<()> {
    if fs::metadata(log).is_ok_and(|m| m.len() > LOG_BYTES_MAX) {
        fs::rename(log, log.with_extension("log.1"))
            .with_context(|| format!("setting {} aside", log.display()))?;
    }
    Ok(())
}

/// The last line of a log that tells of an error.
pub(crate) fn last_error(log: &std::path::Path) -> String {
    let text = fs::read(log)
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .unwrap_or_default();
    let line = text.lines().rev().find(|l| l.starts_with("error: "));
    line.map_or_else(
        || format!("see {}", log.display()),
        |l| l.trim_start_matches("error: ").to_owned(),
    )
}
