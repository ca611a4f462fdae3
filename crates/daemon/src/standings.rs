//! What was seen of agents that might get a task, kept for a moment: whoever asks for many sessions at once looks once.

use ao_slots::agent::{Agent, Standing};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What was seen holds this long: whoever logs in or installs an agent meanwhile does not wonder for longer.
const HOLDS: Duration = Duration::from_secs(15);

/// A look may take this long, the slowest file system included; what it does not say by then counts as not there.
const LOOKS_FOR: Duration = Duration::from_secs(15);

/// Looks that are kept: all agents for a handful of environments.
const KEPT: usize = 256;

/// The looks that still hold, by agent and environment.
#[derive(Default)]
pub(crate) struct Standings {
    kept: Mutex<BTreeMap<(String, u64), (Instant, Standing)>>,
}

impl Standings {
    /// How each of these agents stands for somebody with this environment, all looked at side by side.
    pub(crate) async fn of(
        &self,
        agents: &[Arc<dyn Agent>],
        env: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Standing> {
        let whose = fingerprint(env);
        let shared = Arc::new(env.clone());
        let (mut found, mut looks) = (BTreeMap::new(), JoinSet::new());
        for agent in agents {
            let name = agent.adapter().name.clone();
            if let Some(standing) = self.known(&name, whose, Instant::now()) {
                found.insert(name, standing);
                continue;
            }
            let (agent, env) = (agent.clone(), shared.clone());
            looks.spawn(async move { (name, timeout(LOOKS_FOR, agent.standing(&env)).await.unwrap_or_default()) });
        }
        for (name, standing) in looks.join_all().await {
            self.keep(&name, whose, standing, Instant::now());
            found.insert(name, standing);
        }
        found
    }

    fn known(&self, name: &str, whose: u64, now: Instant) -> Option<Standing> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(name.to_owned(), whose))
            .filter(|(at, _)| now.saturating_duration_since(*at) < HOLDS)
            .map(|(_, standing)| *standing)
    }

    fn keep(&self, name: &str, whose: u64, standing: Standing, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| now.saturating_duration_since(*at) < HOLDS);
        if kept.len() < KEPT {
            kept.insert((name.to_owned(), whose), (now, standing));
        }
    }
}

/// Tells environments apart without keeping their values.
fn fingerprint(env: &BTreeMap<String, String>) -> u64 {
    let mut hasher = DefaultHasher::new();
    env.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_holds_for_a_moment_and_for_one_environment() {
        let standings = Standings::default();
        let seen = Standing { installed: true, ..Standing::default() };
        let env = |path: &str| fingerprint(&BTreeMap::from([("PATH".to_owned(), path.to_owned())]));
        let now = Instant::now();
        standings.keep("x", env("/bin"), seen, now);
        assert_eq!(standings.known("x", env("/bin"), now), Some(seen));
        assert_eq!(standings.known("x", env("/usr/bin"), now), None, "somebody else's");
        assert_eq!(standings.known("y", env("/bin"), now), None);
        assert_eq!(standings.known("x", env("/bin"), now + HOLDS), None, "it may have been installed meanwhile");
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_over_gives_way() {
        let (standings, now) = (Standings::default(), Instant::now());
        let count = |s: &Standings| s.kept.lock().unwrap().len();
        for n in 0..KEPT + 5 {
            standings.keep(&n.to_string(), 1, Standing::default(), now);
        }
        assert_eq!(count(&standings), KEPT);
        standings.keep("late", 1, Standing::default(), now + HOLDS);
        assert_eq!(count(&standings), 1);
    }
}
