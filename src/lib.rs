//! Bulk import of accounts into Tencent Cloud IM: paced, resumable, every row accounted for.
//!
//! ```text
//!                     ┌───────────── run ─────────────┐
//!  files ──> read ────┼──> batches ──> send ──> events ──> report ──> journal, report file,
//!  pipes     │ plan   │                 │  ^             │            log, progress, summary,
//!            └ counts │                 v  │             │            exit code
//!                     └────────── the service ───────────┘
//! ```
//!
//!

pub mod account;
pub mod batch;
pub mod error_code;
pub mod event;
pub mod outcome;
pub mod read;
pub mod region;
pub mod report;
pub mod rows;
pub mod sandbox;
pub mod send;
pub mod usersig;
