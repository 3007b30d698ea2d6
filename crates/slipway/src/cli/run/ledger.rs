//! The events of a run on their way into the journal: to control while it runs, into the
//! file where it does not. A run never fails because of this; it says what is missing.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use http::Method;
use slipway_journal::event::PipelineEvent;
use slipway_journal::{Actor, Event, Journal, JournalError};
use slipway_rollout::account::Account;
use tokio::time::sleep;

use crate::cli::context::Context;
use crate::local_http::{self, Silent};
use crate::terminal::{self, WARN, paint};

/// How long control may take for a batch.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a control that comes or goes may keep the journal from being written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// Events that are not in the journal yet, in their order.
pub(super) struct Ledger<'a> {
    context: &'a Context,
    open: Vec<Event>,
    /// Why the last attempt failed.
    trouble: Option<anyhow::Error>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Self {
            context,
            open: Vec::new(),
            trouble: None,
        }
    }

    pub(super) fn enter(&mut self, event: PipelineEvent) {
        self.open.push(Event::Pipeline(event));
    }

    /// Tries once to write what is open.
    pub(super) async fn write(&mut self) {
        if self.open.is_empty() {
            return;
        }
        match deliver(self.context, &self.open).await {
            Ok(()) => {
                self.open.clear();
                self.trouble = None;
            }
            Err(error) => {
                tracing::debug!(error = %format!("{error:#}"), "the journal was not written");
                self.trouble = Some(error);
            }
        }
    }

    /// Writes what is left, with patience; says so where that fails.
    pub(super) async fn close(mut self) {
        let deadline = Instant::now() + WRITTEN_WITHIN;
        self.write().await;
        while !self.open.is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
            self.write().await;
        }
        if let Some(error) = self.trouble {
            terminal::note(format!(
                "  {} {} events of this run are not in the journal: {error:#}",
                paint(WARN, "!"),
                self.open.len()
            ));
        }
    }
}

async fn deliver(context: &Context, events: &[Event]) -> anyhow::Result<()> {
    let body = serde_json::to_vec(events).context("encoding the events")?;
    let socket = context.state.control_socket();
    let sent = local_http::call(&socket, Method::POST, "/v1/events", body, ANSWER_WITHIN).await;
    match sent {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => anyhow::bail!(
            "control answered {}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        ),
        Err(error) if error.is::<Silent>() => append(context, events).await,
        Err(error) => Err(error),
    }
}

/// Writes into the file, where no control holds it.
async fn append(context: &Context, events: &[Event]) -> anyhow::Result<()> {
    let path = context.state.journal();
    let journal = match Journal::open(&path, context.clock.clone()).await {
        Ok(journal) => journal,
        Err(error @ JournalError::Held { .. }) => {
            return Err(error).context("control holds the journal and does not answer yet");
        }
        Err(error) => return Err(error).context("opening the journal"),
    };
    let actor = Actor::Person(Account::name_of(rustix::process::geteuid().as_raw()));
    journal
        .append(actor, events.to_vec())
        .await
        .context("writing the journal")?;
    Ok(())
}
