//! What a canary's step sends to the proxy of its sandbox.

use digest_bump::canary::sandbox::proxy::request::{LONGEST_HEAD, Request, read};

/// The head of a request: it leads to one place, and what is sent there names that place only.
pub fn request(bytes: &[u8]) {
    match read(bytes) {
        Ok(Some((length, request))) => {
            assert!(length <= bytes.len());
            let to = request.to();
            assert!(to.port() != 0 && to.to_string().parse().as_ref() == Ok(to));
            match &request {
                Request::Tunnel(_) => {}
                Request::Forward { head, .. } => {
                    let text = String::from_utf8_lossy(head);
                    assert!(text.ends_with("\r\nConnection: close\r\n\r\n"), "{text:?}");
                    assert_eq!(text.matches("\r\n\r\n").count(), 1, "{text:?}");
                    let names = |line: &&str| line.to_ascii_lowercase().starts_with("host:");
                    assert_eq!(text.split("\r\n").filter(names).count(), 1, "{text:?}");
                }
            }
        }
        Ok(None) => assert!(bytes.len() < LONGEST_HEAD),
        Err(fault) => assert!(!fault.is_empty()),
    }
}
