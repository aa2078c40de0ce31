//! A gate before a service: shut, nobody reaches it, as if nobody listened there. A road of bytes: it reads none of them.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Dropping it shuts it.
pub struct Gate {
    pub url: String,
    address: SocketAddr,
    behind: SocketAddr,
    open: Option<JoinSet<()>>,
}

impl Gate {
    /// Opens before a base URL of the form `http://host:port`.
    pub async fn before(url: &str) -> Gate {
        let behind = url.trim_start_matches("http://").parse().expect("an address");
        let any = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = any.local_addr().expect("bound");
        drop(any);
        let mut gate = Gate {
            url: format!("http://{address}"),
            address,
            behind,
            open: None,
        };
        gate.open();
        gate
    }

    /// Lets everybody through again.
    pub fn open(&mut self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a socket's option");
        socket.bind(self.address).expect("the port is still free");
        let listener = socket.listen(1024).expect("it is bound");
        let behind = self.behind;
        let mut roads = JoinSet::new();
        roads.spawn(async move {
            let mut through = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                through.spawn(pass(stream, behind));
            }
        });
        self.open = Some(roads);
    }

    /// Refuses connections, and cuts those that there are.
    pub async fn shut(&mut self) {
        if let Some(mut roads) = self.open.take() {
            roads.shutdown().await;
        }
    }
}

async fn pass(mut stream: TcpStream, behind: SocketAddr) {
    if let Ok(mut there) = TcpStream::connect(behind).await {
        // Either side hangs up when it likes.
        let _ = copy_bidirectional(&mut stream, &mut there).await;
    }
}
