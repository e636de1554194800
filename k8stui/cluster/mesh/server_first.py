"""Protocols in which the server speaks first: who waits for the client's first bytes waits long.

Told by the image of a container that has the port, else by the name of the Service's port, else by
a number that nothing else uses. Sources: the protocols themselves (MySQL's initial handshake, SMTP,
FTP, POP3, IMAP and SSH greetings, NATS' INFO).
"""

from __future__ import annotations

from k8stui.cluster.mesh.proxies import containers_of
from k8stui.cluster.model import Pod, ServicePort
from k8stui.cluster.programs.images import image_word

_BY_IMAGE = {
    **dict.fromkeys(
        ("mysql", "mariadb", "percona", "percona-server", "percona-xtradb-cluster", "proxysql",
         "mysql-server", "mariadb-galera", "tidb", "vtgate", "maxscale"),
        ("MySQL", (3306, 3307, 33060, 6033, 4000, 4006)),
    ),
    **dict.fromkeys(("nats", "nats-streaming"), ("NATS", (4222, 6222))),
    **dict.fromkeys(
        ("postfix", "mailhog", "mailpit", "smtp", "exim", "mailserver", "docker-mailserver",
         "smtp4dev", "maildev", "smtp-relay", "docker-postfix", "boky-postfix"),
        ("SMTP", (25, 587, 1025, 2525)),
    ),
    **dict.fromkeys(("vsftpd", "ftpd", "pure-ftpd", "proftpd"), ("FTP", (21,))),
    **dict.fromkeys(("sftp", "openssh-server", "openssh", "sshd"), ("SSH", (22, 2222))),
    **dict.fromkeys(("gitea", "gitlab-ce", "gitlab-ee", "gogs"), ("SSH", (22, 2222))),
    **dict.fromkeys(("dovecot", "courier-imap"), ("IMAP", (110, 143))),
}  # fmt: skip
_ALONE = frozenset({"mysql", "mariadb", "percona", "proxysql", "nats"})
"""Images of which a port of another number, the only one of the container, is that too."""
_BY_NAME = {
    "mysql": "MySQL", "mariadb": "MySQL", "proxysql": "MySQL", "nats": "NATS", "smtp": "SMTP",
    "submission": "SMTP", "ftp": "FTP", "sftp": "SSH", "ssh": "SSH", "imap": "IMAP", "pop3": "POP3",
}  # fmt: skip
_BY_NUMBER = {3306: "MySQL", 4222: "NATS", 25: "SMTP", 587: "SMTP", 21: "FTP", 22: "SSH",
              143: "IMAP", 110: "POP3"}  # fmt: skip


def spoken_first(server: Pod | None, number: int, port: ServicePort | None) -> str:
    """The protocol; empty: the client speaks first, or nobody knows."""
    for one in containers_of(server) if server is not None else ():
        known = _BY_IMAGE.get(image_word(one.image))
        numbers = [each.number for each in one.ports]
        if known is not None and (
            number in known[1] or (image_word(one.image) in _ALONE and numbers == [number])
        ):
            return known[0]
    words = port.name.lower().split("-") if port is not None else ()
    named = next((_BY_NAME[word] for word in words if word in _BY_NAME), "")
    return named or _BY_NUMBER.get(number, "")
