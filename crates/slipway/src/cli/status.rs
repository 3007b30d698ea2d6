//! `slipway status`: what runs now. Looks at the processes and the proxy themselves, so
//! it answers while control is away.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use slipway_journal::ServiceName;
use slipway_proxy::Health;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::control::wire::PlanKind;
use crate::environment::Environment;
use crate::reading::{Rollout, short_id};
use crate::status::{self, PoolStatus, ProcessStatus, ServiceStatus, Status};
use crate::terminal::{self, BAD, BOLD, DIM, GOOD, LIVE, WARN, paint};

/// From one look to the next.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Show what runs: live and warm releases, instances, rollouts, processes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway status
  slipway status --watch            again every second, until Ctrl-C
  slipway status --json | jq '.services[0].live.release'

Exit codes: 0 Slipway runs here, 4 it does not, 130 stopped from the keyboard")]
pub(crate) struct StatusVerb {
    /// Show it again every second, where something changed, until Ctrl-C
    #[arg(long, short)]
    watch: bool,
    /// Print one JSON object; with --watch, one in each line
    #[arg(long)]
    json: bool,
}

impl StatusVerb {
    /// Succeeds when Slipway runs here, also while a part of it is being started again.
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if self.watch {
            return context.wait(self.watch(context));
        }
        let status = context.wait(gather(context))?;
        if self.json {
            terminal::json(&status)?;
        } else if status.processes.keeper.running {
            print(&status, context);
        }
        if status.processes.keeper.running {
            return Ok(Exit::Success);
        }
        if self.json {
            return Ok(Exit::Unreachable);
        }
        Err(away(&status))
    }

    /// Goes on until the keyboard stops it, or there is nothing left to watch.
    async fn watch(&self, context: &Context) -> anyhow::Result<Exit> {
        let mut interrupt = signal(SignalKind::interrupt()).context("listening to the keyboard")?;
        let mut shown = String::new();
        loop {
            let status = gather(context).await?;
            let line = serde_json::to_string(&status)?;
            if self.json && line != shown {
                terminal::line(&line);
            } else if line != shown && status.processes.keeper.running {
                terminal::clear();
                print(&status, context);
            }
            shown = line;
            if !status.processes.keeper.running {
                return Err(away(&status));
            }
            tokio::select! {
                () = sleep(WATCH_EVERY) => {}
                _ = interrupt.recv() => return Ok(Exit::Interrupted),
            }
        }
    }
}

fn away(status: &Status) -> anyhow::Error {
    Failure::unreachable(format!(
        "Slipway does not run in {}",
        status.state.display()
    ))
    .hint("`slipway up` starts it")
    .into()
}

async fn gather(context: &Context) -> anyhow::Result<Status> {
    let reading = context.reading().await?;
    let mut status = status::gather(&context.state, &reading).await?;
    let named = status.environment.as_ref();
    // A mistake in the file is said where something is deployed.
    let environment = named.and_then(|name| Environment::read(&context.project, name).ok());
    status.see(&reading, environment.as_ref(), context.clock.now());
    if status.processes.control.answers {
        let ask = Ask::new(&context.state);
        for service in &mut status.services {
            service.rollback = ask.plan(&service.service).await.ok();
        }
    }
    Ok(status)
}

fn print(status: &Status, context: &Context) {
    let name = status.environment.as_ref().map(ToString::to_string);
    terminal::line(format!(
        "{}  {}",
        paint(BOLD, name.unwrap_or_default()),
        paint(DIM, status.state.display())
    ));
    terminal::line(format!(
        "  visitors   {}",
        paint(LIVE, status.listen.join(" "))
    ));
    if let Some(console) = &status.console {
        terminal::line(format!("  console    {}", paint(LIVE, console)));
    }
    terminal::line(format!("  processes  {}", processes(status)));
    let proxy = status.proxy.as_ref();
    if let Some(problem) = proxy.and_then(|p| p.stats.certificate_problem.as_deref()) {
        certificate(&format!("{problem}; those from before are served"));
    }
    if let Some(problem) = &status.certificate_problem {
        certificate(&format!("not fetched: {problem}; it is asked for again"));
    }
    if !status.accessories.is_empty() {
        terminal::line(format!("             {}", accessories(status)));
    }
    print_barriers(status);
    for service in &status.services {
        print_service(service, context);
    }
    let is_untouched = |s: &ServiceStatus| s.live.is_none() && s.rollout.is_none();
    if status.services.iter().all(is_untouched) {
        let next = paint(BOLD, "slipway ship");
        terminal::line(format!("\nNothing was deployed yet. Next: {next}"));
    }
}

/// Says what is wrong with a certificate.
fn certificate(problem: &str) {
    let words = terminal::wrapped(problem, 66, "             ");
    terminal::line(format!("  {} {words}", paint(BAD, "certificate")));
}

