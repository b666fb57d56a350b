//! The options of an import in their groups, and what their values may be.

use super::values::{
    Existing, Format, Lang, OnDuplicate, Progress, delimiter, duration, region, regions_in_words,
};
use clap::Args;
use clap::builder::BoolishValueParser;
use std::path::PathBuf;
use std::time::Duration;

/// Where to and for whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Service")]
pub struct Service {
    /// Region: cn, sgp, kr, jpn, ger, usa, idn, or sandbox
    #[arg(long, env = "IMIMPORT_REGION", value_name = "REGION", value_parser = region(),
          long_help = regions_in_words())]
    pub region: Option<String>,
    /// Address to send to, instead of a region's host
    #[arg(
        long,
        env = "IMIMPORT_ENDPOINT",
        value_name = "URL",
        long_help = "Address to send to instead of a region's host, such as https://host:443; \
                     http:// only to this machine"
    )]
    pub endpoint: Option<String>,
    /// Certificates to trust besides the system's
    #[arg(long, env = "IMIMPORT_CA_CERT", value_name = "PEM")]
    pub ca_cert: Option<PathBuf>,
    /// Longest wait for one answer
    #[arg(long, env = "IMIMPORT_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// SDKAppID of the app
    #[arg(long, env = "IMIMPORT_SDK_APP_ID", value_name = "N", help_heading = "Credentials",
          value_parser = clap::value_parser!(u64).range(1..),
          long_help = "SDKAppID of the app, as the console shows it")]
    pub sdk_app_id: Option<u64>,
    /// App administrator
    #[arg(
        long,
        env = "IMIMPORT_IDENTIFIER",
        value_name = "NAME",
        default_value = "administrator",
        help_heading = "Credentials",
        long_help = "Administrator of the app in whose name the requests are made"
    )]
    pub identifier: String,
    /// File that holds the app's SecretKey
    #[arg(
        long,
        env = "IMIMPORT_SECRET_KEY_FILE",
        value_name = "PATH",
        help_heading = "Credentials",
        long_help = "File that holds the app's SecretKey, instead of the variable IMIMPORT_SECRET_KEY; a \
                     final newline is ignored"
    )]
    pub secret_key_file: Option<PathBuf>,
}

/// What the input looks like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct Input {
    /// csv, tsv, jsonl or json [default: detected]
    #[arg(
        long,
        env = "IMIMPORT_FORMAT",
        value_name = "FORMAT",
        long_help = "Format of the input: csv, tsv, jsonl or json [default: by the file's name, else by its \
                     first character]"
    )]
    pub format: Option<Format>,
    /// Character between CSV fields [default: detected]
    #[arg(long, env = "IMIMPORT_DELIMITER", value_name = "C", value_parser = delimiter,
          long_help = "Character between CSV fields, such as ';' or '\\t' [default: the header tells]")]
    pub delimiter: Option<u8>,
    /// The first line is an account, not column names
    #[arg(long, env = "IMIMPORT_NO_HEADER", value_parser = BoolishValueParser::new(),
          long_help = "The first line is an account, not column names; the columns are UserID, Nick, FaceUrl, or \
                       what --map says by numbers from 1")]
    pub no_header: bool,
    /// Column of a field, such as UserID=uid; repeatable
    #[arg(
        long,
        env = "IMIMPORT_MAP",
        value_name = "FIELD=COLUMN",
        long_help = "Column, or JSON key, that holds UserID, Nick or FaceUrl, such as UserID=uid; repeatable (in \
                       the variable: with commas between)"
    )]
    pub map: Vec<String>,
    /// gb18030, big5, … [default: UTF-8, or by its BOM]
    #[arg(
        long,
        env = "IMIMPORT_ENCODING",
        value_name = "NAME",
        long_help = "Encoding of the text: gb18030, gbk, big5, shift_jis, … [default: UTF-8, or UTF-16 with a BOM]"
    )]
    pub encoding: Option<String>,
    /// Cut whitespace around every field
    #[arg(long, env = "IMIMPORT_TRIM", value_parser = BoolishValueParser::new())]
    pub trim: bool,
    /// Send nothing if any row is invalid
    #[arg(long, env = "IMIMPORT_STRICT", value_parser = BoolishValueParser::new())]
    pub strict: bool,
    /// Only the first N accounts, as a trial
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..),
          long_help = "Only the first N accounts of the plan: a trial, which --resume extends to the whole")]
    pub limit: Option<u64>,
}

/// Which of several accounts is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Duplicates")]
pub struct Duplicates {
    /// Row to use: last, first or error
    #[arg(
        long,
        env = "IMIMPORT_ON_DUPLICATE",
        value_name = "ROW",
        default_value = "last",
        long_help = "Which row is used where several have one UserID: the last, the first, or `error` to send nothing \
                     then"
    )]
    pub on_duplicate: OnDuplicate,
    /// If already there: update or skip
    #[arg(
        long,
        env = "IMIMPORT_EXISTING",
        value_name = "ACTION",
        default_value = "update",
        long_help = "What to do with accounts that the service has already: `update` their Nick and FaceUrl, \
                     or `skip` them"
    )]
    pub existing: Existing,
}

