//! `slipway quarantine`: releases that were taken back and do not come again by themselves:
//! which there are, and letting one come again.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use slipway_journal::{ReleaseId, ServiceName};

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::control::wire::LiftOrder;
use crate::reading::Reading;
use crate::terminal::{self, BOLD, DIM, GOOD, paint};

/// List releases that were taken back, and let one come again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway quarantine list
  slipway quarantine lift 0a7b950e \"the database was at fault\"")]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the releases that need a person's word
    List {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// Let a release come again, with a reason for the journal
    ///
    /// `slipway deploy --force` deploys one once and leaves it in quarantine.
    Lift {
        /// The release, or the start of its id
        release: String,
        /// Why it may come again
        reason: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// One release in quarantine.
#[derive(Debug, Clone, Serialize)]
struct Held {
    release: ReleaseId,
    service: Option<ServiceName>,
    reason: String,
}

impl Quarantine {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let reading = context.wait(context.reading())?;
        let held = held(&reading);
        match self.what {
            What::List { json } => list(&held, json),
            What::Lift {
                release,
                reason,
                json,
            } => lift(context, &find(held, &release)?, reason, json),
        }
    }
}

fn held(reading: &Reading) -> Vec<Held> {
    let held = reading.quarantined.iter().map(|(release, reason)| {
        let mut of_release = reading.rollouts.iter().rev();
        let rollout = of_release.find(|r| r.release == *release);
        Held {
            release: release.clone(),
            service: rollout.map(|r| r.service.clone()),
            reason: reason.clone(),
        }
    });
    held.collect()
}

fn find(held: Vec<Held>, text: &str) -> Result<Held, Failure> {
    let wanted = text.to_lowercase();
    let is_called = |one: &Held| !wanted.is_empty() && one.release.as_str().starts_with(&wanted);
    let mut found = held.into_iter().filter(is_called);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::refused(format!(
            "no release in quarantine starts with {text:?}"
        ))
        .hint("`slipway quarantine list` shows them")),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "more than one release in quarantine starts with {text:?}"
        ))
        .hint("give more of the id")),
    }
}

fn list(held: &[Held], json: bool) -> anyhow::Result<Exit> {
    if json {
        terminal::json(&held)?;
        return Ok(Exit::Success);
    }
    if held.is_empty() {
        terminal::line("No release is in quarantine.");
    }
    for one in held {
        let service = one.service.as_ref().map(ToString::to_string);
        terminal::line(format!(
            "{} {}",
            paint(BOLD, service.unwrap_or_default()),
            one.release.short()
        ));
        terminal::line(format!("  {}", terminal::wrapped(&one.reason, 76, "  ")));
    }
    Ok(Exit::Success)
}

fn lift(context: &Context, held: &Held, reason: String, json: bool) -> anyhow::Result<Exit> {
    let order = LiftOrder {
        release: held.release.clone(),
        reason,
    };
    let ask = Ask::new(&context.state);
    let _: Value = context.wait(async { ask.post("/v1/lift-quarantine", &order).await })?;
    if json {
        terminal::json(held)?;
        return Ok(Exit::Success);
    }
    let short = held.release.short();
    terminal::line(format!("{} {short} may come again", paint(GOOD, "✓")));
    terminal::line(format!(
        "  {} slipway deploy {short}",
        paint(DIM, format!("{:<12}", "next"))
    ));
    Ok(Exit::Success)
}
