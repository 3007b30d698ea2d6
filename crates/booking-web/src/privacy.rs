//! What the law asks of whoever keeps data about people. The register in
//! `privacy/register.toml` says what is kept and why; export, erasure and retention do what
//! it says, so that what is written there is what happens.

#![allow(dead_code, reason = "the pages that come after ask for the rest")]

pub(crate) mod erasure;
#[cfg(test)]
#[path = "privacy/tests/person.rs"]
mod person;
pub(crate) mod register;
pub(crate) mod retention;
