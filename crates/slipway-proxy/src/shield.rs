//! What becomes of a request that fails where only a share of the visitors goes.

/// Whether the live pool answers what fails where a share of the visitors goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shield {
    /// It does not.
    None,
    /// It will where nothing was sent.
    Unsent,
    /// It will, should the pool that is tried fail.
    Ready,
    /// It has the request now.
    Used,
}
