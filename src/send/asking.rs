//! What the answers to `account_check` and `portrait_get` do: skip, import, or tell what is amiss.

use super::Task;
use super::backoff;
use super::engine::Engine;
use super::job::{Job, Work, finding, refusal};
use super::judge::{Answer, Known};
use super::split::{Search, Tried};
use crate::account::Account;
use crate::error_code::{Code, sentence};
use crate::event::{Event, Kept, Settled};
use crate::outcome::{Outcome, Refusal};
use std::collections::HashMap;
use std::time::Instant;
use tokio::sync::oneshot;

impl Engine {
    /// The service said which accounts of the request are there.
    pub(super) async fn checked(&mut self, mut job: Job, answer: &Answer, now: Instant) {
        let known = by_id(answer);
        let (mut present, mut absent, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for tried in job.accepted() {
            match known.get(&*tried.account.user_id).map(|known| (known.code, known.imported)) {
                Some((0, Some(true))) => present.push(tried),
                Some((0, Some(false))) => absent.push(tried),
                other => unknown.push((tried, other.map_or(0, |(code, _)| code))),
            }
        }
        self.ask_again(&mut job, unknown, Work::Check, now);
        let is_first = job.first;
        let mut leads_on = false;
        if let Task::Verify { profiles } = self.options.task {
            self.tell_missing(absent).await;
            if profiles && !present.is_empty() {
                let compare = self.job(Work::Compare(Search::new(present)));
                self.queue.push(now, compare);
            } else {
                self.tell_present(&present).await;
            }
        } else {
            self.settled += present.len() as u64;
            let skipped = present.iter().map(|tried| tried.account.place.row).collect();
            self.settle(Settled { skipped, ..Settled::default() }).await;
            if !absent.is_empty() {
                leads_on = is_first;
                self.keep_absent(absent, is_first).await;
            }
        }
        let was_open = self.opened;
        self.advance(job, now).await;
        // The first import of a run goes alone, whatever was asked before it.
        self.opened = was_open || (self.opened && !leads_on);
    }

    /// These accounts are imported next, but not before it is on the disk that they were absent: after a
    /// crash they would look as if they had always been there.
    async fn keep_absent(&mut self, absent: Vec<Tried>, first: bool) {
        let rows = absent.iter().map(|tried| tried.account.place.row).collect();
        let absent = absent.into_iter().map(|tried| Tried { listed: 0, ..tried }).collect();
        let mut job = self.job(Work::Import(Search::new(absent)));
        job.first = first;
        let (say, said) = oneshot::channel();
        self.keeping.spawn(async move { said.await.ok().map(|()| job) });
        let kept = Kept::new(move || {
            // Nobody waits any more: the run has stopped.
            let _heard = say.send(());
        });
        self.tell(Event::Absent { rows, kept }).await;
    }

    /// The service told the profiles of the request's accounts.
    pub(super) async fn compared(&mut self, mut job: Job, answer: &Answer, now: Instant) {
        let known = by_id(answer);
        let (mut equal, mut missing, mut different) = (Vec::new(), Vec::new(), Vec::new());
        for tried in job.accepted() {
            match known.get(&*tried.account.user_id) {
                None => missing.push(tried),
                Some(Known { code: 0, nick, face_url, .. }) => {
                    match differences(&tried.account, nick, face_url) {
                        None => equal.push(tried),
                        Some(info) => different.push(finding(tried, Outcome::Different, info)),
                    }
                }
                Some(Known { code, .. }) => {
                    let code = Code::Service(*code);
                    let info = sentence(code, self.lang());
                    different.push(refusal(tried, code, info));
                }
            }
        }
        if missing.len() == answer.not_found {
            self.tell_missing(missing).await;
        } else {
            // The answer left some out, and does not say which of them it does not know.
            let unknown = missing.into_iter().map(|tried| (tried, 0)).collect();
            self.ask_again(&mut job, unknown, Work::Compare, now);
        }
        self.tell_present(&equal).await;
        self.tell_findings(different).await;
        self.advance(job, now).await;
    }

    /// Accounts that the answer says nothing of are asked for again, `retries` times.
    fn ask_again(
        &mut self,
        job: &mut Job,
        unknown: Vec<(Tried, i64)>,
        work: fn(Search) -> Work,
        now: Instant,
    ) {
        let mut again = Vec::new();
        for (mut tried, code) in unknown {
            tried.listed += 1;
            if tried.listed <= self.options.retries {
                again.push(tried);
                continue;
            }
            let (code, info) = match code {
                0 => (Code::BadBody, "the answers did not say whether it is there".to_owned()),
                code => (Code::Service(code), sentence(Code::Service(code), self.lang())),
            };
            job.failed.push(refusal(tried, code, info));
        }
        if let Some(listed) = again.first().map(|tried| tried.listed) {
            let again = self.job(work(Search::new(again)));
            self.queue.push(now + backoff::wait(listed, &mut self.rng), again);
        }
    }

    async fn tell_present(&mut self, present: &[Tried]) {
        self.settled += present.len() as u64;
        let imported = present.iter().map(|tried| tried.account.place.row).collect();
        self.settle(Settled { imported, ..Settled::default() }).await;
    }

    async fn tell_missing(&mut self, missing: Vec<Tried>) {
        let tell = |tried| finding(tried, Outcome::Missing, "the service does not know it".to_owned());
        self.tell_findings(missing.into_iter().map(tell).collect()).await;
    }

    async fn tell_findings(&mut self, failed: Vec<Refusal>) {
        self.settled += failed.len() as u64;
        self.settle(Settled { failed, ..Settled::default() }).await;
    }
}

fn by_id(answer: &Answer) -> HashMap<&str, &Known> {
    answer.known.iter().map(|known| (known.user_id.as_str(), known)).collect()
}

/// What the service holds otherwise than the input gives it; what is not given is not compared.
fn differences(account: &Account, nick: &str, face_url: &str) -> Option<String> {
    let differs = |name: &str, given: Option<&str>, held: &str| {
        given.filter(|&given| given != held).map(|_| match held {
            "" => format!("the service holds no {name}"),
            held => format!("the service holds the {name} {held}"),
        })
    };
    let differences = [
        differs("Nick", account.nick.as_deref(), nick),
        differs("FaceUrl", account.face_url.as_deref(), face_url),
    ];
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Place;

    #[test]
    fn only_what_is_given_is_compared() {
        let place = Place { row: 0, input: 0, line: 2 };
        let account = Account { place, user_id: "a".into(), nick: Some("Ann".into()), face_url: None };
        assert_eq!(differences(&account, "Ann", "https://x"), None);
        assert_eq!(differences(&account, "Bob", "").as_deref(), Some("the service holds the Nick Bob"));
        assert_eq!(differences(&account, "", "").as_deref(), Some("the service holds no Nick"));
    }
}
