//! Locks on deployments: a person says that nothing new goes to visitors, and why, until
//! somebody lifts it or its time is over. A pure fold over the journal. Taking back is never
//! locked, and what is on its way already goes on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_journal::event::ControlEvent;
use slipway_journal::{Entry, Event, ServiceName};

use crate::cli::failure::Failure;
use crate::reading::actor_name;

/// One lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lock {
    /// What it holds for; none is every service.
    pub(crate) service: Option<ServiceName>,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) since: Timestamp,
    /// When it ends by itself.
    pub(crate) until: Option<Timestamp>,
}

/// The locks that were taken and not lifted, in that order; one for each scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Locks(Vec<Lock>);

impl Lock {
    /// Whose deployments it stops, in words.
    pub(crate) fn scope(&self) -> String {
        scope(self.service.as_ref())
    }

    /// The command that lifts it.
    pub(crate) fn lift(&self) -> String {
        match &self.service {
            Some(service) => format!("slipway unlock --service {service}"),
            None => "slipway unlock".to_owned(),
        }
    }

    /// `by anna since 2026-11-27 16:00 UTC, until …: the database is being moved`.
    pub(crate) fn words(&self) -> String {
        let until = self
            .until
            .map_or_else(String::new, |until| format!(", until {}", minute(until)));
        format!(
            "by {} since {}{until}: {}",
            self.by,
            minute(self.since),
            self.reason
        )
    }

    /// Why an order is not carried out.
    pub(crate) fn refusal(&self) -> Failure {
        Failure::refused(format!("{} are locked {}", self.scope(), self.words())).hint(format!(
            "`{}` lifts it; `slipway rollback` is never locked",
            self.lift()
        ))
    }
}

impl Locks {
    /// What `entries` say.
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut locks = Self::default();
        for entry in entries {
            locks.take(entry);
        }
        locks
    }

    /// Takes one more entry of the journal into account.
    pub(crate) fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Control(ControlEvent::Locked {
                service,
                reason,
                until,
            }) => {
                self.0.retain(|lock| lock.service != *service);
                self.0.push(Lock {
                    service: service.clone(),
                    reason: reason.clone(),
                    by: actor_name(&entry.actor).to_owned(),
                    since: entry.at,
                    until: *until,
                });
            }
            Event::Control(ControlEvent::Unlocked { service }) => {
                self.0.retain(|lock| lock.service != *service);
            }
            _ => {}
        }
    }

    /// Those that hold at `now`.
    pub(crate) fn held(&self, now: Timestamp) -> impl Iterator<Item = &Lock> {
        let holds = move |lock: &&Lock| lock.until.is_none_or(|until| now < until);
        self.0.iter().filter(holds)
    }

    /// The lock that stops deployments of `service`.
    pub(crate) fn on(&self, service: &ServiceName, now: Timestamp) -> Option<&Lock> {
        let mut held = self.held(now);
        held.find(|lock| lock.service.as_ref().is_none_or(|of| of == service))
    }

    /// The lock of exactly this scope.
    pub(crate) fn of_scope(&self, scope: Option<&ServiceName>, now: Timestamp) -> Option<&Lock> {
        self.held(now).find(|lock| lock.service.as_ref() == scope)
    }
}

/// Whose deployments, in words.
pub(crate) fn scope(service: Option<&ServiceName>) -> String {
    match service {
        Some(service) => format!("deployments of {service}"),
        None => "deployments of every service".to_owned(),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_journal::{Actor, Seq};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn name(text: &str) -> ServiceName {
        text.parse().unwrap()
    }

    fn locks(events: &[ControlEvent]) -> Locks {
        let entries: Vec<Entry> = events
            .iter()
            .map(|event| Entry {
                seq: Seq(1),
                at: at("2026-11-27T10:00:00Z"),
                actor: Actor::Person("anna".into()),
                event: Event::Control(event.clone()),
                hash: String::new(),
            })
            .collect();
        Locks::of(&entries)
    }

    fn locked(service: Option<&str>, until: Option<&str>) -> ControlEvent {
        ControlEvent::Locked {
            service: service.map(name),
            reason: "the database is being moved".into(),
            until: until.map(at),
        }
    }

    fn unlocked(service: Option<&str>) -> ControlEvent {
        ControlEvent::Unlocked {
            service: service.map(name),
        }
    }

    const NOW: &str = "2026-11-27T12:00:00Z";

    #[test]
    fn a_lock_of_every_service_holds_for_each_and_one_of_a_service_for_that_alone() {
        let all = locks(&[locked(None, None)]);
        assert!(all.on(&name("shop"), at(NOW)).is_some());
        let one = locks(&[locked(Some("shop"), None)]);
        assert!(one.on(&name("shop"), at(NOW)).is_some());
        assert!(one.on(&name("mail"), at(NOW)).is_none());
    }

    #[test]
    fn lifting_one_scope_leaves_the_other_locked() {
        let both = locks(&[
            locked(None, None),
            locked(Some("shop"), None),
            unlocked(None),
        ]);
        assert!(both.on(&name("shop"), at(NOW)).is_some());
        assert!(both.on(&name("mail"), at(NOW)).is_none());
    }

    #[test]
    fn a_lock_with_an_end_ends_by_itself() {
        let short = locks(&[locked(None, Some(NOW))]);
        assert!(
            short
                .on(&name("shop"), at("2026-11-27T11:59:59Z"))
                .is_some()
        );
        assert!(short.on(&name("shop"), at(NOW)).is_none());
        assert!(short.of_scope(None, at(NOW)).is_none());
    }

    #[test]
    fn the_refusal_says_who_when_why_and_what_to_do() {
        let locks = locks(&[locked(Some("shop"), Some("2026-11-27T14:00:00Z"))]);
        let refusal = locks.on(&name("shop"), at(NOW)).unwrap().refusal();
        assert_eq!(
            refusal.to_string(),
            "deployments of shop are locked by anna since 2026-11-27 10:00 UTC, \
             until 2026-11-27 14:00 UTC: the database is being moved"
        );
        assert!(
            refusal
                .next()
                .unwrap()
                .contains("slipway unlock --service shop")
        );
    }

    #[test]
    fn a_lock_that_an_older_journal_holds_has_no_end() {
        let written = r#"{"kind":"locked","reason":"r"}"#;
        let event: ControlEvent = serde_json::from_str(written).unwrap();
        assert!(locks(&[event]).on(&name("shop"), at(NOW)).is_some());
    }
}
