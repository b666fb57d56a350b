//! Stands in for the service: takes each request, judges it, lets it meet its fault, and says what is sent back.

use super::Options;
use super::accounts::{Accounts, Given, Kept};
use super::faults::{Fault, matches};
use super::judge::{self, Call, FACE_URL_TAG, Judged, NICK_TAG, Query, Refusal, Request};
use super::stats::{Arrival, Log, Stats};
use super::wrong_body::wrong_body;
use crate::error_code::{Code, Lang, explain};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What the server does with a request, after `delay`.
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) act: Act,
}

/// What the server does.
pub(super) enum Act {
    /// Sends this.
    Send(Answer),
    /// Sends this with HTTP 200, and then closes the connection.
    SendLast(Vec<u8>),
    /// Sends this with HTTP 200 a byte a second.
    Drip(Vec<u8>),
    /// Sends half of this with HTTP 200, and closes the connection.
    Truncate(Vec<u8>),
    /// Sends 64 MiB with HTTP 200.
    Flood,
    /// Resets the connection.
    Reset,
    /// Nothing, for as long as the client waits.
    Hang,
}

/// An answer of HTTP.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// The service of one app, for all its connections.
pub(super) struct StandIn {
    options: Options,
    started: Instant,
    seen: Mutex<Seen>,
}

struct Seen {
    log: Log,
    accounts: Accounts,
    /// How often each account that `fail` matches was sent.
    failed_times: HashMap<String, u32>,
    wrong_bodies: usize,
}

/// What a call comes to: its code, and the answer's own keys.
type Done = (i64, Value);

impl StandIn {
    pub(super) fn new(options: Options) -> Self {
        let seen = Seen {
            log: Log::new(),
            accounts: Accounts::new(options.remember),
            failed_times: HashMap::new(),
            wrong_bodies: 0,
        };
        Self { options, started: Instant::now(), seen: Mutex::new(seen) }
    }

    /// A connection is there; whether it is to be reset at once.
    pub(super) fn connected(&self) -> bool {
        let mut seen = self.seen();
        seen.log.connected();
        let since_first = seen.log.since_first(self.started.elapsed());
        since_first.and_then(|at| self.options.faults.outage(at)) == Some(&Fault::Reset)
    }

    /// A request's head is there.
    pub(super) fn arrived(&self) -> Arrival {
        let mut seen = self.seen();
        // Under the lock, so that arrivals are in the order of their instants.
        let now = self.started.elapsed();
        seen.log.arrived(now)
    }

    /// The request is there as a whole.
    pub(super) fn reply(&self, arrival: &Arrival, request: &Request<'_>) -> Reply {
        let now_unix = unix_now();
        let query = Query::parse(request.query);
        let judged = judge::judge(&self.options, request, &query, now_unix);
        let faults = &self.options.faults;
        let fault = faults.meet(arrival, judged.as_ref().ok(), now_unix, self.options.seed);
        {
            let log = &mut self.seen().log;
            log.called(judge::command(request.path).unwrap_or("other"), query.random());
            if let Err(refusal) = &judged {
                log.breached(refusal.breach, &refusal.info);
            }
            if faults.is_over(arrival) {
                log.breached("rate", &format!("{} requests in 950 ms", arrival.recent));
            }
        }
        let mut delay = faults.delay(arrival, self.options.seed);
        if let Fault::Slow(more) = fault {
            delay += more;
        }
        Reply { delay, act: self.act(arrival, fault, judged) }
    }

    /// What comes of the request under this fault.
    fn act(&self, arrival: &Arrival, fault: Fault, judged: Result<Judged, Refusal>) -> Act {
        if let Some(name) = fault.name() {
            self.seen().log.answered(name);
        }
        match fault {
            Fault::Code(code) => {
                Act::Send(ok(&failure(code, explain(Code::Service(code), Lang::En).meaning)))
            }
            Fault::Http(status) => Act::Send(page(status, Vec::new())),
            Fault::HttpWith(status, headers) => Act::Send(page(status, headers)),
            Fault::Redirect => {
                Act::Send(page(302, vec![("location".to_owned(), "/v4/elsewhere".to_owned())]))
            }
            Fault::Body(body) => Act::Send(Answer { status: 200, headers: Vec::new(), body }),
            Fault::WrongBody => {
                let mut seen = self.seen();
                seen.wrong_bodies += 1;
                let body = wrong_body(seen.wrong_bodies - 1);
                Act::Send(Answer { status: 200, headers: Vec::new(), body })
            }
            Fault::Reset => Act::Reset,
            Fault::Hang => Act::Hang,
            deserved => {
                let listed = if let Fault::FailAccounts(ids) = &deserved { ids.as_slice() } else { &[] };
                let (code, body) = match judged {
                    Ok(judged) => self.carry_out(arrival, &judged.call, listed),
                    Err(refusal) => (refusal.code, failure(refusal.code, &refusal.info)),
                };
                if deserved.name().is_none() {
                    self.seen().log.answered(code.to_string());
                }
                match deserved {
                    Fault::ResetApplied => Act::Reset,
                    Fault::Truncate => Act::Truncate(body.to_string().into_bytes()),
                    Fault::Drip => Act::Drip(body.to_string().into_bytes()),
                    Fault::Close => Act::SendLast(body.to_string().into_bytes()),
                    Fault::Garbage => Act::Send(page(200, Vec::new())),
                    Fault::Huge => Act::Flood,
                    _ => Act::Send(ok(&body)),
                }
            }
        }
    }

