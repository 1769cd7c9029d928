"""Our HTML pages, and their content security policy: a browser loads and runs nothing else.

A page is one file. It runs the scripts that it was written with, which the policy knows by their
hashes, and no script that a text of a corpus would bring along. It asks no server for anything.
"""

import base64
import hashlib
import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

_POLICY = re.compile(r'(?<=<meta http-equiv="Content-Security-Policy" content=")[^"]*')

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

# Style attributes of SVG pictures have no hash that a browser would accept.
RULES = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def rendered(package: str, template: str, words: Mapping[str, object]) -> str:
    """The page of a template of ``package``, its words escaped and its policy filled in."""
    environment = Environment(
        loader=PackageLoader(package), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return with_policy(environment.get_template(template).render(words))


def with_policy(page: str) -> str:
    """The page with its policy in the ``<meta>`` of its head, which the template leaves empty."""
    hashes = "".join(f" 'sha256-{_hash(script)}'" for script in _SCRIPT.findall(page))
    rules = RULES + (f"; script-src{hashes}" if hashes else "")
    filled, places = _POLICY.subn(rules, page, count=1)
    assert places, "the template has a meta of the policy"
    return filled


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
