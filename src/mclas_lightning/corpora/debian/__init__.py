"""A corpus of triples written by people: Debian's package descriptions and their translations.

The document is the long description of a package, the summary its synopsis of one line. People of
the Debian Description Translation Project have translated both into German and Chinese.
"""

from mclas_lightning.corpora.debian.apt import SUITES
from mclas_lightning.corpora.debian.corpus import write_debian

__all__ = ["SUITES", "write_debian"]
