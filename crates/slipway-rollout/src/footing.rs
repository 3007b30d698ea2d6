//! Whether the services that a service stands on are there. Pure; asked before something new is
//! brought in, never before something is taken back.

use std::fmt;

use slipway_journal::event::rollout::RolloutState;
use slipway_journal::{RolloutId, ServiceName};

use crate::book::{Book, Record};

/// What a service stands on, and why it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfooted {
    /// The service that is to be brought in.
    pub service: ServiceName,
    /// The one that it stands on.
    pub on: ServiceName,
    /// Why not.
    pub why: Lack,
}

/// Why nothing can stand on a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// No release of it is live.
    Absent,
    /// This rollout brings another release of it, and may still be taken back.
    Coming(RolloutId),
}

/// Why nothing new of `service` is brought in now, where it stands on `after`.
pub fn unfooted(book: &Book, service: &ServiceName, after: &[ServiceName]) -> Option<Unfooted> {
    after.iter().find_map(|on| {
        let why = lack(book, on)?;
        Some(Unfooted {
            service: service.clone(),
            on: on.clone(),
            why,
        })
    })
}

fn lack(book: &Book, on: &ServiceName) -> Option<Lack> {
    if let Some(coming) = book.of_service(on).find(|r| is_coming(r)) {
        return Some(Lack::Coming(coming.id));
    }
    book.live_of(on).is_none().then_some(Lack::Absent)
}

/// Whether a rollout has begun or is next, and its release was not yet live for a while. One that
/// waits for approval may do so for days, and nothing waits for it.
fn is_coming(record: &Record) -> bool {
    let has_arrived = matches!(record.stage, RolloutState::Baking | RolloutState::Retired);
    !record.stage.is_end() && !has_arrived && !record.awaits_approval()
}

impl fmt::Display for Unfooted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, on, why } = self;
        match why {
            Lack::Absent => write!(
                f,
                "{service} stands on {on}, and no release of {on} is live. Deploy {on} first, or \
                 all in their order with `slipway deploy --all`"
            ),
            Lack::Coming(rollout) => write!(
                f,
                "{service} stands on {on}, and rollout {rollout} is not through with a new release \
                 of {on}. Deploy {service} when it is; `slipway status` shows it"
            ),
        }
    }
}
