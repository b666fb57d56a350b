//! oha, a load generator that posts the same bodies and does nothing else.

use super::measure::{is_there, start};
use super::server::Server;
use imimport::sandbox::{IDENTIFIER, SDK_APP_ID, SECRET_KEY};
use imimport::usersig::{self, Secret};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

const ACCOUNTS: usize = 100;

/// How much it is to send, and how.
pub(crate) struct Load<'a> {
    pub(crate) requests: u64,
    pub(crate) at_once: u64,
    /// Requests a second; none: as many as it can.
    pub(crate) rate: Option<u32>,
    /// Of the server.
    pub(crate) faults: &'a [&'a str],
}

/// Requests a second, and processor seconds for a million accounts; none where there is no oha.
pub(crate) fn oha(input: &Path, load: &Load<'_>) -> Option<(f64, f64)> {
    if !is_there("oha", &["--version"]) {
        return None;
    }
    let server = Server::start(load.faults);
    let (bodies, out) = (input.with_extension("bodies.jsonl"), input.with_extension("oha.json"));
    write_bodies(input, &bodies);
    let mut command = Command::new("oha");
    command.args(["--no-tui", "-m", "POST", "-T", "application/json", "--output-format", "json"]);
    command.args(["-c", &load.at_once.to_string(), "-n", &load.requests.to_string()]);
    if let Some(rate) = load.rate {
        command.args(["-q", &rate.to_string()]);
    }
    command.arg("-Z").arg(&bodies).arg("-o").arg(&out);
    let took = start(command.arg(url(&server))).end();
    let stats = server.stop();
    assert_eq!(stats["answers"]["0"].as_u64(), Some(load.requests), "not every answer was good: {stats}");
    let told: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let per_s = told["summary"]["requestsPerSec"].as_f64().unwrap();
    Some((per_s, took.cpu_s / (load.requests as f64 * ACCOUNTS as f64) * 1e6))
}

/// A line for each request.
fn write_bodies(input: &Path, to: &Path) {
    let mut reader = csv::Reader::from_path(input).unwrap();
    let mut seen = HashSet::new();
    let accounts: Vec<Value> = reader
        .deserialize()
        .map(|row| -> [String; 3] { row.unwrap() })
        .filter(|[user_id, ..]| seen.insert(user_id.clone()))
        .map(|[user_id, nick, face_url]| json!({"UserID": user_id, "Nick": nick, "FaceUrl": face_url}))
        .collect();
    let mut bodies = BufWriter::new(File::create(to).unwrap());
    for accounts in accounts.chunks(ACCOUNTS) {
        writeln!(bodies, "{}", json!({ "AccountList": accounts })).unwrap();
    }
    bodies.flush().unwrap();
}

fn url(server: &Server) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let signature = usersig::sign(&Secret::new(SECRET_KEY.to_owned()), SDK_APP_ID, IDENTIFIER, now, 3600);
    format!(
        "{}/v4/im_open_login_svc/multiaccount_import?sdkappid={SDK_APP_ID}&identifier={IDENTIFIER}&usersig={}&random=1&contenttype=json",
        server.address,
        signature.expose(),
    )
}
