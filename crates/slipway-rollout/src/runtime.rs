//! How instances come to run, as the engine sees it: a process edge, so that a simulation can
//! stand in and containers can follow. Everything is idempotent by the instance's id.

pub(crate) mod clues;
mod mask;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod record;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chassis::SecretString;
use futures_util::future::BoxFuture;
use slipway_journal::{InstanceId, ReleaseId, RoleName, ServiceName};

use crate::http::Answer;
use crate::process::ProcessIdentity;
use crate::runtime::clues::Clues;

/// What an instance is to run.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) instance: InstanceId,
    pub(crate) service: ServiceName,
    pub(crate) release: ReleaseId,
    /// Its worker role; none where it answers visitors.
    pub(crate) role: Option<RoleName>,
    /// The release's `content/`.
    pub(crate) content: PathBuf,
    /// A program with a slash is looked up in `content`.
    pub(crate) argv: Vec<String>,
    /// `{internal_port}` in it is still to be filled.
    pub(crate) env: BTreeMap<String, SecretString>,
}

/// An instance that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) identity: ProcessIdentity,
    pub(crate) address: SocketAddr,
}

/// What the engine wants of whatever runs instances. Errors are words for a person.
pub(crate) trait Runtime: std::fmt::Debug + Send + Sync {
    /// Starts an instance, or gives it where it runs already.
    fn start(&self, spec: Spec) -> BoxFuture<'_, Result<Running, String>>;
    /// The instance where it runs, however it was started.
    fn find(&self, instance: InstanceId) -> BoxFuture<'_, Result<Option<Running>, String>>;
    /// Asks an instance to end, waits, kills it; says how it ended. One that does not run is
    /// no error.
    fn stop(&self, instance: InstanceId, grace: Duration) -> BoxFuture<'_, Result<String, String>>;
    /// Waits until an instance ends and says how; at once where it does not run.
    fn ended(&self, instance: InstanceId) -> BoxFuture<'_, String>;
    /// Runs a command of a release to its end; its last lines, or why it failed.
    fn run(&self, spec: Spec, within: Duration) -> BoxFuture<'_, Result<String, String>>;
    /// Asks an instance for a page.
    fn probe<'a>(
        &'a self,
        address: SocketAddr,
        path: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<Answer, String>>;
    /// Whether the instance, and nobody else, listens on the port of `address`.
    fn holds(&self, instance: InstanceId, address: SocketAddr) -> BoxFuture<'_, bool>;
    /// What may explain why an instance does not do as it should.
    fn clues(&self, instance: InstanceId) -> BoxFuture<'_, Clues>;
    /// Free bytes where instances keep their files.
    fn room(&self) -> Result<u64, String>;
}
