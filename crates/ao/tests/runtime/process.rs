//! `process`: a host per launch.

use ao_host::record::{HOST_FILE, HostRecord, read_json};
use ao_plugins::runtime::process::ProcessRuntime;
use ao_slots::runtime::{LaunchPlan, Runtime};
use ao_testkit::contract::runtime::Maker;
use std::sync::Arc;

struct Hosts;

impl Maker for Hosts {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(ProcessRuntime::new(env!("CARGO_BIN_EXE_ao").into()))
    }

    fn tear_away(&self, plan: &LaunchPlan) -> bool {
        let record: HostRecord = read_json(&plan.dir.join(HOST_FILE)).expect("a host says who it is");
        let pid = rustix::process::Pid::from_raw(i32::try_from(record.pid).expect("a pid")).expect("not 0");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
        true
    }
}

fn hosts() -> Arc<dyn Maker> {
    Arc::new(Hosts)
}

ao_testkit::runtime_contract!(hosts);
