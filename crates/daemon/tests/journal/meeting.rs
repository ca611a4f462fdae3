//! Reader and writer meeting at the worst moments, made to happen instead of waited for.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use ao_daemon::journal::disk::{Access, Disk, DiskFile, LocalDisk};
use ao_daemon::journal::read::Reader;
use ao_daemon::journal::{Durability, Journal};

use crate::model::{SMALL, TestRecord, commit, data_dir, open, records, take_snapshot};

/// What is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    OpenActiveToRead,
    Sync,
}

type Hook = Box<dyn FnOnce() + Send>;

/// The real disk, with something else done first at one moment.
#[derive(Clone, Default)]
struct HookDisk {
    hook: Arc<Mutex<Option<(Moment, Hook)>>>,
}

#[derive(Debug)]
struct HookFile {
    file: Box<dyn DiskFile>,
    disk: HookDisk,
}

impl HookDisk {
    fn at(&self, moment: Moment, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some((moment, Box::new(hook)));
    }

    fn came(&self, moment: Moment) {
        let hook = self.hook.lock().unwrap().take_if(|(at, _)| *at == moment);
        if let Some((_, hook)) = hook {
            hook();
        }
    }

    fn is_done(&self) -> bool {
        self.hook.lock().unwrap().is_none()
    }
}

impl fmt::Debug for HookDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookDisk")
    }
}

impl Disk for HookDisk {
    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        LocalDisk.names(dir)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        if access == Access::Read && path.ends_with("events.jsonl") {
            self.came(Moment::OpenActiveToRead);
        }
        Ok(Box::new(HookFile { file: LocalDisk.open(path, access)?, disk: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        LocalDisk.sync_dir(dir)
    }

    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        LocalDisk.allocate(path, bytes)
    }
}

impl DiskFile for HookFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.came(Moment::Sync);
        self.file.sync()
    }
}

#[test]
fn a_reader_that_opens_the_next_file_by_the_old_name_looks_again() {
    for after_closing in [0, 1, 20] {
        let (dir, disk) = (data_dir(), HookDisk::default());
        let (mut journal, _) = open(&disk, dir.path(), SMALL).unwrap();
        commit(&mut journal, 13);
        let reader = journal.reader();
        disk.at(Moment::OpenActiveToRead, move || {
            take_snapshot(&mut journal);
            if after_closing > 0 {
                commit(&mut journal, after_closing);
            }
        });
        let page = reader.read_from(5, 4).unwrap();
        assert_eq!((page.items as Vec<TestRecord>, page.next), (records(5, 8), 9), "{after_closing}");
        assert!(disk.is_done() && dir.path().join("events-1-13.jsonl").exists());
    }
}

#[test]
fn nobody_reads_a_record_before_its_promised_sync() {
    let (dir, disk) = (data_dir(), HookDisk::default());
    let (mut journal, _) = open(&disk, dir.path(), SMALL).unwrap();
    commit(&mut journal, 2);
    let reader: Reader = journal.reader();
    let seen = Arc::new(OnceLock::new());
    disk.at(Moment::Sync, {
        let (seen, reader) = (Arc::clone(&seen), reader.clone());
        move || seen.set((reader.last_seq(), reader.read_lines(1, 100).unwrap().items.len())).unwrap()
    });
    journal.append(&records(3, 5), Durability::Synced).unwrap();
    assert_eq!(seen.get(), Some(&(2, 2)));
    assert_eq!(reader.last_seq(), 5);
}

#[test]
fn a_reader_outlives_the_journal() {
    let (dir, disk) = (data_dir(), HookDisk::default());
    let (mut journal, _): (Journal, _) = open(&disk, dir.path(), SMALL).unwrap();
    commit(&mut journal, 3);
    let reader = journal.reader();
    drop(journal);
    assert_eq!(reader.read_lines(1, 10).unwrap().items.len(), 3);
}
