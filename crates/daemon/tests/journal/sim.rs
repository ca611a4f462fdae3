//! A disk in memory that can stop, fail or lose its power at any operation.
//!
//! It models what POSIX promises and no more: content is durable after the file's sync, names after the directory's.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ao_daemon::journal::disk::{Access, Disk, DiskFile};

/// When the disk misbehaves. Operations that change something are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Works,
    /// From operation `n` on nothing happens any more, as when the process is killed there.
    StopsAt(u64),
    /// Operation `n` fails, later ones work.
    FailsOnceAt(u64),
    /// Operation `n` and the one after it fail, later ones work.
    FailsTwiceAt(u64),
    /// Operation `n` and all later ones fail, but reading works.
    FailsFrom(u64),
}

/// What an end of the process leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The process ended: what the system was given is there.
    Process,
    /// The power failed: anything that was not synced may be lost, in whole or in part; the seed says what.
    Power(u64),
}

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Length without content, for the reserve.
    hollow: u64,
}

#[derive(Clone, Debug)]
enum NameChange {
    Add(PathBuf, usize),
    Move(PathBuf, PathBuf),
    Remove(PathBuf),
}

#[derive(Debug, Default)]
struct World {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    pending: Vec<NameChange>,
    operations: u64,
    writes: u64,
    syncs: u64,
    short: bool,
}

/// The disk; clones share it.
#[derive(Clone, Debug)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
    plan: Plan,
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: usize,
}

/// What an operation may do.
enum Permit {
    Do,
    /// Do a part of it and then report failure.
    Part,
}

impl SimDisk {
    pub fn new(plan: Plan) -> Self {
        Self { world: Arc::default(), plan }
    }

    /// Makes writes that fail take a part first.
    pub fn with_short_writes(self) -> Self {
        self.lock().short = true;
        self
    }

    /// Returns how many operations that change something were tried.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Returns how many writes and syncs of files happened.
    pub fn writes_and_syncs(&self) -> (u64, u64) {
        let world = self.lock();
        (world.writes, world.syncs)
    }

    /// Returns the same disk with another plan; the count of operations begins anew.
    pub fn planned(&self, plan: Plan) -> Self {
        self.lock().operations = 0;
        Self { world: Arc::clone(&self.world), plan }
    }

    /// Returns the disk as the next process finds it.
    pub fn after(&self, loss: Loss) -> Self {
        let world = self.lock();
        let next = match loss {
            Loss::Process => World {
                inodes: world.inodes.clone(),
                names: world.names.clone(),
                durable_names: world.durable_names.clone(),
                pending: world.pending.clone(),
                ..World::default()
            },
            Loss::Power(seed) => world.lose_power(Random(seed)),
        };
        Self { world: Arc::new(Mutex::new(next)), plan: Plan::Works }
    }

    /// Returns every file with its content.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let world = self.lock();
        world.names.iter().map(|(path, inode)| (path.clone(), world.inodes[*inode].now.clone())).collect()
    }

    /// Puts a file there, durably.
    pub fn put(&self, path: &Path, content: &[u8]) {
        let mut world = self.lock();
        let inode = Inode { now: content.to_vec(), durable: content.to_vec(), hollow: 0 };
        world.inodes.push(inode);
        let id = world.inodes.len() - 1;
        world.names.insert(path.to_owned(), id);
        world.durable_names.insert(path.to_owned(), id);
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn stopped(&self, world: &World) -> bool {
        matches!(self.plan, Plan::StopsAt(n) if world.operations > n)
    }

    fn reading(&self) -> io::Result<MutexGuard<'_, World>> {
        let world = self.lock();
        if self.stopped(&world) { Err(io::Error::other("the process has stopped")) } else { Ok(world) }
    }

    fn changing(&self) -> io::Result<(MutexGuard<'_, World>, Permit)> {
        let mut world = self.lock();
        let this = world.operations;
        world.operations += 1;
        let fails = match self.plan {
            Plan::Works => false,
            Plan::StopsAt(n) | Plan::FailsFrom(n) => this >= n,
            Plan::FailsOnceAt(n) => this == n,
            Plan::FailsTwiceAt(n) => this == n || this == n + 1,
        };
        let first = match self.plan {
            Plan::Works => false,
            Plan::StopsAt(n) | Plan::FailsFrom(n) | Plan::FailsOnceAt(n) | Plan::FailsTwiceAt(n) => this == n,
        };
        let part = world.short && first;
        match (fails, part) {
            (false, _) => Ok((world, Permit::Do)),
            (true, true) => Ok((world, Permit::Part)),
            (true, false) => Err(io::Error::other("planned failure")),
        }
    }

    /// For operations that happen or do not.
    fn changing_whole(&self) -> io::Result<MutexGuard<'_, World>> {
        match self.changing()? {
            (world, Permit::Do) => Ok(world),
            (_, Permit::Part) => Err(io::Error::other("planned failure")),
        }
    }
}

