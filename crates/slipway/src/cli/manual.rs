//! `slipway manual`: every verb's help as one page of Markdown, which is `docs/cli.md`. Made
//! from the very definitions that the command line is read by, so that it cannot say less.

use clap::{Args, Command, CommandFactory as _};

use crate::cli::Cli;
use crate::cli::failure::Exit;
use crate::terminal;

const COLUMNS: usize = 80;
const HEAD: &str = "\
# The command line

Written by `cargo xtask docs` out of `slipway --help` and the help of each verb; a test refuses a page that is not
what they say. What programs read with `--json` is described in [json.md](json.md).
";

/// Print the help of every verb as one page of Markdown
#[derive(Debug, Args)]
pub(crate) struct Manual {}

/// Prints the page.
pub(crate) fn print() -> Exit {
    terminal::line(page().trim_end());
    Exit::Success
}

/// The page.
fn page() -> String {
    let mut command = Cli::command().term_width(COLUMNS);
    command.build();
    let mut page = HEAD.to_owned();
    section(&mut command, "##", &mut page);
    page
}

/// A verb and the verbs below it.
fn section(command: &mut Command, mark: &str, page: &mut String) {
    // Built names say the whole way to a verb: `slipway-journal-verify`.
    let name = command.get_bin_name().unwrap_or("slipway").to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let help = help.join("\n");
    let help = help.trim_end();
    page.extend([
        format!("\n{mark} {name}\n\n"),
        format!("```text\n{help}\n```\n"),
    ]);
    let below = command.get_subcommands_mut();
    for verb in below.filter(|verb| !verb.is_hide_set()) {
        section(verb, if mark == "##" { "###" } else { "####" }, page);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_page_of_the_command_line_is_what_the_help_says() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            written.trim_end() == super::page().trim_end(),
            "docs/cli.md is not what `slipway --help` says any more: cargo xtask docs"
        );
    }
}
