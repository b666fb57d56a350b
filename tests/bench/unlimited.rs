//! As fast as the machine allows, beside a load generator that posts the same bodies.

use super::measure::start;
use super::oha::{Load, oha};
use super::rate::{sending, summary};
use super::rows::{Format, input};
use super::server::Server;
use super::{Told, say};
use std::path::Path;

const RATE: &str = "1000000";
const FAULTS: &[&str] = &["limit=none"];

pub(crate) fn measure(told: &Told) {
    let rows = told.number("--accounts", 50_000);
    let at_once = told.number("--max-in-flight", 256);
    let input = input(rows, Format::Csv);
    let (ours, requests, cpu_s) = imimport(&input, &at_once.to_string());

    say(&format!("\n{rows} rows without a limit, {at_once} requests at once\n"));
    say("| what | requests/s | share | client's CPU s per million accounts |\n|---|---|---|---|");
    let load = Load { requests, at_once, rate: None, faults: FAULTS };
    if let Some((theirs, cpu)) = oha(&input, &load) {
        say(&format!("| imimport | {ours:.0} | {:.0} % | {cpu_s:.2} |", ours / theirs * 100.0));
        say(&format!("| oha, the same bodies | {theirs:.0} | 100 % | {cpu:.2} |"));
    } else {
        say(&format!("| imimport | {ours:.0} | – | {cpu_s:.2} |"));
    }
}

/// Requests a second while sending, requests in all, and processor seconds for a million accounts.
fn imimport(input: &Path, at_once: &str) -> (f64, u64, f64) {
    let server = Server::start(FAULTS);
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
