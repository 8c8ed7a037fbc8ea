//! Forwarding a packet to one more receiver allocates nothing.
#![allow(
    unsafe_code,
    reason = "an allocator that counts; tests alone are built with it"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use crate::egress::EgressKind;
use crate::measure::Lecture;
use crate::test_client::vp8;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no place to count in any more.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is left to the system's allocator; counting touches a cell of
// the thread that needs no memory and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on as they are.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations and datagrams of some seconds of a lesson with so many receivers.
fn lesson(receivers: usize) -> (u64, u64) {
    let sockets: Vec<UdpSocket> = (0..receivers)
        .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
        .collect();
    let clients: Vec<_> = sockets.iter().map(|s| s.local_addr().unwrap()).collect();
    let mut lecture = Lecture::new(EgressKind::Direct, &clients);
    let mut frames = 0;
    let mut play = |steps: u64| {
        for _ in 0..steps {
            let at = Duration::from_millis(20) * frames;
            let sizes = [1_111, 1_111, 1_110, 100];
            let packets = sizes.iter().enumerate().map(|(n, size)| {
                let payload = vp8(frames as u16, n == 0, frames == 0, *size);
                (Arc::from(payload), n == 3)
            });
            lecture.event(at, true, packets);
            lecture.flush();
            lecture.event(at, false, [(Arc::from([0x78; 80]), false)]);
            lecture.flush();
            frames += 1;
        }
        (COUNT.get(), lecture.sent().0)
    };
    let (before, sent) = play(500);
    let (after, sent_after) = play(400);
    (after - before, sent_after - sent)
}

#[test]
fn a_packet_for_one_more_receiver_allocates_nothing() {
    let (few, few_sent) = lesson(3);
    let (many, many_sent) = lesson(15);
    assert_eq!(many_sent, 5 * few_sent);
    // Source packets are made by the test, the same for everybody. Layers are
    // planned twice a second for each receiver, with a list or two.
    let more = many.saturating_sub(few) as f64 / (many_sent - few_sent) as f64;
    assert!(
        more < 0.005,
        "{more} allocations per packet and receiver: {few} against {many}"
    );
}
