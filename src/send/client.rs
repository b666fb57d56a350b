//! The HTTP client: one request to one answer, whatever happens on the way. The only file that names reqwest.

use super::judge::{self, Answer};
use super::sign::Signature;
use crate::error_code::Code;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Response, StatusCode, Url, redirect};
use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// An answer over this many bytes is none of the service's.
const LARGEST_ANSWER: usize = 1 << 20;
/// No `Retry-After` asks for more than a day in earnest.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// So many characters of a signature in a text are no accident.
const TELLTALE: usize = 12;
/// Idle connections are closed before the servers in between close them.
const IDLE: Duration = Duration::from_secs(30);

/// What is asked of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Up to a hundred accounts; the answer names those refused, without a reason.
    MultiaccountImport,
    /// One account; the answer says why it is refused.
    AccountImport,
    /// Up to a hundred accounts; the answer says of each whether it is there.
    AccountCheck,
    /// Up to a hundred accounts; the answer has the Nick and the FaceUrl of each.
    PortraitGet,
}

impl Command {
    /// The last part of its path.
    pub(super) fn name(self) -> &'static str {
        match self {
            Command::MultiaccountImport => "multiaccount_import",
            Command::AccountImport => "account_import",
            Command::AccountCheck => "account_check",
            Command::PortraitGet => "portrait_get",
        }
    }

    fn path(self) -> String {
        let service = if self == Command::PortraitGet { "profile" } else { "im_open_login_svc" };
        format!("/v4/{service}/{}", self.name())
    }
}

/// Where requests go and whom they speak for.
#[derive(Clone, Debug)]
pub struct Target {
    /// `https://host`, or `http://` on loopback.
    pub endpoint: String,
    /// PEM of certificates to trust besides the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// The app.
    pub sdk_app_id: u64,
    /// An administrator of the app.
    pub identifier: String,
    /// Longest wait for one answer, the connection included.
    pub timeout: Duration,
}

impl Target {
    /// Checks what `--endpoint` was given and puts it into the form that is used and shown: scheme, host
    /// and port. Unencrypted only to this machine, for the signature is in the URL.
    pub fn endpoint(text: &str) -> Result<String, String> {
        let url = Url::parse(text).map_err(|e| format!("not a URL ({e}): give https://host"))?;
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err("http:// is for this machine only: give https://host".into()),
            _ => return Err("give https://host".into()),
        }
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !bare || url.path() != "/" || url.fragment().is_some() {
            return Err("give scheme and host alone, such as https://host:443".into());
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

/// One connection pool to one host.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: Url,
    sdk_app_id: String,
    identifier: String,
}

impl Client {
    /// A client that keeps up to `connections` connections. The error is a sentence for a person.
    pub(super) fn new(target: &Target, connections: usize) -> Result<Self, String> {
        let endpoint = Url::parse(&target.endpoint).map_err(|e| format!("{}: {e}", target.endpoint))?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("imimport/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(target.timeout)
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(IDLE)
            .dns_resolver(Arc::new(Resolver));
        if endpoint.scheme() == "http" {
            // No certificates are needed, and a machine may have none.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        if let Some(pem) = &target.ca_cert {
            let certificates =
                Certificate::from_pem_bundle(pem).map_err(|_| "--ca-cert: not a PEM certificate")?;
            if certificates.is_empty() {
                return Err("--ca-cert: no certificate in the file".into());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|e| {
            let why = chain(&e.without_url());
            format!(
                "no secure connection can be made from here: {why}: if certificates are missing, install \
                 ca-certificates or give --ca-cert FILE; if files are, raise their limit (ulimit -n)"
            )
        })?;
        let sdk_app_id = target.sdk_app_id.to_string();
        Ok(Self { http, endpoint, sdk_app_id, identifier: target.identifier.clone() })
    }

    /// Sends one request and waits for its answer.
    pub(super) async fn call(&self, command: Command, body: Vec<u8>, sig: &Signature, random: u32) -> Answer {
        let mut url = self.endpoint.clone();
        url.set_path(&command.path());
        url.query_pairs_mut()
            .append_pair("sdkappid", &self.sdk_app_id)
            .append_pair("identifier", &self.identifier)
            .append_pair("usersig", sig.text.expose())
            .append_pair("random", &random.to_string())
            .append_pair("contenttype", "json");
        match self.http.post(url).header(CONTENT_TYPE, "application/json").body(body).send().await {
            Ok(response) => {
                let answer = answer(response).await;
                // A service that quotes the signature does not get it into a report.
                if quotes(&answer.info, sig.text.expose()) {
                    Answer { info: "…".into(), ..answer }
                } else {
                    answer
                }
            }
            Err(error) => fault(&error),
        }
    }
}

/// Whether a text holds a part of the signature that is long enough to be no accident, however the rest of
/// it is spelled: runs of letters and digits are the same in every encoding.
fn quotes(text: &str, signature: &str) -> bool {
    let runs = signature.split(|c: char| !c.is_ascii_alphanumeric());
    runs.flat_map(|run| run.as_bytes().chunks_exact(TELLTALE))
        .any(|part| std::str::from_utf8(part).is_ok_and(|part| text.contains(part)))
}

async fn answer(mut response: Response) -> Answer {
    let status = response.status();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // What is wrong with the body of an error page changes nothing about the error.
            _ if status != StatusCode::OK => break,
            Ok(Some(_)) => return Code::BadBody.into(),
            Err(error) => return fault(&error),
        }
    }
    if status == StatusCode::OK {
        return judge::read(&body);
    }
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Answer {
        retry_after: retry_after.and_then(|text| wait(text, SystemTime::now())),
        ..Code::Http(status.as_u16()).into()
    }
}

/// The wait that a `Retry-After` asks for: seconds, or an HTTP date (RFC 9110, 10.2.3).
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default().min(LONGEST_WAIT))
}

