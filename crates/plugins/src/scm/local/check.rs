//! Runs a check in a directory and says how it ended. What the output means is read elsewhere.

use crate::exec::{Environment, NotRun, Script, run_script};
use ao_slots::scm::{CheckPlan, CheckRan, MAX_CHECK_OUTPUT};
use ao_slots::{Answer, Fault, Kind};

pub(super) async fn run(plan: &CheckPlan) -> Answer<CheckRan> {
    let script = Script {
        text: plan.command.clone(),
        dir: plan.dir.clone(),
        env: Environment::exactly(plan.env.iter()),
        limit: plan.limit,
        keep: MAX_CHECK_OUTPUT,
        log: Some(plan.log.clone()),
    };
    let ran = run_script(&script).await.map_err(|error| fault(&error))?;
    if ran.left > 0 {
        return Err(Fault::unavailable(format!("{} processes of {:?} could not be ended", ran.left, plan.command)));
    }
    Ok(CheckRan {
        code: ran.code,
        signal: ran.signal,
        timed_out: ran.timed_out,
        output: ran.output.text(MAX_CHECK_OUTPUT),
    })
}

fn fault(error: &NotRun) -> Fault {
    let kind = match error {
        NotRun::NotInstalled { .. } => Kind::Unsupported,
        NotRun::NoDirectory { .. } => Kind::NotFound,
        NotRun::Refused { .. } => Kind::Unavailable,
        NotRun::Log { .. } => Kind::StorageFailed,
    };
    Fault::new(kind, error.to_string())
}
