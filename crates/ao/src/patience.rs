//! Says what is waited for once it takes longer than a moment. How long anything may take is for its callers to say.

use crate::output::Out;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// What takes longer than this is said (DESIGN §9).
pub const SAY_AFTER: Duration = Duration::from_secs(1);

/// Waits for `work`, and says `words` when it takes longer than [`SAY_AFTER`]. Programs that read JSON are told nothing.
pub async fn saying<T>(out: &Out, words: &str, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    match timeout(SAY_AFTER, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            if !out.is_json() || out.draws() {
                out.note(&format!("{words} …"));
            }
            work.await
        }
    }
}
