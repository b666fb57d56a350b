//! What signs the requests: exactly one of a key file and two variables.

use super::{Flaw, Variables, usage};
use crate::send::Credential;
use crate::usersig::Secret;
use anyhow::{Result, anyhow};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// No key is longer; what is may be no key.
const LARGEST: u64 = 64 << 10;

/// Where the credential of a run comes from, checked for there being exactly one.
pub fn credential(key_file: Option<&Path>, variables: Variables) -> Result<(Credential, Vec<String>), Flaw> {
    let given = |name| variables(name).map(|text| one_line(&text).to_owned()).filter(|text| !text.is_empty());
    let (key, sig) = (given("IMIMPORT_SECRET_KEY"), given("IMIMPORT_USERSIG"));
    match (key_file, key, sig) {
        (Some(path), None, None) => {
            let (key, warnings) = read_key(path)?;
            Ok((Credential::Key(key), warnings))
        }
        (None, Some(key), None) => Ok((Credential::Key(Secret::new(key)), Vec::new())),
        (None, None, Some(sig)) => Ok((Credential::UserSig(Secret::new(sig)), Vec::new())),
        (None, None, None) => usage(
            "no credential: give --secret-key-file PATH, or set IMIMPORT_SECRET_KEY or IMIMPORT_USERSIG",
        ),
        _ => usage(
            "more than one credential: keep one of --secret-key-file, IMIMPORT_SECRET_KEY and IMIMPORT_USERSIG",
        ),
    }
}

/// The key of a file, and what a person should know of it.
fn read_key(path: &Path) -> Result<(Secret, Vec<String>)> {
    let shown = path.display();
    let file = match File::open(path) {
        Err(_) if looks_like_a_key(path) => anyhow::bail!(
            "--secret-key-file takes a file's name, and what it was given looks like a key: put the key into a file. \
             Others on this machine may have seen it, so let the app's console make a new one"
        ),
        opened => opened,
    };
    let mut text = String::new();
    file.and_then(|file| file.take(LARGEST).read_to_string(&mut text))
        .map_err(|e| anyhow!("{shown}: the secret key cannot be read: {e}; check --secret-key-file"))?;
    let text = Secret::new(text);
    // Some editors begin a file with a byte order mark.
    let key = one_line(text.expose().trim_start_matches('\u{FEFF}'));
    anyhow::ensure!(!key.is_empty(), "{shown}: there is no secret key in it: copy it from the app's console");
    let is_odd = key.contains(|c: char| c.is_whitespace() || c.is_control() || "\"'`=:{".contains(c));
    let odd = is_odd.then(|| {
        format!("{shown}: there are blanks, quotes or the like in it, and a SecretKey has none: is it the key alone?")
    });
    Ok((Secret::new(key.into()), odd.into_iter().chain(others_can_read(path)).collect()))
}

/// A word of letters and digits as long as a key, which is in no folder.
fn looks_like_a_key(path: &Path) -> bool {
    path.to_str().is_some_and(|name| name.len() >= 32 && name.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn one_line(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    let word = path.to_string_lossy();
    let word = shlex::try_quote(&word).unwrap_or_else(|_| word.clone());
    (mode & 0o077 != 0).then(|| {
        format!("{shown}: others can read the secret key; keep it to yourself with\n  chmod 600 {word}")
    })
}

#[cfg(not(unix))]
fn others_can_read(_path: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_exactly_one_credential() {
        assert!(matches!(credential(None, &|_| None), Err(Flaw::Usage(_))));
        let both = |name: &str| name.starts_with("IMIMPORT").then(|| "x".to_owned());
        assert!(matches!(credential(None, &both), Err(Flaw::Usage(_))));
        let key = |name: &str| (name == "IMIMPORT_SECRET_KEY").then(|| "x\n".to_owned());
        let Ok((Credential::Key(secret), _)) = credential(None, &key) else { panic!("no key") };
        assert_eq!(secret.expose(), "x");
    }
}
