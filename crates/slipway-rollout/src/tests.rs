//! The engine against a world that a test makes: no processes, no proxy, no waiting. It is
//! stopped after every append and every effect, and must end where it would have ended.

mod crashes;
pub(crate) mod fuse;
pub(crate) mod hands;
mod stage;
mod voice;
mod world;
