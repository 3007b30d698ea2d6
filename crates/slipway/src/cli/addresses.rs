//! `--listen` and `--console`: addresses that take the place of the environment file's,
//! for a second Slipway on one machine and for tests.

use std::net::SocketAddr;

use clap::Args;

use crate::environment::Environment;

/// Addresses from the command line.
#[derive(Debug, Clone, Args)]
pub(crate) struct Addresses {
    /// Where visitors come in, instead of the environment's address; may be repeated
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Where the console answers, instead of the environment's address
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    console: Option<SocketAddr>,
}

impl Addresses {
    /// Puts them in the place of the file's.
    pub(crate) fn apply(&self, environment: &mut Environment) {
        if !self.listen.is_empty() {
            environment.proxy.listen.clone_from(&self.listen);
        }
        if let Some(console) = self.console {
            environment.console.listen = console;
        }
    }

    /// The same addresses as options, for the keeper.
    pub(crate) fn options(&self) -> Vec<String> {
        let listen = self.listen.iter().map(|a| format!("--listen={a}"));
        let console = self.console.iter().map(|a| format!("--console={a}"));
        listen.chain(console).collect()
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "write an address such as 127.0.0.1:8081".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the console lets everybody look and listens on loopback only".to_owned())
    }
}
