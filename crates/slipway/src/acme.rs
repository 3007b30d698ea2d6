//! Certificates that an authority signs (RFC 8555): asked for when there is none for the names, or
//! when two thirds of its life are over; later and later after each failure. That it asks is written
//! down before it does, so that it never asks in a hurry, whoever dies. Runs beside control.
//! The proxy serves what lies there, and waits for nothing here.

mod due;
mod https;
mod order;
pub(crate) mod shelf;

use std::time::Duration;

use anyhow::Context as _;
use chassis::{Clock, Random, Shutdown};
use jiff::Timestamp;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event, Journal};
use slipway_proxy::{Challenges, Client};

use crate::acme::https::Https;
use crate::acme::shelf::{Record, Shelf};
use crate::environment::AcmeSettings;

/// The longest rest: a clock that was put right, or files that somebody took away, are seen then.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Whoever looks after the certificate of one environment.
pub(crate) struct Acme {
    pub(crate) settings: AcmeSettings,
    pub(crate) shelf: Shelf,
    /// Who signed the directory's certificate, PEM, where it is not the system's.
    pub(crate) authority: Option<std::path::PathBuf>,
    pub(crate) proxy: Client,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl Acme {
    /// Looks after it until the end.
    pub(crate) async fn keep(self, shutdown: Shutdown) {
        loop {
            let rest = self.rest();
            let work = async {
                if rest.is_zero() {
                    self.renew().await;
                } else {
                    tokio::time::sleep(rest.min(LOOK_EVERY)).await;
                }
            };
            tokio::select! {
                () = work => {}
                () = shutdown.requested() => return,
            }
        }
    }

    /// How long nothing is to be done.
    fn rest(&self) -> Duration {
        let record = self.shelf.record();
        let certificate = self.shelf.validity();
        let settings = &self.settings;
        let is_for_these = record.names == settings.names && record.directory == settings.directory;
        let due = due::at(
            certificate.filter(|_| is_for_these),
            record.rests(&settings.told()),
        );
        let left = due.duration_since(self.clock.now());
        Duration::try_from(left).unwrap_or(Duration::ZERO)
    }

    /// Asks for a certificate and writes down what came of it.
    async fn renew(&self) {
        let before = self.shelf.record();
        if let Err(error) = self.may_keep(&before).await {
            // What cannot be kept is not asked for: an authority signs so many a week.
            tracing::error!(error = %format!("{error:#}"), "no certificate is asked for");
            tokio::time::sleep(due::FIRST).await;
            return;
        }
        let obtained = self.obtain().await;
        // Whatever came of it, nobody is to be shown anything any more.
        if let Err(error) = self.proxy.show(&Challenges::default()).await {
            tracing::warn!(%error, "the proxy may go on showing what an authority asked for");
        }
        let (record, event) = match obtained {
            Ok(not_after) => self.succeeded(not_after),
            Err(error) => self.failed(&before, &format!("{error:#}")),
        };
        if let Err(error) = self.shelf.remember(record).await {
            tracing::error!(error = %format!("{error:#}"), "what came of it is not written down");
            // Never in a hurry, also where nothing can be written.
            tokio::time::sleep(due::FIRST).await;
        }
        let actor = Actor::System("control".to_owned());
        if let Err(error) = self
            .journal
            .append(actor, vec![Event::Control(event)])
            .await
        {
            tracing::error!(%error, "the journal does not take events");
        }
    }

    /// Writes down that it is asked for, and that there is room for what comes of it.
    async fn may_keep(&self, before: &Record) -> anyhow::Result<()> {
        self.shelf.remember(self.asking(before)).await?;
        self.shelf.probe().await
    }

    /// What is known while it is asked for: as after one more failure.
    fn asking(&self, before: &Record) -> Record {
        let failures = before.failures.saturating_add(1);
        let wait = due::after(failures, |below| self.random.below(below));
        Record {
            failures,
            not_before: self.clock.now().checked_add(wait).ok(),
            tried: self.settings.told(),
            ..before.clone()
        }
    }

    fn succeeded(&self, not_after: Timestamp) -> (Record, ControlEvent) {
        let names = self.settings.names.clone();
        tracing::info!(?names, %not_after, "a certificate was signed");
        let now = self.clock.now();
        let record = Record {
            names: names.clone(),
            directory: self.settings.directory.clone(),
            not_before: now.checked_add(due::between(now, not_after)).ok(),
            tried: self.settings.told(),
            ..Record::default()
        };
        (record, ControlEvent::CertificateSigned { names, not_after })
    }

    fn failed(&self, before: &Record, reason: &str) -> (Record, ControlEvent) {
        let names = self.settings.names.clone();
        let record = Record {
            problem: Some(reason.to_owned()),
            ..self.asking(before)
        };
        let until = record.not_before.map(|until| until.to_string());
        tracing::error!(
            ?names,
            reason,
            until,
            "no certificate was signed; it is asked for again"
        );
        let reason = reason.to_owned();
        (record, ControlEvent::CertificateRefused { names, reason })
    }

    /// A new certificate, on the shelf; until when it is good.
    async fn obtain(&self) -> anyhow::Result<Timestamp> {
        let https = Https::new(self.authority.clone()).await?;
        let account = self.shelf.account(&self.settings, https).await?;
        let signed = order::obtain(&account, &self.settings, &self.proxy).await;
        if let Err(error) = &signed
            && order::is_about_the_account(error)
        {
            self.shelf.forget_account().await?;
        }
        self.shelf.keep(signed?).await?;
        let validity = self
            .shelf
            .validity()
            .context("what was signed cannot be read")?;
        Ok(validity.not_after)
    }
}
