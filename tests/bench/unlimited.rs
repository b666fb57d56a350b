//! As fast as the machine allows, beside a load generator that posts the same bodies.

use super::measure::{is_there, start};
use super::rate::{sending, summary};
use super::rows::{Format, input};
use super::server::Server;
use super::{Told, say};
use imimport::sandbox::{IDENTIFIER, SDK_APP_ID, SECRET_KEY};
use imimport::usersig::{self, Secret};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

const RATE: &str = "1000000";
const ACCOUNTS: usize = 100;

pub(crate) fn measure(told: &Told) {
    let rows = told.number("--accounts", 50_000);
    let at_once = told.number("--max-in-flight", 256).to_string();
    let input = input(rows, Format::Csv);
    let (ours, requests, cpu_s) = imimport(&input, &at_once);

    say(&format!("\n{rows} rows without a limit, {at_once} requests at once\n"));
    say("| what | requests/s | share | client's CPU s per million accounts |\n|---|---|---|---|");
    if is_there("oha", &["--version"]) {
        let (theirs, cpu) = oha(&input, &at_once, requests);
        say(&format!("| imimport | {ours:.0} | {:.0} % | {cpu_s:.2} |", ours / theirs * 100.0));
        say(&format!("| oha, the same bodies | {theirs:.0} | 100 % | {cpu:.2} |"));
    } else {
        say(&format!("| imimport | {ours:.0} | – | {cpu_s:.2} |"));
    }
}

/// Requests a second while sending, requests in all, and processor seconds for a million accounts.
fn imimport(input: &Path, at_once: &str) -> (f64, u64, f64) {
    let server = Server::start(&["limit=none"]);
    let took = start(&sending(&server, input, &["--rate", RATE, "--max-in-flight", at_once])).end();
    server.stop();
    let summary = summary(input);
    let requests = summary["requests"].as_u64().unwrap();
    (
        summary["requests_per_s"].as_f64().unwrap(),
        requests,
        took.cpu_s / summary["imported"].as_f64().unwrap() * 1e6,
    )
}

/// The same, of oha.
fn oha(input: &Path, at_once: &str, requests: u64) -> (f64, f64) {
    let server = Server::start(&["limit=none"]);
    let (bodies, out) = (input.with_extension("bodies.jsonl"), input.with_extension("oha.json"));
    write_bodies(input, &bodies);
    let mut command = Command::new("oha");
    command.args(["--no-tui", "-m", "POST", "-T", "application/json", "--output-format", "json"]);
    command.args(["-c", at_once, "-n", &requests.to_string()]).arg("-Z").arg(&bodies).arg("-o").arg(&out);
    let took = start(command.arg(url(&server))).end();
    let stats = server.stop();
    assert_eq!(stats["answers"]["0"].as_u64(), Some(requests), "not every answer was good: {stats}");
    let told: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let per_s = told["summary"]["requestsPerSec"].as_f64().unwrap();
    (per_s, took.cpu_s / (requests as f64 * ACCOUNTS as f64) * 1e6)
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
