//! Rates and counts per client address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bucket::Bucket;

/// Most keys remembered. Overflow: forget those that lost nothing by it
/// (their bucket is full again); when none is, newcomers are refused.
const MAX_ADDRESSES: usize = 65_536;

/// A rate per key.
#[derive(Debug)]
pub struct Rate<K> {
    per_minute: u32,
    burst: u32,
    table: Mutex<HashMap<K, Bucket>>,
}

impl<K: Hash + Eq> Rate<K> {
    /// A rate with an empty table.
    pub fn new(per_minute: u32, burst: u32) -> Self {
        Self {
            per_minute,
            burst,
            table: Mutex::default(),
        }
    }

    /// Counts one call; false when there were too many.
    pub fn count(&self, key: K, now_ms: u64) -> bool {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MAX_ADDRESSES && !table.contains_key(&key) {
            table.retain(|_, bucket| !bucket.is_full(now_ms));
            if table.len() >= MAX_ADDRESSES {
                return false;
            }
        }
        let bucket = table
            .entry(key)
            .or_insert_with(|| Bucket::new(f64::from(self.per_minute) / 60.0, self.burst, now_ms));
        bucket.take(now_ms)
    }
}

/// A rate per address.
pub type AddressRate = Rate<IpAddr>;

impl AddressRate {
    /// Counts one call from an address; false when there were too many.
    pub fn take(&self, address: IpAddr, now_ms: u64) -> bool {
        self.count(network_of(address), now_ms)
    }
}

/// How many things of one sort are open per address and in all.
#[derive(Debug)]
pub struct AddressCount {
    per_address: u32,
    total: u32,
    table: Mutex<HashMap<IpAddr, u32>>,
}

/// One place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    of: Arc<AddressCount>,
    key: IpAddr,
}

impl AddressCount {
    /// Nothing open.
    pub fn new(per_address: u32, total: u32) -> Arc<Self> {
        Arc::new(Self {
            per_address,
            total,
            table: Mutex::default(),
        })
    }

    /// Takes a place, or `None` when the address or the server has no more.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let key = network_of(address);
        let mut table = self.lock();
        let total: u32 = table.values().sum();
        let count = table.entry(key).or_default();
        if *count >= self.per_address || total >= self.total {
            if *count == 0 {
                table.remove(&key);
            }
            return None;
        }
        *count += 1;
        Some(Place {
            of: Arc::clone(self),
            key,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.of.lock();
        if let Some(count) = table.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                table.remove(&self.key);
            }
        }
    }
}

/// The unit that is counted: an IPv4 address, or the /64 network one site has.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        },
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_use_up_the_rate_of_another() {
        let rate = AddressRate::new(60, 2);
        let (a, b) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        assert!(rate.take(a, 0) && rate.take(a, 0) && !rate.take(a, 0));
        assert!(rate.take(b, 0));
        assert!(rate.take(a, 1_000));
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_rate() {
        let rate = AddressRate::new(60, 1);
        assert!(rate.take("2001:db8::1".parse().unwrap(), 0));
        assert!(!rate.take("2001:db8::2".parse().unwrap(), 0));
        assert!(rate.take("2001:db8:0:1::1".parse().unwrap(), 0));
    }

    #[test]
    fn the_table_stays_within_its_bound() {
        let rate = AddressRate::new(1, 1);
        for n in 0..u32::try_from(MAX_ADDRESSES).unwrap() {
            assert!(rate.take(IpAddr::from(n.to_be_bytes()), 0));
        }
        assert!(!rate.take("203.0.113.1".parse().unwrap(), 0));
        assert!(rate.take("203.0.113.1".parse().unwrap(), 120_000));
    }

    #[test]
    fn a_place_is_given_back() {
        let count = AddressCount::new(1, 10);
        let address = IpAddr::from([192, 0, 2, 1]);
        let place = count.take(address).unwrap();
        assert!(count.take(address).is_none());
        drop(place);
        assert!(count.take(address).is_some());
    }
}
