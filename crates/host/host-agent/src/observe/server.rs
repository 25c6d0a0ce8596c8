//! `GET /metrics`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::Metrics;

/// Connections at once; more wait.
const CONNECTIONS: usize = 8;
/// For a request's head, and for a whole connection.
const HEAD_TIME: Duration = Duration::from_secs(5);
const CONNECTION_TIME: Duration = Duration::from_secs(30);

/// Answers until the returned task is aborted; gives the address it listens on.
pub async fn serve(
    address: SocketAddr,
    run: String,
    metrics: Arc<Metrics>,
) -> std::io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
    if !address.ip().is_loopback() {
        tracing::warn!("metrics can be read by anyone who reaches {address}");
    }
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let task = tokio::spawn(async move {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("metrics: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            let (run, metrics) = (run.clone(), Arc::clone(&metrics));
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let answer = answer(&request, &run, &metrics);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIME)
                    .max_buf_size(16 << 10)
                    .serve_connection(TokioIo::new(stream), service);
                // A peer that breaks off, or never ends, is not our trouble.
                drop(tokio::time::timeout(CONNECTION_TIME, connection).await);
                drop(place);
            });
        }
    });
    Ok((bound, task))
}

fn answer(request: &Request<Incoming>, run: &str, metrics: &Metrics) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, metrics.text(run)),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        _ => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; version=0.0.4"),
    );
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may answer and go before all of it is sent.
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        let mut buf = [0; 4096];
        while let Ok(got) = stream.read(&mut buf).await
            && got > 0
        {
            answer.extend_from_slice(&buf[..got]);
        }
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn metrics_are_read_over_http_and_nothing_else_is() {
        let metrics = Arc::new(Metrics::default());
        Metrics::add(&metrics.heartbeats, 4);
        let (address, task) = serve("127.0.0.1:0".parse().unwrap(), "run-1".into(), metrics)
            .await
            .unwrap();
        let get =
            |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = ask(address, &get("/metrics")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/plain; version=0.0.4\r\n"));
        assert!(answer.contains("\nceremony_host_heartbeats_total{run=\"run-1\"} 4\n"));
        assert!(ask(address, &get("/")).await.starts_with("HTTP/1.1 404"));
        assert!(
            ask(address, &get("/metrics/../x"))
                .await
                .starts_with("HTTP/1.1 404")
        );
        let post =
            "POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert!(ask(address, post).await.starts_with("HTTP/1.1 405"));
        assert!(
            ask(address, "nonsense\r\n\r\n")
                .await
                .starts_with("HTTP/1.1 400")
        );
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(64 << 10));
        assert!(ask(address, &long).await.starts_with("HTTP/1.1 4"));
        task.abort();
    }
}
