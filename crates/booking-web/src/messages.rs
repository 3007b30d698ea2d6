//! What happens after a transaction commits. A worker leases rows of the outbox, turns
//! events into deliveries and sends these: mail, text messages, calls of webhooks. The
//! rows are the truth; nothing that matters is remembered anywhere else.

pub(crate) mod courier;
#[cfg(test)]
#[path = "messages/tests/crash.rs"]
mod crash;
pub(crate) mod event;
pub(crate) mod letter;
pub(crate) mod mail;
pub(crate) mod outbound;
pub(crate) mod outcome;
pub(crate) mod parcel;
pub(crate) mod queue;
pub(crate) mod sms;
pub(crate) mod tally;
pub(crate) mod webhook;
