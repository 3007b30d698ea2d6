//! `slipway approve` and `slipway decline`: what people say of rollouts that wait for them.
//! Works for every account that the environment names: all that is opened is one socket.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::control::wire::{ApproveOrder, DeclineOrder, Waiting};
use crate::reading::short_id;
use crate::terminal::{self, BOLD, DIM, GOOD, WARN, paint};

/// Say yes to a rollout that waits for approval; alone, list what waits
///
/// Who may, and how many have to, stands under [approval] in the environment's file.
/// Nobody approves a change of their own. Control knows you by your account on this
/// machine; --state DIR names the folder of a Slipway that runs as another account.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway approve                   what waits, and for whom
  slipway approve 7f3a9c21          a rollout, or a release by the start of its id
  slipway --state /srv/booking/.slipway approve 7f3a9c21

Exit codes: 0 taken, 3 refused, 4 Slipway does not run here")]
pub(crate) struct Approve {
    /// The rollout, the end of its id, or the start of the id of its release
    what: Option<String>,
    /// Print one JSON object, or a list of what waits
    #[arg(long)]
    json: bool,
}

/// Say no to a rollout that waits for approval: it is cancelled
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway decline 7f3a9c21 \"prices are wrong\"

Exit codes: 0 taken, 3 refused, 4 Slipway does not run here")]
pub(crate) struct Decline {
    /// The rollout, the end of its id, or the start of the id of its release
    what: String,
    /// Why, for whoever wanted it
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Approve {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let ask = Ask::as_approver(&context.state);
        let Some(what) = self.what else {
            let waiting: Vec<Waiting> = context.wait(async { ask.get("/v1/approvals").await })?;
            return list(&waiting, self.json);
        };
        let order = ApproveOrder { what };
        let approved: Waiting = context.wait(async { ask.post("/v1/approve", &order).await })?;
        if self.json {
            terminal::json(&approved)?;
            return Ok(Exit::Success);
        }
        let (mark, what_now) = if approved.begins {
            (paint(GOOD, "✓"), "is approved and begins")
        } else {
            (paint(WARN, "✓"), "waits for more")
        };
        terminal::line(format!(
            "{mark} {} {} {what_now} {}",
            paint(BOLD, &approved.service),
            approved.release.short(),
            paint(DIM, format!("rollout {}", short_id(approved.rollout)))
        ));
        terminal::line(format!(
            "  {}",
            terminal::wrapped(&approved.words, 76, "  ")
        ));
        Ok(Exit::Success)
    }
}

impl Decline {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let order = DeclineOrder {
            what: self.what.clone(),
            reason: self.reason,
        };
        let ask = Ask::as_approver(&context.state);
        let _: Value = context.wait(async { ask.post("/v1/decline", &order).await })?;
        if self.json {
            terminal::json(&json!({ "declined": self.what }))?;
        } else {
            terminal::line(format!(
                "{} declined; the rollout is cancelled",
                paint(WARN, "✓")
            ));
        }
        Ok(Exit::Success)
    }
}

fn list(waiting: &[Waiting], json: bool) -> anyhow::Result<Exit> {
    if json {
        terminal::json(&waiting)?;
        return Ok(Exit::Success);
    }
    if waiting.is_empty() {
        terminal::line("Nothing waits for approval.");
        return Ok(Exit::Success);
    }
    for one in waiting {
        terminal::line(format!(
            "{} {} {}",
            paint(BOLD, &one.service),
            one.release.short(),
            paint(
                DIM,
                format!(
                    "rollout {}, ordered by {}",
                    short_id(one.rollout),
                    one.asked_by
                )
            )
        ));
        if let Some(commit) = &one.commit {
            let commit: String = commit.chars().take(60).collect();
            terminal::line(format!("  commit {commit}"));
        }
        terminal::line(format!("  {}", terminal::wrapped(&one.words, 76, "  ")));
    }
    Ok(Exit::Success)
}

/// Why nobody listens to this account.
pub(crate) fn shut_out(account: &str) -> Failure {
    Failure::refused(format!("control here does not listen to the account {account}"))
        .hint("who may approve stands under [approval.by] in the environment's file; if you do, ask again")
}
