//! The data root: its mode, the daemon, and what dead processes left in it.

use super::finding::Finding;
use crate::connect::{self, Standing, VERSION, log_file};
use crate::context::Context;
use crate::render::words::count;
use ao_api::client::Client;
use ao_api::project::Health;
use ao_host::discover::{self, remains};
use ao_host::record::Tree;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(super) async fn look(context: &Context) -> Vec<Finding> {
    let mut found = vec![data_root(context)];
    found.extend(daemon(context).await);
    found.extend(leftovers(context));
    found
}

fn data_root(context: &Context) -> Finding {
    let root = context.paths.root();
    let name = root.display().to_string();
    let Ok(meta) = std::fs::metadata(root) else {
        return Finding::ok("data", format!("{name} is made when it is needed"));
    };
    if !meta.is_dir() {
        return Finding::bad("data", format!("{name} is no directory"), "move it away, or set AO_HOME");
    }
    if rustix::fs::access(root, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_err() {
        return Finding::bad(
            "data",
            format!("{name} cannot be written"),
            format!("chown it to yourself, or set AO_HOME: {name}"),
        );
    }
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Finding::bad(
            "data",
            format!("{name} can be read by others (mode {mode:03o})"),
            format!("chmod 700 {name}"),
        );
    }
    Finding::ok("data", name)
}

async fn daemon(context: &Context) -> Vec<Finding> {
    let file = match connect::look(context).await {
        Standing::Running(file) => file,
        Standing::Crashed => {
            let todo = format!("the next verb starts it again; {} may say why", log_file(context).display());
            return vec![Finding::note("daemon", "it ended without saying goodbye", todo)];
        }
        Standing::Absent => return vec![Finding::ok("daemon", "does not run; it starts when a verb needs it")],
    };
    if file.version != VERSION {
        let found = format!("the daemon is ao {}, this is ao {VERSION}", file.version);
        return vec![Finding::bad("daemon", found, "ao daemon restart")];
    }
    let health = Client::new(file.socket.as_ref()).get::<Health>("/api/healthz").await;
    let mut found = Vec::new();
    match health {
        Ok(health) if health.status == "ok" => {
            found.push(Finding::ok(
                "daemon",
                format!(
                    "{} · {}",
                    health.url,
                    count(usize::try_from(health.live_sessions).unwrap_or(usize::MAX), "live session")
                ),
            ));
            found.extend(
                health.notes.iter().map(|n| Finding::note("daemon", n.clone(), "nothing, unless it comes again")),
            );
        }
        Ok(health) => found.push(Finding::bad(
            "daemon",
            format!("it is {}", health.status),
            format!("see {}; then: ao daemon restart", log_file(context).display()),
        )),
        Err(fault) => found.push(Finding::bad("daemon", fault.message, "ao daemon restart")),
    }
    found
}

/// Hosts that answer in the run directory and that no launch names: nobody ends what nobody knows.
fn strangers(context: &Context, launches: &[discover::Found]) -> Option<Finding> {
    let own = [context.paths.daemon_socket(), context.paths.hook_socket()];
    let known = |path: &Path| launches.iter().any(|l| l.record.as_ref().is_some_and(|r| r.socket == path));
    let sockets = std::fs::read_dir(context.paths.run()).into_iter().flatten().flatten().map(|e| e.path());
    let strange: Vec<String> = sockets
        .filter(|p| p.extension().is_some_and(|e| e == "sock") && !own.contains(p) && !known(p))
        .filter(|p| UnixStream::connect(p).is_ok())
        .map(|p| p.display().to_string())
        .collect();
    (!strange.is_empty()).then(|| {
        let found = format!("hosts that no session knows answer at {}", strange.join(", "));
        Finding::note("leftovers", found, "look whose they are; ao leaves them alone")
    })
}

/// Sockets nobody listens on, and processes of hosts that died.
fn leftovers(context: &Context) -> Vec<Finding> {
    let mut found = Vec::new();
    let sockets = std::fs::read_dir(context.paths.run()).into_iter().flatten().flatten().map(|e| e.path());
    let dead: Vec<String> = sockets
        .filter(|p| p.extension().is_some_and(|e| e == "sock") && *p != context.paths.hook_socket())
        .filter(|p| UnixStream::connect(p).is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused))
        .map(|p| p.display().to_string())
        .collect();
    if !dead.is_empty() {
        found.push(Finding::note(
            "leftovers",
            format!("sockets that nobody listens on: {}", dead.join(", ")),
            format!("rm {}", dead.join(" ")),
        ));
    }
    let launches = discover::discover(context.paths.root()).unwrap_or_default();
    found.extend(strangers(context, &launches));
    for launch in launches {
        let Some(record) = launch.record.filter(|_| matches!(launch.standing, discover::Standing::Dead { .. })) else {
            continue;
        };
        if let Tree::Left { pids } = remains(&record) {
            let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
            found.push(Finding::bad(
                "leftovers",
                format!("processes of session {} whose host died: {}", record.session, pids.join(", ")),
                format!("ao stop {}, or: kill {}", record.session, pids.join(" ")),
            ));
        }
    }
    if found.is_empty() {
        found.push(Finding::ok("leftovers", "none"));
    }
    found
}
