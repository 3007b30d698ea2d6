//! The parts of an address, as handlers ask for them. An address that cannot be read
//! leads nowhere, and is answered like every other that does.

use axum::extract::FromRequestParts;
use axum::extract::rejection::PathRejection;
use http::request::Parts;

use crate::error::Fault;

/// What stands in the address at the places that its route names.
pub(crate) struct Path<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    axum::extract::Path<T>: FromRequestParts<S, Rejection = PathRejection>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let axum::extract::Path(named) =
            axum::extract::Path::<T>::from_request_parts(parts, state).await?;
        Ok(Self(named))
    }
}
