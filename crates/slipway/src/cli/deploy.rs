//! `slipway deploy`: asks control to bring a release into the environment, follows it in
//! the journal until it is live or has ended, and prints the receipt.

mod all;

use anyhow::Context as _;
use clap::Args;
use slipway_journal::event::rollout::RolloutEvent;
use slipway_journal::{EnvironmentName, Event, RolloutId, Seq, ServiceName};

use crate::cli::ask::{Ask, Unsure};
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::follow::{Followed, Until, follow};
use crate::cli::report::{self, Report};
use crate::cli::target;
use crate::control::wire::{Accepted, DeployOrder};
use crate::reading::{Rollout, short_id};
use crate::terminal::{self, BOLD, DIM, paint};

/// Bring a release to visitors, without dropping a request
///
/// Starts the release beside the one that is live, lets it prove itself, moves the
/// traffic, and keeps the old one warm. Goes back by itself when the new one misbehaves.
/// Ctrl-C stops watching only; the rollout goes on.
///
/// A rollout that has no visitors yet makes way for a newer one; one that has some is
/// waited for. Nothing is deployed while it is locked or frozen (`slipway status` says so).
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway deploy                    the newest release
  slipway deploy 0a7b950e           a release by the start of its id
  slipway deploy --detach           return at once
  slipway deploy --override \"customers cannot pay\"
  slipway deploy --all              the newest of every service, in their order
  slipway deploy --json | jq -r .state.name

Exit codes: 0 live, 1 failed or taken back, 3 refused, 4 Slipway does not run here")]
pub(crate) struct Deploy {
    /// The release, or the start of its id [default: the newest one of the service]
    release: Option<String>,
    /// The service [default: the only one, or that of the release]
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// The environment that must run here
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,
    /// The newest release of every service, each after those that it stands on (`after` in the
    /// environment's file); ends with the first that does not go live. With --json a list
    #[arg(long, conflicts_with_all = ["release", "service", "force", "detach"])]
    all: bool,
    /// Deploy although the release was taken back before, or a service that it stands on is not
    /// live or changes
    #[arg(long)]
    force: bool,
    /// Deploy although nothing is deployed at this time; somebody else must approve it
    #[arg(long = "override", value_name = "REASON")]
    overrides: Option<String>,
    /// Do not wait for the end
    #[arg(long)]
    detach: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Deploy {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let environment = context.environment(self.environment.as_ref())?;
        if self.all {
            return all::deploy(context, &environment, &self);
        }
        let (service, release) =
            target::release(context, self.service.clone(), self.release.as_deref())?;
        let order = DeployOrder {
            service,
            release,
            force: self.force,
            overrides: self.overrides.clone(),
        };
        match context.wait(deploy(context, &order, self.detach))? {
            Some(rollout) => {
                let reading = context.wait(context.reading())?;
                let report = Report::of(&rollout, &reading);
                if self.json {
                    terminal::json(&report)?;
                } else if self.detach {
                    detached(&rollout);
                } else {
                    report::print(&rollout, context);
                }
                Ok(if self.detach {
                    Exit::Success
                } else {
                    report.exit()
                })
            }
            None => Ok(report::interrupted("the rollout")),
        }
    }
}

/// Orders the deployment and follows it to its end; none when the keyboard said stop.
pub(crate) async fn deploy(
    context: &Context,
    order: &DeployOrder,
    detach: bool,
) -> anyhow::Result<Option<Rollout>> {
    let from = context.reading().await?.seq;
    let rollout = place(context, order, from).await?;
    if detach {
        let reading = context.reading().await?;
        let found = reading.rollout(rollout).cloned();
        return found.context("the rollout is not in the journal").map(Some);
    }
    terminal::note(format!(
        "{} {} {}",
        paint(BOLD, &order.service),
        order.release.short(),
        paint(DIM, format!("rollout {}", short_id(rollout)))
    ));
    match follow(context, rollout, Until::Settled, from).await? {
        Followed::Over(rollout) => Ok(Some(*rollout)),
        Followed::Interrupted => Ok(None),
    }
}

/// Sends the order. When control ended before it answered, the journal says whether the
/// order was taken; only one that was not is sent again.
async fn place(context: &Context, order: &DeployOrder, from: Seq) -> anyhow::Result<RolloutId> {
    let ask = Ask::new(&context.state);
    for _ in 0..3 {
        match ask.post::<Accepted>("/v1/deploy", order).await {
            Ok(accepted) => return Ok(accepted.rollout),
            Err(error) if error.is::<Unsure>() => {
                tracing::debug!(error = %format!("{error:#}"), "control ended; looking for the order");
                ask.get::<serde_json::Value>("/v1/ready").await?;
                if let Some(rollout) = taken(context, order, from).await? {
                    return Ok(rollout);
                }
            }
            Err(error) => return Err(error),
        }
    }
    anyhow::bail!("control ended three times before it took the order")
}

async fn taken(
    context: &Context,
    order: &DeployOrder,
    from: Seq,
) -> anyhow::Result<Option<RolloutId>> {
    let entries = context.entries().await?;
    Ok(entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Rollout(RolloutEvent::Requested {
            rollout,
            service,
            release,
            ..
        }) if entry.seq > from && *service == order.service && *release == order.release => {
            Some(*rollout)
        }
        _ => None,
    }))
}

fn detached(rollout: &Rollout) {
    let what_now = match rollout.waits_for() {
        Some(_) => "waits for approval",
        None => "is on its way",
    };
    terminal::line(format!(
        "{} {} {what_now}, rollout {}",
        paint(BOLD, &rollout.service),
        rollout.release.short(),
        short_id(rollout.rollout)
    ));
    if let Some(reason) = rollout.waits_for() {
        let words = terminal::wrapped(&reason.to_string(), 76, "  ");
        terminal::line(format!("  {words}"));
    }
    terminal::line(format!(
        "  {} slipway status",
        paint(DIM, format!("{:<12}", "next"))
    ));
}
