//! `slipway doctor`: looks for what would keep Slipway from running here, and says what
//! to do about it. Changes nothing.

mod checks;

use clap::Args;
use serde::Serialize;
use slipway_journal::EnvironmentName;

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::terminal::{self, BAD, DIM, GOOD, LIVE, WARN, paint};

/// Look for what is wrong here, and say what to do about it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway doctor
  slipway doctor --environment staging --json

Exit codes: 0 nothing is in the way, 1 something is")]
pub(crate) struct Doctor {
    /// The environment, a file in delivery/environments/
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    check: &'static str,
    outcome: Outcome,
    found: String,
    next: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Nothing in the way.
    Good,
    /// Works, and may not for long or not for everybody.
    Warning,
    /// In the way.
    Bad,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Good, found, None)
    }

    fn warning(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(check, Outcome::Warning, found, Some(next.into()))
    }

    fn bad(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(check, Outcome::Bad, found, Some(next.into()))
    }

    fn new(
        check: &'static str,
        outcome: Outcome,
        found: impl Into<String>,
        next: Option<String>,
    ) -> Self {
        Self {
            check,
            outcome,
            found: found.into(),
            next,
        }
    }

    fn print(&self) {
        let mark = match self.outcome {
            Outcome::Good => paint(GOOD, "✓"),
            Outcome::Warning => paint(WARN, "!"),
            Outcome::Bad => paint(BAD, "✗"),
        };
        let words = terminal::wrapped(&self.found, 62, "                 ");
        terminal::line(format!("{mark} {:<14} {words}", self.check));
        if let Some(next) = &self.next {
            let words = terminal::wrapped(next, 56, "                       ");
            terminal::line(format!("                 {} {words}", paint(LIVE, "next:")));
        }
    }
}

impl Doctor {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let findings = context.wait(checks::all(context, &self.environment))?;
        let bad = findings.iter().filter(|f| f.outcome == Outcome::Bad);
        let bad = bad.count();
        if self.json {
            terminal::json(&findings)?;
        } else {
            for finding in &findings {
                finding.print();
            }
            terminal::line(if bad == 0 {
                paint(GOOD, "nothing is in the way")
            } else {
                paint(DIM, format!("{bad} in the way"))
            });
        }
        Ok(if bad == 0 {
            Exit::Success
        } else {
            Exit::Failed
        })
    }
}
