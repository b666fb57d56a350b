//! Runs programs and takes their time, processor time and memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a program took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Took {
    pub(crate) wall_s: f64,
    /// Of all its threads.
    pub(crate) cpu_s: f64,
    pub(crate) peak_mib: f64,
}

/// A program under GNU time.
pub(crate) struct Running {
    child: Child,
    began: Instant,
    figures: tempfile::NamedTempFile,
}

/// Starts `command` with its output thrown away; it is the leader of a process group of its own.
pub(crate) fn start(command: &Command) -> Running {
    let figures = tempfile::NamedTempFile::new().unwrap();
    let mut timed = Command::new("time");
    timed.args(["--quiet", "--format", "%U %S %M", "--output"]).arg(figures.path());
    timed.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut timed, 0);
    timed.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let child = timed.spawn().expect("GNU time is needed: apt-get install time");
    Running { child, began, figures }
}

impl Running {
    /// Waits for the end.
    pub(crate) fn end(mut self) -> Took {
        let status = self.child.wait().unwrap();
        let wall_s = self.began.elapsed().as_secs_f64();
        let figures = std::fs::read_to_string(self.figures.path()).unwrap();
        assert!(status.success(), "{status}: {figures}");
        let figures: Vec<f64> = figures.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
        Took { wall_s, cpu_s: figures[0] + figures[1], peak_mib: figures[2] / 1024.0 }
    }

    /// Stops the program for a while.
    pub(crate) fn stall(&self, pause: Duration) {
        let group = format!("-{}", self.child.id());
        let signal = |name| Command::new("kill").args([name, "--", &group]).status().unwrap();
        signal("-STOP");
        std::thread::sleep(pause);
        signal("-CONT");
    }
}

/// Runs each command so many times, in turns, so that what disturbs one disturbs all.
pub(crate) fn in_turns(commands: &[Command], runs: u64) -> Vec<Vec<Took>> {
    let mut took = vec![Vec::new(); commands.len()];
    for _ in 0..runs {
        for (command, took) in commands.iter().zip(&mut took) {
            took.push(start(command).end());
        }
    }
    took
}

/// The middle of what `figure` gives for each run, and its least and most.
pub(crate) fn median(took: &[Took], figure: impl Fn(&Took) -> f64) -> (f64, f64, f64) {
    let mut figures: Vec<f64> = took.iter().map(figure).collect();
    figures.sort_unstable_by(f64::total_cmp);
    (figures[figures.len() / 2], figures[0], figures[figures.len() - 1])
}

/// The program that is measured, told nothing by the environment.
pub(crate) fn imimport() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imimport"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("IMIMPORT_")) {
        command.env_remove(name);
    }
    command
}

/// Whether a peer is there to be measured.
pub(crate) fn is_there(program: impl AsRef<Path>, args: &[&str]) -> bool {
    let mut command = Command::new(program.as_ref());
    let found = command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
