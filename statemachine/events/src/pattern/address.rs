//! IP addresses: equal ones, and blocks of them.
use std::net::IpAddr;

/// Whether two strings are the same address, as `::1` and `0:0:0:0:0:0:0:1` are.
pub(super) fn same_address(one: &str, other: &str) -> bool {
    matches!((one.parse::<IpAddr>(), other.parse::<IpAddr>()), (Ok(one), Ok(other)) if one == other)
}

/// Addresses with common leading bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    first: IpAddr,
    bits: u32,
}

impl Block {
    /// Reads `10.0.0.0/8` or `2001:db8::/32`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let [address, bits] = parts.as_slice() else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits: i64 =
            bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        let first: IpAddr = address.parse().map_err(|_| format!("Nonstandard IP address: {address}"))?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        match u32::try_from(bits) {
            Ok(bits) if bits <= most => Ok(Self { first, bits }),
            Ok(_) => Err(format!("Malformed CIDR, mask bits must be <= {most}")),
            Err(_) => Err("Malformed CIDR, mask bits must not be negative".to_owned()),
        }
    }

    /// Whether a string is an address of the block.
    pub(super) fn contains(&self, text: &str) -> bool {
        match (self.first, text.parse()) {
            (IpAddr::V4(first), Ok(IpAddr::V4(found))) => {
                let differ = first.to_bits() ^ found.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(first), Ok(IpAddr::V6(found))) => {
                let differ = first.to_bits() ^ found.to_bits();
                differ.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}
