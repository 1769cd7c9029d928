"""A real corpus of human triples: Debian's package descriptions and their translations.

A package's long description is the document, its one-line synopsis the summary; the Debian
Description Translation Project has people's German and Chinese versions of both.
"""

from mclas_lightning.corpora.debian.apt import SUITES
from mclas_lightning.corpora.debian.corpus import write_debian

__all__ = ["SUITES", "write_debian"]
