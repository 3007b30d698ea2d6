//! `slipway lock` and `slipway unlock`: whether anything new may go to visitors. A person's
//! word with a reason, kept in the journal.

use clap::Args;
use slipway_journal::ServiceName;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::control::wire::{LockOrder, UnlockOrder};
use crate::lock::Lock as Held;
use crate::terminal::{self, BOLD, DIM, GOOD, WARN, paint};

/// The longest that a lock may be said to last: a year.
const LASTS_SECONDS_MAX: i64 = 366 * 86_400;

/// Let nothing new go to visitors until it is unlocked
///
/// What is on its way goes on (`slipway cancel` stops it), and a release can always be
/// taken back. Everybody who deploys is told the reason.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway lock \"the database is being moved\"
  slipway lock \"waiting for the bank\" --service booking --lasts 2h

Exit codes: 0 locked, 3 it is locked already, 4 Slipway does not run here")]
pub(crate) struct Lock {
    /// Why, for everybody who wants to deploy
    reason: String,
    /// Only this service [default: every service]
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// It ends by itself after so long, 90min, 24h [default: when it is unlocked]
    #[arg(long, value_name = "SPAN")]
    lasts: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Let deployments go again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway unlock
  slipway unlock --service booking

Exit codes: 0 unlocked, 3 it is not locked, 4 Slipway does not run here")]
pub(crate) struct Unlock {
    /// The lock of this service [default: the lock of every service]
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// Print one JSON object, the lock that was lifted
    #[arg(long)]
    json: bool,
}

impl Lock {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let order = LockOrder {
            service: self.service,
            reason: self.reason,
            lasts_s: self.lasts.as_deref().map(seconds).transpose()?,
        };
        let held: Held =
            context.wait(async { Ask::new(&context.state).post("/v1/lock", &order).await })?;
        if self.json {
            terminal::json(&held)?;
            return Ok(Exit::Success);
        }
        let words = format!("{} are locked {}", held.scope(), held.words());
        let words = terminal::wrapped(&words, 76, "  ");
        terminal::line(format!("{} {words}", paint(WARN, "✓")));
        terminal::line(format!(
            "  {} {}",
            paint(DIM, format!("{:<12}", "next")),
            held.lift()
        ));
        Ok(Exit::Success)
    }
}

impl Unlock {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let order = UnlockOrder {
            service: self.service,
        };
        let held: Held =
            context.wait(async { Ask::new(&context.state).post("/v1/unlock", &order).await })?;
        if self.json {
            terminal::json(&held)?;
            return Ok(Exit::Success);
        }
        terminal::line(format!(
            "{} {} go again",
            paint(GOOD, "✓"),
            paint(BOLD, held.scope())
        ));
        let words = terminal::wrapped(&held.words(), 70, "         ");
        terminal::line(format!("  locked {}", paint(DIM, words)));
        Ok(Exit::Success)
    }
}

fn seconds(text: &str) -> Result<u64, Failure> {
    let wrong = || {
        Failure::usage(format!("{text:?} is no length of time for a lock"))
            .hint("write 90min or 24h; a year is the longest")
    };
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let fits = (1..=LASTS_SECONDS_MAX).contains(&span.as_secs());
    u64::try_from(span.as_secs())
        .ok()
        .filter(|_| fits)
        .ok_or_else(wrong)
}
