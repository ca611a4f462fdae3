//! Makes the container of a launch, once.

use super::engine::Engine;
use super::files::{Files, Record};
use super::mounts::{self, Bind, GATE_DIR};
use ao_core::kind::{Fault, Kind};
use ao_core::limits::{Container, Limits};
use ao_slots::Answer;
use ao_slots::runtime::LaunchPlan;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType};
use bollard::query_parameters::{CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Label: the data root, as every name outside of it carries it (`ao-{hash}`).
const ROOT_LABEL: &str = "ao.root";
/// Label: the session.
const SESSION_LABEL: &str = "ao.session";
/// Label: the launch.
const LAUNCH_LABEL: &str = "ao.launch";
/// Label: the launch's directory.
const DIR_LABEL: &str = "ao.dir";

/// Where programs are when the image does not say (the engine's own default).
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the container's shell does first: it waits until the terminal has its size, says when there is no such program, and
/// becomes the agent. Opening a pipe waits until somebody has the other end.
const START: &str = r#"gate=$1; shift
: <"$gate/gate"
command -v "$1" >/dev/null 2>&1 || { : >"$gate/missing"; exit 127; }
exec "$@""#;

/// The engine keeps no log of its own: hosts keep one, byte by byte, and the engine's costs more than everything else that
/// happens to a line (measured: 4 MB of empty lines in 1.1 s, with the driver `local` in 2.9 s, with `json-file` in 4.3 s).
const LOG_DRIVER: &str = "none";

/// Billionths of a core in a percent of one.
const NANO_PER_PERCENT: i64 = 10_000_000;

/// The container's first process, which reaps what the agent leaves, is no process of the agent.
const FIRST_PROCESS: i64 = 1;

/// A container of a data root, as a person is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its session.
    pub session: String,
    /// The launch's directory.
    pub dir: PathBuf,
    /// `running`, `exited`, … in the engine's word.
    pub state: String,
}

/// Makes sure that a launch has its container; a second call finds the first one's.
///
/// # Errors
/// A fault that says what is missing: the engine, the image, a directory.
pub(super) async fn ensure(
    engine: &Engine,
    socket: &Path,
    plan: &LaunchPlan,
    files: &Files,
    ao: &Path,
) -> Answer<Record> {
    let container = plan.container.as_ref().ok_or_else(|| {
        Fault::invalid("runtime docker needs an image")
            .hint("set `docker: {image: NAME}` for the project in agent-orchestrator.yaml")
    })?;
    let image_env = image_env(engine, &container.image).await?;
    let mapping = Mapping::of(engine).await?;
    let disk = |e: std::io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", plan.dir.display()));
    std::fs::create_dir_all(plan.dir.parent().unwrap_or(&plan.dir)).map_err(disk)?;
    ao_host::files::private_dir(&plan.dir).map_err(disk)?;
    files.make().map_err(disk)?;
    let binds = mounts::of(plan, files, ao)?;
    let name = name(plan);
    let body = body(plan, container, &binds, &mapping, &image_env);
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let id = match engine.docker().create_container(Some(options), body).await {
        Ok(made) => made.id,
        Err(Error::DockerResponseServerError { status_code: 409, .. }) => known(engine, &name, plan).await?,
        Err(error) => return Err(engine.fault("make its container", &error)),
    };
    let record = Record {
        socket: socket.to_owned(),
        id,
        name,
        image: container.image.clone(),
        program: plan.argv.first().cloned().unwrap_or_default(),
        launch: plan.launch.to_string(),
        session: plan.session.to_string(),
        data_root: mounts::data_root(plan),
        memory: plan.limits.memory_bytes,
    };
    files.keep(&record).map_err(disk)?;
    Ok(record)
}

