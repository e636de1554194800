"""The built-in digests are hashlib's, and load nothing large."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui import digest


@pytest.mark.parametrize("name", digest.__all__)
@given(data=st.binary())
def test_same_digest(name: str, data: bytes) -> None:
    assert getattr(digest, name)(data).digest() == hashlib.new(name, data).digest()


def test_openssl_stays_out() -> None:
    code = "import sys, k8stui.digest; print('_hashlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
