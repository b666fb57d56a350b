//! The built program and its sender, against the embedded stand-in of the service.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]
#![expect(clippy::print_stdout, reason = "figures, and what was skipped")]

mod asking;
mod crash;
mod csv_corpus;
mod disk;
mod fuzz_seeds;
mod hostile;
mod importing;
mod journal_damage;
mod layout;
mod options;
mod property;
mod readme;
mod refusing;
mod resuming;
mod scaling;
mod secrets;
mod sending;
mod stopping;
mod terminal;
mod workdir;
