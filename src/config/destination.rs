//! Whom the requests go to.

use super::{Flaw, usage};
use crate::cli::{self, Given};
use crate::region;
use crate::send::Target;

/// Whom the requests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The embedded stand-in of the service.
    Sandbox,
    /// A host, and the region it belongs to.
    Host {
        /// As `--region` names it.
        region: Option<&'static str>,
        /// Scheme, host and port.
        endpoint: String,
    },
}

impl Destination {
    /// What `--region` and `--endpoint` say together; `None` if neither is given.
    pub(super) fn of(service: &cli::Service, given: &Given) -> Result<Option<Self>, Flaw> {
        let (mut region, mut endpoint) = (service.region.as_deref(), service.endpoint.as_deref());
        if region.is_some() && endpoint.is_some() {
            match (given.flag("region"), given.flag("endpoint")) {
                (true, false) => endpoint = None,
                (false, true) => region = None,
                _ => return usage("--region and --endpoint exclude each other: give one of them"),
            }
        }
        if let Some(endpoint) = endpoint {
            let endpoint = Target::endpoint(endpoint).or_else(|e| usage(&format!("--endpoint: {e}")))?;
            let host = endpoint.strip_prefix("https://").unwrap_or_default();
            return Ok(Some(Self::Host { region: region::by_host(host).map(|r| r.name), endpoint }));
        }
        Ok(match region {
            None => None,
            Some("sandbox") => Some(Self::Sandbox),
            Some(name) => region::by_name(name).map(|region| Self::Host {
                region: Some(region.name),
                endpoint: format!("https://{}", region.host),
            }),
        })
    }

    /// What a journal calls it: the region, or the endpoint.
    pub fn name(&self) -> &str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Host { region: Some(region), .. } => region,
            Self::Host { region: None, endpoint } => endpoint,
        }
    }

    /// The region's name, if it is one of the service's or the sandbox.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Host { region, .. } => *region,
            Self::Sandbox => Some(self.name()),
        }
    }

    /// A host whose limit is the service's own, not a test server's.
    pub(super) fn is_the_services(&self) -> bool {
        matches!(self, Self::Sandbox | Self::Host { region: Some(_), .. })
    }
}
