//! The console over real sockets: a journal in a folder of its own, a proxy's socket
//! that tells what fits it, and a browser reduced to its requests.

pub(crate) mod house;
mod orders;
mod pages;
mod streams;
