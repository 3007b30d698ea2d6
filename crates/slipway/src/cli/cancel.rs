//! `slipway cancel`: takes a rollout back before visitors see it.

use clap::Args;
use serde_json::Value;
use slipway_journal::event::rollout::RolloutState;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::follow::{Followed, Until, follow};
use crate::cli::receipt;
use crate::cli::report::{self, Report};
use crate::control::wire::CancelOrder;
use crate::reading::{Reading, Rollout, short_id};
use crate::terminal::{self, BOLD, paint};

/// Take a rollout back before visitors see it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway cancel                    the one that is on its way
  slipway cancel 7f3a9c21 --reason \"wrong branch\"")]
pub(crate) struct Cancel {
    /// The rollout, or the start or end of its id [default: the newest that is not live]
    rollout: Option<String>,
    /// Why, for the journal
    #[arg(long, value_name = "WORDS", default_value = "a person asked for it")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Cancel {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.running()?;
        let reading = context.wait(context.reading())?;
        let rollout = match &self.rollout {
            Some(text) => receipt::find(&reading, text)?,
            None => on_its_way(&reading)?,
        };
        let order = CancelOrder {
            rollout: rollout.rollout,
            reason: self.reason.clone(),
        };
        let followed = context.wait(async {
            let ask = Ask::new(&context.state);
            ask.post::<Value>("/v1/cancel", &order).await?;
            terminal::note(format!(
                "{} cancelling rollout {}",
                paint(BOLD, &rollout.service),
                short_id(rollout.rollout)
            ));
            follow(context, rollout.rollout, Until::Ended, reading.seq).await
        })?;
        let Followed::Over(rollout) = followed else {
            return Ok(report::interrupted("the cancellation"));
        };
        let reading = context.wait(context.reading())?;
        if self.json {
            terminal::json(&Report::of(&rollout, &reading))?;
        } else {
            report::print(&rollout, context);
        }
        Ok(match rollout.state {
            RolloutState::Cancelled { .. } | RolloutState::RolledBack { .. } => Exit::Success,
            _ => Exit::Failed,
        })
    }
}

fn on_its_way(reading: &Reading) -> anyhow::Result<&Rollout> {
    let newest = || reading.rollouts.iter().rev().filter(|r| !r.is_settled());
    // One that waits for approval does nothing that somebody would want to stop.
    let busy = newest().find(|r| r.waits_for().is_none());
    busy.or_else(|| newest().next()).ok_or_else(|| {
        Failure::refused("no rollout is on its way")
            .hint(
                "`slipway rollback` takes a release back that is live; `slipway history` lists all",
            )
            .into()
    })
}
