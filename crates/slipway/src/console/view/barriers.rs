//! What stops deployments of a service now, a sentence each. Pure.

use slipway_journal::ServiceName;

use crate::console::words::{Clockface, capital};
use crate::reading::Reading;

/// The lock on `service`, and why nothing is deployed at this time, where that is so.
pub(crate) fn barriers(
    reading: &Reading,
    service: &ServiceName,
    closed: Option<&str>,
    face: &Clockface,
) -> Vec<String> {
    let lock = reading.locks.on(service, face.now);
    let locked = lock.map(|lock| format!("{} are locked {}", lock.scope(), lock.words()));
    let closed = closed.map(|words| format!("nothing is deployed {words}"));
    let barriers = locked.into_iter().chain(closed);
    barriers.map(|words| capital(&words)).collect()
}

#[cfg(test)]
mod tests {
    use crate::console::view::service::service_words;
    use crate::console::view::{Mood, sample};
    use slipway_journal::event::ControlEvent;
    use slipway_journal::event::rollout::RolloutState;
    use slipway_journal::{Actor, Entry, Event, Seq};
    use slipway_rollout::{Approval, Asked};

    #[test]
    fn a_lock_and_a_freeze_are_told_with_their_reasons() {
        let mut picture = sample::picture(1);
        let service = sample::service();
        let words = service_words(&picture, &service, None, None, &sample::face());
        assert!(words.barriers.is_empty(), "{:?}", words.barriers);
        picture.take(&Entry {
            seq: Seq(1000),
            at: sample::face().now,
            actor: Actor::Person("anna".into()),
            event: Event::Control(ControlEvent::Locked {
                service: Some(service.clone()),
                reason: "the database is being moved".into(),
                until: None,
            }),
            hash: String::new(),
        });
        let closed = Some("until Mon 07:00: the weekend");
        let words = service_words(&picture, &service, None, closed, &sample::face());
        let [lock, freeze] = words.barriers.as_slice() else {
            panic!("{:?}", words.barriers);
        };
        assert!(
            lock.starts_with("Deployments of booking are locked by anna"),
            "{lock}"
        );
        assert!(lock.ends_with(": the database is being moved"), "{lock}");
        assert_eq!(freeze, "Nothing is deployed until Mon 07:00: the weekend");
    }

    #[test]
    fn a_release_that_waits_for_approval_says_so_and_takes_no_slot() {
        let mut picture = sample::picture(3);
        let last = picture.reading.rollouts.last_mut().unwrap();
        last.state = RolloutState::Queued;
        last.approval = Some(Approval {
            asked: Asked {
                need: 2,
                by: vec!["anna".into(), "ben".into()],
                own: Vec::new(),
                until: "2026-11-28T12:00:00Z".parse().unwrap(),
                overrides: None,
            },
            given: vec!["ben".into()],
        });
        let words = service_words(&picture, &sample::service(), None, None, &sample::face());
        assert_eq!(
            (words.badge.as_str(), words.mood),
            ("waits for approval", Mood::Warn)
        );
        let running = words.running.unwrap();
        assert!(
            running
                .reason
                .unwrap()
                .starts_with("1 of 2 approvals (ben); anna may")
        );
        let roles: Vec<&str> = words.slots.iter().map(|s| s.role.name()).collect();
        assert!(!roles.contains(&"coming up"), "{roles:?}");
    }
}
