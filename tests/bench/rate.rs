//! A full run at the service's rate, counted at the server.

use super::measure::{self, Took, imimport};
use super::oha::{Load, oha};
use super::rows::{Format, input};
use super::server::Server;
use super::{Told, say};
use imimport::sandbox::{SDK_APP_ID, SECRET_KEY};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// As far as from a data centre nearby to the other side of the world.
const LATENCY: &str = "latency=20ms..300ms";
/// More than are under way at that latency.
const AT_ONCE: u64 = 64;
/// A hundred requests a second with a hundred accounts each.
const CEILING: f64 = 10_000.0;
/// When a run is stalled, and for how long.
const STALL: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(500));

pub(crate) fn measure(told: &Told) {
    let rows = told.number("--accounts", 50_000);
    let input = input(rows, Format::Csv);
    let circumstance = match (told.has("--busy"), told.has("--stall")) {
        (true, _) => ", every core kept busy by others",
        (_, true) => ", stopped for half a second",
        _ => "",
    };
    let spinning = if told.has("--busy") { Spinning::on_every_core() } else { Spinning(Vec::new()) };
    let alone = circumstance.is_empty();
    let server = Server::start(&[LATENCY]);
    let running = measure::start(&sending(&server, &input, &[]));
    if told.has("--stall") {
        std::thread::sleep(STALL.0);
        running.stall(STALL.1);
    }
    let took = running.end();
    drop(spinning);
    let (stats, summary) = (server.stop(), summary(&input));

    say(&format!("\n{rows} rows at 20 to 300 ms{circumstance}\n"));
    say(
        "| requests/s | busiest 0.95 s | busiest 1 s | accounts/s, sending | start to exit | CPU s per million | peak MiB |",
    );
    say("|---|---|---|---|---|---|---|");
    say(&row(&took, &stats, &summary));
    let requests = summary["requests"].as_u64().unwrap();
    let load = Load { requests, at_once: AT_ONCE, rate: Some(100), faults: &[LATENCY] };
    if let Some((per_s, cpu)) = alone.then(|| oha(&input, &load)).flatten() {
        say(&format!("| oha, the same bodies: {per_s:.2} | | | | | {cpu:.2} | |"));
    }
}

fn row(took: &Took, stats: &Value, summary: &Value) -> String {
    let number = |of: &Value, key: &str| of[key].as_f64().unwrap_or_else(|| panic!("no {key} in {of}"));
    let sent_s = number(stats, "last_arrival_s") - number(stats, "first_arrival_s");
    let requests_per_s = (number(stats, "requests") - 1.0) / sent_s;
    let imported = number(summary, "imported");
    let share =
        |seconds: f64| format!("{:.0} ({:.2} %)", imported / seconds, imported / seconds / CEILING * 100.0);
    format!(
        "| {requests_per_s:.2} | {} | {} | {} | {} | {:.2} | {:.0} |",
        stats["busiest_950ms"],
        stats["busiest_1s"],
        share(number(summary, "send_s")),
        share(took.wall_s),
        took.cpu_s / imported * 1e6,
        took.peak_mib,
    )
}

/// An import of `input` to the stand-in, with its summary beside the input.
pub(crate) fn sending(server: &Server, input: &Path, options: &[&str]) -> Command {
    let mut command = imimport();
    command.arg(input).args(["--endpoint", &server.address, "--progress", "never", "--restart"]);
    command.args(options).arg("--summary").arg(summary_path(input));
    command.env("IMIMPORT_SDK_APP_ID", SDK_APP_ID.to_string()).env("IMIMPORT_SECRET_KEY", SECRET_KEY);
    command
}

/// The summary of the last import of `input`.
pub(crate) fn summary(input: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(summary_path(input)).unwrap()).unwrap()
}

fn summary_path(input: &Path) -> std::path::PathBuf {
    input.with_extension("summary.json")
}

/// Processes that do nothing, as fast as they can; they end when dropped.
struct Spinning(Vec<Child>);

impl Spinning {
    fn on_every_core() -> Self {
        let cores = std::thread::available_parallelism().map_or(4, std::num::NonZero::get);
        let spin =
            |_| Command::new("sh").args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap();
        Self((0..cores).map(spin).collect())
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended already does no harm.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}
