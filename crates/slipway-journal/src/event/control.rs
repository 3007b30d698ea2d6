//! Events of the control process and of what it looks after.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ReleaseId, ServiceName};

/// What happened to the control process or to something that it looks after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ControlEvent {
    /// Control started; `recovered` rollouts were found unfinished.
    Started {
        /// The version of Slipway.
        version: String,
        /// The process.
        pid: u32,
        /// Unfinished rollouts that were taken up again.
        recovered: u32,
    },
    /// Control stopped in order.
    Stopped {
        /// Why, in words.
        reason: String,
    },
    /// Somebody ran a program of a release with the variables of its service.
    ProgramRun {
        /// The service.
        service: ServiceName,
        /// The release.
        release: ReleaseId,
        /// The program, without its arguments, which may be secret.
        program: String,
    },
    /// Somebody was given a link to sign in at the console, good once and for a minute.
    SignInLinkGiven,
    /// An authority signed a certificate.
    CertificateSigned {
        /// For these names.
        names: Vec<String>,
        /// Until when it is good.
        not_after: Timestamp,
    },
    /// An authority did not sign a certificate; it is asked again.
    CertificateRefused {
        /// For these names.
        names: Vec<String>,
        /// Why, in words.
        reason: String,
    },
    /// Nothing new is deployed from here on.
    Locked {
        /// Of this service; of every service where it is none.
        #[serde(default)]
        service: Option<ServiceName>,
        /// Why, in the words of whoever did it.
        reason: String,
        /// When it ends by itself; none is when somebody lifts it.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// That lock holds no more.
    Unlocked {
        /// Whose lock; that of every service where it is none.
        #[serde(default)]
        service: Option<ServiceName>,
    },
    /// An accessory (PostgreSQL, Redis) was started.
    AccessoryStarted {
        /// Which one.
        name: String,
        /// Its process.
        pid: u32,
    },
    /// An accessory ended although nobody asked it to.
    AccessoryExited {
        /// Which one.
        name: String,
        /// How it ended, in words.
        how: String,
    },
}
