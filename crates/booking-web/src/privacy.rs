//! What the law asks of whoever keeps data about people. The register in
//! `privacy/register.toml` says what is kept and why; export, erasure and retention do what
//! it says, so that what is written there is what happens.

pub(crate) mod breach;
pub(crate) mod clock;
pub(crate) mod erasure;
pub(crate) mod marketing;
pub(crate) mod notice;
pub(crate) mod office;
pub(crate) mod register;
pub(crate) mod request;
pub(crate) mod retention;
pub(crate) mod warning;

#[cfg(test)]
#[path = "privacy/tests/person.rs"]
mod person;
#[cfg(test)]
#[path = "privacy/tests/records.rs"]
mod records;