    /// Does what is asked, but for the accounts `listed`; the code and the answer.
    fn carry_out(&self, arrival: &Arrival, call: &Call, listed: &[String]) -> Done {
        match call {
            Call::ImportMany(accounts) => self.import_many(arrival, accounts, listed),
            Call::ImportOne(account) => self.import_one(account),
            Call::Check(user_ids) => self.check(user_ids),
            Call::Profiles { user_ids, nick, face_url } => self.profiles(user_ids, *nick, *face_url),
        }
    }

    fn import_many(&self, arrival: &Arrival, accounts: &[Given], listed: &[String]) -> Done {
        let mut seen = self.seen();
        if let Some(refused) = self.over_quota(&seen, accounts) {
            return refused;
        }
        let mut failed: Vec<&str> = listed.iter().map(String::as_str).collect();
        let spared: HashSet<&str> = failed.iter().copied().collect();
        for account in accounts.iter().filter(|account| !spared.contains(account.user_id.as_str())) {
            if self.fails(&mut seen, &account.user_id) {
                failed.push(&account.user_id);
            } else {
                seen.accounts.apply(account);
            }
        }
        let mut body = success();
        // Empty, null or absent where none failed, in turn: a client must take all three.
        match arrival.number % 3 {
            1 if failed.is_empty() => body["FailAccounts"] = Value::Null,
            2 if failed.is_empty() => {}
            _ => body["FailAccounts"] = json!(failed),
        }
        (0, body)
    }

    fn import_one(&self, account: &Given) -> Done {
        let mut seen = self.seen();
        if let Some(refused) = self.over_quota(&seen, std::slice::from_ref(account)) {
            return refused;
        }
        if self.fails(&mut seen, &account.user_id) {
            let code = self.options.faults.fail_reason;
            return (code, failure(code, explain(Code::Service(code), Lang::En).meaning));
        }
        seen.accounts.apply(account);
        (0, success())
    }

    fn check(&self, user_ids: &[String]) -> Done {
        let seen = self.seen();
        let item = |user_id: &String| {
            let status = if self.knows(&seen, user_id) { "Imported" } else { "NotImported" };
            json!({"UserID": user_id, "ResultCode": 0, "ResultInfo": "", "AccountStatus": status})
        };
        let mut body = success();
        body["ResultItem"] = user_ids.iter().map(item).collect();
        (0, body)
    }

    fn profiles(&self, user_ids: &[String], nick: bool, face_url: bool) -> Done {
        let seen = self.seen();
        let Some(kept) = seen.accounts.kept() else {
            return (60017, failure(60017, "this sandbox does not remember profiles"));
        };
        let item = |user_id: &String| match kept.get(user_id).filter(|_| self.knows(&seen, user_id)) {
            Some(kept) => {
                let changed = matches(self.options.faults.changed.as_ref(), user_id);
                json!({"To_Account": user_id, "ProfileItem": profile(kept, nick, face_url, changed),
                       "ResultCode": 0, "ResultInfo": ""})
            }
            None => json!({"To_Account": "@TLS#NOT_FOUND", "ResultCode": 40003,
                           "ResultInfo": explain(Code::Service(40003), Lang::En).meaning}),
        };
        let mut body = success();
        body["UserProfileItem"] = user_ids.iter().map(item).collect();
        (0, body)
    }

    fn over_quota(&self, seen: &Seen, accounts: &[Given]) -> Option<Done> {
        let quota = self.options.faults.quota?;
        let new = accounts.iter().filter(|account| !seen.accounts.holds(&account.user_id)).count() as u64;
        let over = new > 0 && seen.accounts.len() + new > quota;
        over.then(|| (70398, failure(70398, &format!("the sandbox's quota is {quota} accounts"))))
    }

    /// Whether `fail` has this account fail this time.
    fn fails(&self, seen: &mut Seen, user_id: &str) -> bool {
        let faults = &self.options.faults;
        if !matches(faults.fail.as_ref(), user_id) {
            return false;
        }
        let times = seen.failed_times.entry(user_id.to_owned()).or_default();
        *times = times.saturating_add(1);
        *times <= faults.fail_times
    }

    fn knows(&self, seen: &Seen, user_id: &str) -> bool {
        seen.accounts.holds(user_id) && !matches(self.options.faults.absent.as_ref(), user_id)
    }

    pub(super) fn stats(&self) -> Stats {
        let seen = self.seen();
        let stats = seen.log.stats();
        let script = self.options.faults.script.len();
        Stats {
            accounts: seen.accounts.len(),
            applied: seen.accounts.applied(),
            altered: seen.accounts.altered(),
            script_left: script.saturating_sub(usize::try_from(stats.requests).unwrap_or(usize::MAX)),
            ..stats
        }
    }

    /// Every account with its values; none where they are not remembered.
    pub(super) fn accounts(&self) -> BTreeMap<String, Kept> {
        self.seen().accounts.kept().cloned().unwrap_or_default()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The profile's values by their tags; what was never given is left out.
fn profile(kept: &Kept, nick: bool, face_url: bool, changed: bool) -> Vec<Value> {
    let nick_value = match &kept.nick {
        nick if changed => Some(format!("{}~", nick.as_deref().unwrap_or_default())),
        nick => nick.clone(),
    };
    [(NICK_TAG, nick, nick_value), (FACE_URL_TAG, face_url, kept.face_url.clone())]
        .into_iter()
        .filter(|(_, asked, _)| *asked)
        .filter_map(|(tag, _, value)| Some(json!({"Tag": tag, "Value": value?})))
        .collect()
}

fn success() -> Value {
    json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""})
}

fn failure(code: i64, info: &str) -> Value {
    json!({"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": info})
}

fn ok(body: &Value) -> Answer {
    Answer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// What a gateway says in the service's place.
fn page(status: u16, mut headers: Vec<(String, String)>) -> Answer {
    headers.push(("content-type".to_owned(), "text/html".to_owned()));
    let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    Answer { status, headers, body: body.into_bytes() }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
