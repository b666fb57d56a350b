//! The embedded stand-in of the service: an HTTP server inside the process that judges, applies, misbehaves and counts.

mod accounts;
mod fault_text;
mod faults;
mod http;
mod judge;
mod stand_in;
mod stats;
#[cfg(test)]
mod tests;
mod window;
mod wrong_body;

pub use accounts::Kept;
pub use fault_text::{BadFault, FAULT_FORMS};
pub use faults::{Fault, Faults};
pub use stats::{Breach, Stats};

use crate::usersig::Secret;
use stand_in::StandIn;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// The sandbox's own app; made up.
pub const SDK_APP_ID: u64 = 1_400_000_000;
/// The administrator of the sandbox's app.
pub const IDENTIFIER: &str = "administrator";
/// The key of the sandbox's app. It guards nothing, so it is no secret.
pub const SECRET_KEY: &str = "the-key-of-the-sandbox-is-no-secret";

/// Connections that may wait to be accepted; systems cut it to what they allow.
const BACKLOG: u32 = 4096;

/// How a sandbox is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The one app it knows.
    pub sdk_app_id: u64,
    /// The app's administrator.
    pub identifier: String,
    /// The app's key.
    pub secret_key: Secret,
    /// How it misbehaves.
    pub faults: Faults,
    /// What chance depends on, besides the order of arrivals.
    pub seed: u64,
    /// Whether it keeps Nick and FaceUrl of every account, which `portrait_get` and [`Sandbox::accounts`] need.
    /// Without, an account takes 16 bytes.
    pub remember: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            sdk_app_id: SDK_APP_ID,
            identifier: IDENTIFIER.to_owned(),
            secret_key: Secret::new(SECRET_KEY.to_owned()),
            faults: Faults::default(),
            seed: 1,
            remember: false,
        }
    }
}

/// A running sandbox; it stops when dropped.
pub struct Sandbox {
    address: SocketAddr,
    stand_in: Arc<StandIn>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Listens, and serves on the tokio runtime that it is called in; without one it panics. Fails where the address cannot be had.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = listen(options.listen)?;
        let address = listener.local_addr()?;
        let stand_in = Arc::new(StandIn::new(options));
        let server = tokio::spawn(http::serve(listener, Arc::clone(&stand_in)));
        Ok(Self { address, stand_in, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it saw so far.
    pub fn stats(&self) -> Stats {
        self.stand_in.stats()
    }

    /// Every account by its UserID; none where [`Options::remember`] is off.
    pub fn accounts(&self) -> BTreeMap<String, Kept> {
        self.stand_in.accounts()
    }

    /// Ends all connections and frees the port.
    pub async fn stop(mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere than on Windows this only lets a port be taken again right after its last use.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
