//! What a canary prints: the last part is kept, and no more.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How much is kept of a run, or of one of its steps. The end says what went wrong.
const KEPT_BYTES: usize = 1 << 20;
/// How much of that a reader of a pull request may see without opening the whole.
const SHOWN_BYTES: usize = 8 * 1024;

/// The last part of what was printed to either stream, in the order in which it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    dropped: bool,
}

impl Tail {
    /// Reads a stream to its end.
    pub(super) async fn follow(self, mut stream: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 8 * 1024];
        while let Ok(length) = stream.read(&mut buffer).await {
            if length == 0 {
                return;
            }
            self.push(&buffer[..length]);
        }
    }

    /// Adds a text of the bot's own.
    pub(super) fn say(&self, text: &str) {
        self.push(text.as_bytes());
    }

    fn push(&self, piece: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes.extend_from_slice(piece);
        if kept.bytes.len() > 2 * KEPT_BYTES {
            let from = kept.bytes.len() - KEPT_BYTES;
            kept.bytes.drain(..from);
            kept.dropped = true;
        }
    }

    /// The text, from the beginning of a line, control characters removed.
    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = kept.bytes.len().saturating_sub(KEPT_BYTES);
        let text = String::from_utf8_lossy(&kept.bytes[from..]);
        let text: String =
            text.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect();
        match text.split_once('\n') {
            Some((_, whole)) if kept.dropped || from > 0 => format!("…\n{whole}"),
            _ => text,
        }
    }
}

/// The end of a text, from the beginning of a line.
pub(super) fn end_of(text: &str) -> &str {
    let from = text.len().saturating_sub(SHOWN_BYTES);
    let Some(end) = (from..text.len()).find_map(|at| text.get(at..)) else { return "" };
    if from == 0 { end } else { end.split_once('\n').map_or(end, |(_, whole)| whole) }
}

/// The last lines that say something, for a pull request.
pub(super) fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_is_kept() {
        let tail = Tail::default();
        let long = "0123456789\n".repeat(400_000) + "the end\n";
        tail.clone().follow(long.as_bytes()).await;
        let text = tail.text();
        assert!(text.len() <= KEPT_BYTES + 8 && text.starts_with("…\n0123456789\n"));
        assert_eq!(last_line(&text), Some("the end"));
        let end = end_of(&text);
        assert!(
            end.len() <= SHOWN_BYTES && end.starts_with("0123456789\n") && end.ends_with("end\n")
        );
        assert_eq!((end_of("é"), end_of("")), ("é", ""));
    }

    #[tokio::test]
    async fn control_characters_are_removed() {
        let tail = Tail::default();
        tail.clone().follow(&b"\x1b[31mred\x1b[0m\r\n\0\xff"[..]).await;
        assert_eq!(tail.text(), "[31mred[0m\n\u{fffd}");
    }
}
