"""Random keys on the screen: nothing may end it, and nothing may be a traceback.

    python benchmarks/key_soak.py [KEYS] [SEEDS] [PATH...]

KEYS a seed and a size (default 2,500: with 5 seeds and 4 sizes 50,000). Keys that leave are left
out; so is writing a file. Ends with status 1 at the first crash, and says how to have it again.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
import traceback
from itertools import product

from textual import events

from k8stui.tui.app import K8sTuiApp
from k8stui.tui.jobs import Jobs

SIZES = ((80, 24), (40, 10), (120, 34), (200, 50))
LETTERS = (
    "abcdefghijklmnoprstuvxyzBDFGNQRSXY0123456789/?:!.,-_[]{}()<>'\" \x00\x7f\x85\u202e網\U0001f980"
)
NAMED = (  # noqa: SIM905 - as one reads them
    "up down left right home end pageup pagedown enter escape tab shift+tab backspace delete space "
    "f1 f2 f7 f8 f12 insert ctrl+a ctrl+d ctrl+e ctrl+k ctrl+l ctrl+p ctrl+u ctrl+v ctrl+w "
    "ctrl+y ctrl+z ctrl+home ctrl+end ctrl+left shift+up alt+x ctrl+@ ctrl+underscore"
).split()
LEAVING = {"ctrl+z"}  # it suspends, which needs a terminal


def key(dice: random.Random) -> events.Key:
    if dice.random() < 0.5:
        letter = dice.choice(LETTERS)
        return events.Key(letter, letter)
    name = dice.choice([name for name in NAMED if name not in LEAVING])
    return events.Key(name, None)


async def soak(app: K8sTuiApp, dice: random.Random, size: tuple[int, int], count: int) -> int:
    """Press keys; gives how many were handled before a crash, or all."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        for number in range(count):
            if dice.random() < 0.005:
                width, height = dice.choice(SIZES)
                await pilot.resize_terminal(max(1, width - dice.randrange(60)), height)
            app.post_message(key(dice))
            if number % 20 == 0:
                await pilot.pause()
            if app.crash is not None or not app.is_running:
                return number
    return count


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    paths = sys.argv[3:]
    total, start = 0, time.monotonic()
    for seed, size in product(range(seeds), SIZES):
        dice, done = random.Random(f"{seed} {size}"), 0  # noqa: S311 - to have it again
        while done < count:  # the palette can leave, too
            app = K8sTuiApp(Jobs(paths))
            try:
                done += 1 + asyncio.run(soak(app, dice, size, count - done))
            except Exception as error:  # noqa: BLE001 - the one thing that is looked for
                app.crash = app.crash or error
            if app.crash is not None:
                print(f"seed {seed}, size {size}: after about {done} keys:")
                traceback.print_exception(app.crash)
                return 1
        total += done
        print(f"seed {seed}, size {size[0]}×{size[1]}: {done:,} keys", flush=True)
    print(f"{total:,} keys in {time.monotonic() - start:.0f} s, no traceback")
    return 0


if __name__ == "__main__":
    sys.exit(main())
