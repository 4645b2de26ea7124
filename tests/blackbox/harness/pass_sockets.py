"""Execs a command with listening sockets, the way in which systemd does: sd_listen_fds(3).

    pass_sockets.py FD,FD,... COMMAND [ARGUMENT]...
"""

import fcntl
import os
import sys

FIRST = 3

given = [int(text) for text in sys.argv[1].split(",")]
# Out of the way first, so that no move lands on one that is still to be moved.
spare = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST + 100) for fd in given]
for number, fd in enumerate(spare, FIRST):
    os.dup2(fd, number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)))
os.execvp(sys.argv[2], sys.argv[2:])
