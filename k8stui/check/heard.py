"""What can be said of a world in which no rule found anything: who listens, by the judge."""

from __future__ import annotations

from k8stui.check.ground import Ground
from k8stui.check.ports import ServedPort
from k8stui.cluster.programs.listening import Opinion
from k8stui.walk.world import World


def nothing_found(world: World) -> str:
    """One sentence, as true as the judge of who listens can make it."""
    ground = Ground(world)
    services = ground.services
    if not services:
        return "Nothing was found; there is no Service to ask."
    led = {target.service.key for target in ground.targets}
    silent = sum(service.key not in led for service in services)
    guessed = {t.service.key for t in ground.targets if not _is_known(ground, t)}
    if silent:
        return f"Nothing was found; {_lead(silent, len(services))} to no pod of the input."
    if guessed:
        some = _lead(len(guessed), len(services))
        return f"Nothing was found; {some} to ports that nobody declares, assumed to listen."
    return "Nothing is wrong: every Service leads to pods that listen."


def _is_known(ground: Ground, target: ServedPort) -> bool:
    """Whether all pods behind a port say that they listen there; a name they declare."""
    wanted = target.port.target_port
    if isinstance(wanted, str):
        return True
    opinions = (
        ground.listening.on(led.pod, target.service, wanted, target.port.protocol)
        for led in target.led
    )
    return all(opinion in (Opinion.DECLARED, Opinion.SPOKEN) for opinion in opinions)


def _lead(some: int, of: int) -> str:
    if of == 1:
        return "the Service leads"
    return f"{some:,} of {of:,} Services {'leads' if some == 1 else 'lead'}"
