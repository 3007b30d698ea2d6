//! Moving a booking from one state to another: only where that is allowed, only from the
//! version that was seen, and with what is written beside every move.

use booking::{Actor, State};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Appointments;
use crate::store;
use crate::store::booking::Standing;
use crate::store::record::{Audit, Word};

/// Who does something to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever holds its secret address.
    Customer,
    /// Somebody of the business, by the id of their account.
    Staff(Uuid),
    /// Time that has passed.
    Clock,
}

impl By {
    pub(crate) fn actor(self) -> Actor {
        match self {
            Self::Customer => Actor::Customer,
            Self::Staff(_) => Actor::Business,
            Self::Clock => Actor::Clock,
        }
    }

    pub(super) fn id(self) -> Option<Uuid> {
        match self {
            Self::Staff(id) => Some(id),
            Self::Customer | Self::Clock => None,
        }
    }
}

/// What a booking looked like, in what a change may touch. No personal data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    pub(super) state: State,
    pub(super) start: Timestamp,
    pub(super) staff: Uuid,
}

impl Picture {
    pub(super) fn of(standing: &Standing) -> Self {
        Self {
            state: standing.state,
            start: standing.start,
            staff: standing.staff,
        }
    }

    fn json(self) -> String {
        serde_json::json!({
            "state": self.state.as_str(),
            "start": self.start.to_string(),
            "staff": self.staff,
        })
        .to_string()
    }
}

/// A change as it is written beside the booking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) business: Uuid,
    pub(super) booking: Uuid,
    pub(super) version: i32,
    pub(super) event: &'static str,
    pub(super) before: Option<Picture>,
    pub(super) after: Picture,
}

impl Appointments {
    /// Moves `seen` to `to`. None where that is not allowed, or somebody was faster; then
    /// nothing has changed. What no longer stands gives back what it had claimed, and the
    /// lanes that are freed are to be bumped at the end of the transaction.
    pub(super) async fn shift(
        &self,
        connection: &mut PgConnection,
        seen: &Standing,
        to: State,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Option<Vec<Uuid>>> {
        if !seen.state.may_become(to, by.actor())
            || !store::booking::change(connection, seen, to, by.actor(), now).await?
        {
            return Ok(None);
        }
        let freed = if to.is_active() {
            Vec::new()
        } else {
            self.give_back(connection, seen, now).await?
        };
        let before = Picture::of(seen);
        let change = Change {
            business: seen.business,
            booking: seen.id,
            version: seen.version + 1,
            event: event(seen.state, to),
            before: Some(before),
            after: Picture {
                state: to,
                ..before
            },
        };
        self.record(connection, &change, by, now).await?;
        Ok(Some(freed))
    }

    /// Writes who changed what, and what others are to be told of it.
    pub(super) async fn record(
        &self,
        connection: &mut PgConnection,
        change: &Change,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let action = format!("booking.{}", change.event);
        let (before, after) = (change.before.map(Picture::json), change.after.json());
        let audit = Audit {
            id: self.random.uuid(now),
            business: change.business,
            actor: by.actor().as_str(),
            actor_id: by.id(),
            action: &action,
            subject: change.booking,
            before: before.as_deref(),
            after: Some(&after),
            now,
        };
        // Nobody is told of a time that was looked at and let go.
        let is_told = !["held", "extended", "expired"].contains(&change.event);
        let word = is_told.then(|| Word {
            id: self.random.uuid(now),
            kind: change.event,
            version: change.version,
        });
        store::record::change(connection, &audit, word).await
    }
}

/// What a move is called in the audit and to those who are told of it.
fn event(from: State, to: State) -> &'static str {
    match (from, to) {
        (State::NoShow, State::Confirmed | State::Arrived) => "no_show_undone",
        (State::Arrived, State::Confirmed) => "arrival_undone",
        (_, State::CancelledByCustomer | State::CancelledByBusiness) => "cancelled",
        (_, to) => to.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use booking::MOVES;
    use sqlx::Connection as _;
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
    use crate::database;

    #[tokio::test]
    async fn the_moves_in_the_database_are_those_of_the_rules() {
        let world = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        let url = world.url().into();
        database::migrate(&url).await.unwrap();
        let mut connection = database::connect(&url).await.unwrap();
        let mut rows: Vec<(String, String, String)> =
            sqlx::query_as("select from_state, to_state, actor from transition")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        connection.close().await.unwrap();
        let name = |state: Option<State>| state.map_or("new", State::as_str).to_owned();
        let mut rules: Vec<_> = MOVES
            .iter()
            .map(|(from, to, by)| (name(*from), name(Some(*to)), by.as_str().to_owned()))
            .collect();
        rows.sort();
        rules.sort();
        assert_eq!(rows, rules);
    }
}
