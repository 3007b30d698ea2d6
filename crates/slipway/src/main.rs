//! `slipway`: command line, keeper, proxy and control in one binary. This file only
//! reads the command line, hands over to a verb and turns the end into an exit code.

mod accessories;
mod acme;
mod cli;
mod console;
mod control;
mod environment;
mod inhabitants;
mod keeper;
mod local_http;
mod lock;
mod reading;
mod state;
mod status;
mod terminal;

use std::process::ExitCode;

use chassis::Env;
use clap::Parser as _;

fn main() -> ExitCode {
    let env = Env::process();
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, on standard output and with code 0.
            let code = if error.use_stderr() {
                cli::failure::Exit::Usage as u8
            } else {
                0
            };
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    match cli::run(arguments, env) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => ExitCode::from(terminal::report(&error) as u8),
    }
}
