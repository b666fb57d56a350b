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
//! Three floors; a module may name only what stands below it, and rooms never name each other.
//!
//! | floor | modules |
//! |---|---|
//! | 3 | [`run`] knows the order, [`cli`] the flags, [`config`] what they mean together |
//! | 2, rooms | [`read`] inputs → plan → batches · [`send`] batches → events · [`report`] events → files and screen · [`sandbox`] the embedded stand-in of the service |
//! | 1, nouns | [`account`] [`batch`] [`rows`] [`outcome`] [`event`] · of the service: [`error_code`] [`region`] [`usersig`] |

pub mod account;
pub mod batch;
pub mod cli;
pub mod config;
pub mod error_code;
pub mod event;
pub mod outcome;
pub mod read;
pub mod region;
pub mod report;
pub mod rows;
pub mod run;
pub mod sandbox;
pub mod send;
pub mod usersig;
