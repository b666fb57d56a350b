//! The sandbox as a client sees it, over real sockets.

use super::*;
use crate::usersig::sign;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MANY: &str = "im_open_login_svc/multiaccount_import";
const ONE: &str = "im_open_login_svc/account_import";
const CHECK: &str = "im_open_login_svc/account_check";
const PROFILES: &str = "profile/portrait_get";

fn sandbox(faults: Faults) -> Sandbox {
    Sandbox::start(Options { faults, remember: true, ..Options::default() }).unwrap()
}

fn with(texts: &[&str]) -> Sandbox {
    sandbox(Faults::parse(texts).unwrap())
}

fn scripted(script: &[Fault]) -> Sandbox {
    sandbox(Faults { script: script.to_vec(), ..Faults::default() })
}

/// A request that is right in all but, perhaps, its body; signed `age_s` seconds ago.
fn request(command: &str, body: &str, age_s: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let usersig = sign(&Secret::new(SECRET_KEY.to_owned()), SDK_APP_ID, IDENTIFIER, now - age_s, 3600);
    format!(
        "POST /v4/{command}?sdkappid={SDK_APP_ID}&identifier={IDENTIFIER}&usersig={}&random=1&contenttype=json \
         HTTP/1.1\r\nhost: sandbox\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        usersig.expose(),
        body.len()
    )
}

