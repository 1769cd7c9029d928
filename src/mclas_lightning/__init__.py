"""Cross-lingual abstractive summarization: MCLAS and its baselines.

``Summarizer`` is imported when it is first used, because it loads torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mclas_lightning.inference.api import Summarizer

__version__ = "0.2.0.dev0"
__all__ = ["Summarizer", "__version__"]


def __getattr__(name: str) -> Any:
    """Import ``Summarizer`` on demand (PEP 562)."""
    if name != "Summarizer":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from mclas_lightning.inference.api import Summarizer

    return Summarizer
