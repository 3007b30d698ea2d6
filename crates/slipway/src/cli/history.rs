//! `slipway history`: the rollouts of this state folder, newest last. Reads the journal's
//! file only, so it works while nothing runs.

use std::time::Duration;

use clap::Args;
use slipway_journal::ServiceName;

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::reading::{Rollout, actor_name, short_id};
use crate::terminal::{self, BAD, BOLD, DIM, paint};

/// List rollouts: what, when, by whom, how it ended, how many requests
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway history
  slipway history --last 3 --json | jq '.[].state.name'")]
pub(crate) struct History {
    /// Only the last N rollouts
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// Only those of one service
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// Print a JSON list with everything that is known
    #[arg(long)]
    json: bool,
}

impl History {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let reading = context.wait(context.reading())?;
        let wanted = |r: &&Rollout| self.service.as_ref().is_none_or(|s| r.service == *s);
        let rollouts: Vec<&Rollout> = reading.rollouts.iter().filter(wanted).collect();
        let skipped = rollouts.len().saturating_sub(self.last);
        let shown = rollouts.get(skipped..).unwrap_or_default();
        if self.json {
            terminal::json(&shown)?;
            return Ok(Exit::Success);
        }
        if shown.is_empty() {
            let next = paint(BOLD, "slipway ship");
            terminal::line(format!("Nothing was deployed yet. Next: {next}"));
            return Ok(Exit::Success);
        }
        let now = context.clock.now();
        let rows: Vec<Vec<String>> = shown
            .iter()
            .map(|rollout| row(rollout, &terminal::ago(now, rollout.asked_at)))
            .collect();
        terminal::table(
            &[
                "rollout", "asked", "release", "state", "took", "served", "failed", "by",
            ],
            &rows,
        );
        if skipped > 0 {
            terminal::line(paint(DIM, format!("  {skipped} earlier ones: --last N")));
        }
        Ok(Exit::Success)
    }
}

fn row(rollout: &Rollout, asked: &str) -> Vec<String> {
    let receipt = rollout.receipt.as_ref();
    let took = receipt.map(|r| terminal::span(Duration::from_millis(r.took_ms)));
    let served = receipt.map(|r| terminal::number(r.traffic.iter().map(|t| t.served).sum()));
    let failed = receipt.map(|r| {
        let failed: u64 = r.traffic.iter().map(|t| t.failed).sum();
        let text = terminal::number(failed);
        if failed == 0 { text } else { paint(BAD, text) }
    });
    let missing = || paint(DIM, "-");
    vec![
        short_id(rollout.rollout),
        asked.to_owned(),
        rollout.release.as_str().chars().take(8).collect(),
        paint(terminal::state_style(&rollout.state), rollout.state_words()),
        took.unwrap_or_else(missing),
        served.unwrap_or_else(missing),
        failed.unwrap_or_else(missing),
        paint(DIM, actor_name(&rollout.actor)),
    ]
}
