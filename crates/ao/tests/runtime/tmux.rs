//! `tmux`: sessions in a tmux server of our own. Run by `scripts/test-tmux.sh`, which sees to it that tmux is there.

use ao_plugins::exec::Environment;
use ao_plugins::runtime::tmux::TmuxRuntime;
use ao_slots::runtime::{LaunchPlan, Runtime};
use ao_testkit::contract::runtime::Maker;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Of this process's environment only what finds programs: nothing else is to reach a server.
struct Panes {
    env: Environment,
}

fn panes() -> Arc<dyn Maker> {
    let path = std::env::var_os("PATH").expect("tests have a PATH");
    Arc::new(Panes { env: Environment::exactly([("PATH", path)]) })
}

impl Panes {
    fn tmux(&self, socket: &Path, args: &[&str]) -> Option<String> {
        let mut command = Command::new("tmux");
        command.env_clear().envs(self.env.iter()).arg("-S").arg(socket).args(args);
        let output = command.output().expect("tmux is there");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned())
    }
}

impl Maker for Panes {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(TmuxRuntime::new(env!("CARGO_BIN_EXE_ao").into(), self.env.clone()))
    }

    fn tear_away(&self, plan: &LaunchPlan) -> bool {
        let pid = self.tmux(&plan.socket.with_file_name("tmux.sock"), &["display-message", "-p", "#{pid}"]);
        let pid: i32 = pid.expect("the server answers").parse().expect("a pid");
        let pid = rustix::process::Pid::from_raw(pid).expect("not 0");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
        true
    }

    fn clean_up(&self, root: &Path) {
        // A server that has no sessions has left by itself.
        let _ = self.tmux(&root.join("run/tmux.sock"), &["kill-server"]);
    }
}

ao_testkit::runtime_contract!(
    #[ignore = "needs tmux: scripts/test-tmux.sh"]
    panes
);
