//! Who is on the other side of the Unix socket: the kernel says, nobody else. Only the
//! account that runs control, and root, may speak.

use std::io;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rustix::net::sockopt::socket_peercred;
use slipway_journal::Actor;
use tokio::net::UnixStream;

use slipway_rollout::account::Account;

use crate::control::wire::Refused;

/// The person behind a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    uid: u32,
}

impl Peer {
    /// Asks the kernel who opened the connection.
    pub(crate) fn of(stream: &UnixStream) -> io::Result<Self> {
        Ok(Self {
            uid: socket_peercred(stream)?.uid.as_raw(),
        })
    }

    /// Whether the peer may speak to a control that runs as `own`.
    pub(crate) fn may_speak(&self, own: u32) -> bool {
        self.uid == own || self.uid == 0
    }

    /// The name of its account.
    pub(crate) fn name(&self) -> String {
        Account::name_of(self.uid)
    }

    /// The name under which the journal knows the peer.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Person(self.name())
    }
}

/// Who asks, as an actor. A request of somebody whom the kernel did not name is refused.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Actor);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = (StatusCode, Json<Refused>);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let connection = parts.extensions.get::<ConnectInfo<Connection>>();
        match connection.and_then(|info| info.0.0.clone()) {
            Some(actor) => Ok(Self(actor)),
            None => Err((
                StatusCode::FORBIDDEN,
                Json(Refused {
                    refused: "the kernel does not say who asks".to_owned(),
                    next: None,
                }),
            )),
        }
    }
}

/// What is known of a connection; nothing only if it was gone at once.
#[derive(Debug, Clone)]
pub(crate) struct Connection(pub(crate) Option<Actor>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_account_and_root_may_speak() {
        let own = 1000;
        assert!(Peer { uid: own }.may_speak(own));
        assert!(Peer { uid: 0 }.may_speak(own));
        assert!(!Peer { uid: 1001 }.may_speak(own));
        assert!(!Peer { uid: 1001 }.may_speak(0));
    }
}
