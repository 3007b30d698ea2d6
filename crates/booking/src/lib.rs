//! The rules of appointments: opening hours, free times, refusals, states, roles.
//!
//! Pure: no I/O, no clock, no randomness. Instants are UTC; rules are wall times in
//! the provider's zone. Intervals are half-open, so that one may end where the next
//! begins.

mod alternatives;
mod free;
mod holiday;
mod hours;
mod policy;
mod refusal;
mod role;
mod service;
mod span;
mod state;

pub use alternatives::nearest;
pub use free::{Lane, Window, free_times, why_not};
pub use holiday::{Holiday, south_african_holidays};
pub use hours::{DayRule, Hours, Minute, Opening};
pub use policy::{Band, Policy, Waiver};
pub use refusal::Refusal;
pub use role::{Right, Role};
pub use service::Service;
pub use span::Span;
pub use state::{
    Actor, Cancelling, MOVES, NO_SHOW_GRACE, NO_SHOW_UNDO, State, cancelling, may_be_no_show,
    may_undo_no_show,
};
