//! `slipway receipt`: the exact account of a rollout, by the proxy's own count. Also how
//! `deploy`, `rollback` and `ship` show it.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use slipway_journal::event::rollout::{Receipt, ReleaseTraffic};

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::reading::{Reading, Rollout, short_id, state_name, state_reason, trigger_name};
use crate::terminal::{self, BAD, BOLD, DIM, paint};

/// The width that every receipt fits into.
const COLUMNS: usize = 80;

/// Show the account of a rollout: served, failed, held, slowest, switch
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway receipt
  slipway receipt 7f3a9c21
  slipway receipt --json | jq '[.traffic[].failed] | add'")]
pub(crate) struct ReceiptVerb {
    /// The rollout, or the start or end of its id [default: the newest with a receipt]
    rollout: Option<String>,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
}

impl ReceiptVerb {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let reading = context.wait(context.reading())?;
        let rollout = match &self.rollout {
            Some(text) => find(&reading, text)?,
            None => newest(&reading)?,
        };
        let Some(receipt) = &rollout.receipt else {
            let state = state_name(&rollout.state);
            return Err(Failure::failed(format!(
                "rollout {} has no receipt; it is {state}",
                short_id(rollout.rollout)
            ))
            .hint("a receipt is written once traffic has settled; `slipway status` shows how far it is")
            .into());
        };
        if self.json {
            terminal::json(receipt)?;
        } else {
            print(rollout, receipt);
        }
        Ok(Exit::Success)
    }
}

/// The one rollout whose id starts or ends with `text`.
pub(crate) fn find<'a>(reading: &'a Reading, text: &str) -> anyhow::Result<&'a Rollout> {
    let wanted = text.to_lowercase();
    let matches = |r: &&Rollout| {
        let id = r.rollout.to_string();
        !wanted.is_empty() && (id.starts_with(&wanted) || id.ends_with(&wanted))
    };
    let mut found = reading.rollouts.iter().filter(matches);
    match (found.next(), found.next()) {
        (Some(rollout), None) => Ok(rollout),
        (None, _) => Err(Failure::usage(format!("no rollout is called {text:?}"))
            .hint("`slipway history` lists them")
            .into()),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "more than one rollout is called {text:?}"
        ))
        .hint("give more of the id; `slipway history --json` shows it whole")
        .into()),
    }
}

fn newest(reading: &Reading) -> anyhow::Result<&Rollout> {
    let newest = reading.rollouts.iter().rev().find(|r| r.receipt.is_some());
    newest
        .with_context(|| "there is no receipt yet")
        .map_err(|error| {
            Failure::failed(error.to_string())
                .hint("`slipway ship` makes a release and deploys it")
                .into()
        })
}

/// Prints the receipt in 80 columns.
pub(crate) fn print(rollout: &Rollout, receipt: &Receipt) {
    terminal::line(heading(rollout, receipt));
    terminal::line(paint(DIM, "─".repeat(COLUMNS)));
    for line in traffic_lines(receipt) {
        terminal::line(line);
    }
    if receipt.unrouted > 0 {
        let words = format!(
            "{} requests reached no instance",
            terminal::number(receipt.unrouted)
        );
        field("failed", &paint(BAD, words));
    }
    for (trigger, evidence) in &rollout.triggers {
        let words = format!("{}: {evidence}", trigger_name(*trigger));
        field(
            "trigger",
            &paint(BAD, terminal::wrapped(&words, 64, FIELD_INDENT)),
        );
    }
    let said = |reason: &String| rollout.triggers.iter().any(|(_, e)| e == reason);
    if let Some(reason) = state_reason(&receipt.end).filter(|reason| !said(reason)) {
        field("why", &terminal::wrapped(&reason, 64, FIELD_INDENT));
    }
    field("took", &times(receipt));
    field(
        "back",
        &terminal::wrapped(&receipt.rollback_now, 64, FIELD_INDENT),
    );
}

const FIELD_INDENT: &str = "               ";

fn field(name: &str, words: &str) {
    terminal::line(format!("  {} {words}", paint(DIM, format!("{name:<12}"))));
}

fn heading(rollout: &Rollout, receipt: &Receipt) -> String {
    let end = paint(
        terminal::state_style(&receipt.end).bold(),
        state_name(&receipt.end),
    );
    format!(
        "{} {} → {}  {end}  {}",
        paint(BOLD, &receipt.service),
        receipt.release.short(),
        receipt.environment,
        paint(DIM, format!("rollout {}", short_id(rollout.rollout)))
    )
}

fn traffic_lines(receipt: &Receipt) -> Vec<String> {
    if receipt.traffic.iter().all(|t| t.served == 0) {
        return vec![paint(DIM, "  no request came in while it lasted")];
    }
    let heads = format!(
        "  {:<18} {:>9} {:>7} {:>8} {:>7} {:>6} {:>8} {:>8}",
        "release", "served", "failed", "shielded", "retried", "held", "p99", "slowest"
    );
    let rows = receipt.traffic.iter().map(|t| traffic_line(receipt, t));
    std::iter::once(paint(DIM, heads)).chain(rows).collect()
}

fn traffic_line(receipt: &Receipt, traffic: &ReleaseTraffic) -> String {
    let role = if traffic.release == receipt.release {
        "new"
    } else if receipt.previous.as_ref() == Some(&traffic.release) {
        "old"
    } else {
        "other"
    };
    let failed = format!("{:>7}", terminal::number(traffic.failed));
    let failed = if traffic.failed == 0 {
        failed
    } else {
        paint(BAD.bold(), failed)
    };
    let name = format!("{} {role}", traffic.release.short());
    let timed = |us| {
        if traffic.served == 0 {
            "-".to_owned()
        } else {
            micros(us)
        }
    };
    format!(
        "  {name:<18} {:>9} {failed} {:>8} {:>7} {:>6} {:>8} {:>8}",
        terminal::number(traffic.served),
        terminal::number(traffic.shielded),
        terminal::number(traffic.retried),
        terminal::number(traffic.held),
        timed(traffic.p99_us),
        timed(traffic.slowest_us),
    )
}

fn times(receipt: &Receipt) -> String {
    let mut words = vec![terminal::span(Duration::from_millis(receipt.took_ms))];
    if let Some(us) = receipt.switch_us {
        words.push(format!("the switch {}", micros(us)));
    }
    if let Some(us) = receipt.rollback_us {
        words.push(format!("taking it back {}", micros(us)));
    }
    words.join(" · ")
}

fn micros(us: u64) -> String {
    terminal::span(Duration::from_micros(us))
}
