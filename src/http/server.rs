//! The accept loop: connection cap, time limits, TLS, HTTP/1.1 and HTTP/2, orderly end.
//!
//! `axum::serve` limits neither the time for a request's head nor the number of connections, so a
//! few hundred idle sockets could take the service away from everybody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::telemetry::Metrics;

/// Limits of the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most connections open at one time. More wait in the kernel's queue.
    pub max_connections: usize,
    /// Time for the TLS handshake, and for the head of each request.
    pub header_read_timeout: Duration,
    /// Time that requests under way get at the end. Streams of events end then, too.
    pub drain: Duration,
}

/// What is served now. Swapped once: from "starting" to the application.
pub type CurrentApp = Arc<ArcSwap<Router>>;

/// Serves until `stop` is cancelled, then lets requests under way finish.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: CurrentApp,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(256)
        .max_header_list_size(64 * 1024);
    let shared = Arc::new(Shared { builder, tls, app, limits: limits.clone(), metrics });
    let room = Arc::new(Semaphore::new(limits.max_connections));
    let graceful = GracefulShutdown::new();

    loop {
        // A place first, then the connection: what finds no place waits unaccepted.
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = Arc::clone(&room).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let shared = Arc::clone(&shared);
                let watcher = graceful.watcher();
                tokio::spawn(async move {
                    shared.metrics.connection_opened();
                    shared.connection(stream, peer, watcher).await;
                    shared.metrics.connection_closed();
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, or the peer left at once: neither ends the service.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::info!("connections still open at the end are cut");
    }
}

struct Shared {
    builder: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    app: CurrentApp,
    limits: Limits,
    metrics: Arc<Metrics>,
}

impl Shared {
    async fn connection(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Answers are written whole; waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.http(stream, peer, watcher).await,
            Some(tls) => {
                match tokio::time::timeout(self.limits.header_read_timeout, tls.accept(stream)).await {
                    Ok(Ok(stream)) => self.http(stream, peer, watcher).await,
                    Ok(Err(error)) => {
                        tracing::debug!(%peer, %error, "TLS handshake failed");
                        self.metrics.connection_dropped("handshake");
                    }
                    Err(_) => self.metrics.connection_dropped("handshake"),
                }
            }
        }
    }

    async fn http<S>(&self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let asked = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&asked);
        let app = Arc::clone(&self.app);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let app = Router::clone(&app.load());
            async move { app.oneshot(request).await }
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = watcher.watch(connection);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.first_request_overdue(&asked) => {
                // hyper's limit begins once it knows the protocol; a peer that sends nothing, or
                // half of HTTP/2's greeting, would stay for ever.
                self.metrics.connection_dropped("head_timeout");
                return;
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "connection ended");
        }
    }

    async fn first_request_overdue(&self, asked: &AtomicBool) {
        tokio::time::sleep(self.limits.header_read_timeout).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}
