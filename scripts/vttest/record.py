"""Runs vttest's menus 1, 2, 3 and 8 in a terminal of 80 x 24: every screen is waited
for, Return is pressed, every item of a menu within a menu is chosen once. record.py FOLDER writes vttest-MENU.80x24."""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

QUIET = 0.35  # seconds without output after which a screen is taken for whole
LIMIT = 120  # seconds for one menu


def start():
    pid, terminal = pty.fork()
    if pid == 0:
        path = "/usr/local/bin:/usr/bin:/bin"
        os.execvpe("vttest", ["vttest"], {"TERM": "xterm", "PATH": path, "LC_ALL": "C.UTF-8"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return pid, terminal


def screen(terminal):
    """What is written until nothing more comes, and whether the program ended."""
    said = b""
    while select.select([terminal], [], [], QUIET)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            return said, True
        if not part:
            return said, True
        said += part
        if b"\x1b[c" in part or b"\x1b[0c" in part:
            os.write(terminal, b"\x1b[?1;2c")  # what the host answers
    return said, False


def record(menu):
    pid, terminal = start()
    screen(terminal)
    os.write(terminal, f"{menu}\r".encode())
    said, chosen, end = b"", 0, time.monotonic() + LIMIT
    while True:
        if time.monotonic() > end:
            sys.exit(f"record: menu {menu} did not end within {LIMIT} s")
        part, ended = screen(terminal)
        said += part
        if ended:
            break
        if b"Enter choice number" not in part:
            os.write(terminal, b"\r")
        elif b"VT100 test program" in part:
            break
        else:
            chosen += 1
            items = [int(item) for item in re.findall(rb"(\d+)\. ", part)]
            os.write(terminal, f"{chosen if chosen <= max(items) else 0}\r".encode())
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return said


for menu in (1, 2, 3, 8):
    with open(os.path.join(sys.argv[1], f"vttest-{menu}.80x24"), "wb") as file:
        file.write(record(menu))
