//! Opens the dashboard's page of a session in the person's browser.
//!
//! It starts no browser by itself: the desktop's own opener does; without a desktop it says which address to open.

use super::start::start;
use ao_slots::terminal::{Opening, Terminal};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::ffi::OsString;
use std::process::Command;

/// The person's browser.
#[derive(Clone, Debug)]
pub struct Web {
    opener: OsString,
    desktop: bool,
}

impl Web {
    /// The browser that this process's desktop opens.
    #[must_use]
    pub fn of_process() -> Self {
        let macos = cfg!(target_os = "macos");
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let desktop = macos || set("DISPLAY") || set("WAYLAND_DISPLAY");
        Self { opener: if macos { "open".into() } else { "xdg-open".into() }, desktop }
    }

    #[cfg(test)]
    pub(super) fn by(opener: impl Into<OsString>, desktop: bool) -> Self {
        Self { opener: opener.into(), desktop }
    }

    async fn start(&self, url: &str) -> Result<(), String> {
        let mut command = Command::new(&self.opener);
        command.arg(url);
        start(command).await
    }
}

#[async_trait]
impl Terminal for Web {
    async fn open(&self, opening: &Opening) -> Answer<()> {
        let url = &opening.url;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Fault::invalid(format!("{url:?} is not a web address")));
        }
        let by_hand = |why: String| {
            let fault = Fault::new(Kind::Unsupported, format!("no browser was opened: {why}; open {url}"));
            if opening.attach.is_empty() {
                fault
            } else {
                fault.hint(format!("or attach a terminal: {}", opening.attach.join(" ")))
            }
        };
        if !self.desktop {
            return Err(by_hand("this machine shows no desktop".to_owned()));
        }
        self.start(url).await.map_err(by_hand)
    }

    fn shows_pages(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(url: &str) -> Opening {
        let attach = ["ao", "attach", "app-1"].map(str::to_owned).to_vec();
        Opening { session: Some("app-1".to_owned()), url: url.to_owned(), attach, dir: None }
    }

    #[tokio::test]
    async fn the_address_is_the_openers_only_argument() {
        let dir = tempfile::tempdir().unwrap();
        let opener = dir.path().join("opener");
        // Written by another process: a file that this one has open for writing cannot be run by a thread of it.
        let write = "printf '#!/bin/sh\\necho \"$#:$1\" > %s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let said = dir.path().join("said");
        let written = Command::new("sh").args(["-c", write]).args([&opener, &said]).status();
        assert!(written.unwrap().success());
        let web = Web { opener: opener.into(), desktop: true };
        web.open(&opening("http://127.0.0.1:3000/s/a b;c")).await.unwrap();
        assert_eq!(std::fs::read_to_string(said).unwrap(), "1:http://127.0.0.1:3000/s/a b;c\n");
    }

    #[tokio::test]
    async fn when_nothing_can_be_opened_the_fault_says_the_address() {
        for (opener, desktop) in [("/nowhere/opener", true), ("false", true), ("true", false)] {
            let web = Web { opener: opener.into(), desktop };
            let fault = web.open(&opening("http://127.0.0.1:3000/s/1")).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Unsupported);
            assert!(fault.message.contains("open http://127.0.0.1:3000/s/1"), "{fault}");
            assert_eq!(fault.hint.as_deref(), Some("or attach a terminal: ao attach app-1"));
        }
    }

    #[tokio::test]
    async fn only_web_addresses_are_opened() {
        let web = Web { opener: "true".into(), desktop: true };
        assert_eq!(web.open(&opening("file:///etc/passwd")).await.unwrap_err().kind, Kind::Invalid);
    }
}
