//! Where the strings of a JSON document stand. `serde_json` gives values without places, and of
//! two members with one name it silently keeps the last.

use std::{collections::BTreeSet, ops::Range};

/// A document as a tree of places.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// The members in their order.
    Object(Vec<(String, Self)>),
    /// The elements.
    Array(Vec<Self>),
    /// The bytes between the quotation marks.
    Text(Range<usize>),
    /// A number, a truth value or null.
    Other,
}

impl Node {
    /// The node at a JSON pointer (RFC 6901).
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |node, token| {
            let key = token.replace("~1", "/").replace("~0", "~");
            match node {
                Self::Object(members) => {
                    members.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
                }
                Self::Array(elements) => elements.get(key.parse::<usize>().ok()?),
                Self::Text(_) | Self::Other => None,
            }
        })
    }
}

/// Maps a document that `serde_json` has accepted: its syntax and its depth are not judged again.
///
/// # Errors
/// The JSON pointer of a member that appears twice.
pub(super) fn scan(text: &str) -> Result<Node, String> {
    Scanner { text, at: 0 }.value("")
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self, pointer: &str) -> Result<Node, String> {
        match self.next_token() {
            Some(b'{') => self.object(pointer),
            Some(b'[') => self.array(pointer),
            Some(b'"') => Ok(Node::Text(self.string())),
            _ => {
                self.skip(|b| !b",]} \t\r\n".contains(&b));
                Ok(Node::Other)
            }
        }
    }

    fn object(&mut self, pointer: &str) -> Result<Node, String> {
        let (mut members, mut names) = (Vec::new(), BTreeSet::new());
        self.at += 1;
        while self.next_token() == Some(b'"') {
            let span = self.string();
            let name = unescaped(&self.text[span]);
            let path = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            if !names.insert(name.clone()) {
                return Err(path);
            }
            self.next_token();
            self.at += 1; // the colon
            members.push((name, self.value(&path)?));
            self.comma();
        }
        self.at += 1;
        Ok(Node::Object(members))
    }

    fn array(&mut self, pointer: &str) -> Result<Node, String> {
        let mut elements = Vec::new();
        self.at += 1;
        while !matches!(self.next_token(), None | Some(b']')) {
            let (path, start) = (format!("{pointer}/{}", elements.len()), self.at);
            elements.push(self.value(&path)?);
            self.comma();
            if self.at == start {
                break; // no JSON after all: never a loop without an end
            }
        }
        self.at += 1;
        Ok(Node::Array(elements))
    }

    /// Steps over a string; what it returns is the span between the quotation marks.
    fn string(&mut self) -> Range<usize> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        let start = self.at;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let end = self.at.min(bytes.len());
        self.at = end + 1;
        start..end
    }

    fn comma(&mut self) {
        if self.next_token() == Some(b',') {
            self.at += 1;
        }
    }

    fn next_token(&mut self) -> Option<u8> {
        self.skip(|b| b" \t\r\n".contains(&b));
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, what: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|b| what(**b)).count();
    }
}

fn unescaped(raw: &str) -> String {
    serde_json::from_str(&format!("\"{raw}\"")).unwrap_or_else(|_| raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_found_where_they_stand() {
        let text = r#" { "a/b" : [ 1.5e3, {"\u0063~": "x\"y"} , "" ], "z":null } "#;
        let tree = scan(text).unwrap();
        for (pointer, raw) in [("/a~1b/1/c~0", r#"x\"y"#), ("/a~1b/2", "")] {
            let Some(Node::Text(span)) = tree.at(pointer) else {
                panic!("{pointer}: {:?}", tree.at(pointer));
            };
            assert_eq!(&text[span.clone()], raw, "{pointer}");
        }
        assert_eq!(tree.at("/a~1b/0"), Some(&Node::Other));
        assert_eq!(tree.at("/z"), Some(&Node::Other));
        for nowhere in ["/q", "/z/q", "/a~1b/9", "/a~1b/x", "z"] {
            assert_eq!(tree.at(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_member_that_appears_twice_is_told() {
        for (text, pointer) in [
            (r#"{"a":1,"a":2}"#, "/a"),
            (r#"{"x":[{"a":{},"\u0061":2}]}"#, "/x/0/a"),
            (r#"{"x/y":{"~":1,"~":2}}"#, "/x~1y/~0"),
        ] {
            assert_eq!(scan(text), Err(pointer.to_owned()), "{text}");
        }
        assert!(scan(r#"{"a":{"b":1},"c":{"b":1}}"#).is_ok());
    }

    proptest::proptest! {
        /// Whatever the text, also one that was never JSON.
        #[test]
        fn scanning_never_panics(text in r#"[\[\]{}",:\\a0 é]{0,60}"#) {
            let _ = scan(&text);
        }
    }
}
