//! `slipway completion`: what a shell needs so that it can complete verbs and options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::cli::failure::{Exit, Failure};
use crate::terminal;

/// Print what a shell needs to complete verbs and options
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway completion bash > ~/.local/share/bash-completion/completions/slipway
  slipway completion zsh > ~/.zfunc/_slipway    # a folder of fpath
  slipway completion fish > ~/.config/fish/completions/slipway.fish")]
pub(crate) struct Completion {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = shell)]
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "slipway", &mut script);
        let script = String::from_utf8(script)
            .map_err(|_| Failure::failed("the script for the shell is no text"))?;
        terminal::line(script.trim_end());
        Ok(Exit::Success)
    }
}

/// Those that were tried.
fn shell(text: &str) -> Result<Shell, String> {
    match text {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        _ => Err("write bash, zsh or fish".to_owned()),
    }
}
