//! What a person reads before anything is sent.

use super::inputs::Inputs;
use crate::config::{Config, Destination, Profiles, Service, Task};
use crate::error_code::Lang;
use crate::read::Plan;
use crate::report::{Console, counted, duration, escape};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What reading has found that a person should know.
pub(super) fn tell_plan(plan: &Plan, console: &mut Console) {
    if let Some(unused) = plan.unused() {
        console.note(&format!("{unused} (--map FIELD=COLUMN says which is which)"));
    }
    if plan.odd_ids() > 0 {
        let ids = counted(plan.odd_ids(), "UserID has", "UserIDs have");
        let mut first = plan.first_odd().to_vec();
        if first.len() as u64 != plan.odd_ids() {
            first.push("…".to_owned());
        }
        console.warn(&format!(
            "{ids} characters outside A-Z a-z 0-9 _ and -; the service may take them, so they are sent as they are: {}",
            first.join(", ")
        ));
    }
    if plan.conflicts() > 0 && plan.repeated().is_none() {
        let duplicates = counted(plan.conflicts(), "duplicate has", "duplicates have");
        let mut text = format!(
            "{duplicates} another Nick or FaceUrl than the row that is used; --on-duplicate says which is:"
        );
        for conflict in plan.conflict_notes() {
            let [kept, dropped] = [conflict.kept, conflict.dropped].map(|place| plan.describe(place));
            let user_id = escape(&conflict.user_id);
            let _infallible = write!(text, "\n  {user_id}: {kept} is used, {dropped} is not");
        }
        if plan.conflict_notes().len() as u64 != plan.conflicts() {
            text.push_str("\n  … (all of them with -v)");
        }
        console.warn(&text);
    }
}

/// Why this plan is not sent at all, if it is not.
pub(super) fn unsendable(config: &Config, plan: &Plan) -> Option<String> {
    if let Some(repeated) = plan.repeated() {
        return Some(repeated.to_owned());
    }
    // What one part lacks, the others may have.
    if plan.accounts() == 0 && config.shard.is_none() {
        return Some(format!(
            "nothing to send, no row is valid: {}; the report has them all",
            example(config, plan)
        ));
    }
    if config.strict && plan.invalid() > 0 {
        let invalid = counted(plan.invalid(), "row is", "rows are");
        return Some(format!(
            "{invalid} invalid, and --strict sends nothing then: {}; mend what the report has in the input and run this again, \
             or leave --strict out",
            example(config, plan)
        ));
    }
    None
}

/// The first invalid row, and why it is.
fn example(config: &Config, plan: &Plan) -> String {
    let Some(row) = plan.first_invalid().first() else { return String::new() };
    let file = match config.files.as_slice() {
        [] => "stdin ".to_owned(),
        [file] => format!("{} ", file.display()),
        // With several the place names its file.
        _ => String::new(),
    };
    format!("{file}{}: {}", plan.describe(row.place), row.info)
}

/// What was read is what is sent, but who goes on writing to a file may think that the rest is sent, too.
pub(super) fn tell_changed(inputs: &Inputs, console: &mut Console) {
    for file in inputs.changed() {
        console.warn(&format!(
            "{} has changed since it was read: this run is about what it held then",
            escape(file)
        ));
    }
}

/// The pipe of an earlier process is read from its copy. What comes through one now must be the same.
pub(super) fn from_the_copy(spool: &Path, pipe: Option<&OsStr>) -> String {
    let compared = pipe.map(|pipe| format!(", once it is compared with {}", pipe.display()));
    format!("what came through the pipe is read from {}{}", spool.display(), compared.unwrap_or_default())
}

/// The line of what will happen.
pub(super) fn announcement(config: &Config, service: &Service, accounts: u64) -> String {
    if accounts == 0 {
        return "there is no account to send".to_owned();
    }
    let rate = u64::from(config.rate);
    let batches = accounts.div_ceil(crate::batch::MOST as u64);
    let seconds = (batches * calls(config.task)).saturating_sub(1).div_ceil(rate);
    let about = duration(Duration::from_secs(seconds.max(1)), Lang::En);
    let target = &service.target;
    let place = match &service.destination {
        Destination::Sandbox => format!("the embedded sandbox ({})", target.endpoint),
        Destination::Host { region: Some(region), endpoint } => format!("{endpoint} ({region})"),
        Destination::Host { region: None, endpoint } => endpoint.clone(),
    };
    let share = match &service.destination {
        Destination::Host { region: Some(_), .. } if config.rate == 100 => {
            "; at 100/s nothing of the app's limit is left for others (--rate 80 leaves a fifth, and stays below the \
             vendor's alarm)"
        }
        _ => "",
    };
    let (one, many, existing) = match config.task {
        Task::Verify(_) => ("account is looked up at", "accounts are looked up at", ""),
        Task::Import { skip_existing: true, .. } => {
            ("account goes to", "accounts go to", "; existing accounts are left as they are")
        }
        Task::Import { .. } => (
            "account goes to",
            "accounts go to",
            "; existing accounts will be overwritten (--existing skip leaves them)",
        ),
    };
    let (accounts, app) = (counted(accounts, one, many), target.sdk_app_id);
    format!("{accounts} {place}, app {app}, at {rate} requests/s in about {about}{existing}{share}")
}

/// Requests that a batch takes, if none of its accounts is there already.
fn calls(task: Task) -> u64 {
    let asked = |profiles| if profiles == Profiles::Compare { 2 } else { 1 };
    match task {
        Task::Import { skip_existing, verify } => 1 + u64::from(skip_existing) + verify.map_or(0, asked),
        Task::Verify(profiles) => asked(profiles),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(args: &[&str], accounts: u64) -> String {
        let line = ["imimport", "a.csv", "--sdk-app-id", "1400000000"].iter().chain(args);
        let (cli, given) = crate::cli::parse(line.map(Into::into)).unwrap();
        let key = |name: &str| (name == "IMIMPORT_SECRET_KEY").then(|| "k".to_owned());
        let config = Config::new(cli.import, &given, &key).unwrap();
        let service = config.service.clone().unwrap();
        announcement(&config, &service, accounts)
    }

    #[test]
    fn before_anything_is_sent_one_line_says_what_will_happen() {
        assert_eq!(
            said(&["--region", "sgp"], 1_234_567),
            "1,234,567 accounts go to https://adminapisgp.im.qcloud.com (sgp), app 1400000000, at 100 requests/s in \
             about 2m 4s; existing accounts will be overwritten (--existing skip leaves them); at 100/s nothing of \
             the app's limit is left for others (--rate 80 leaves a fifth, and stays below the vendor's alarm)"
        );
    }

    #[test]
    fn nothing_is_said_that_does_not_hold() {
        let polite = said(&["--region", "cn", "--rate", "80", "--existing", "skip"], 1);
        assert!(polite.starts_with("1 account goes to https://console.tim.qq.com (cn)"), "{polite}");
        assert!(polite.ends_with("existing accounts are left as they are"), "{polite}");
        let asking = ["--region", "cn", "--existing", "skip", "--verify", "--profiles"];
        let asked = said(&asking, 1_000_000);
        assert!(asked.contains("in about 6m 40s"), "{asked}");
        let elsewhere = said(&["--endpoint", "https://example.com"], 2);
        assert!(!elsewhere.contains("limit is left"), "{elsewhere}");
        let a_part = said(&["--region", "sgp", "--shard", "1/4"], 2);
        assert!(a_part.contains("at 25 requests/s") && !a_part.contains("at 100/s"), "{a_part}");
    }
}