/// The containers of a data root; `label` is any of its sessions' [`LaunchPlan::label`] without the session.
///
/// # Errors
/// When the engine does not answer.
pub(super) async fn all(engine: &Engine, root: &str) -> Answer<Vec<Kept>> {
    let filters = HashMap::from([("label".to_owned(), vec![format!("{ROOT_LABEL}={root}")])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let found = engine.docker().list_containers(Some(options)).await;
    let found = found.map_err(|e| engine.fault("list its containers", &e))?;
    let of = |labels: &HashMap<String, String>, name: &str| labels.get(name).cloned().unwrap_or_default();
    Ok(found
        .into_iter()
        .map(|container| {
            let labels = container.labels.unwrap_or_default();
            let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
            Kept {
                name: name.trim_start_matches('/').to_owned(),
                session: of(&labels, SESSION_LABEL),
                dir: of(&labels, DIR_LABEL).into(),
                state: container.state.map(|state| state.to_string()).unwrap_or_default(),
            }
        })
        .collect())
}

/// The container's name: the session's label and the launch's number.
fn name(plan: &LaunchPlan) -> String {
    let launch = plan.launch.as_str();
    let name = format!("{}.{}", plan.label, launch.rsplit('.').next().unwrap_or(launch));
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' }).collect()
}

/// What the label says without the session: the data root.
fn root_of(plan: &LaunchPlan) -> &str {
    plan.label.strip_suffix(plan.session.as_str()).map_or(plan.label.as_str(), |root| root.trim_end_matches('-'))
}

/// The container that has the name already, if it is this launch's.
async fn known(engine: &Engine, name: &str, plan: &LaunchPlan) -> Answer<String> {
    let found = engine.docker().inspect_container(name, None::<InspectContainerOptions>).await;
    let found = found.map_err(|e| engine.fault("look at its container", &e))?;
    let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    let ours = labels.get(LAUNCH_LABEL).map(String::as_str) == Some(plan.launch.as_str())
        && labels.get(DIR_LABEL).map(Path::new) == Some(&plan.dir);
    match found.id {
        Some(id) if ours => Ok(id),
        Some(_) | None => Err(Fault::conflict(format!("there is a container {name} that is not of this launch"))
            .hint(format!("see what it is with `docker inspect {name}`; `docker rm {name}` removes it"))),
    }
}

/// The image's own environment.
async fn image_env(engine: &Engine, image: &str) -> Answer<Vec<String>> {
    match engine.docker().inspect_image(image).await {
        Ok(found) => Ok(found.config.and_then(|config| config.env).unwrap_or_default()),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
            Err(Fault::not_found(format!("the image {image} is not on this machine; get it with: docker pull {image}")))
        }
        Err(error) => Err(engine.fault("look at the image", &error)),
    }
}

/// Who the container's processes are, so that files in the workspace are the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    user: String,
    userns: Option<String>,
}

impl Mapping {
    /// A rootless engine maps its root to this user; one that maps users is told not to.
    async fn of(engine: &Engine) -> Answer<Self> {
        let info = engine.docker().info().await.map_err(|e| engine.fault("say how it is set up", &e))?;
        let options = info.security_options.unwrap_or_default();
        let has = |name: &str| options.iter().any(|option| option.split(',').any(|part| part == name));
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        Ok(Self {
            user: if has("name=rootless") { "0:0".to_owned() } else { format!("{uid}:{gid}") },
            userns: has("name=userns").then(|| "host".to_owned()),
        })
    }
}

