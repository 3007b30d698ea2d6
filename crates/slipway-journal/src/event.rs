//! Everything that can happen, as types. An event is stored as JSON with its kind;
//! fields are only ever added, so that every old entry can be read for ever.
//! No event holds a secret or personal data.

pub mod control;
pub mod judgement;
pub mod pipeline;
pub mod rollout;

use serde::{Deserialize, Serialize};

pub use control::ControlEvent;
pub use judgement::Judgement;
pub use pipeline::PipelineEvent;
pub use rollout::RolloutEvent;

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "kebab-case")]
pub enum Actor {
    /// A person, by the account name that the socket or the session proved.
    Person(String),
    /// A part of Slipway: `control`, `executor`, `trigger`.
    System(String),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "area", rename_all = "kebab-case")]
pub enum Event {
    /// Of a run of the pipeline.
    Pipeline(PipelineEvent),
    /// Of a rollout.
    Rollout(RolloutEvent),
    /// Of the control process and what it looks after.
    Control(ControlEvent),
    /// Something that a newer version wrote: kept as it is, so that an older one can
    /// still read and verify the whole journal.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RolloutId;

    #[expect(clippy::needless_pass_by_value, reason = "a test reads better so")]
    fn stored(event: Event) -> String {
        serde_json::to_string(&event).unwrap()
    }

    fn rollout() -> RolloutId {
        RolloutId(uuid::Uuid::nil())
    }

    #[test]
    fn locks_are_stored_like_this() {
        let locked = ControlEvent::Locked {
            service: None,
            reason: "r".into(),
            until: None,
        };
        insta::assert_snapshot!(stored(Event::Control(locked)), @r#"{"area":"control","kind":"locked","service":null,"reason":"r","until":null}"#);
        let unlocked = ControlEvent::Unlocked {
            service: Some("shop".parse().unwrap()),
        };
        insta::assert_snapshot!(stored(Event::Control(unlocked)), @r#"{"area":"control","kind":"unlocked","service":"shop"}"#);
    }

    #[test]
    fn approvals_are_stored_like_this() {
        let asked = RolloutEvent::ApprovalAsked {
            rollout: rollout(),
            need: 2,
            by: vec!["anna".into(), "ben".into()],
            own: vec!["anna".into()],
            until: "2026-11-28T12:00:00Z".parse().unwrap(),
            overrides: None,
        };
        insta::assert_snapshot!(stored(Event::Rollout(asked)), @r#"{"area":"rollout","kind":"approval-asked","rollout":"00000000-0000-0000-0000-000000000000","need":2,"by":["anna","ben"],"own":["anna"],"until":"2026-11-28T12:00:00Z"}"#);
        let approved = RolloutEvent::Approved {
            rollout: rollout(),
            by: "ben".into(),
        };
        insta::assert_snapshot!(stored(Event::Rollout(approved)), @r#"{"area":"rollout","kind":"approved","rollout":"00000000-0000-0000-0000-000000000000","by":"ben"}"#);
        let declined = RolloutEvent::Declined {
            rollout: rollout(),
            by: "ben".into(),
            reason: "r".into(),
        };
        insta::assert_snapshot!(stored(Event::Rollout(declined)), @r#"{"area":"rollout","kind":"declined","rollout":"00000000-0000-0000-0000-000000000000","by":"ben","reason":"r"}"#);
        let lifted = RolloutEvent::QuarantineLifted {
            rollout: rollout(),
            release: "ab".repeat(32).parse().unwrap(),
            reason: "r".into(),
        };
        insta::assert_snapshot!(stored(Event::Rollout(lifted)), @r#"{"area":"rollout","kind":"quarantine-lifted","rollout":"00000000-0000-0000-0000-000000000000","release":"abababababababababababababababababababababababababababababababab","reason":"r"}"#);
    }
}
