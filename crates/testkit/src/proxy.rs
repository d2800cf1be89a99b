//! A TCP proxy that misbehaves by script: it stands between a client and a real server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::background::{Background, listen};

/// What the proxy does with one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Carries everything both ways.
    Pass,
    /// Hangs up at once.
    Refuse,
    /// Reads a request's head and answers `503 Service Unavailable` by itself.
    Fail,
    /// Hangs up after so many bytes of the server's.
    Cut(u64),
    /// Hangs up after so many bytes of the client's.
    CutRequest(u64),
    /// Carries so many bytes of the server's, then nothing more, and leaves the connection open.
    Stall(u64),
}

/// The proxy. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _background: Background,
}

impl Proxy {
    /// Starts a proxy before `server`. Connections get the acts in turn, over and over.
    pub fn start(server: SocketAddr, acts: &[Act]) -> Self {
        let acts = acts.to_vec();
        Self::with_script(server, move |connection| {
            acts.get(connection % acts.len().max(1)).copied().unwrap_or(Act::Pass)
        })
    }

    /// Starts a proxy before `server`. The script says what to do with each connection, counted from 0.
    pub fn with_script(server: SocketAddr, script: impl Fn(usize) -> Act + Send + 'static) -> Self {
        let (listener, address) = listen();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let background = Background::spawn(move || async move {
            let listener =
                TcpListener::from_std(listener).unwrap_or_else(|error| panic!("no socket: {error}"));
            while let Ok((client, _)) = listener.accept().await {
                let act = script(count.fetch_add(1, Ordering::Relaxed));
                tokio::spawn(carry(client, server, act));
            }
        });
        Self { address, connections, _background: background }
    }

    /// Returns its address as `AWS_ENDPOINT_URL` takes it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many connections came.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, act: Act) {
    if act == Act::Refuse {
        return;
    }
    if act == Act::Fail {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match client.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        drop(client.write_all(answer).await);
        drop(client.shutdown().await);
        // What the client still sends is read, so that the answer is not lost to a reset.
        drop(tokio::io::copy(&mut client, &mut tokio::io::sink()).await);
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let (up, down) = match act {
        Act::Pass | Act::Refuse | Act::Fail => (u64::MAX, u64::MAX),
        Act::Cut(bytes) | Act::Stall(bytes) => (u64::MAX, bytes),
        Act::CutRequest(bytes) => (bytes, u64::MAX),
    };
    let up = async {
        let is_spent = pump(&mut from_client, &mut to_server, up).await;
        if !is_spent {
            // The client has said all; the server may still answer.
            drop(to_server.shutdown().await);
            std::future::pending::<()>().await;
        }
    };
    let down = async {
        let is_spent = pump(&mut from_server, &mut to_client, down).await;
        if is_spent && matches!(act, Act::Stall(_)) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// Carries up to `budget` bytes; true where the budget was spent, false where the stream ended before.
async fn pump(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), budget: u64) -> bool {
    let mut left = budget;
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(place) = buffer.get_mut(..room) else { return false };
        let got = match from.read(place).await {
            Ok(0) | Err(_) => return false,
            Ok(got) => got,
        };
        if to.write_all(buffer.get(..got).unwrap_or_default()).await.is_err() {
            return false;
        }
        left -= got as u64;
    }
    true
}
