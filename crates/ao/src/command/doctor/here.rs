//! The place it was called in: repository, configuration, port.

use super::finding::Finding;
use crate::compose;
use crate::connect::{self, Standing};
use crate::context::Context;
use crate::place;
use ao_core::config::{self, Config};
use ao_daemon::registration::known;
use ao_daemon::trust;
use std::net::{Ipv4Addr, TcpListener};

pub(super) async fn look(context: &Context) -> Vec<Finding> {
    let mut found = Vec::new();
    match place::repository(&context.cwd) {
        Some(root) => found.push(Finding::ok("repository", root.display().to_string())),
        None => found.push(Finding::note(
            "repository",
            format!("{} is in none", context.cwd.display()),
            "cd to one; git init makes one",
        )),
    }
    let mut port = None;
    match place::config(&context.cwd, &context.cwd) {
        Err(fault) => {
            found.push(Finding::bad("config", fault.message, "set AO_CONFIG to a file that is there, or unset it"));
        }
        Ok(None) => found.push(Finding::ok("config", "none; the defaults hold (ao start writes one)")),
        Ok(Some(file)) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            match config::parse(&name, &text) {
                Err(e) => found.push(Finding::bad("config", e.to_string(), format!("mend {name}"))),
                Ok(parsed) => {
                    port = parsed.port;
                    found.extend(unknown(context, &parsed, &name));
                    let commands: Vec<String> = parsed.projects.values().flat_map(config::commands).collect();
                    found.push(if commands.is_empty() || trust::is_trusted(&context.paths, &file, &text) {
                        Finding::ok("config", name)
                    } else {
                        Finding::bad(
                            "config",
                            format!("{name} wants to run commands and is not trusted"),
                            format!("read it, then: ao trust {name}"),
                        )
                    });
                }
            }
        }
    }
    found.push(port_finding(context, port).await);
    found
}

/// What the configuration names and nobody has.
fn unknown(context: &Context, parsed: &Config, file: &str) -> Option<Finding> {
    // Why the plugins cannot be put together is another finding.
    let registry = compose::registry(context).ok()?;
    let wrong = parsed.projects.iter().find_map(|(name, project)| {
        known::plugins(&registry, parsed, project).err().map(|fault| format!("projects.{name}: {}", fault.message))
    })?;
    Some(Finding::bad("config", format!("{file}: {wrong}"), format!("mend {file}")))
}

async fn port_finding(context: &Context, wanted: Option<u16>) -> Finding {
    let running = match connect::look(context).await {
        Standing::Running(file) => Some(file.url),
        Standing::Crashed | Standing::Absent => None,
    };
    let port = wanted.unwrap_or(ao_daemon::start::DEFAULT_PORT);
    let ours = running.as_ref().is_some_and(|url| url.ends_with(&format!(":{port}")));
    match (running, wanted) {
        (Some(url), _) if ours => Finding::ok("port", url),
        (Some(url), Some(port)) => {
            Finding::note("port", format!("the daemon is at {url}, the configuration says {port}"), "ao daemon restart")
        }
        (Some(url), None) => Finding::ok("port", url),
        (None, _) if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() => {
            Finding::ok("port", format!("{port} is free"))
        }
        (None, Some(port)) => Finding::bad(
            "port",
            format!("{port} is taken by another program"),
            "end that program, or give another `port` in agent-orchestrator.yaml",
        ),
        (None, None) => {
            Finding::ok("port", format!("{port} is taken by another program; the next free one will be used"))
        }
    }
}
