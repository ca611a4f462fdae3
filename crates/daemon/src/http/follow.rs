//! Events as they happen: server-sent events with the journal's numbers as ids. Whoever falls behind, or comes back, is
//! given what is missing from the journal; nothing is left out and nothing comes twice.

use super::door::Door;
use crate::action::events::Wanted;
use crate::action::row::Call;
use crate::engine::Record;
use ao_api::request::EventsQuery;
use ao_core::kind::{Fault, Kind};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// A comment this often while nothing happens: whoever listens notices that the daemon is there, and we that they left.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// A browser comes back after this time.
const RETRY: Duration = Duration::from_secs(1);
/// Lines of the journal read at a time.
const PAGE: usize = 500;

/// Somebody who listens.
struct Follower {
    door: Door,
    wanted: Wanted,
    /// Number of the next event.
    next: u64,
    /// Up to this number events are read from the journal.
    until: u64,
    live: broadcast::Receiver<Arc<Record>>,
    page: VecDeque<Record>,
    shutdown: CancellationToken,
}

/// Opens the stream.
///
/// # Errors
/// `not_found` when the journal does not reach back far enough, and what the query says wrong.
pub(super) async fn answer(door: &Door, call: &Call, input: Value, headers: &HeaderMap) -> Result<Response, Fault> {
    let query: EventsQuery =
        serde_json::from_value(input).map_err(|e| Fault::invalid(format!("the query is not understood: {e}")))?;
    let wanted = Wanted::of(call, &query)?;
    // What a browser that came back has seen, wherever it began.
    let seen = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse::<u64>().ok());
    let since = seen.max(query.since);
    let (now, live) = call.engine().follow(|c| c.seq);
    // A number from the future belongs to another history.
    let next = since.map_or(now, |s| s.min(now)) + 1;
    let shutdown = call.house.shutdown.clone();
    let mut follower = Follower { door: door.clone(), wanted, next, until: now, live, page: VecDeque::new(), shutdown };
    if follower.next <= follower.until {
        // What is wrong with the past is said in the answer, not in the middle of a stream.
        follower.read().await?;
    }
    let hello = Event::default().comment(format!("from {next}")).retry(RETRY);
    let events = stream::unfold((Some(hello), follower), |(hello, mut follower)| async move {
        let event = match hello {
            Some(hello) => hello,
            None => follower.event().await?,
        };
        Some((Ok::<Event, Infallible>(event), (None, follower)))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Follower {
    /// The next event that is wanted; none when the daemon stops.
    async fn event(&mut self) -> Option<Event> {
        loop {
            let event = match self.page.pop_front() {
                Some(record) => self.show(&record),
                None if self.next <= self.until => {
                    if let Err(fault) = self.read().await {
                        // Whoever comes back is told why.
                        tracing::warn!(%fault, "a follower's stream ends");
                        return None;
                    }
                    None
                }
                None => {
                    let record = self.wait().await?;
                    record.and_then(|record| self.show(&record))
                }
            };
            if event.is_some() {
                return event;
            }
            if self.shutdown.is_cancelled() {
                return None;
            }
        }
    }

    fn show(&self, record: &Record) -> Option<Event> {
        if !self.wanted.takes(record) {
            return None;
        }
        let house = self.door.enter().ok()?;
        let view = self.wanted.view(&house.engine, record);
        let data = serde_json::to_string(&view).ok()?;
        Some(Event::default().id(record.seq.to_string()).data(data))
    }

    /// Reads on in the journal.
    async fn read(&mut self) -> Result<(), Fault> {
        let (engine, next, until) = (self.door.enter()?.engine, self.next, self.until);
        let read = tokio::task::spawn_blocking(move || engine.events(next, PAGE)).await;
        let page = read.map_err(|e| Fault::new(Kind::Bug, format!("reading events did not end: {e}")))??;
        // Lines that this version skips are not in the page; nothing more means that the rest are such lines.
        self.next = if page.next > self.next { page.next } else { until + 1 };
        self.page.extend(page.items.into_iter().filter(|r| r.seq >= next));
        Ok(())
    }

    /// Waits for something new; `Some(None)` when the journal is to be read first.
    async fn wait(&mut self) -> Option<Option<Arc<Record>>> {
        let received = tokio::select! {
            received = self.live.recv() => received,
            () = self.shutdown.cancelled() => return None,
        };
        match received {
            Ok(record) if record.seq < self.next => Some(None),
            Ok(record) if record.seq == self.next => {
                self.next += 1;
                Some(Some(record))
            }
            Ok(record) => {
                self.until = record.seq;
                Some(None)
            }
            Err(RecvError::Lagged(_)) => {
                let house = self.door.enter().ok()?;
                (self.until, self.live) = house.engine.follow(|c| c.seq);
                Some(None)
            }
            Err(RecvError::Closed) => None,
        }
    }
}
