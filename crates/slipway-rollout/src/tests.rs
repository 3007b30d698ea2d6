//! The engine against a world that a test makes: no processes, no proxy, no waiting. It is
//! stopped after every append and every effect, and must end where it would have ended; and it
//! lives through days on which anything breaks, one for each seed.

mod broken;
mod chaos;
mod crashes;
mod crowd;
pub(crate) mod fuse;
pub(crate) mod hands;
mod laws;
mod machine;
mod paper;
mod plane;
mod settings;
mod stage;
mod state;
mod story;
mod voice;
mod warm;
mod weather;
mod world;
