//! `slipway down`: stops everything that this state folder started, in order. Works
//! from what is written down, so it needs nothing to answer. Never removes data.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::accessories;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::watch::Progress;
use crate::keeper::hold;
use crate::keeper::record::Record;
use crate::state::State;
use crate::terminal::{self, DIM, GOOD, paint};
use slipway_rollout::process::{Ending, ProcessIdentity};

/// Control and proxy have their own times inside this one.
const KEEPER_GRACE: Duration = Duration::from_secs(60);
/// What the application contract gives an instance to finish its requests.
const INSTANCE_GRACE: Duration = Duration::from_secs(30);

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
        let mut report = Report::default();
        if context.state.root().exists() {
            let progress = Progress::start("finishing requests");
            stop_keeper(&context.state, &mut report)?;
            progress.say("stopping instances");
            stop_instances(&context.state, &mut report)?;
            progress.say("stopping accessories");
            for (name, ending) in accessories::stop_all(&context.state)? {
                report.note(name, ending);
            }
            progress.clear();
        }
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

/// Stops the keeper, which stops its children; then what an unlucky keeper left behind.
fn stop_keeper(state: &State, report: &mut Report) -> anyhow::Result<()> {
    let holder = hold::holder(state)?;
    let Some(record) = Record::read(state)? else {
        return match holder {
            Some(pid) => Err(Failure::failed(format!(
                "process {pid} holds {} and has not written down what it started",
                state.root().display()
            ))
            .hint("it may just be starting: repeat `slipway down` in a second")
            .into()),
            None => Ok(()),
        };
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
    if state.keeper_record().exists() {
        fs::remove_file(state.keeper_record()).context("removing keeper.json")?;
    }
    Ok(())
}

/// The part of an instance's `pid.json` that tells which process it is.
#[derive(Deserialize)]
struct InstanceProcess {
    #[serde(flatten)]
    process: ProcessIdentity,
}

/// Asks every instance to end at once, then waits for each.
fn stop_instances(state: &State, report: &mut Report) -> anyhow::Result<()> {
    let Ok(folders) = fs::read_dir(state.instances()) else {
        return Ok(());
    };
    let mut running = Vec::new();
    for folder in folders.flatten() {
        let Ok(bytes) = fs::read(folder.path().join("pid.json")) else {
            continue;
        };
        let Ok(instance) = serde_json::from_slice::<InstanceProcess>(&bytes) else {
            terminal::note(format!(
                "  {} cannot be read",
                folder.path().join("pid.json").display()
            ));
            continue;
        };
        let name = folder.file_name().to_string_lossy().into_owned();
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
        report.note(
            format!("instance {}", name.chars().take(8).collect::<String>()),
            ending,
        );
    }
    Ok(())
}
