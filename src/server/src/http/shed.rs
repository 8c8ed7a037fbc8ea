//! Connections whose other side takes nothing any more are closed: each holds a
//! socket, what is read for it, and perhaps the stream of a file.

use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Nothing was taken for so long.
const WITHIN: Duration = Duration::from_secs(60);
/// Bytes on their way to one reader; the kernel keeps twice as many with what it adds.
/// It says that a socket takes more only when a third of them is gone, so what lies
/// here must go within [`WITHIN`] on the weakest link: 64 kbit/s takes some 10 s for
/// it, and beside a voice half a minute. Left alone the kernel gathers 4 MB on a good
/// link, and whoever's link became a weak one would count as gone.
const ON_THE_WAY: usize = 128 * 1024;

/// Sends small messages at once instead of waiting to send them together, and sheds
/// whoever takes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShedAcceptor;

impl ShedAcceptor {
    /// With the usual patience.
    pub fn new() -> Self {
        Self
    }
}

impl<S> Accept<TcpStream, S> for ShedAcceptor {
    type Stream = Shed<TcpStream>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let set = set_socket_send_buffer_size(&stream, ON_THE_WAY)
            .map_err(io::Error::from)
            .and_then(|()| stream.set_nodelay(true));
        ready(set.map(|()| (Shed::new(stream, WITHIN), service)))
    }
}

/// A stream whose writes fail when nothing is taken for a time.
#[derive(Debug)]
pub struct Shed<S> {
    inner: S,
    within: Duration,
    /// Runs while something waits to be taken.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Shed<S> {
    /// Around a stream.
    pub fn new(inner: S, within: Duration) -> Self {
        Self {
            inner,
            within,
            stalled: None,
        }
    }

    /// The result of a write, unless it waits for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let within = self.within;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(stalled.as_mut().poll(cx));
        // Asked again it fails again at once, and never panics.
        stalled.as_mut().reset(Instant::now());
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Whoever's link became a weak one: what is on the way is small enough to go
    /// before the patience ends.
    #[tokio::test]
    async fn little_is_on_the_way_to_one_reader() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let (far, near) = tokio::join!(TcpStream::connect(to), listener.accept());
        let (_far, near) = (far.unwrap(), near.unwrap().0);
        let (mut near, ()) = ShedAcceptor::new().accept(near, ()).await.unwrap();
        let mut taken = 0;
        // Until the other side, which reads nothing, and the kernel are full.
        while let Ok(Ok(more)) =
            tokio::time::timeout(Duration::from_millis(200), near.write(&[7; 65_536])).await
        {
            taken += more;
        }
        let kept = rustix::net::sockopt::socket_send_buffer_size(&near.inner).unwrap();
        assert!(kept <= 2 * ON_THE_WAY, "{kept}");
        assert!(taken > 65_536, "{taken}");
    }

    #[tokio::test]
    async fn who_takes_nothing_is_shed() {
        let (near, far) = duplex(16);
        let mut near = Shed::new(near, Duration::from_millis(50));
        let failed = near.write_all(&[7; 64]).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        let again = near.write_all(&[7]).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }

    #[tokio::test]
    async fn who_takes_slowly_gets_all_of_it() {
        let (near, mut far) = duplex(16);
        let mut near = Shed::new(near, Duration::from_secs(30));
        let reader = tokio::spawn(async move {
            let (mut got, mut piece) = (Vec::new(), [0; 8]);
            loop {
                tokio::time::sleep(Duration::from_millis(2)).await;
                match far.read(&mut piece).await.unwrap() {
                    0 => return got,
                    read => got.extend_from_slice(&piece[..read]),
                }
            }
        });
        near.write_all(&[7; 400]).await.unwrap();
        drop(near);
        assert_eq!(reader.await.unwrap(), [7; 400]);
    }
}
