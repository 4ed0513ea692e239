"""How far the processor's last cache is from the core that reads it."""

from __future__ import annotations

from pathlib import Path

#: A last cache of more bytes is one for dozens of cores, and most of it is far away.
MOST_NEARBY = 2**26

#: Where Linux says how large it is, in KiB: "32768K".
SIZE = Path("/sys/devices/system/cpu/cpu0/cache/index3/size")


def is_last_one_near() -> bool:
    """Tell whether blocks that leave a core's own cache still find a fast one.

    Where the system does not say, they do: processors with a last cache for dozens of
    cores are those of servers, and these run Linux.
    """
    try:
        kibibytes = SIZE.read_text("ascii").strip().removesuffix("K")
    except OSError:
        return True
    return not kibibytes.isdecimal() or int(kibibytes) * 2**10 <= MOST_NEARBY
