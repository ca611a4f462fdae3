//! How long the suite waits for anything.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a rule waits for anything. Passing rules need a part of a second; a machine under full load more.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Time between two looks at something that cannot be waited for.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until there is something; none when nothing came within [`LIMIT`].
pub async fn until<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> Option<T> {
    let begin = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if begin.elapsed() > LIMIT {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}