fn body(
    plan: &LaunchPlan,
    container: &Container,
    binds: &[Bind],
    mapping: &Mapping,
    image_env: &[String],
) -> ContainerCreateBody {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let labels = [
        (ROOT_LABEL, root_of(plan).to_owned()),
        (SESSION_LABEL, plan.session.to_string()),
        (LAUNCH_LABEL, plan.launch.to_string()),
        (DIR_LABEL, text(&plan.dir)),
    ];
    let mut command = vec!["-c".to_owned(), START.to_owned(), "ao".to_owned(), GATE_DIR.to_owned()];
    let program = plan.argv.first().map(|program| inside(program, binds));
    command.extend(program.into_iter().chain(plan.argv.iter().skip(1).cloned()));
    ContainerCreateBody {
        image: Some(container.image.clone()),
        entrypoint: Some(vec!["/bin/sh".to_owned()]),
        cmd: Some(command),
        user: Some(mapping.user.clone()),
        env: Some(env(&plan.env, image_env).into_iter().map(|(name, value)| format!("{name}={value}")).collect()),
        working_dir: Some(text(&plan.cwd)),
        tty: Some(true),
        open_stdin: Some(true),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        labels: Some(labels.map(|(name, value)| (name.to_owned(), value)).into()),
        host_config: Some(host_config(&plan.limits, container, binds, mapping)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(limits: &Limits, container: &Container, binds: &[Bind], mapping: &Mapping) -> HostConfig {
    let text = |path: &Path| Some(path.to_string_lossy().into_owned());
    let memory = limits.memory_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    HostConfig {
        mounts: Some(
            binds
                .iter()
                .map(|bind| Mount {
                    typ: Some(MountType::BIND),
                    source: text(&bind.source),
                    target: text(&bind.target),
                    read_only: Some(bind.read_only),
                    ..Mount::default()
                })
                .collect(),
        ),
        memory,
        // Without swap: a limit that only makes everything slow is none.
        memory_swap: memory,
        pids_limit: limits.processes.map(|processes| i64::from(processes) + FIRST_PROCESS),
        nano_cpus: limits.cpu_percent.map(|percent| i64::from(percent) * NANO_PER_PERCENT),
        network_mode: Some(container.network.clone()).filter(|network| !network.is_empty()),
        init: Some(true),
        userns_mode: mapping.userns.clone(),
        log_config: Some(HostConfigLogConfig { typ: Some(LOG_DRIVER.to_owned()), config: None }),
        ..HostConfig::default()
    }
}

/// The program as it is called inside: its path where that is mounted, else its name, because an image has places of its own.
fn inside(program: &str, binds: &[Bind]) -> String {
    let path = Path::new(program);
    let mounted = binds.iter().any(|bind| path.starts_with(&bind.target));
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if path.is_absolute() && !mounted => name.to_owned(),
        Some(_) | None => program.to_owned(),
    }
}

/// The environment inside: what the launch says, with the image's own places for programs before those of this machine.
fn env(given: &BTreeMap<String, String>, image: &[String]) -> BTreeMap<String, String> {
    let image: BTreeMap<&str, &str> = image.iter().filter_map(|line| line.split_once('=')).collect();
    let own = image.get("PATH").copied().filter(|path| !path.is_empty()).unwrap_or(USUAL_PATH);
    let ours = given.get("AO_HOME").map(|root| format!("{root}/bin"));
    let mut path: Vec<&str> = Vec::new();
    for dir in ours
        .as_deref()
        .into_iter()
        .chain(own.split(':'))
        .chain(given.get("PATH").into_iter().flat_map(|p| p.split(':')))
    {
        if !dir.is_empty() && !path.contains(&dir) {
            path.push(dir);
        }
    }
    let mut env = given.clone();
    env.insert("PATH".to_owned(), path.join(":"));
    env.entry("TERM".to_owned()).or_insert_with(|| "xterm-256color".to_owned());
    env
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::id::{LaunchId, SessionId};

    fn plan() -> LaunchPlan {
        LaunchPlan {
            session: SessionId::new("app-1"),
            launch: LaunchId::new("app-1.2"),
            label: "ao-0123abcd-app-1".to_owned(),
            dir: "/data/app/sessions/app-1.d/2".into(),
            socket: "/data/run/1.sock".into(),
            argv: vec!["/opt/here/claude".to_owned(), "--model".to_owned(), "/opt/here/x".to_owned()],
            cwd: "/w".into(),
            env: BTreeMap::from([("PATH".to_owned(), "/data/bin:/home/me/bin:/bin".to_owned())]),
            cols: 80,
            rows: 24,
            limits: Limits { memory_bytes: Some(1 << 30), processes: Some(100), cpu_percent: Some(150) },
            container: None,
            reach: Vec::new(),
        }
    }

    fn made(plan: &LaunchPlan, image_env: &[String]) -> ContainerCreateBody {
        let container = Container { image: "agents:1".to_owned(), network: String::new(), mounts: Vec::new() };
        let binds = [Bind { source: "/w".into(), target: "/w".into(), read_only: false }];
        let mapping = Mapping { user: "1000:1000".to_owned(), userns: None };
        body(plan, &container, &binds, &mapping, image_env)
    }

    #[test]
    fn names_and_labels_say_whose_it_is() {
        let plan = plan();
        assert_eq!((name(&plan).as_str(), root_of(&plan)), ("ao-0123abcd-app-1.2", "ao-0123abcd"));
        let labels = made(&plan, &[]).labels.expect("labels");
        assert_eq!(labels.get(LAUNCH_LABEL).map(String::as_str), Some("app-1.2"));
        assert_eq!(labels.get(ROOT_LABEL).map(String::as_str), Some("ao-0123abcd"));
    }

    #[test]
    fn bounds_are_the_containers_and_without_swap() {
        let host = made(&plan(), &[]).host_config.expect("a host's part");
        assert_eq!((host.memory, host.memory_swap), (Some(1 << 30), Some(1 << 30)));
        assert_eq!((host.nano_cpus, host.pids_limit), (Some(1_500_000_000), Some(101)));
        assert_eq!((host.network_mode, host.init), (None, Some(true)), "the engine's own network, and a first process");
        let free = LaunchPlan { limits: Limits::default(), ..plan() };
        let host = made(&free, &[]).host_config.expect("a host's part");
        assert_eq!((host.memory, host.memory_swap, host.nano_cpus, host.pids_limit), (None, None, None, None));
    }

    #[test]
    fn a_program_of_this_machine_is_called_by_its_name_unless_it_is_mounted() {
        let command = |plan: &LaunchPlan| made(plan, &[]).cmd.expect("a command").split_off(4);
        assert_eq!(command(&plan()), ["claude", "--model", "/opt/here/x"]);
        let mounted = LaunchPlan { argv: vec!["/w/tool".to_owned()], ..plan() };
        assert_eq!(command(&mounted), ["/w/tool"]);
    }

    #[test]
    fn the_images_programs_come_before_those_of_this_machine() {
        let given = BTreeMap::from([
            ("AO_HOME".to_owned(), "/data".to_owned()),
            ("PATH".to_owned(), "/data/bin:/home/me/bin:/bin".to_owned()),
        ]);
        let path = |image: &[String]| env(&given, image).remove("PATH").expect("a path");
        assert_eq!(path(&["PATH=/opt/venv/bin:/bin".to_owned()]), "/data/bin:/opt/venv/bin:/bin:/home/me/bin");
        assert!(path(&[]).starts_with("/data/bin:/usr/local/sbin:"));
    }
}
