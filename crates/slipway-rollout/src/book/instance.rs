//! One process of a release, as the journal tells of it: an instance that answers visitors, or a
//! worker. Pure.

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::{InstanceId, RoleName, RolloutId};

use crate::process::ProcessIdentity;

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The rollout whose release it runs.
    pub owner: RolloutId,
    /// Its worker role; none where it answers visitors.
    pub role: Option<RoleName>,
    /// Its process and where it answers, once it was seen to run.
    pub running: Option<(ProcessIdentity, String)>,
    /// How it ended, and when.
    pub exited: Option<(String, Timestamp)>,
    /// Whether it is, or is about to be, stopped by us.
    pub stopping: bool,
}

impl Instance {
    /// One that is meant to start.
    pub(super) fn expected(id: InstanceId, owner: RolloutId, role: Option<RoleName>) -> Self {
        Self {
            id,
            owner,
            role,
            running: None,
            exited: None,
            stopping: false,
        }
    }

    /// Whether it was started and not seen to end.
    pub fn is_alive(&self) -> bool {
        self.running.is_some() && self.exited.is_none()
    }

    pub(super) fn take(&mut self, event: &RolloutEvent, at: Timestamp) {
        match event {
            RolloutEvent::InstanceStarted {
                pid,
                start_ticks,
                boot,
                address,
                ..
            } => {
                let identity = ProcessIdentity {
                    pid: *pid,
                    start_ticks: *start_ticks,
                    boot: boot.clone(),
                };
                self.running = Some((identity, address.clone()));
            }
            RolloutEvent::InstanceExited { how, .. } => self.exited = Some((how.clone(), at)),
            _ => {}
        }
    }
}