impl World {
    fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &NameChange) {
        match change {
            NameChange::Add(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            NameChange::Move(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            NameChange::Remove(path) => {
                names.remove(path);
            }
        }
    }

    fn change(&mut self, change: NameChange) {
        Self::apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn lose_power(&self, mut random: Random) -> Self {
        let mut names = self.durable_names.clone();
        // Half of the file systems keep names in order, the other half as they like.
        let ordered = random.below(2) == 0;
        let kept = random.below(self.pending.len() as u64 + 1) as usize;
        for (n, change) in self.pending.iter().enumerate() {
            if if ordered { n < kept } else { random.below(2) == 0 } {
                Self::apply(&mut names, change);
            }
        }
        let inodes = self.inodes.iter().map(|inode| {
            let now = inode.lose_power(&mut random);
            Inode { durable: now.clone(), now, hollow: inode.hollow }
        });
        Self { inodes: inodes.collect(), durable_names: names.clone(), names, ..Self::default() }
    }
}

impl Inode {
    fn lose_power(&self, random: &mut Random) -> Vec<u8> {
        match (random.below(4), self.now.strip_prefix(&self.durable[..])) {
            (0, _) => self.durable.clone(),
            (1, _) | (_, None) => self.now.clone(),
            // Part of what was appended.
            (2, Some(added)) => {
                let kept = random.below(added.len() as u64 + 1) as usize;
                self.now[..self.durable.len() + kept].to_vec()
            }
            // The length was kept and the content was not, from where a write could begin.
            (_, Some(added)) => {
                let sectors = added.len() / 512;
                let whole = match random.below(sectors as u64 + 1) as usize {
                    0 => self.durable.len(),
                    n => (self.durable.len() / 512 + n) * 512,
                };
                let mut content = self.now[..whole].to_vec();
                content.resize(self.now.len(), 0);
                content
            }
        }
    }
}

impl Disk for SimDisk {
    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let world = self.reading()?;
        let ours = world.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(ours.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let found = self.reading()?.names.get(path).copied();
        let inode = match (access, found) {
            (Access::Read | Access::Write, Some(inode)) => inode,
            (Access::Read | Access::Write, None) => return Err(io::ErrorKind::NotFound.into()),
            (Access::Create, Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Access::Replace, Some(inode)) => {
                self.changing_whole()?.inodes[inode].now.clear();
                inode
            }
            (Access::Create | Access::Replace, None) => {
                let mut world = self.changing_whole()?;
                world.inodes.push(Inode::default());
                let inode = world.inodes.len() - 1;
                world.change(NameChange::Add(path.to_owned(), inode));
                inode
            }
        };
        Ok(Box::new(SimFile { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changing_whole()?.change(NameChange::Move(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.changing_whole()?;
        if !world.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.change(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut world = self.changing_whole()?;
        world.durable_names = world.names.clone();
        world.pending.clear();
        Ok(())
    }

    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut world = self.changing_whole()?;
        world.inodes.push(Inode { hollow: bytes, ..Inode::default() });
        let inode = world.inodes.len() - 1;
        world.change(NameChange::Add(path.to_owned(), inode));
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let world = self.disk.reading()?;
        let inode = &world.inodes[self.inode];
        Ok(inode.hollow + inode.now.len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.disk.reading()?;
        let content = &world.inodes[self.inode].now;
        let rest = content.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buf.len());
        buf[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let (mut world, permit) = self.disk.changing()?;
        world.writes += 1;
        let taken = match permit {
            Permit::Do => bytes.len(),
            Permit::Part => bytes.len() / 2,
        };
        let content = &mut world.inodes[self.inode].now;
        let offset = offset as usize;
        content.resize(content.len().max(offset + taken), 0);
        content[offset..offset + taken].copy_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.changing_whole()?.inodes[self.inode].now.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.disk.changing_whole()?;
        world.syncs += 1;
        let inode = &mut world.inodes[self.inode];
        inode.durable.clone_from(&inode.now);
        Ok(())
    }
}

/// A small generator (SplitMix64): the same seed gives the same loss.
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}
