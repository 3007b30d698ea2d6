//! `slipway hold`, `resume` and `advance`: how a rollout that has a share of the traffic goes
//! on. Triggers hold on whatever is said, and `rollback` takes the share back at any moment.

use clap::Args;
use serde_json::Value;
use slipway_journal::event::rollout::Steering;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::receipt;
use crate::cli::report::Report;
use crate::control::wire::SteerOrder;
use crate::reading::{Reading, Rollout, short_id};
use crate::terminal::{self, BOLD, paint};

/// Keep a canary at the share that it has, whatever the judge says
///
/// What misbehaves is taken back all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway hold --reason \"marketing sends its mail at ten\"
  slipway hold 7f3a9c21

Exit codes: 0 held, 3 there is no share to hold, 4 Slipway does not run here")]
pub(crate) struct Hold {
    #[command(flatten)]
    of: Of,
}

/// Let the judge decide again about a canary that is held
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway resume

Exit codes: 0 it goes on, 3 nobody holds it, 4 Slipway does not run here")]
pub(crate) struct Resume {
    #[command(flatten)]
    of: Of,
}

/// Give a canary its next share at once, whatever the judge lacks
///
/// The old release then stays warm for twice as long.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway advance --reason \"too few visitors at night for the judge\"

Exit codes: 0 the next step follows, 3 there is no next step, 4 Slipway does not run here")]
pub(crate) struct Advance {
    #[command(flatten)]
    of: Of,
}

/// Which rollout, and why.
#[derive(Debug, Args)]
struct Of {
    /// The rollout, or the start or end of its id [default: the newest that is on its way]
    rollout: Option<String>,
    /// Why, for the journal
    #[arg(long, value_name = "WORDS", default_value = "a person asked for it")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Hold {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        self.of.say(Steering::Hold, context)
    }
}

impl Resume {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        self.of.say(Steering::Resume, context)
    }
}

impl Advance {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        self.of.say(Steering::Advance, context)
    }
}

impl Of {
    fn say(self, order: Steering, context: &Context) -> anyhow::Result<Exit> {
        context.running()?;
        let reading = context.wait(context.reading())?;
        let rollout = match &self.rollout {
            Some(text) => receipt::find(&reading, text)?,
            None => on_its_way(&reading)?,
        };
        let id = rollout.rollout;
        let said = SteerOrder {
            rollout: id,
            order,
            // One without a share is refused in words.
            seen: rollout.share().unwrap_or(0),
            reason: self.reason,
        };
        context.wait(async {
            let ask = Ask::new(&context.state);
            ask.post::<Value>("/v1/steer", &said).await
        })?;
        let reading = context.wait(context.reading())?;
        let Some(rollout) = reading.rollout(id) else {
            return Err(Failure::failed("the journal does not know the rollout").into());
        };
        if self.json {
            terminal::json(&Report::of(rollout, &reading))?;
        } else {
            terminal::line(format!(
                "{} {}: rollout {}",
                paint(BOLD, &rollout.service),
                words(order),
                short_id(id)
            ));
        }
        Ok(Exit::Success)
    }
}

fn words(order: Steering) -> &'static str {
    match order {
        Steering::Hold => "stays at its share until `slipway resume` or `slipway advance`",
        Steering::Resume => "goes on as the judge says",
        Steering::Advance => "goes on to its next share",
    }
}

fn on_its_way(reading: &Reading) -> anyhow::Result<&Rollout> {
    let newest = reading.rollouts.iter().rev().find(|r| !r.is_settled());
    newest.ok_or_else(|| {
        Failure::refused("no rollout is on its way")
            .hint("`slipway history` lists all; `slipway rollback` takes back what is live")
            .into()
    })
}
