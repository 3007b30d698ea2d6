//! What the keeper holds, written down for the command line and for the next keeper.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use slipway_journal::EnvironmentName;

use crate::environment::Environment;
use crate::keeper::child::Role;
use crate::keeper::sockets::Public;
use crate::state::State;
use slipway_rollout::process::ProcessIdentity;

/// `keeper.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) keeper: ProcessIdentity,
    pub(crate) environment: Option<EnvironmentName>,
    /// Where visitors come in; the real port where the file asked for port 0.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where they come in with TLS.
    #[serde(default)]
    pub(crate) secure: Vec<SocketAddr>,
    pub(crate) console: SocketAddr,
    pub(crate) proxy: Option<ProcessIdentity>,
    pub(crate) control: Option<ProcessIdentity>,
}

impl Record {
    pub(crate) fn of(
        environment: &Environment,
        public: &Public,
        console: &TcpListener,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            keeper: ProcessIdentity::own()?,
            environment: environment.name.clone(),
            listen: addresses(&public.plain)?,
            secure: addresses(&public.secure)?,
            console: console.local_addr()?,
            proxy: None,
            control: None,
        })
    }

    /// The record of the running keeper, or of one that did not end in order.
    pub(crate) fn read(state: &State) -> anyhow::Result<Option<Self>> {
        let path = state.keeper_record();
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(
                serde_json::from_slice(&bytes)
                    .with_context(|| format!("reading {}", path.display()))?,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    pub(crate) fn write(&self, state: &State) -> anyhow::Result<()> {
        let path = state.keeper_record();
        chassis::durable::replace(&path, &serde_json::to_vec_pretty(self)?, 0o600)
            .with_context(|| format!("writing {}", path.display()))
    }

    pub(crate) fn remove(state: &State) {
        if let Err(error) = std::fs::remove_file(state.keeper_record()) {
            tracing::warn!(%error, "keeper.json stays behind");
        }
    }

    /// Where visitors come in, as they would write it.
    pub(crate) fn visited(&self) -> Vec<String> {
        let plain = self.listen.iter().map(|a| format!("http://{a}"));
        let secure = self.secure.iter().map(|a| format!("https://{a}"));
        plain.chain(secure).collect()
    }

    /// Every address where visitors come in.
    pub(crate) fn public(&self) -> Vec<SocketAddr> {
        self.listen.iter().chain(&self.secure).copied().collect()
    }

    pub(crate) fn set(&mut self, role: Role, identity: ProcessIdentity) {
        match role {
            Role::Proxy => self.proxy = Some(identity),
            Role::Control => self.control = Some(identity),
        }
    }
}

fn addresses(sockets: &[TcpListener]) -> std::io::Result<Vec<SocketAddr>> {
    sockets.iter().map(TcpListener::local_addr).collect()
}
