//! `slipway down`: stops everything that this state folder started, in order. Works
//! from what is written down, so it needs nothing to answer. Never removes data.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use rustix::process::Signal;
use serde::Serialize;

use crate::accessories;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::watch::Progress;
use crate::inhabitants;
use crate::keeper::child::Role;
use crate::keeper::record::Record;
use crate::keeper::{hold, stray};
use crate::state::State;
use crate::status::InstanceProcess;
use crate::terminal::{self, DIM, GOOD, paint};
use slipway_rollout::process::{Ending, ProcessIdentity};
use tokio::signal::unix::{SignalKind, signal};

/// Control and proxy have their own times inside this one.
const KEEPER_GRACE: Duration = Duration::from_mins(1);
/// What the application contract gives an instance to finish its requests.
const INSTANCE_GRACE: Duration = Duration::from_secs(30);
/// A keeper writes down what it holds within this time.
const STARTING: Duration = Duration::from_secs(2);
/// What nobody wrote down gets this long.
const STRAY_GRACE: Duration = Duration::from_secs(5);

/// Stop everything: visitors first, then instances, PostgreSQL, Redis
///
/// Requests in flight are finished. Data, releases, logs and the journal stay, and the
/// next `slipway up` brings back what was live. Safe to repeat.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  slipway down\n  slipway down --json")]
pub(crate) struct Down {
    /// Keep databases, releases and the journal (always so; for scripts that say it)
    #[arg(long)]
    keep_data: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    stopped: Vec<String>,
    killed: Vec<String>,
}

impl Report {
    fn note(&mut self, name: impl Into<String>, ending: Ending) {
        match ending {
            Ending::Gone => {}
            Ending::Asked => self.stopped.push(name.into()),
            Ending::Killed => self.killed.push(name.into()),
        }
    }
}

impl Down {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let state = context.state.clone();
        let stopped = context.wait(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            // A thread of its own: a blocking task would be waited for at the end.
            let (done, mut over) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || done.send(stop_all(&state)));
            tokio::select! {
                report = &mut over => report.context("stopping")?.map(Some),
                _ = interrupt.recv() => Ok(None),
            }
        })?;
        let Some(report) = stopped else {
            terminal::note("\n… stopped waiting; what was asked to end goes on ending");
            terminal::note("  slipway down       stops the rest");
            return Ok(Exit::Interrupted);
        };
        if self.json {
            terminal::json(&report)?;
            return Ok(Exit::Success);
        }
        if report.stopped.is_empty() && report.killed.is_empty() {
            terminal::line(format!("{} nothing runs here", paint(GOOD, "✓")));
            return Ok(Exit::Success);
        }
        let kept = if self.keep_data {
            "data kept"
        } else {
            "data, releases and journal stay"
        };
        terminal::line(format!(
            "{} stopped {} {}",
            paint(GOOD, "✓"),
            report.stopped.join(", "),
            paint(DIM, format!("({kept})"))
        ));
        for name in &report.killed {
            terminal::line(format!("  {name} did not end in time and was killed"));
        }
        Ok(Exit::Success)
    }
}

/// Stops everything, in order. Blocking.
fn stop_all(state: &State) -> anyhow::Result<Report> {
    let mut report = Report::default();
    if !state.root().exists() {
        return Ok(report);
    }
    let progress = Progress::start("finishing requests");
    stop_keeper(state, &mut report)?;
    progress.say("stopping instances");
    stop_instances(state, &mut report)?;
    stop_strays(state, &mut report)?;
    progress.say("stopping accessories");
    for (name, ending) in accessories::stop_all(state)? {
        report.note(name, ending);
    }
    progress.clear();
    Ok(report)
}

/// Stops the keeper, which stops its children; then what an unlucky keeper left behind.
fn stop_keeper(state: &State, report: &mut Report) -> anyhow::Result<()> {
    let Some(record) = record(state) else {
        if let Some(pid) = hold::holder(state)?
            && let Some(keeper) = ProcessIdentity::of(pid)?
        {
            // It may just be starting; what it writes down then says more than its number.
            if !keeper.wait(STARTING)? && record(state).is_some() {
                return stop_keeper(state, report);
            }
            let ending = keeper.stop(Signal::TERM, KEEPER_GRACE);
            report.note("keeper", ending.context("stopping the keeper")?);
        }
        return stop_outlived(state, report);
    };
    report.note(
        "keeper",
        record
            .keeper
            .stop(Signal::TERM, KEEPER_GRACE)
            .context("stopping the keeper")?,
    );
    let children = [("control", record.control), ("proxy", record.proxy)];
    for (name, child) in children {
        if let Some(child) = child {
            let ending = child.stop(Signal::TERM, KEEPER_GRACE);
            report.note(name, ending.with_context(|| format!("stopping {name}"))?);
        }
    }
    // Somebody may have started Slipway again by now; what belongs to that one stays.
    if hold::holder(state)?.is_some() {
        return Err(Failure::refused("Slipway was started again meanwhile")
            .hint("`slipway down` once more stops that as well")
            .into());
    }
    match fs::remove_file(state.keeper_record()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context("removing keeper.json");
        }
        _ => {}
    }
    stop_outlived(state, report)
}

/// What the keeper wrote down; nothing where that cannot be read, because then everything is
/// found without it.
fn record(state: &State) -> Option<Record> {
    Record::read(state).unwrap_or_else(|error| {
        terminal::note(format!("  {error:#}; looking for what runs without it"));
        None
    })
}

/// Ends children that a killed keeper could not write down.
fn stop_outlived(state: &State, report: &mut Report) -> anyhow::Result<()> {
    for role in [Role::Control, Role::Proxy] {
        for child in stray::of(state, role)? {
            note_stop(report, &role.to_string(), &child)?;
        }
    }
    Ok(())
}

/// Asks every instance to end at once, then waits for each.
fn stop_instances(state: &State, report: &mut Report) -> anyhow::Result<()> {
    let Ok(folders) = fs::read_dir(state.instances()) else {
        return Ok(());
    };
    let mut running = Vec::new();
    for folder in folders.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        let Some(instance) = InstanceProcess::read(state, &name) else {
            continue;
        };
        if instance
            .process
            .signal(Signal::TERM)
            .with_context(|| format!("stopping instance {name}"))?
        {
            running.push((name, instance.process));
        }
    }
    for (name, process) in running {
        let ending = process
            .stop(Signal::TERM, INSTANCE_GRACE)
            .with_context(|| format!("stopping instance {name}"))?;
        // Gone by now means that it ended when it was asked above.
        let ending = if ending == Ending::Gone {
            Ending::Asked
        } else {
            ending
        };
        report.note(format!("instance {}", terminal::tail(&name, 8)), ending);
    }
    Ok(())
}

/// Ends what runs in the folder of a release and is written down nowhere: a migration, or
/// an instance whose control was killed before it could note it. A shell that somebody
/// has open there has a terminal and is left alone.
fn stop_strays(state: &State, report: &mut Report) -> anyhow::Result<()> {
    for stray in inhabitants::of(&state.releases())? {
        note_stop(report, &format!("process {}", stray.pid), &stray)?;
    }
    Ok(())
}

/// Ends a process that nobody wrote down.
fn note_stop(report: &mut Report, name: &str, stray: &ProcessIdentity) -> anyhow::Result<()> {
    let ending = stray.stop(Signal::TERM, STRAY_GRACE);
    report.note(name, ending.with_context(|| format!("stopping {name}"))?);
    Ok(())
}
