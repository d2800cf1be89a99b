//! An HTTP server that answers from a script, byte for byte, so that it can do what no good server does: end in the
//! middle of a body, fall silent, hang up.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does with one connection, after it has read the head of a request.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends these bytes and hangs up.
    Send(Vec<u8>),
    /// Sends these bytes and says nothing more, for as long as the client listens.
    Stall(Vec<u8>),
}

impl Step {
    /// Sends an answer with a status line (`200 OK`), header lines and a body, and hangs up. Nothing is added: the
    /// length is said by the header lines, truly or not.
    pub fn answer(status: &str, headers: &[&str], body: &[u8]) -> Self {
        Self::Send(bytes(status, headers, body))
    }

    /// Like [`Step::answer`], but falls silent instead of hanging up.
    pub fn stall(status: &str, headers: &[&str], body: &[u8]) -> Self {
        Self::Stall(bytes(status, headers, body))
    }
}

fn bytes(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A server that takes one [`Step`] for each connection, and hangs up at once when none is left.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    /// Starts on a free port of this machine. It ends when it is dropped.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn start(steps: impl IntoIterator<Item = Step>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let heads = Arc::new(Mutex::new(Vec::new()));
        let steps: Vec<Step> = steps.into_iter().collect();
        let task = tokio::spawn(serve(listener, steps, heads.clone()));
        Ok(Self { address, heads, task })
    }

    /// Returns the address without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the heads of the requests so far: request line and headers, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, steps: Vec<Step>, heads: Arc<Mutex<Vec<String>>>) {
    let mut steps = steps.into_iter();
    let mut stalled = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let Some(step) = steps.next() else { continue };
        let Ok(head) = read_head(&mut stream).await else { continue };
        heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
        let (bytes, stalls) = match step {
            Step::Send(bytes) => (bytes, false),
            Step::Stall(bytes) => (bytes, true),
        };
        // A client that has hung up is one that has seen enough.
        drop(stream.write_all(&bytes).await);
        if stalls {
            stalled.push(stream);
        } else {
            drop(stream.shutdown().await);
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    // 64 KiB: far more than any request of ours.
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 << 10 {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).to_ascii_lowercase())
}