/// How fast.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub struct Pace {
    /// Requests a second at most [default: 100]
    #[arg(long, env = "IMIMPORT_RATE", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000),
          long_help = "Requests a second at most, retries included; for a region 100 is the most, for --endpoint \
                       any number will do [default: 100]")]
    pub rate: Option<u32>,
    /// Requests under way at once at most
    #[arg(long, env = "IMIMPORT_MAX_IN_FLIGHT", value_name = "N", default_value = "256",
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub max_in_flight: u32,
}

/// How patiently.
#[derive(Debug, Args)]
#[command(next_help_heading = "Retry")]
pub struct Retry {
    /// Tries after the first
    #[arg(long, env = "IMIMPORT_RETRIES", value_name = "N", default_value = "5",
          value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub retries: u32,
    /// Longest outage before the run stops
    #[arg(
        long,
        env = "IMIMPORT_MAX_OUTAGE",
        value_name = "TIME",
        default_value = "10m",
        value_parser = duration,
        long_help = "Longest time without an acknowledgement before the run stops, to be resumed"
    )]
    pub max_outage: Duration,
    /// Stop when more accounts fail than this
    #[arg(
        long,
        env = "IMIMPORT_MAX_FAILED",
        value_name = "N|P%",
        long_help = "Stop when more accounts fail than this: a count, or a share such as 1%"
    )]
    pub max_failed: Option<String>,
}

/// Where to go on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Resume")]
pub struct Resume {
    /// What is done [default: accounts.imimport-journal]
    #[arg(
        long,
        env = "IMIMPORT_JOURNAL",
        value_name = "PATH",
        long_help = "Where the run keeps what is done, until it completes [default: beside the first input: \
                     accounts.imimport-journal]"
    )]
    pub journal: Option<PathBuf>,
    /// Go on where an earlier run was stopped
    #[arg(long, conflicts_with = "restart")]
    pub resume: bool,
    /// Forget an earlier run and begin anew
    #[arg(long)]
    pub restart: bool,
}

/// What is asked afterwards.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checking")]
pub struct Checking {
    /// After the import, look every account up
    #[arg(long, env = "IMIMPORT_VERIFY", value_parser = BoolishValueParser::new(),
          long_help = "After the import, ask the service whether every account is there")]
    pub verify: bool,
    /// Compare Nick and FaceUrl, too
    #[arg(long, env = "IMIMPORT_PROFILES", value_parser = BoolishValueParser::new(),
          long_help = "A verify compares Nick and FaceUrl, too")]
    pub profiles: bool,
}

/// What is written where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Failed and invalid rows; `-` is stdout
    #[arg(
        long,
        env = "IMIMPORT_REPORT",
        value_name = "PATH",
        long_help = "Report of the failed and invalid rows, which can be imported itself; `-` is standard \
                     output [default: beside the first input: accounts.failed.csv]"
    )]
    pub report: Option<PathBuf>,
    /// Summary as JSON; `-` is stdout
    #[arg(
        long,
        env = "IMIMPORT_SUMMARY",
        value_name = "PATH",
        long_help = "Summary as JSON; `-` is standard output"
    )]
    pub summary: Option<PathBuf>,
    /// A JSON line for each request
    #[arg(
        long,
        env = "IMIMPORT_LOG",
        value_name = "PATH",
        long_help = "Log with a JSON line for each request"
    )]
    pub log: Option<PathBuf>,
    /// Read, check and count; send nothing
    #[arg(long, env = "IMIMPORT_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub dry_run: bool,
    /// Print errors only
    #[arg(short, long, env = "IMIMPORT_QUIET", overrides_with = "quiet", value_parser = BoolishValueParser::new())]
    pub quiet: bool,
    /// Print every conflict and every retry
    #[arg(short, long, env = "IMIMPORT_VERBOSE", overrides_with = "verbose", value_parser = BoolishValueParser::new(),
          long_help = "Print more: every conflict, every request that was not simply acknowledged")]
    pub verbose: bool,
    /// When to show progress
    #[arg(
        long,
        env = "IMIMPORT_PROGRESS",
        value_name = "auto|always|never",
        default_value = "auto",
        long_help = "When to show progress: a bar on a terminal, else a line every ten seconds"
    )]
    pub progress: Progress,
    /// Language of error codes [default: locale]
    #[arg(
        long,
        env = "IMIMPORT_LANG",
        value_name = "en|zh",
        long_help = "Language that error codes are explained in [default: by LC_ALL, LC_MESSAGES or LANG]"
    )]
    pub lang: Option<Lang>,
}

/// Which part is this process's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scale")]
pub struct Scale {
    /// Take the K-th of N parts, K counted from 0
    #[arg(
        long,
        env = "IMIMPORT_SHARD",
        value_name = "K/N",
        long_help = "Take the K-th of N parts of the accounts, by UserID, K counted from 0, at the N-th part \
                     of the rate"
    )]
    pub shard: Option<String>,
}