/// What went wrong on the way. The error itself is dropped: it holds the URL, and with it the signature.
fn fault(error: &reqwest::Error) -> Answer {
    if let Some(cause) = cause::<rustls::Error>(error) {
        return Answer { info: distrust(cause), ..Code::Tls.into() };
    }
    let code = if cause::<Unresolved>(error).is_some() {
        Code::Dns
    } else if error.is_timeout() {
        Code::Timeout
    } else if error.is_connect() {
        Code::Connect
    } else {
        Code::Reset
    };
    code.into()
}

/// Why there is no secure connection, and what to do.
fn distrust(error: &rustls::Error) -> String {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    };
    let why = error.to_string();
    let advice = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                "check this machine's clock, or have the certificate renewed"
            }
            NotValidForName | NotValidForNameContext { .. } => {
                "check --endpoint, or have the certificate made for that name"
            }
            // What `openssl req -x509` makes unless it is told otherwise.
            _ if why.contains("CaUsedAsEndEntity") => {
                "have one made for the host that is no CA's (openssl req -addext basicConstraints=critical,CA:FALSE)"
            }
            _ => "give the CA of your proxy or host with --ca-cert PEM",
        },
        _ => "check --endpoint and HTTPS_PROXY",
    };
    format!("{why}: {advice}")
}

/// The error of type `E` in the chain, or wrapped in an I/O error of the chain.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        link = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn chain(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The system's resolver, with an error that can be told from others.
struct Resolver;

#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
struct Unresolved(#[source] std::io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_this_machine_and_nothing_but_a_host() {
        for good in
            ["https://example.com", "https://example.com:8443", "http://127.0.0.1:80", "http://[::1]:9"]
        {
            assert!(Target::endpoint(good).is_ok(), "{good}");
        }
        assert_eq!(Target::endpoint("http://localhost:8080/").unwrap(), "http://localhost:8080");
        for bad in [
            "example.com",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "https://example.com/v4",
            "https://u:p@example.com",
            "https://example.com/?a=b",
        ] {
            assert!(Target::endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_quoted_signature_is_known_in_every_spelling() {
        let signature = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oyMy3BwomFKcVFxdlKVoYmBgYGhgYG*-_";
        assert!(quotes(&format!("bad usersig {signature}"), signature));
        assert!(quotes("bad eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oyMy3B+/=", signature));
        assert!(!quotes("Err_70402 for user_00001 of app 1400000000", signature));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
        assert_eq!(wait("120", now), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sat, 05 Nov 1994 08:49:37 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait("18446744073709551615", now), Some(LONGEST_WAIT));
        assert_eq!(wait("soon", now), None);
    }
}
