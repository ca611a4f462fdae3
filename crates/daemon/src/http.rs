//! The doors: HTTP on loopback and on the daemon's own socket. It reads requests and writes answers; what they mean stands
//! in the rows of `action`, and who may send them in `access`.

mod answer;
mod cookie;
mod dispatch;
mod door;
mod follow;
mod kept;
mod page;
mod socket;
mod view;

pub use crate::action::row::About;

use crate::access::Gate;
use crate::access::connection::{Connection, PromptTcp};
use crate::action;
use crate::action::row::House;
use crate::engine::Engine;
use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter};
use door::Door;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

/// How long requests that were begun may take to end when the doors close.
const CLOSING: Duration = Duration::from_secs(5);

/// Where the daemon listens.
pub struct Listeners {
    /// On loopback.
    pub tcp: TcpListener,
    /// The daemon's own socket, mode 0600.
    pub unix: UnixListener,
}

/// Serves until `shutdown`. When it returns nothing of HTTP holds the engine any more, but for work that was begun under an
/// `Idempotency-Key`.
///
/// # Errors
/// When the tokens cannot be read, `tcp` is not loopback, or a listener fails.
pub async fn serve(engine: Engine, listeners: Listeners, about: About, shutdown: CancellationToken) -> io::Result<()> {
    let Listeners { tcp, unix } = listeners;
    let gate = Gate::open(&engine, tcp.local_addr()?)?;
    let house = House {
        engine,
        gate,
        about: Arc::new(about),
        shutdown: shutdown.clone(),
        rows: action::rows(),
        replies: Arc::default(),
    };
    let door = Door::open(house);
    let app = router(&door);
    let on_tcp = axum::serve(PromptTcp(tcp), app.clone().into_make_service_with_connect_info::<Connection>())
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let on_unix = axum::serve(unix, app.into_make_service_with_connect_info::<Connection>())
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let both = async { tokio::try_join!(on_tcp.into_future(), on_unix.into_future()).map(|_| ()) };
    let too_long = async {
        shutdown.cancelled().await;
        tokio::time::sleep(CLOSING).await;
    };
    let served = tokio::select! {
        served = both => served,
        // A caller that does not read its answer must not keep the daemon.
        () = too_long => Ok(()),
    };
    door.close();
    served
}

fn router(door: &Door) -> Router {
    let mut paths: BTreeMap<&'static str, MethodRouter<Door>> = BTreeMap::new();
    for row in action::rows() {
        let handler = move |State(door): State<Door>,
                            ConnectInfo(connection): ConnectInfo<Connection>,
                            path: Option<Path<BTreeMap<String, String>>>,
                            request: Request| async move {
            let path = path.map(|Path(parts)| parts).unwrap_or_default();
            dispatch::answer(&door, row, &connection, path, request).await
        };
        let filter = MethodFilter::try_from(row.method.clone());
        let filter = filter.expect("rows use methods that routers know");
        let known = paths.remove(row.path).unwrap_or_default();
        paths.insert(row.path, known.on(filter, handler));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(path, methods);
    }
    router
        .method_not_allowed_fallback(answer::wrong_method)
        .fallback(elsewhere)
        .layer(middleware::from_fn(answer::frame))
        .with_state(door.clone())
}

/// What no row answers: the page, or nothing.
async fn elsewhere(
    State(door): State<Door>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    if request.uri().path().starts_with("/api") {
        return answer::no_such_route(request.uri().path()).into_response();
    }
    page::answer(&door, &connection, &request.into_parts().0)
}
