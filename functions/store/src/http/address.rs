//! Which addresses a URL may lead to. Whoever names a URL must not reach with the worker's feet what only the worker can:
//! itself, its neighbours, the service that gives out its credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anyone's.
    Public,
    /// Of this machine or this network: only where a deployment says so.
    Private,
    /// Never an object's: links, groups, services of the machine's own host.
    Never,
}

/// Metadata services with addresses that would pass for private ones: AWS (IPv6, a /32 of its own), Google Cloud (IPv6) and
/// Alibaba Cloud.
const METADATA_V6: [(Ipv6Addr, u32); 2] = [
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128),
];
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// From the registries of special-purpose addresses of IANA.
const PRIVATE_V4: [([u8; 4], u32); 5] = [
    ([10, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
    ([127, 0, 0, 0], 8),
    // Shared by a carrier's customers.
    ([100, 64, 0, 0], 10),
];
const NEVER_V4: [([u8; 4], u32); 10] = [
    ([0, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Judges an address, by the IPv4 address in it if it is the wrapping of one.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => embedded(address).map_or_else(|| of_v6(address), of_v4),
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    let within = |(net, bits): &([u8; 4], u32)| {
        let shift = 32 - bits;
        u32::from(address) >> shift == u32::from_be_bytes(*net) >> shift
    };
    if address == METADATA_V4 || NEVER_V4.iter().any(within) {
        Reach::Never
    } else if PRIVATE_V4.iter().any(within) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    let within = |net: Ipv6Addr, bits: u32| (u128::from(address) ^ u128::from(net)) >> (128 - bits) == 0;
    if METADATA_V6.iter().any(|(net, bits)| within(*net, *bits)) {
        return Reach::Never;
    }
    if address.is_loopback() || within(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7) {
        return Reach::Private;
    }
    // Whatever is no global unicast; of that: protocols of the IETF (with Teredo), documentation.
    let global = within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    let special = within(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23)
        || within(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32)
        || within(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20);
    if global && !special { Reach::Public } else { Reach::Never }
}

/// The IPv4 address that a gateway or the system itself would take out of it: mapped, compatible, 6to4, NAT64.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let last = Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(last),
        (0, 0, 0, 0, 0, 0) if g != 0 => Some(last),
        (0x2002, ..) => Some(Ipv4Addr::from((u32::from(b) << 16) | u32::from(c))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::{Reach, reach};

    #[test]
    fn each_kind_of_address_is_known_in_each_of_its_forms() {
        let rows = [
            (Reach::Public, "1.1.1.1 8.8.8.8 52.95.110.1 100.63.255.255 100.128.0.0 172.32.0.1 11.0.0.0"),
            (Reach::Public, "2600:1f18::1 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1"),
            (Reach::Private, "10.0.0.1 127.0.0.1 127.255.255.254 172.16.0.1 192.168.1.1 100.64.0.1"),
            (
                Reach::Private,
                "::1 fc00::1 fd12::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1:: ::ffff:127.0.0.1 ::10.0.0.1",
            ),
            (
                Reach::Never,
                "169.254.169.254 169.254.170.2 0.0.0.0 0.1.2.3 224.0.0.1 255.255.255.255 240.0.0.1",
            ),
            (Reach::Never, "192.0.2.1 198.51.100.7 203.0.113.9 198.19.0.1 192.0.0.170 100.100.100.200"),
            (Reach::Never, "::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: ::169.254.169.254"),
            (
                Reach::Never,
                "fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fe80::1 fec0::1 ff02::1 :: 2001:db8::1 3fff::1",
            ),
            (Reach::Never, "2001::1 100::1 5f00::1 64:ff9b:1::1 4000::1 ::ffff:0:7f00:1"),
        ];
        for (expected, addresses) in rows {
            for text in addresses.split(' ') {
                assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
            }
        }
    }

    fn std_says_special(address: Ipv4Addr) -> bool {
        address.is_loopback()
            || address.is_private()
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast()
            || address.is_documentation()
            || address.is_unspecified()
    }

    proptest! {
        #[test]
        fn what_the_standard_library_calls_special_is_never_public(bits: u32, host in 0..256_u32) {
            for address in [bits, 0x7f00_0000 | host, 0xa9fe_0000 | host, 0xc0a8_0000 | host, 0xac1f_0000 | host] {
                let address = Ipv4Addr::from(address);
                let found = reach(IpAddr::V4(address));
                prop_assert!(!std_says_special(address) || found != Reach::Public, "{address}");
                prop_assert!(!address.is_link_local() || found == Reach::Never, "{address}");
                // A wrapping changes nothing.
                let [a, b, c, d] = address.octets().map(u16::from);
                let (high, low) = (a << 8 | b, c << 8 | d);
                for wrapped in [
                    address.to_ipv6_mapped(),
                    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                    Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                ] {
                    prop_assert_eq!(reach(IpAddr::V6(wrapped)), found, "{}", wrapped);
                }
            }
        }

        #[test]
        fn of_ipv6_only_global_unicast_is_public(bits: u128) {
            let address = Ipv6Addr::from(bits);
            let found = reach(IpAddr::V6(address));
            let special = address.is_loopback() || address.is_multicast() || address.is_unspecified()
                || address.is_unique_local() || address.is_unicast_link_local();
            prop_assert!(!special || found != Reach::Public, "{address}");
            prop_assert!(found != Reach::Public || address.segments()[0] >> 13 == 1 || address.segments()[0] == 0x64 || address.segments()[0] == 0, "{address}");
        }
    }
}
