//! `imimport sign`: a signature for use with other tools.

use crate::cli;
use crate::config::{self, Flaw, Variables};
use crate::send::Credential;
use crate::usersig;
use std::time::SystemTime;

/// A UserSig and a line end.
pub(super) fn sign(options: &cli::Sign, variables: Variables) -> Result<String, Flaw> {
    let (credential, _) = config::credential(options.secret_key_file.as_deref(), variables)?;
    let Credential::Key(key) = credential else {
        return Err(Flaw::Usage("a UserSig is made from a SecretKey: give --secret-key-file PATH".into()));
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let signature =
        usersig::sign(&key, options.sdk_app_id, &options.identifier, now, options.expire.as_secs());
    Ok(format!("{}\n", signature.expose()))
}
