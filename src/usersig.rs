//! UserSig version 2: the service's signed, expiring proof of who is calling, and the secrets it is made of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// The version of all signatures made from a SecretKey.
const VERSION: &str = "2.0";
/// No signature of the service's libraries comes near it once inflated; it bounds what a hostile text may unpack to.
const MOST_INFLATED: u64 = 16 * 1024;

/// A text that cannot be printed and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a signature says. Its own signature, `sig`, is proven by [`UserSig::verify`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSig {
    /// "2.0".
    #[serde(rename = "TLS.ver")]
    pub version: String,
    /// Who may call with it.
    #[serde(rename = "TLS.identifier")]
    pub identifier: String,
    /// The app it is good for.
    #[serde(rename = "TLS.sdkappid")]
    pub sdk_app_id: u64,
    /// Seconds it lasts.
    #[serde(rename = "TLS.expire")]
    pub expire: u64,
    /// When it was made, in Unix seconds.
    #[serde(rename = "TLS.time")]
    pub time: u64,
    /// Standard Base64 of the HMAC over the other fields.
    #[serde(rename = "TLS.sig")]
    pub sig: String,
}

/// Whoever has all the fields has the signature, so `sig` stays out.
impl fmt::Debug for UserSig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSig")
            .field("version", &self.version)
            .field("identifier", &self.identifier)
            .field("sdk_app_id", &self.sdk_app_id)
            .field("time", &self.time)
            .field("expire", &self.expire)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The text does not unpack to a signature.
    #[error("not a UserSig: make one with `imimport sign`, and copy it whole")]
    Malformed,
    /// The HMAC was made with another key.
    #[error("the UserSig was made with another key: use the SecretKey of this app")]
    WrongKey,
    /// Made for another identifier.
    #[error("the UserSig is for another identifier: give the one it was made for in --identifier")]
    OtherIdentifier,
    /// Made for another app.
    #[error("the UserSig is for another app: give the one it was made for in --sdk-app-id")]
    OtherApp,
    /// Its time is over.
    #[error("the UserSig has expired: make a new one with `imimport sign`")]
    Expired,
}

/// A UserSig for `identifier`, good from `now_unix` (Unix seconds) for `expire_s` seconds.
pub fn sign(key: &Secret, sdk_app_id: u64, identifier: &str, now_unix: u64, expire_s: u64) -> Secret {
    let mut claims = UserSig {
        version: VERSION.to_owned(),
        identifier: identifier.to_owned(),
        sdk_app_id,
        expire: expire_s,
        time: now_unix,
        sig: String::new(),
    };
    claims.sig = STANDARD.encode(claims.hmac(key).finalize().into_bytes());
    Secret::new(claims.encode())
}

/// What a signature says, without asking whether it is genuine.
pub fn decode(text: &str) -> Result<UserSig, Flaw> {
    let base64: String = text.chars().map(from_url_safe).collect();
    let packed = STANDARD.decode(base64).map_err(|_| Flaw::Malformed)?;
    let mut json = Vec::new();
    let mut inflated = ZlibDecoder::new(&packed[..]).take(MOST_INFLATED);
    inflated.read_to_end(&mut json).map_err(|_| Flaw::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Flaw::Malformed)
}

impl UserSig {
    /// Whether it was made with `key`, for this caller of this app, and is still good at `now_unix`;
    /// the first flaw in that order.
    pub fn verify(&self, key: &Secret, sdk_app_id: u64, identifier: &str, now_unix: u64) -> Result<(), Flaw> {
        let sig = STANDARD.decode(&self.sig).map_err(|_| Flaw::Malformed)?;
        self.hmac(key).verify_slice(&sig).map_err(|_| Flaw::WrongKey)?;
        if self.identifier != identifier {
            return Err(Flaw::OtherIdentifier);
        }
        if self.sdk_app_id != sdk_app_id {
            return Err(Flaw::OtherApp);
        }
        if now_unix >= self.expires_at() { Err(Flaw::Expired) } else { Ok(()) }
    }

    /// The Unix second from which it is good no more.
    pub fn expires_at(&self) -> u64 {
        self.time.saturating_add(self.expire)
    }

    /// The HMAC over the signed fields, in the order and form that the vendor's libraries fix.
    fn hmac(&self, key: &Secret) -> Hmac<Sha256> {
        let mut hmac =
            Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes a key of any length");
        let Self { identifier, sdk_app_id, time, expire, .. } = self;
        hmac.update(
            format!(
                "TLS.identifier:{identifier}\nTLS.sdkappid:{sdk_app_id}\nTLS.time:{time}\nTLS.expire:{expire}\n"
            )
            .as_bytes(),
        );
        hmac
    }

