//! `slipway rollback`: takes the newest release back. No question asked; `--plan` says
//! what would happen and changes nothing.

mod plan;

use clap::Args;
use slipway_journal::ServiceName;
use slipway_journal::event::rollout::RolloutState;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::follow::{Followed, Until, follow};
use crate::cli::report::{self, Report, is_good};
use crate::cli::target;
use crate::control::wire::{Accepted, RollbackOrder};
use crate::reading::{Rollout, short_id};
use crate::terminal::{self, BOLD, DIM, paint};

/// Take the newest release back: at once while the old one is warm
///
/// Visitors go back to the release before by one change of routes. Where the old release
/// was retired already, it is rolled out again, which takes as long as a deployment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway rollback
  slipway rollback --reason \"prices are wrong\"
  slipway rollback --plan           can I, how fast, at what loss, why not
  slipway rollback --plan --json | jq .can

Exit codes: 0 taken back, or could be; 1 not taken back; 3 refused, or could not be;
4 Slipway does not run here")]
pub(crate) struct Rollback {
    /// The service [default: the only one]
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// Why, for the journal
    #[arg(long, value_name = "WORDS", default_value = "a person asked for it")]
    reason: String,
    /// Say what it would do, and change nothing; answers at any moment
    #[arg(long)]
    plan: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Rollback {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if self.plan {
            return plan::show(context, self.service, self.json);
        }
        let service = target::service(context, self.service.clone())?;
        let order = RollbackOrder {
            service,
            reason: self.reason.clone(),
        };
        let Some(rollout) = context.wait(roll_back(context, &order))? else {
            return Ok(report::interrupted("the rollback"));
        };
        let reading = context.wait(context.reading())?;
        let report = Report::of(&rollout, &reading);
        if self.json {
            terminal::json(&report)?;
        } else {
            report::print(&rollout, context);
        }
        let back = matches!(rollout.state, RolloutState::RolledBack { .. });
        Ok(if back || is_good(&rollout.state) {
            Exit::Success
        } else {
            Exit::Failed
        })
    }
}

/// Orders the rollback and follows it; none when the keyboard said stop.
async fn roll_back(context: &Context, order: &RollbackOrder) -> anyhow::Result<Option<Rollout>> {
    let before = context.reading().await?;
    let accepted: Accepted = Ask::new(&context.state).post("/v1/rollback", order).await?;
    let id = accepted.rollout;
    // Warm: a known rollout is taken back and ends. Slow: the old release is rolled out.
    let until = match before.rollout(id) {
        Some(_) => Until::Ended,
        None => Until::Settled,
    };
    terminal::note(format!(
        "{} taking back {}",
        paint(BOLD, &order.service),
        paint(DIM, format!("rollout {}", short_id(id)))
    ));
    match follow(context, id, until, before.seq).await? {
        Followed::Over(rollout) => Ok(Some(*rollout)),
        Followed::Interrupted => Ok(None),
    }
}
