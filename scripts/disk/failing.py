#!/usr/bin/env python3
"""A file system that passes everything through to a directory, and answers EIO to whatever writes while a file is there.

failing.py DIRECTORY MOUNTPOINT SWITCH: runs until it is unmounted; while SWITCH exists, nothing can be written or made.
"""

import errno
import os
import sys

try:
    import fusepy as fuse
except ImportError:
    import fuse


class Failing(fuse.Operations):
    """The directory below, with a device that fails on command."""

    def __init__(self, below, switch):
        self.below = below
        self.switch = switch

    def place(self, path):
        return os.path.join(self.below, path.lstrip("/"))

    def writes(self):
        if os.path.exists(self.switch):
            raise fuse.FuseOSError(errno.EIO)

    # Reading.

    def getattr(self, path, fh=None):
        found = os.lstat(self.place(path))
        names = ("mode", "nlink", "uid", "gid", "size", "atime", "mtime", "ctime", "blocks")
        return {"st_" + name: getattr(found, "st_" + name) for name in names}

    def access(self, path, mode):
        if not os.access(self.place(path), mode):
            raise fuse.FuseOSError(errno.EACCES)

    def readdir(self, path, fh):
        return [".", ".."] + os.listdir(self.place(path))

    def readlink(self, path):
        return os.readlink(self.place(path))

    def statfs(self, path):
        found = os.statvfs(self.place(path))
        names = ("bavail", "bfree", "blocks", "bsize", "favail", "ffree", "files", "flag", "frsize", "namemax")
        return {"f_" + name: getattr(found, "f_" + name) for name in names}

    def open(self, path, flags):
        # The kernel places every write itself; a descriptor that appends would place it again.
        return os.open(self.place(path), flags & ~os.O_APPEND)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def release(self, path, fh):
        os.close(fh)

    # Writing.

    def write(self, path, data, offset, fh):
        self.writes()
        return os.pwrite(fh, data, offset)

    def fsync(self, path, datasync, fh):
        self.writes()
        os.fsync(fh)

    def truncate(self, path, length, fh=None):
        self.writes()
        os.truncate(self.place(path) if fh is None else fh, length)

    def create(self, path, mode, fi=None):
        self.writes()
        return os.open(self.place(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)

    def mknod(self, path, mode, dev):
        self.writes()
        os.mknod(self.place(path), mode, dev)

    def mkdir(self, path, mode):
        self.writes()
        os.mkdir(self.place(path), mode)

    def symlink(self, path, target):
        self.writes()
        os.symlink(target, self.place(path))

    def link(self, path, target):
        self.writes()
        os.link(self.place(target), self.place(path))

    def rename(self, old, new):
        self.writes()
        os.rename(self.place(old), self.place(new))

    def unlink(self, path):
        self.writes()
        os.unlink(self.place(path))

    def rmdir(self, path):
        self.writes()
        os.rmdir(self.place(path))

    def chmod(self, path, mode):
        self.writes()
        os.chmod(self.place(path), mode)

    def chown(self, path, uid, gid):
        self.writes()
        os.lchown(self.place(path), uid, gid)

    def utimens(self, path, times=None):
        self.writes()
        os.utime(self.place(path), times, follow_symlinks=False)


if __name__ == "__main__":
    directory, mountpoint, switch = sys.argv[1:]
    os.umask(0)
    fuse.FUSE(Failing(directory, switch), mountpoint, foreground=True, nothreads=True, default_permissions=True)
