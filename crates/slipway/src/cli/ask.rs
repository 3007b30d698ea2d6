//! Asking control: one request, the answer as a value, a refusal as a refusal. Waits
//! while the keeper starts control again; says what to do when nobody answers.

use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slipway_journal::ServiceName;
use slipway_rollout::account::Account;
use tokio::time::sleep;

use crate::cli::approve::shut_out;
use crate::cli::failure::{Exit, Failure};
use crate::cli::up::last_error;
use crate::control::wire::{Plan, Problem, Refused};
use crate::keeper::record::Record;
use crate::local_http::{self, Answer, Silent};
use crate::state::State;

/// How long control may take for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long a control that ended may take to come back.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// Speaks to the control of one state folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    state: &'a State,
    door: Door,
}

/// By which socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The one of the account that control runs as.
    Own,
    /// The one of whoever may approve.
    Approvers,
}

/// Control took the request and ended before it answered: it is not known whether what
/// was asked for is done.
#[derive(Debug, thiserror::Error)]
#[error("control ended before it answered")]
pub(crate) struct Unsure {
    #[source]
    source: anyhow::Error,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self {
            state,
            door: Door::Own,
        }
    }

    /// Speaks as somebody who may be of another account, and can only approve.
    pub(crate) fn as_approver(state: &'a State) -> Self {
        Self {
            state,
            door: Door::Approvers,
        }
    }

    /// Sends `body` to `path`, and reads what control did.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body).context("encoding the request")?;
        self.send(Method::POST, path, body).await
    }

    /// Reads `path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.send(Method::GET, path, Vec::new()).await
    }

    /// What a rollback of `service` would be.
    pub(crate) async fn plan(&self, service: &ServiceName) -> anyhow::Result<Plan> {
        self.get(&format!("/v1/rollback-plan?service={service}"))
            .await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + BACK_WITHIN;
        let socket = match self.door {
            Door::Own => self.state.control_socket(),
            Door::Approvers => self.state.approvals_socket(),
        };
        loop {
            let sent = local_http::call(&socket, method.clone(), path, body.clone(), ANSWER_WITHIN);
            match sent.await {
                Ok(answer) => return read(&answer),
                // Whom control does not listen to is cut off before a word is said.
                Err(error) if !error.is::<Silent>() && self.is_stranger() => {
                    tracing::debug!(error = %format!("{error:#}"), "cut off");
                    let own = rustix::process::geteuid().as_raw();
                    return Err(shut_out(&Account::name_of(own)).into());
                }
                Err(error) if !error.is::<Silent>() => return Err(Unsure { source: error }.into()),
                Err(_) => self.expect_back(deadline)?,
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether this is another account than the one that the state folder belongs to.
    fn is_stranger(self) -> bool {
        let own = rustix::process::geteuid();
        let owner = std::fs::metadata(self.state.root()).map(|found| found.uid());
        !own.is_root() && !owner.is_ok_and(|owner| owner == own.as_raw())
    }

    /// Fails when there is nothing to wait for: no keeper, or it took too long.
    fn expect_back(self, deadline: Instant) -> anyhow::Result<()> {
        if self.is_stranger() {
            return Err(Failure::unreachable(format!(
                "nobody takes approvals on {}",
                self.state.approvals_socket().display()
            ))
            .hint("--state DIR names the state folder of the Slipway that is meant; `slipway status` there shows whether it runs")
            .into());
        }
        let running = Record::read(self.state)?.is_some_and(|r| r.keeper.is_alive());
        if !running {
            return Err(Failure::unreachable(format!(
                "Slipway does not run in {}",
                self.state.root().display()
            ))
            .hint("`slipway up` starts it")
            .into());
        }
        if Instant::now() < deadline {
            return Ok(());
        }
        let why = last_error(&self.state.logs().join("control.log"));
        Err(
            Failure::unreachable(format!("control does not come up: {why}"))
                .hint("`slipway doctor` looks for what is wrong; visitors are served meanwhile")
                .into(),
        )
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> anyhow::Result<T> {
    if answer.status == StatusCode::NO_CONTENT {
        return serde_json::from_str("null").context("an answer was expected");
    }
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body).context("reading control's answer");
    }
    if let Ok(refused) = serde_json::from_slice::<Refused>(&answer.body) {
        let exit = match answer.status {
            StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
            _ => Exit::Refused,
        };
        let failure = Failure::new(exit, refused.refused);
        return Err(match refused.next {
            Some(next) => failure.hint(next),
            None => failure,
        }
        .into());
    }
    let problem = serde_json::from_slice::<Problem>(&answer.body).map_or_else(
        |_| format!("control answered {}", answer.status),
        |problem| problem.error,
    );
    Err(Failure::failed(problem)
        .hint("nothing was changed; `slipway logs control` tells more, `slipway doctor` looks for the cause")
        .into())
}