    fn encode(&self) -> String {
        let json = serde_json::to_vec(self).expect("strings and integers are JSON");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = zlib.write_all(&json).and_then(|()| zlib.finish()).expect("memory can be written to");
        STANDARD.encode(packed).chars().map(to_url_safe).collect()
    }
}

/// The service's own alphabet for URLs; it is not base64url.
fn to_url_safe(c: char) -> char {
    match c {
        '+' => '*',
        '/' => '-',
        '=' => '_',
        other => other,
    }
}

/// Back to standard Base64; its own three signs become ones that it refuses.
fn from_url_safe(c: char) -> char {
    match c {
        '*' => '+',
        '-' => '/',
        '_' => '=',
        '+' | '/' | '=' => '?',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const APP: u64 = 1_400_000_000;
    const NOW: u64 = 1_700_000_000;

    fn key() -> Secret {
        Secret::new("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e".to_owned())
    }

    #[test]
    fn signatures_are_those_of_the_vendors_libraries() {
        for (identifier, expire, sig) in [
            ("xiaojun", 15_552_000, "LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4="),
            ("administrator", 86_400, "yLAe+w7WUeUuqbV9h/TX78u21oTGi+i9Zp1u3PpnY60="),
            ("用户_一", 3_600, "9Bwomy3ZKN1zA1pSRYovmbrGog/Ip7gOpCvMM6WA5O4="),
        ] {
            let decoded = decode(sign(&key(), APP, identifier, NOW, expire).expose()).unwrap();
            assert_eq!(decoded.version, "2.0");
            assert_eq!(decoded.identifier, identifier);
            assert_eq!((decoded.sdk_app_id, decoded.time, decoded.expire), (APP, NOW, expire));
            assert_eq!(decoded.sig, sig);
        }
    }

    #[test]
    fn each_flaw_is_told_apart() {
        let signed = decode(sign(&key(), APP, "administrator", NOW, 60).expose()).unwrap();
        let verify = |key: &Secret, app, identifier, now| signed.verify(key, app, identifier, now);
        assert_eq!(verify(&key(), APP, "administrator", NOW + 59), Ok(()));
        assert_eq!(verify(&key(), APP, "administrator", NOW + 60), Err(Flaw::Expired));
        assert_eq!(verify(&key(), APP, "other", NOW), Err(Flaw::OtherIdentifier));
        assert_eq!(verify(&key(), APP + 1, "administrator", NOW), Err(Flaw::OtherApp));
        let other = Secret::new("another key".to_owned());
        assert_eq!(verify(&other, APP, "administrator", NOW), Err(Flaw::WrongKey));
    }

    #[test]
    fn a_text_that_is_no_signature_is_malformed() {
        let signed = sign(&key(), APP, "administrator", NOW, 60);
        let standard_base64: String =
            signed.expose().replace('*', "+").replace('-', "/").replace('_', "=") + "=";
        let cut = &signed.expose()[..signed.expose().len() / 2];
        for text in ["", "nonsense", "ünïcode", cut, &standard_base64] {
            assert_eq!(decode(text), Err(Flaw::Malformed), "{text}");
        }
    }

    #[test]
    fn a_signature_that_unpacks_to_a_flood_is_malformed() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&vec![b' '; 1_000_000]).unwrap();
        let text: String = STANDARD.encode(zlib.finish().unwrap()).chars().map(to_url_safe).collect();
        assert_eq!(decode(&text), Err(Flaw::Malformed));
    }

    #[test]
    fn debug_output_shows_neither_key_nor_signature() {
        let decoded = decode(sign(&key(), APP, "administrator", NOW, 60).expose()).unwrap();
        let shown = format!("{:?} {decoded:?}", key());
        assert!(!shown.contains(key().expose()) && !shown.contains(&decoded.sig), "{shown}");
    }

    proptest! {
        #[test]
        fn what_is_signed_decodes_and_verifies(
            secret in "\\PC{0,80}",
            app in any::<u64>(),
            identifier in any::<String>(),
            now in 0..u64::MAX / 2,
            expire in 1..u64::MAX / 2,
        ) {
            let key = Secret::new(secret);
            let text = sign(&key, app, &identifier, now, expire);
            prop_assert!(text.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"*-_".contains(&b)));
            let decoded = decode(text.expose()).unwrap();
            prop_assert_eq!(decoded.verify(&key, app, &identifier, now), Ok(()));
            prop_assert_eq!(decoded.verify(&key, app, &identifier, now + expire), Err(Flaw::Expired));
        }
    }
}
