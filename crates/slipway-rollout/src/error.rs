//! What can go wrong in the engine itself. What is merely a no is a `Refusal`.

use slipway_journal::JournalError;

/// Why the engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The journal cannot be read or written; nothing was done, traffic is untouched.
    #[error("nothing was done and traffic is untouched, because the journal takes nothing")]
    Journal(#[from] JournalError),
    /// A folder of the state cannot be used.
    #[error("{}", path.display())]
    File {
        /// The folder or file.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
