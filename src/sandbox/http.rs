//! Serves the stand-in over HTTP/1.1; the only file that names the server library.

use super::judge::Request;
use super::stand_in::{Act, Answer, StandIn};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// No legal request comes near it: a hundred accounts with all their bytes escaped are about 640 KB.
const MOST_BODY: usize = 1024 * 1024;
/// The size of an answer that floods.
const FLOOD: usize = 64 * 1024 * 1024;

/// Takes connections until it is dropped, which ends them all.
pub(super) async fn serve(listener: TcpListener, stand_in: Arc<StandIn>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                connections.spawn(connection(socket, Arc::clone(&stand_in)));
            }
            // Too many open files, or a client that left again: others may still come.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// What a connection does in the place of a well-formed answer; it is the connection's last act.
#[derive(Debug)]
enum Instead {
    Reset,
    Write { announced: usize, bytes: Vec<u8>, pause: Duration },
    Flood,
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends otherwise than by an answer")
    }
}

impl Error for Instead {}

/// Serves one connection to its end.
async fn connection(socket: TcpStream, stand_in: Arc<StandIn>) {
    let reset_at_once = stand_in.connected();
    if reset_at_once {
        let _ = socket.set_zero_linger();
        return;
    }
    let _ = socket.set_nodelay(true);
    let service = service_fn(|request| Box::pin(handle(request, Arc::clone(&stand_in))));
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let ended = poll_fn(|cx| served.poll_without_shutdown(cx)).await;
    let mut socket = served.into_parts().io.into_inner();
    let instead = ended.as_ref().err().and_then(Error::source).and_then(<dyn Error>::downcast_ref::<Instead>);
    // A client that leaves in the middle is no concern of the server's.
    let _ = match instead {
        Some(Instead::Reset) => socket.set_zero_linger(),
        Some(Instead::Write { announced, bytes, pause }) => {
            write(&mut socket, *announced, bytes, *pause).await
        }
        Some(Instead::Flood) => flood(&mut socket).await,
        None => Ok(()),
    };
}

async fn handle(
    request: hyper::Request<Incoming>,
    stand_in: Arc<StandIn>,
) -> Result<Response<Full<Bytes>>, Instead> {
    let (head, body) = request.into_parts();
    if head.method == Method::GET && head.uri.path() == "/stats" {
        let body = serde_json::to_vec_pretty(&stand_in.stats()).unwrap_or_default();
        return Ok(response(Answer { status: 200, headers: Vec::new(), body }));
    }
    let arrival = stand_in.arrived();
    let body = Limited::new(body, MOST_BODY).collect().await.ok().map(http_body_util::Collected::to_bytes);
    let request = Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        body: body.as_deref(),
    };
    let reply = stand_in.reply(&arrival, &request);
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    let pause = Duration::ZERO;
    match reply.act {
        Act::Send(answer) => Ok(response(answer)),
        Act::SendLast(body) => {
            let headers = vec![("connection".to_owned(), "close".to_owned())];
            Ok(response(Answer { status: 200, headers, body }))
        }
        Act::Truncate(body) => {
            Err(Instead::Write { announced: body.len(), bytes: body[..body.len() / 2].to_vec(), pause })
        }
        Act::Drip(bytes) => {
            Err(Instead::Write { announced: bytes.len(), bytes, pause: Duration::from_secs(1) })
        }
        Act::Flood => Err(Instead::Flood),
        Act::Reset => Err(Instead::Reset),
        Act::Hang => std::future::pending().await,
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(answer.status);
    if !answer.headers.iter().any(|(name, _)| name == "content-type") {
        builder = builder.header("content-type", "application/json");
    }
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::from(answer.body)).expect("a fault has a legal status and legal headers")
}

/// Writes a head that announces so many bytes, then these bytes, one at a time if there is a pause.
async fn write(socket: &mut TcpStream, announced: usize, bytes: &[u8], pause: Duration) -> io::Result<()> {
    socket.write_all(head(announced).as_bytes()).await?;
    if pause.is_zero() {
        socket.write_all(bytes).await?;
    } else {
        for byte in bytes {
            tokio::time::sleep(pause).await;
            socket.write_all(&[*byte]).await?;
        }
    }
    socket.shutdown().await
}

/// Writes a body that begins as a good answer and does not end for 64 MiB.
async fn flood(socket: &mut TcpStream) -> io::Result<()> {
    let (opening, ending) = (r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""#, r#""}"#);
    socket.write_all((head(opening.len() + FLOOD + ending.len()) + opening).as_bytes()).await?;
    let block = vec![b'a'; 64 * 1024];
    for _ in 0..FLOOD / block.len() {
        socket.write_all(&block).await?;
    }
    socket.write_all(ending.as_bytes()).await?;
    socket.shutdown().await
}

fn head(content_length: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {content_length}\r\nconnection: close\r\n\r\n"
    )
}
