//! Answers that were given for an `Idempotency-Key`: a repeat gets the first answer, and waits for it if it must.
//!
//! These are kept in memory. What a command made is kept in the facts as well (`ao_core::once`): a repeat that comes after a
//! restart of the daemon makes nothing and is shown what the first one made, as it is by then.

use ao_core::id::RequestKey;
use ao_core::kind::Fault;
use ao_core::once::{KEPT_FOR, MOST, Once};
use ao_core::screen::sha256_hex;
use serde_json::Value;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Longest key.
pub const LONGEST_KEY: usize = 200;

type Outcome = Result<Value, Fault>;

struct Kept {
    request: String,
    since: Instant,
    /// Nothing until the work has ended.
    answer: watch::Receiver<Option<Outcome>>,
}

/// The answers.
#[derive(Default)]
pub struct Replies {
    kept: Mutex<HashMap<RequestKey, Kept>>,
}

/// What makes a request the same as another one: the key that a caller gave within its scope, and what it asks.
///
/// # Errors
/// `invalid` for a key that is empty or too long.
pub fn once(scope: &str, key: &str, request: &Value) -> Result<Once, Fault> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(Fault::invalid(format!("an Idempotency-Key has 1 to {LONGEST_KEY} bytes")));
    }
    let key = RequestKey::new(sha256_hex(format!("{scope}\0{key}").as_bytes()));
    Ok(Once { key, request: sha256_hex(request.to_string().as_bytes()) })
}

impl Replies {
    /// Does `work` unless it was begun before under this key by this caller; then the first answer is given again. Work that
    /// was begun goes on even if nobody waits for it any more.
    ///
    /// # Errors
    /// What the work says; `conflict` when the key was used for something else.
    pub async fn once<W>(&self, once: Once, work: W) -> Outcome
    where
        W: Future<Output = Outcome> + Send + 'static,
    {
        let mut answer = self.begin(once, work)?;
        match answer.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(unfinished())),
            Err(_) => Err(unfinished()),
        }
    }

    /// Begins the work in a task of its own, or finds the one that was begun.
    fn begin<W>(&self, Once { key, request }: Once, work: W) -> Result<watch::Receiver<Option<Outcome>>, Fault>
    where
        W: Future<Output = Outcome> + Send + 'static,
    {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, k| k.since.elapsed() < Duration::from_millis(KEPT_FOR.0) && !k.worthless());
        if let Some(known) = kept.get(&key) {
            if known.request == request {
                return Ok(known.answer.clone());
            }
            return Err(Fault::conflict("this Idempotency-Key was used for another request")
                .hint("use a new key for every request, and the same key only to repeat it"));
        }
        if kept.len() >= MOST
            && let Some(oldest) = kept.iter().min_by_key(|(_, k)| k.since).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        let (tell, answer) = watch::channel(None);
        tokio::spawn(async move {
            tell.send_replace(Some(work.await));
        });
        kept.insert(key, Kept { request, since: Instant::now(), answer: answer.clone() });
        Ok(answer)
    }
}

impl Kept {
    /// Whether the work ended in a way that may be different the next time, or in no way at all.
    fn worthless(&self) -> bool {
        match &*self.answer.borrow() {
            Some(outcome) => outcome.as_ref().is_err_and(|fault| fault.kind.may_pass()),
            None => self.answer.has_changed().is_err(),
        }
    }
}

fn unfinished() -> Fault {
    Fault::unavailable("the request was begun and did not end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn counted(count: &Arc<AtomicU32>, outcome: Outcome) -> impl Future<Output = Outcome> + Send + 'static {
        let count = count.clone();
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            outcome
        }
    }

    async fn ask(
        replies: &Replies,
        scope: &str,
        request: &Value,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Outcome {
        replies.once(once(scope, "k", request).expect("a good key"), work).await
    }

    #[tokio::test]
    async fn a_repeat_gets_the_first_answer_and_does_nothing() {
        let (replies, count) = (Replies::default(), Arc::new(AtomicU32::new(0)));
        let request = json!({"a": 1});
        let asked = |n: u32| ask(&replies, "you", &request, counted(&count, Ok(json!(n))));
        let (first, second) = tokio::join!(asked(1), asked(2));
        assert_eq!((first, second), (Ok(json!(1)), Ok(json!(1))));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let other = ask(&replies, "you", &json!({"a": 2}), counted(&count, Ok(json!(3)))).await;
        assert_eq!(other.expect_err("used").kind, ao_core::kind::Kind::Conflict);
        let somebody = ask(&replies, "another", &json!({"a": 2}), counted(&count, Ok(json!(4)))).await;
        assert_eq!(somebody, Ok(json!(4)));
    }

    #[tokio::test]
    async fn work_goes_on_when_its_caller_hangs_up() {
        let (replies, count) = (Replies::default(), Arc::new(AtomicU32::new(0)));
        let again = count.clone();
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let done = count.clone();
        let work = async move {
            let _ = wait.await;
            done.fetch_add(1, Ordering::SeqCst);
            Ok(json!(null))
        };
        let hung_up = tokio::time::timeout(Duration::from_millis(10), ask(&replies, "you", &json!(1), work)).await;
        assert!(hung_up.is_err());
        go.send(()).expect("it still waits");
        let repeated = ask(&replies, "you", &json!(1), counted(&again, Ok(json!("again")))).await;
        assert_eq!(repeated, Ok(json!(null)), "the repeat gets the answer of the first");
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        let (replies, count) = (Replies::default(), Arc::new(AtomicU32::new(0)));
        let busy = ask(&replies, "you", &json!(1), counted(&count, Err(Fault::unavailable("busy")))).await;
        assert!(busy.is_err());
        assert_eq!(ask(&replies, "you", &json!(1), counted(&count, Ok(json!(1)))).await, Ok(json!(1)));
    }
}
