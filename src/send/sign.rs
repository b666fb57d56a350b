//! The signature that requests carry, renewed before and when it runs out.

use crate::usersig::{self, Secret};
use std::sync::Arc;

/// How long a signature made here lasts, in seconds: a day.
const LASTS: u64 = 86_400;
/// It is renewed this long before its end, in seconds; clocks differ.
const EARLY: u64 = 3_600;

/// What signatures come from.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The app's SecretKey: signatures are made as they are needed.
    Key(Secret),
    /// A ready UserSig: when it has run out, the run stops.
    UserSig(Secret),
}

/// A signature, and which one of the run it is.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) text: Arc<Secret>,
    pub(super) serial: u32,
}

/// What to do after the service called a signature expired (70001).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// Send again: there is a newer signature.
    Renewed,
    /// It was never good, or can't be made anew: stop.
    Fatal,
}

/// Makes and renews signatures.
pub(super) struct Signer {
    credential: Credential,
    sdk_app_id: u64,
    identifier: String,
    current: Option<Signature>,
    made: u64,
    /// The current signature was accepted.
    accepted: bool,
}

impl Signer {
    pub(super) fn new(credential: Credential, sdk_app_id: u64, identifier: String) -> Self {
        Self { credential, sdk_app_id, identifier, current: None, made: 0, accepted: false }
    }

    /// The signature for a request that leaves at `unix`, in seconds.
    pub(super) fn signature(&mut self, unix: u64) -> Signature {
        match &self.current {
            Some(current) if !self.is_old(unix) => current.clone(),
            _ => self.renew(unix),
        }
    }

    /// The service took a request with this signature.
    pub(super) fn accepted(&mut self, serial: u32) {
        self.accepted |= self.current.as_ref().is_some_and(|current| current.serial == serial);
    }

    /// The service called this signature expired.
    pub(super) fn expired(&mut self, serial: u32, unix: u64) -> Expired {
        if self.current.as_ref().is_some_and(|current| current.serial > serial) {
            return Expired::Renewed;
        }
        if !self.accepted || matches!(self.credential, Credential::UserSig(_)) {
            return Expired::Fatal;
        }
        self.renew(unix);
        Expired::Renewed
    }

    fn is_old(&self, unix: u64) -> bool {
        matches!(self.credential, Credential::Key(_)) && unix.saturating_sub(self.made) > LASTS - EARLY
    }

    fn renew(&mut self, unix: u64) -> Signature {
        let text = match &self.credential {
            Credential::Key(key) => usersig::sign(key, self.sdk_app_id, &self.identifier, unix, LASTS),
            Credential::UserSig(ready) => ready.clone(),
        };
        let serial = self.current.as_ref().map_or(0, |current| current.serial + 1);
        let signature = Signature { text: Arc::new(text), serial };
        (self.current, self.made, self.accepted) = (Some(signature.clone()), unix, false);
        signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(credential: fn(Secret) -> Credential) -> Signer {
        Signer::new(credential(Secret::new("key".into())), 1, "administrator".into())
    }

    #[test]
    fn a_signature_is_kept_until_an_hour_before_its_end() {
        let mut signer = signer(Credential::Key);
        assert_eq!(signer.signature(1000).serial, 0);
        assert_eq!(signer.signature(1000 + LASTS - EARLY).serial, 0);
        assert_eq!(signer.signature(1001 + LASTS - EARLY).serial, 1);
    }

    #[test]
    fn an_accepted_signature_is_renewed_once_and_one_that_never_was_is_fatal() {
        let mut signer = signer(Credential::Key);
        signer.signature(0);
        signer.accepted(0);
        assert_eq!(signer.expired(0, 10), Expired::Renewed);
        assert_eq!(signer.expired(0, 10), Expired::Renewed, "a late answer to the old signature");
        assert_eq!(signer.signature(10).serial, 1);
        signer.accepted(0);
        assert_eq!(signer.expired(1, 11), Expired::Fatal, "the new one was never accepted");
    }

    #[test]
    fn a_ready_signature_cannot_be_renewed() {
        let mut signer = signer(Credential::UserSig);
        signer.signature(0);
        signer.accepted(0);
        assert_eq!(signer.expired(0, 1), Expired::Fatal);
        assert_eq!(signer.signature(10 * LASTS).serial, 0);
    }
}
