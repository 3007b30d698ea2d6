//! `slipway run`: runs the pipeline of the project, judges its gates, makes its releases.
//! Works with and without a running control; what happened is in the journal either way.

mod account;
mod board;
mod ledger;

use std::io::Write as _;

use anyhow::Context as _;
use chassis::Shutdown;
use clap::Args;
use miette::{GraphicalReportHandler, GraphicalTheme};
use slipway_pipeline::{Definition, Ground, Happening, Problem, Report, Request, RunError, Tier};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::terminal;

pub(crate) use account::say_next;
use board::Board;
use ledger::Ledger;

/// Happenings that may wait to be shown before the jobs have to.
const QUEUE: usize = 1024;

/// Run the pipeline: jobs, gates, releases
///
/// Jobs run as soon as what they need has passed, side by side. A job whose inputs did not
/// change is answered from the cache. Ctrl-C asks every job to end; a second one kills.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  slipway run                       every job, every gate, the releases
  slipway run test                  one job, with all that it needs
  slipway run --no-cache            as if nothing had ever run
  slipway run --json | jq '.releases[].release'
  slipway why test                  why a job runs, or does not

Exit codes: 0 all passed, 1 a job or a required gate did not, 2 slipway.toml has
mistakes, 130 stopped from the keyboard")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Run {
    /// The jobs, with all that they need [default: every job]
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,
    /// Take nothing from the cache
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Fill at most N cores [default: all of this machine]
    #[arg(long = "jobs", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(crate) jobs_at_once: Option<u64>,
    /// Go on after a failure, as far as that makes sense
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Fail instead of waiting while another run goes on
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Show everything that the jobs print
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let report = context.wait(make(context, &self))?;
        say_next(&report, context);
        if self.json {
            terminal::json(&report)?;
        }
        Ok(exit(&report))
    }
}

/// The exit code of a run.
pub(crate) fn exit(report: &Report) -> Exit {
    if report.cancelled {
        Exit::Interrupted
    } else if report.passed {
        Exit::Success
    } else {
        Exit::Failed
    }
}

/// Runs the pipeline with its progress on standard error; what came of it is the report.
/// Everything that happens is in the journal when this returns.
pub(crate) async fn make(context: &Context, options: &Run) -> anyhow::Result<Report> {
    let definition = definition(context)?;
    context.state.create()?;
    let (live, mut happenings) = mpsc::channel(QUEUE);
    let (stop, kill) = signals()?;
    let ground = ground(context, stop, kill, live);
    let request = Request {
        jobs: options.jobs.clone(),
        use_cache: !options.no_cache,
        trust: Tier::LocalDirty,
        cores: options.jobs_at_once.unwrap_or_else(cores),
        fail_fast: options.keep_going.then_some(false),
        wait: !options.no_wait,
    };
    let running = async {
        let result = slipway_pipeline::run(&definition, &ground, &request).await;
        // The last sender goes, and with it the show.
        drop(ground);
        result
    };
    let mut board = Board::new(options.verbose);
    let mut ledger = Ledger::new(context);
    let showing = async {
        while let Some(happening) = happenings.recv().await {
            board.show(&happening);
            if let Happening::Event(event) = happening {
                ledger.enter(event);
            }
            if happenings.is_empty() {
                ledger.write().await;
            }
        }
        board.clear();
        ledger.close().await;
    };
    let (result, ()) = tokio::join!(running, showing);
    let report = result.map_err(|error| unable(error, context))?;
    account::print(&report);
    Ok(report)
}

/// The project's `slipway.toml`; every mistake in it is shown.
pub(crate) fn definition(context: &Context) -> anyhow::Result<Definition> {
    let path = context.project.join("slipway.toml");
    Definition::read(&path).map_err(|problems| mistakes("slipway.toml", &problems).into())
}

/// Shows mistakes in a file, and counts them.
pub(crate) fn mistakes(file: &str, problems: &[Problem]) -> Failure {
    let theme = GraphicalTheme::unicode();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(80)
        .with_links(false);
    for problem in problems {
        let mut text = String::new();
        match handler.render_report(&mut text, problem) {
            Ok(()) => terminal::note(text.trim_end()),
            Err(_) => terminal::note(problem),
        }
    }
    let count = problems.len();
    let noun = if count == 1 { "mistake" } else { "mistakes" };
    Failure::usage(format!("{file} has {count} {noun}")).hint(format!("edit {file}, and run again"))
}

/// What the pipeline stands on in this context.
pub(crate) fn ground(
    context: &Context,
    stop: Shutdown,
    kill: Shutdown,
    live: mpsc::Sender<Happening>,
) -> Ground {
    Ground {
        cache: context.state.cache(),
        runs: context.state.runs(),
        releases: context.state.releases(),
        env: context.env.clone(),
        clock: context.clock.clone(),
        random: context.random.clone(),
        stop,
        kill,
        is_sole: true,
        live,
    }
}

/// The first signal asks, the second one kills.
fn signals() -> anyhow::Result<(Shutdown, Shutdown)> {
    let (stop, kill) = (Shutdown::new(), Shutdown::new());
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    // A terminal that is closed would end this process and leave its jobs.
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let (ask, end) = (stop.clone(), kill.clone());
    tokio::spawn(async move {
        for token in [ask, end] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            token.request();
        }
    });
    Ok((stop, kill))
}

fn cores() -> u64 {
    let found = std::thread::available_parallelism();
    found.map_or(1, |n| u64::try_from(n.get()).unwrap_or(1))
}

/// Why a run could not be made, for a person.
fn unable(error: RunError, context: &Context) -> anyhow::Error {
    match error {
        RunError::NoSuchJob(error) => Failure::usage(error.to_string()).into(),
        RunError::Waivers(problems) => {
            let file = problems.first().map(ToString::to_string);
            let file = file.as_deref().and_then(|f| f.split(':').next());
            mistakes(file.unwrap_or("the file of waivers"), &problems).into()
        }
        RunError::Held(holder) => Failure::refused(format!("another run goes on here: {holder}"))
            .hint("wait for it, or leave --no-wait out and this one waits")
            .into(),
        RunError::StoppedWaiting(holder) => Failure::new(
            Exit::Interrupted,
            format!("stopped while waiting for {holder}"),
        )
        .into(),
        error @ (RunError::File { .. } | RunError::Job { .. }) => {
            Failure::failed(error.to_string())
                .hint(format!(
                    "what had passed is kept; the logs are in {}",
                    context.state.runs().display()
                ))
                .into()
        }
    }
}

/// Writes raw lines of a job on standard error. Nobody has to read them.
fn raw(lines: &[u8]) {
    if let Err(error) = anstream::stderr().lock().write_all(lines) {
        tracing::debug!(%error, "nobody reads standard error");
    }
}
