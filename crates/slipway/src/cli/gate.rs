//! `slipway gate selftest`: shows that every gate can turn red. A gate that lets its
//! known-bad fixture pass would let everything pass.

use clap::{Args, Subcommand};
use slipway_pipeline::{Tested, Trial};

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::run;
use crate::terminal::{self, BAD, BOLD, DIM, GOOD, paint};

/// Test the gates themselves
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway gate selftest
  slipway gate selftest --json | jq '.[] | select(.trials[].holds == false) | .gate'

Exit codes: 0 every gate turns red when it must, 1 one does not")]
pub(crate) struct Gate {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Give each gate its known-bad fixture, and no report at all; it must refuse both
    Selftest {
        /// Show every trial, not only those that went wrong
        #[arg(long, short)]
        verbose: bool,
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
}

impl Gate {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let What::Selftest { verbose, json } = self.what;
        let definition = run::definition(context)?;
        let tested = slipway_pipeline::selftest(&definition, context.clock.now());
        if tested.is_empty() {
            return Err(Failure::usage("slipway.toml has no gate")
                .hint("write one:  [gate.tests]  conditions = [\"tests.failed == 0\"]")
                .into());
        }
        if json {
            terminal::json(&tested)?;
        } else {
            for gate in &tested {
                show(gate, verbose);
            }
        }
        Ok(if tested.iter().all(Tested::holds) {
            Exit::Success
        } else {
            Exit::Failed
        })
    }
}

fn show(tested: &Tested, verbose: bool) {
    let count = tested.trials.len();
    let (mark, words) = if tested.holds() {
        (
            paint(GOOD, "✓"),
            format!("turns red when it must, {count} trials"),
        )
    } else {
        (paint(BAD, "✗"), "does not turn red when it must".to_owned())
    };
    terminal::line(format!(
        "{mark} {} {}",
        paint(BOLD, &tested.gate),
        paint(DIM, words)
    ));
    for trial in tested.trials.iter().filter(|t| verbose || !t.holds) {
        show_trial(trial);
    }
}

fn show_trial(trial: &Trial) {
    let style = if trial.holds { GOOD } else { BAD };
    let wanted = if trial.holds {
        String::new()
    } else {
        format!(", must be {}", trial.wanted)
    };
    terminal::line(format!(
        "    given {}: {}{wanted}",
        trial.given,
        paint(style, trial.outcome)
    ));
    for finding in &trial.findings {
        let text = terminal::wrapped(finding, 72, "        ");
        terminal::line(format!("        {}", paint(DIM, text)));
    }
}