/// What the server sends until it closes the connection.
async fn exchange(sandbox: &Sandbox, request: &str) -> io::Result<String> {
    let mut socket = TcpStream::connect(sandbox.address()).await?;
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The body of the answer to a right request.
async fn call(sandbox: &Sandbox, command: &str, body: &Value) -> Value {
    let answer = exchange(sandbox, &request(command, &body.to_string(), 0)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn accounts(user_ids: &[&str]) -> Value {
    let list: Value = user_ids.iter().map(|user_id| json!({"UserID": user_id, "Nick": "n"})).collect();
    json!({"AccountList": list})
}

async fn import(sandbox: &Sandbox, user_ids: &[&str]) -> Value {
    call(sandbox, MANY, &accounts(user_ids)).await
}

/// What comes back for an import of `a`, as it stands on the wire.
async fn raw_import(sandbox: &Sandbox) -> io::Result<String> {
    exchange(sandbox, &request(MANY, &accounts(&["a"]).to_string(), 0)).await
}

#[tokio::test]
async fn a_good_import_is_ok_and_applied() {
    let sandbox = with(&[]);
    let body =
        json!({"AccountList": [{"UserID": "a", "Nick": "安", "FaceUrl": "http://f"}, {"UserID": "b"}]});
    assert_eq!(call(&sandbox, MANY, &body).await["ErrorCode"], 0);
    assert_eq!(call(&sandbox, ONE, &json!({"UserID": "b", "Nick": "B"})).await["ActionStatus"], "OK");
    let held = sandbox.accounts();
    let kept = |nick: &str, face_url: Option<&str>, times| Kept {
        nick: Some(nick.to_owned()),
        face_url: face_url.map(str::to_owned),
        times,
    };
    assert_eq!(held["a"], kept("安", Some("http://f"), 1));
    assert_eq!(held["b"], kept("B", None, 2));
    let stats = sandbox.stats();
    assert_eq!((stats.requests, stats.accounts, stats.applied, stats.altered), (2, 2, 3, 1));
    assert!(stats.breaches.is_empty(), "{stats:?}");
}

#[tokio::test]
async fn a_fault_of_the_client_is_refused_and_counted() {
    let sandbox = with(&[]);
    let answer = import(&sandbox, &["a", "a"]).await;
    assert_eq!((&answer["ActionStatus"], &answer["ErrorCode"]), (&json!("FAIL"), &json!(70402)));
    let lost = exchange(&sandbox, "GET /v4/elsewhere HTTP/1.1\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(lost.contains("60009"), "{lost}");
    let stats = sandbox.stats();
    assert_eq!(stats.breaches["twice"].example, "\"a\" is twice in a request");
    assert_eq!((stats.breaches["path"].count, stats.commands["other"]), (1, 1));
    assert_eq!((stats.answers["70402"], stats.answers["60009"], stats.accounts), (1, 1, 0));
}

#[tokio::test]
async fn checks_and_profiles_tell_what_is_held() {
    let sandbox = with(&["absent=^gone", "changed=^odd"]);
    import(&sandbox, &["a", "gone", "odd"]).await;
    let items = json!([{"UserID": "a"}, {"UserID": "gone"}, {"UserID": "never"}]);
    let checked = call(&sandbox, CHECK, &json!({"CheckItem": items})).await;
    let status = |n: usize| checked["ResultItem"][n]["AccountStatus"].as_str().unwrap();
    assert_eq!((status(0), status(1), status(2)), ("Imported", "NotImported", "NotImported"));

    let tags = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Image"];
    let body = json!({"To_Account": ["a", "odd", "gone"], "TagList": tags});
    let profiles = call(&sandbox, PROFILES, &body).await;
    let item = |n: usize| &profiles["UserProfileItem"][n];
    assert_eq!(item(0)["ProfileItem"], json!([{"Tag": "Tag_Profile_IM_Nick", "Value": "n"}]));
    assert_eq!(item(1)["ProfileItem"][0]["Value"], "n~");
    assert_eq!((&item(2)["To_Account"], &item(2)["ResultCode"]), (&json!("@TLS#NOT_FOUND"), &json!(40003)));
}

#[tokio::test]
async fn a_sandbox_that_does_not_remember_says_so() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    import(&sandbox, &["a"]).await;
    let body = json!({"To_Account": ["a"], "TagList": ["Tag_Profile_IM_Nick"]});
    assert_eq!(call(&sandbox, PROFILES, &body).await["ErrorCode"], 60017);
    assert_eq!((sandbox.accounts().len(), sandbox.stats().accounts), (0, 1));
}

#[tokio::test]
async fn faults_that_apply_nothing_apply_nothing() {
    let headers = vec![("retry-after".to_owned(), "7".to_owned())];
    let script = [
        Fault::Code(70500),
        Fault::Http(502),
        Fault::HttpWith(429, headers),
        Fault::Redirect,
        Fault::Body(b"{\"a\":1}".to_vec()),
        Fault::WrongBody,
        Fault::WrongBody,
    ];
    let sandbox = scripted(&script);
    for expected in [
        &["HTTP/1.1 200", "\"ErrorCode\":70500", "\"FAIL\""][..],
        &["HTTP/1.1 502", "<html>"],
        &["HTTP/1.1 429", "retry-after: 7\r\n"],
        &["HTTP/1.1 302", "location: /v4/elsewhere\r\n"],
        &["HTTP/1.1 200", "\r\n\r\n{\"a\":1}"],
        &["HTTP/1.1 200", "content-length: 0\r\n"],
        &["HTTP/1.1 200", "\r\n\r\n{}"],
    ] {
        let answer = raw_import(&sandbox).await.unwrap();
        for part in expected {
            assert!(answer.contains(part), "{part} is not in {answer}");
        }
    }
    let stats = sandbox.stats();
    assert_eq!((stats.accounts, stats.script_left, stats.answers["http_429"]), (0, 0, 1));
    assert_eq!(import(&sandbox, &["a"]).await["ErrorCode"], 0, "after the script it goes on as normal");
}

#[tokio::test]
async fn a_reset_is_a_reset_and_may_have_been_applied() {
    let sandbox = scripted(&[Fault::Reset, Fault::ResetApplied, Fault::Pass]);
    for applied in [0, 1] {
        let error = raw_import(&sandbox).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(sandbox.stats().applied, applied);
    }
    assert_eq!(sandbox.stats().script_left, 1);
}

#[tokio::test]
async fn answers_that_are_spoiled_come_after_applying() {
    let sandbox = scripted(&[Fault::Truncate, Fault::Garbage, Fault::Close]);
    let cut = raw_import(&sandbox).await.unwrap();
    let (head, body) = cut.split_once("\r\n\r\n").unwrap();
    let announced: usize =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert_eq!(body.len(), announced / 2);
    assert!(raw_import(&sandbox).await.unwrap().ends_with("</html>\n"));
    assert!(raw_import(&sandbox).await.unwrap().contains("connection: close\r\n"));
    assert_eq!(sandbox.stats().applied, 3);
}

#[tokio::test]
async fn a_flood_goes_on_past_any_reasonable_answer() {
    let sandbox = with(&["huge=100%"]);
    let mut socket = TcpStream::connect(sandbox.address()).await.unwrap();
    let request = request(MANY, &accounts(&["a"]).to_string(), 0);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut opening = vec![0; 2 * 1024 * 1024];
    socket.read_exact(&mut opening).await.unwrap();
    assert!(String::from_utf8_lossy(&opening[..300]).contains("{\"ActionStatus\":\"OK\",\"ErrorCode\":0"));
}

#[tokio::test]
async fn a_dripping_answer_is_not_whole_when_its_first_byte_comes() {
    let sandbox = scripted(&[Fault::Drip]);
    let mut socket = TcpStream::connect(sandbox.address()).await.unwrap();
    let request = request(MANY, &accounts(&["a"]).to_string(), 0);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    assert_eq!(socket.read_u8().await.unwrap(), b'{');
    assert_eq!(sandbox.stats().applied, 1);
}

#[tokio::test]
async fn no_answer_comes_from_a_hang_or_for_a_muted_account() {
    let sandbox = sandbox(Faults { script: vec![Fault::Hang], ..Faults::parse(["mute=^a$"]).unwrap() });
    for _ in 0..2 {
        let waited = tokio::time::timeout(Duration::from_millis(100), raw_import(&sandbox)).await;
        assert!(waited.is_err());
    }
    assert_eq!(import(&sandbox, &["b"]).await["ErrorCode"], 0);
    assert_eq!(sandbox.stats().accounts, 1);
}

#[tokio::test]
async fn an_answer_comes_no_sooner_than_its_latency() {
    let sandbox = sandbox(Faults {
        script: vec![Fault::Slow(Duration::from_millis(60))],
        ..Faults::parse(["latency=40ms..50ms"]).unwrap()
    });
    for least in [100, 40] {
        let asked = std::time::Instant::now();
        raw_import(&sandbox).await.unwrap();
        assert!(asked.elapsed() >= Duration::from_millis(least));
    }
}

#[tokio::test]
async fn failing_accounts_are_listed_and_tell_their_reason_alone() {
    let sandbox = with(&["fail=^bad", "fail-times=2", "fail-reason=80001"]);
    assert_eq!(import(&sandbox, &["a", "bad1", "b"]).await["FailAccounts"], json!(["bad1"]));
    assert_eq!(call(&sandbox, ONE, &json!({"UserID": "bad1"})).await["ErrorCode"], 80001);
    assert_eq!(call(&sandbox, ONE, &json!({"UserID": "bad1"})).await["ErrorCode"], 0);
    assert_eq!(sandbox.accounts().into_keys().collect::<Vec<_>>(), ["a", "b", "bad1"]);
}

#[tokio::test]
async fn scripted_fail_accounts_are_listed_whoever_they_are() {
    let sandbox = scripted(&[Fault::FailAccounts(vec!["b".to_owned(), "stranger".to_owned()])]);
    assert_eq!(import(&sandbox, &["a", "b"]).await["FailAccounts"], json!(["b", "stranger"]));
    assert_eq!(sandbox.accounts().into_keys().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn a_poisoned_account_has_its_whole_batch_refused() {
    let sandbox = with(&["poison=x", "poison-code=80004"]);
    assert_eq!(import(&sandbox, &["a", "x"]).await["ErrorCode"], 80004);
    assert_eq!(import(&sandbox, &["a"]).await["ErrorCode"], 0);
    assert_eq!(sandbox.stats().accounts, 1);
}

#[tokio::test]
async fn a_quota_refuses_what_would_go_over_it_and_lets_updates_pass() {
    let sandbox = with(&["quota=2"]);
    import(&sandbox, &["a"]).await;
    assert_eq!(import(&sandbox, &["b", "c"]).await["ErrorCode"], 70398);
    assert_eq!(import(&sandbox, &["a", "b"]).await["ErrorCode"], 0);
    assert_eq!(call(&sandbox, ONE, &json!({"UserID": "c"})).await["ErrorCode"], 70398);
    assert_eq!(import(&sandbox, &["a", "b"]).await["ErrorCode"], 0);
}

#[tokio::test]
async fn an_old_signature_expires_before_its_time() {
    let sandbox = with(&["sig-ttl=600"]);
    let body = accounts(&["a"]).to_string();
    let old = exchange(&sandbox, &request(MANY, &body, 601)).await.unwrap();
    assert!(old.contains("\"ErrorCode\":70001"), "{old}");
    assert!(exchange(&sandbox, &request(MANY, &body, 0)).await.unwrap().contains("\"ErrorCode\":0"));
}

#[tokio::test]
async fn over_the_limit_a_request_gets_the_limits_code() {
    assert_eq!(import(&with(&["limit=0"]), &["a"]).await["ErrorCode"], 60007);
    let sandbox = with(&["limit=0", "limit-code=429", "retry-after=3"]);
    let answer = raw_import(&sandbox).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 3\r\n"), "{answer}");
    assert_eq!(sandbox.stats().breaches["rate"].count, 1);
}

#[tokio::test]
async fn an_outage_resets_the_request_and_then_every_new_connection() {
    let sandbox = with(&["outage=0s..1h"]);
    for _ in 0..2 {
        let error = raw_import(&sandbox).await.unwrap_err();
        assert!(
            matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe),
            "{error}"
        );
    }
    let stats = sandbox.stats();
    assert_eq!((stats.connections, stats.requests, stats.accounts), (2, 1, 0));
}

#[tokio::test]
async fn a_connection_carries_many_requests_and_the_server_outlives_nonsense() {
    let sandbox = with(&["limit=none"]);
    let _ = exchange(&sandbox, "this is no HTTP\r\n\r\n").await;
    let mut socket = TcpStream::connect(sandbox.address()).await.unwrap();
    let request = request(MANY, &accounts(&["a"]).to_string(), 0).replace("connection: close\r\n", "");
    for _ in 0..50 {
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            answer.push(socket.read_u8().await.unwrap());
        }
    }
    let stats = sandbox.stats();
    assert_eq!((stats.connections, stats.requests, stats.answers["0"]), (2, 50, 50));
    assert_eq!(sandbox.accounts()["a"].times, 50);
}

#[tokio::test]
async fn stats_are_served_and_are_no_request() {
    let sandbox = with(&[]);
    import(&sandbox, &["a", "b"]).await;
    let answer = exchange(&sandbox, "GET /stats HTTP/1.1\r\nconnection: close\r\n\r\n").await.unwrap();
    let stats: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&stats["requests"], &stats["accounts"]), (&json!(1), &json!(2)));
    assert_eq!(stats["commands"], json!({"multiaccount_import": 1}));
    assert_eq!((&stats["busiest_950ms"], &stats["distinct_randoms"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn stopping_ends_connections_and_frees_the_port() {
    let sandbox = with(&[]);
    let address = sandbox.address();
    let mut open = TcpStream::connect(address).await.unwrap();
    import(&sandbox, &["a"]).await;
    sandbox.stop().await;
    assert_eq!(open.read(&mut [0; 8]).await.unwrap_or(0), 0);
    Sandbox::start(Options { listen: address, ..Options::default() }).unwrap();
}
