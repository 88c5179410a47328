//! The head of a request to the proxy: foreign bytes.

use crate::domain::HostPort;

/// A longer head is refused.
pub const LONGEST_HEAD: usize = 32 * 1024;
/// More header fields are refused.
const MOST_FIELDS: usize = 100;
/// What concerns a proxy only, or one connection (RFC 9110, section 7.6.1).
const NOT_FORWARDED: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "upgrade",
];

/// What is asked of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `CONNECT host:port`: a tunnel.
    Tunnel(HostPort),
    /// `GET http://host/…`: one exchange.
    Forward {
        /// With whom.
        to: HostPort,
        /// The head to send there. The connection ends with the exchange.
        head: Vec<u8>,
    },
}

impl Request {
    /// With whom.
    #[must_use]
    pub fn to(&self) -> &HostPort {
        match self {
            Self::Tunnel(to) | Self::Forward { to, .. } => to,
        }
    }
}

/// Reads the head of a request. Gives `None` if it is not whole yet, and its length with the
/// request if it is.
///
/// # Errors
/// If it is no request to a proxy; the text is for whoever sent it.
pub fn read(bytes: &[u8]) -> Result<Option<(usize, Request)>, &'static str> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Err("the head of the request is too long");
        }
        Err(_) => return Err("this is not HTTP/1.1"),
    };
    let (Some(method), Some(target)) = (head.method, head.path) else {
        return Err("this is not HTTP/1.1");
    };
    if method == "CONNECT" {
        let to = target.parse().map_err(|_| "CONNECT takes a host and a port")?;
        return Ok(Some((length, Request::Tunnel(to))));
    }
    let (to, path) = split(target)?;
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", named(&to)).into_bytes();
    for field in head.headers.iter() {
        let name = field.name.to_ascii_lowercase();
        if name == "host" || NOT_FORWARDED.contains(&name.as_str()) {
            continue;
        }
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"Connection: close\r\n\r\n");
    Ok(Some((length, Request::Forward { to, head: out })))
}

/// The place and the path of an `http:` URL.
fn split(target: &str) -> Result<(HostPort, String), &'static str> {
    let scheme = target.get(..7).filter(|it| it.eq_ignore_ascii_case("http://"));
    if scheme.is_none() {
        return Err("a proxy takes http:// URLs, and CONNECT for everything else");
    }
    let rest = &target[7..];
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let to = if has_port { authority.parse() } else { format!("{authority}:80").parse() };
    let to = to.map_err(|_| "the URL names no host")?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((to, path))
}

/// As a `Host` field has it.
fn named(to: &HostPort) -> String {
    let text = to.to_string();
    text.strip_suffix(":80").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Result<Request, &'static str> {
        read(text.as_bytes()).map(|it| it.expect("a whole head").1)
    }

    #[test]
    fn a_tunnel_is_asked_for_by_its_place() {
        let asked = whole("CONNECT Example.org:443 HTTP/1.1\r\nHost: evil.example:1\r\n\r\n");
        assert_eq!(asked, Ok(Request::Tunnel("example.org:443".parse().unwrap())));
        for target in ["example.org", "http://example.org:443", "/", "a b:1", "0:0:0:1:443"] {
            assert!(whole(&format!("CONNECT {target} HTTP/1.1\r\n\r\n")).is_err(), "{target}");
        }
    }

    #[test]
    fn an_exchange_is_sent_to_the_place_in_its_url_and_to_no_other() {
        let text = "GET HTTP://a.example/x?y#z HTTP/1.1\r\nHost: b.example\r\nAccept: */*\r\n\
                    Proxy-Authorization: Basic eA==\r\nConnection: keep-alive\r\n\r\n";
        let Ok(Request::Forward { to, head }) = whole(text) else { panic!() };
        assert_eq!(to.to_string(), "a.example:80");
        let sent = "GET /x?y#z HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nConnection: \
                    close\r\n\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), sent);
        for (url, to) in [
            ("http://a:8080", "a:8080"),
            ("http://a?q", "a:80"),
            ("http://[::1]/", "[::1]:80"),
            ("http://[::1]:81/", "[::1]:81"),
        ] {
            let asked = whole(&format!("GET {url} HTTP/1.1\r\n\r\n")).unwrap();
            assert_eq!(asked.to().to_string(), to);
        }
        for url in ["/", "https://a/", "http://", "http://u:p@a/", "http:///a", "*", "ftp://a/"] {
            assert!(whole(&format!("GET {url} HTTP/1.1\r\n\r\n")).is_err(), "{url}");
        }
    }

    #[test]
    fn a_head_has_an_end() {
        assert_eq!(read(b"CONNECT a:1 HTTP/1.1\r\nX: "), Ok(None));
        assert!(
            read(&[b"CONNECT a:1 HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; LONGEST_HEAD]].concat())
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_one_request_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200), prefix in 0..4_usize) {
            let start = ["", "CONNECT ", "GET http://", "POST http://a:1/ HTTP/1.1\r\n"][prefix];
            holds(&[start.as_bytes(), &bytes].concat());
        }
    }

    fn holds(bytes: &[u8]) {
        if let Ok(Some((length, request))) = read(bytes) {
            assert!(length <= bytes.len() && request.to().port() != 0);
            if let Request::Forward { to, head } = &request {
                let text = String::from_utf8_lossy(head);
                assert_eq!(text.matches("\r\n\r\n").count(), 1, "{text:?}");
                assert!(text.contains(&format!("\r\nHost: {}\r\n", named(to))), "{text:?}");
            }
        }
    }
}
