//! The rules of appointments: opening hours, free times, refusals, states, roles.
//!
//! Pure: no I/O, no clock, no randomness. Instants are UTC; rules are wall times in
//! the provider's zone. Intervals are half-open, so that one may end where the next
//! begins.

mod alternatives;
mod exception;
mod free;
mod hold;
mod holiday;
mod hours;
mod mask;
mod policy;
mod quota;
mod refusal;
mod reminder;
mod role;
mod series;
mod service;
mod span;
mod state;
mod supply;
mod wall;

pub use alternatives::nearest;
pub use exception::{Exceptions, HolidayChoice};
pub use free::{Able, Calendar, Slot, able, by_day, calendar, free_times, full_days, why_not};
pub use hold::{HELD_BY_VISITOR_MAX, HELD_FROM_ADDRESS_MAX, HOLD_FOR, extended};
pub use holiday::{Holiday, south_african_holidays};
pub use hours::{DayRule, Hours, Minute, Opening};
pub use policy::{Band, Policy, Waiver};
pub use quota::{Limit, Quota, week_of};
pub use refusal::Refusal;
pub use reminder::{QuietHours, reminder};
pub use role::{Right, Role};
pub use series::{End, Every, Repeat, SERIES_MAX, wall_instant};
pub use service::{Part, Service};
pub use span::Span;
pub use state::{
    Actor, Cancelling, MOVES, NO_SHOW_GRACE, NO_SHOW_UNDO, State, cancelling, may_be_no_show,
    may_undo_no_show,
};
pub use supply::{Class, Lane, Need, Supply, Window};
pub use wall::day_start;
