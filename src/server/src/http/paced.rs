//! Bodies of calls that come too slowly are given up: each holds what has come of it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long nothing may come, and the time given beside what the pace gives.
const STILL: Duration = Duration::from_secs(60);
/// Bytes per second a body comes with on average. Slower: given up.
const SLOWEST: u64 = 1_000;

/// It came too slowly.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body came too slowly")]
pub struct TooSlow;

/// A body that is held to a pace.
#[derive(Debug)]
struct Paced {
    inner: Body,
    still: Duration,
    began: Instant,
    bytes: u64,
    until: Pin<Box<Sleep>>,
}

/// The body of a call is held to a pace.
pub async fn hold(request: Request) -> Request {
    request.map(|body| {
        // Most calls have none.
        if body.is_end_stream() {
            return body;
        }
        Body::new(Paced::new(body, STILL))
    })
}

impl Paced {
    fn new(inner: Body, still: Duration) -> Self {
        let began = Instant::now();
        Self {
            inner,
            still,
            began,
            bytes: 0,
            until: Box::pin(sleep_until(began + still)),
        }
    }

    /// Until when the next piece is waited for.
    fn deadline(&self) -> Instant {
        let whole = self.still + Duration::from_secs(self.bytes / SLOWEST);
        (self.began + whole).min(Instant::now() + self.still)
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let len = frame.data_ref().map_or(0, Bytes::len);
                self.bytes = self
                    .bytes
                    .saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
                let deadline = self.deadline();
                self.until.as_mut().reset(deadline);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match self.until.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(TooSlow.into()))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::to_bytes;
    use futures_util::stream;
    use tokio::time::sleep;

    use super::*;

    /// A piece of so many bytes each few milliseconds.
    fn dripping(pieces: u32, bytes: usize) -> Body {
        Body::from_stream(stream::unfold(0, move |n| async move {
            sleep(Duration::from_millis(3)).await;
            (n < pieces).then(|| (Ok::<_, Infallible>(Bytes::from(vec![7; bytes])), n + 1))
        }))
    }

    async fn read(body: Body, still: Duration) -> Result<Bytes, axum::Error> {
        to_bytes(Body::new(Paced::new(body, still)), usize::MAX).await
    }

    #[tokio::test]
    async fn who_sends_slowly_is_read_to_the_end() {
        let whole = read(dripping(20, 20_000), STILL).await.unwrap();
        assert_eq!(whole.len(), 400_000);
        // Each second more is given for what came in the time before.
        let short = Duration::from_millis(60);
        assert_eq!(
            read(dripping(30, 20_000), short).await.unwrap().len(),
            600_000
        );
    }

    #[tokio::test]
    async fn who_stops_is_given_up() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert!(read(never, Duration::from_millis(20)).await.is_err());
    }

    #[tokio::test]
    async fn who_drips_without_end_is_given_up() {
        let drip = dripping(u32::MAX, 1);
        assert!(read(drip, Duration::from_millis(60)).await.is_err());
    }
}
