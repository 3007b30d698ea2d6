//! `slipway console`: a link to sign in at the console. Who asks is what the kernel says of the
//! control socket, so there is no password that could be guessed or lost.

use clap::Args;
use serde_json::Value;

use crate::cli::ask::Ask;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::control::wire::SignInLink;
use crate::terminal::{self, BOLD, DIM, paint};

/// Print a link to sign in at the console
///
/// The link is good once and for a minute. Looking at the console needs none.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway console

Exit codes: 0 printed, 3 there is no console, 4 Slipway does not run here")]
pub(crate) struct Console {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Console {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.running()?;
        let link: SignInLink = context.wait(async {
            let ask = Ask::new(&context.state);
            ask.post("/v1/sign-in", &Value::Null).await
        })?;
        if self.json {
            terminal::json(&link)?;
            return Ok(Exit::Success);
        }
        terminal::line(paint(BOLD, &link.url));
        let words = format!("  good once, and for {} seconds", link.seconds);
        terminal::line(paint(DIM, words));
        Ok(Exit::Success)
    }
}