/// What stops deployments now.
fn print_barriers(status: &Status) {
    let barrier = |name: &str, words: &str| {
        let words = terminal::wrapped(words, 66, "             ");
        terminal::line(format!("  {name:<9}  {}", paint(WARN, words)));
    };
    for lock in &status.locks {
        barrier("locked", &format!("{} {}", lock.scope(), lock.words()));
    }
    if let Some(closed) = &status.closed {
        barrier("closed", &format!("nothing is deployed {}", closed.words()));
    }
}

fn processes(status: &Status) -> String {
    let own = &status.processes;
    let words = [
        process_words("keeper", &own.keeper),
        process_words("proxy", &own.proxy),
        process_words("control", &own.control),
    ];
    words.join(&paint(DIM, " · "))
}

fn accessories(status: &Status) -> String {
    let words = status.accessories.iter().map(|accessory| {
        let name = accessory.name;
        if accessory.running {
            format!("{name} {}", accessory.pid)
        } else {
            paint(BAD, format!("{name} is down"))
        }
    });
    words.collect::<Vec<_>>().join(&paint(DIM, " · "))
}

fn process_words(name: &str, process: &ProcessStatus) -> String {
    match (process.pid, process.running, process.answers) {
        (Some(pid), true, true) => format!("{name} {pid}"),
        (Some(pid), true, false) => paint(WARN, format!("{name} {pid} does not answer")),
        _ => paint(WARN, format!("{name} is being started")),
    }
}

fn print_service(service: &ServiceStatus, context: &Context) {
    terminal::line(format!(
        "\n{}{}",
        paint(BOLD, &service.service),
        paint(DIM, after_words(service))
    ));
    match &service.live {
        Some(pool) => terminal::line(format!("  {}  {}", paint(GOOD, "live"), pool_words(pool))),
        None => terminal::line(paint(DIM, "  no release is live")),
    }
    if let Some(pool) = &service.warm {
        terminal::line(format!("  {}  {}", paint(DIM, "warm"), pool_words(pool)));
    }
    if let Some(seconds) = service.pages_s {
        let long = terminal::span(Duration::from_secs(seconds.into()));
        terminal::line(paint(
            DIM,
            format!("        pages that were loaded from it keep it for {long}"),
        ));
    }
    for worker in &service.workers {
        let release: String = worker.release.chars().take(12).collect();
        terminal::line(format!(
            "  {}  {:<5}  {release}  process {}",
            paint(DIM, "work"),
            worker.role,
            worker.pid
        ));
    }
    if let Some(rollout) = &service.rollout {
        print_rollout(rollout, context);
    }
    if let Some(plan) = &service.rollback {
        let style = match plan.kind {
            PlanKind::Warm => GOOD,
            PlanKind::Slow => WARN,
            PlanKind::Impossible => DIM,
        };
        let words = match plan.kind {
            PlanKind::Warm | PlanKind::Slow => plan.words.clone(),
            PlanKind::Impossible => format!("impossible: {}", plan.words),
        };
        let words = terminal::wrapped(&words, 72, "        ");
        terminal::line(format!("  {}  {words}", paint(style, "back")));
    }
}

fn after_words(service: &ServiceStatus) -> String {
    let names: Vec<&str> = service.after.iter().map(ServiceName::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("  stands on {}", names.join(", ")),
    }
}

fn pool_words(pool: &PoolStatus) -> String {
    let up = pool.instances.iter().filter(|i| i.health == Health::Up);
    let up = up.count();
    let all = pool.instances.len();
    let health = if up == all {
        format!("{all} up")
    } else {
        paint(BAD, format!("{up} of {all} up"))
    };
    let failed = if pool.failed == 0 {
        "0 failed".to_owned()
    } else {
        paint(BAD, format!("{} failed", terminal::number(pool.failed)))
    };
    let release: String = pool.release.chars().take(12).collect();
    format!(
        "{:<5}  {release}  {health}  {} served  {failed}",
        pool.slot,
        terminal::number(pool.served),
    )
}

fn print_rollout(rollout: &Rollout, context: &Context) {
    let since = rollout.timeline.last().map_or(rollout.asked_at, |m| m.at);
    let reason = rollout.reason();
    let reason = reason.map(|r| terminal::wrapped(&r, 72, "        "));
    let style = match rollout.waits_for() {
        Some(_) => WARN,
        None => terminal::state_style(&rollout.state),
    };
    let short = short_id(rollout.rollout);
    terminal::line(format!(
        "  roll  {} {}  {}",
        rollout.release.short(),
        paint(style, rollout.state_words()),
        paint(
            DIM,
            format!(
                "{}, rollout {short}",
                terminal::ago(context.clock.now(), since)
            )
        )
    ));
    if let Some(reason) = reason {
        terminal::line(format!("        {reason}"));
    }
}
