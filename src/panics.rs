//! Panics of work that must not end what it belongs to.

use std::any::Any;

/// Work that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("it panicked: {0}")]
pub struct Panicked(String);

/// Carries `work` to its end in a task of its own, so that a panic ends nothing but that. Dropped,
/// the work goes on.
///
/// # Errors
/// If it panicked, or the runtime shuts down.
pub async fn catch_panic<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Panicked> {
    tokio::spawn(work).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => Panicked(words_of(&*panic)),
        Err(error) => Panicked(error.to_string()),
    })
}

/// What a panic said. It is a text, unless somebody went to lengths.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_next_work_is_done() {
        let mut seen = Vec::new();
        for number in 1..=3 {
            let work = async move {
                assert!(number != 2, "{number} is too much");
                number
            };
            seen.push(catch_panic(work).await.map_err(|error| error.to_string()));
        }
        assert_eq!(seen, [Ok(1), Err("it panicked: 2 is too much".to_owned()), Ok(3)]);
    }
}
