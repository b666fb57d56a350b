//! The stand-in of the service in a process of its own, so that its work is not counted as the client's.

use super::say;
use imimport::sandbox::{Faults, Options, Sandbox};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What the benchmark's program is told to be the stand-in.
pub(crate) const WORD: &str = "serve";

/// Says its address, serves until standard input ends, and says what it saw.
pub(crate) fn serve(faults: &[String]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let faults = Faults::parse(faults).unwrap();
    let sandbox = Sandbox::start(Options { faults, ..Options::default() }).unwrap();
    say(&format!("http://{}", sandbox.address()));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    say(&serde_json::to_string(&sandbox.stats()).unwrap());
}

/// A running stand-in.
pub(crate) struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Server {
    /// Starts one with faults in the form of the command line.
    pub(crate) fn start(faults: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child =
            command.arg(WORD).args(faults).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut stdout = BufReader::new(stdout);
        let address = line(&mut stdout);
        Self { child, stdin, stdout, address }
    }

    /// Stops it; gives what it saw.
    pub(crate) fn stop(mut self) -> Value {
        drop(self.stdin);
        let stats = serde_json::from_str(&line(&mut self.stdout)).unwrap();
        self.child.wait().unwrap();
        stats
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
