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
