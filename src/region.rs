//! The service's regions and their hosts.

/// One row of the service's host table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// What `--region` takes.
    pub name: &'static str,
    /// The host of the REST API.
    pub host: &'static str,
    /// The host to fall back to where the first does not resolve.
    pub reserve: &'static str,
    /// Where its data lives.
    pub place: &'static str,
}

/// The service's host table, in its order.
pub const REGIONS: [Region; 7] = [
    region("cn", "console.tim.qq.com", "adminapi.my-imcloud.com", "China"),
    region("sgp", "adminapisgp.im.qcloud.com", "adminapisgp.my-imcloud.com", "Singapore"),
    region("kr", "adminapikr.im.qcloud.com", "adminapikr.my-imcloud.com", "Seoul"),
    region("jpn", "adminapijpn.im.qcloud.com", "adminapijpn.my-imcloud.com", "Tokyo"),
    region("ger", "adminapiger.im.qcloud.com", "adminapiger.my-imcloud.com", "Frankfurt"),
    region("usa", "adminapiusa.im.qcloud.com", "adminapiusa.my-imcloud.com", "Silicon Valley"),
    region("idn", "adminapiidn.im.qcloud.com", "adminapiidn.my-imcloud.com", "Jakarta"),
];

const fn region(
    name: &'static str,
    host: &'static str,
    reserve: &'static str,
    place: &'static str,
) -> Region {
    Region { name, host, reserve, place }
}

/// The region that `--region name` means.
pub fn by_name(name: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.name == name)
}

/// The region that a host belongs to, reserve hosts included.
pub fn by_host(host: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.host == host || region.reserve == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_is_found_by_its_name_and_by_both_of_its_hosts() {
        for region in &REGIONS {
            assert_eq!(by_name(region.name), Some(region));
            assert_eq!(by_host(region.host), Some(region));
            assert_eq!(by_host(region.reserve), Some(region));
        }
        assert_eq!(by_name("mars"), None);
        assert_eq!(by_host("127.0.0.1"), None);
    }
}
