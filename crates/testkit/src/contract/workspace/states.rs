//! Any state that git can be in: whatever is in a workspace when it is removed is there afterwards, and comes back.
//!
//! A state is made by steps of three numbers, so that any numbers are a state and fewer of them a smaller one.

mod mess;
mod treasure;

use super::{Bench, Make, bench_in, removal};
pub use mess::Step;
use mess::{Mess, varied};
use std::fs;
use std::path::{Path, PathBuf};
use treasure::{held, treasure};

fn without_returns(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|&b| b != b'\r').collect()
}

/// Brings a workspace into the state of these steps, removes it, and looks for everything that was in it.
pub async fn whatever_is_there_is_kept(make: Make<'_>, setup: u8, steps: &[Step]) {
    let repo = varied(setup);
    let bench = bench_in(repo, make).await;
    let Bench { repo, workspace, dir, .. } = &bench;
    let is_clone = dir.join(".git").is_dir();
    let mut mess = Mess { repo, dir: dir.clone(), n: 0 };
    for step in steps {
        mess.step(*step);
    }
    let head = repo.try_git(dir, &["rev-parse", "--verify", "--quiet", "HEAD"]);
    let head = head.status.success().then(|| String::from_utf8_lossy(&head.stdout).trim().to_owned());
    let before = treasure(repo, dir, is_clone);
    // Without an index HEAD stands for it.
    let git_dir = PathBuf::from(repo.git_in(dir, &["rev-parse", "--absolute-git-dir"]));
    let has_index = git_dir.join("index").exists();
    let removed = workspace.remove(&removal(repo)).await.unwrap_or_else(|fault| panic!("{fault} ({fault:?})"));
    assert!(!dir.exists());
    assert_eq!(removed.ignored.iter().map(|(_, bytes)| bytes).sum::<u64>(), before.ignored, "{:?}", removed.ignored);

    let held = held(repo, removed.rescue.as_deref());
    for (object, place) in &before.objects {
        assert!(held.contains(object), "{object} ({place}) is lost; rescue: {:?}", removed.rescue);
    }

    let back = repo.place("back");
    match (&removed.rescue, &head) {
        (Some(name), _) => {
            let done = workspace.restore_rescued(&repo.path, name, &back).await;
            done.unwrap_or_else(|fault| panic!("{fault} ({fault:?})"));
        }
        (None, Some(head)) => {
            repo.git(&["worktree", "add", "--quiet", "--detach", &back.display().to_string(), head]);
        }
        (None, None) => fs::create_dir(&back).expect("the place is free"),
    }
    let after = treasure(repo, &back, false);
    let new_rules = before.clean.contains(Path::new(".gitattributes"));
    for (name, bytes) in &before.files {
        let there = after.files.get(name);
        let same = there == Some(bytes)
            || there.is_none() && before.elsewhere.iter().any(|inside| name.starts_with(inside))
            // Rules that were committed hold for every checkout but the one that they were committed in.
            || new_rules && before.clean.contains(name) && there.is_some()
            || before.clean.contains(name)
                && there.is_some_and(|there| without_returns(there) == without_returns(bytes));
        let (was, is) = (String::from_utf8_lossy(bytes), there.map(|bytes| String::from_utf8_lossy(bytes)));
        assert!(same, "{name:?} was {:.300?} and is {:.300?}", was, is);
    }
    // What a sparse checkout inside left out comes back as well.
    let may_be_new =
        |name: &Path| before.left_out.contains(name) || before.inside.iter().any(|inside| name.starts_with(inside));
    for name in after.files.keys().filter(|name| !may_be_new(name)) {
        assert!(before.files.contains_key(name), "{name:?} was not there");
    }
    if removed.rescue.is_some() && has_index {
        let lost: Vec<_> = before.index.difference(&after.index).map(|line| String::from_utf8_lossy(line)).collect();
        let new: Vec<_> = after.index.difference(&before.index).map(|line| String::from_utf8_lossy(line)).collect();
        assert!(lost.is_empty() && new.is_empty(), "the index lacks {lost:?} and has {new:?} for it");
    }
}
