"""Console scripts: Ctrl-C is heard while their modules are imported, too."""

from functools import partial

from mclas_lightning.errors import run_main
from mclas_lightning.progress import bound_libraries

bound_libraries()  # Every script loads torch later, or starts a process that does.

mclas = partial(run_main, "mclas_lightning.cli.main")
mclas_train = partial(run_main, "mclas_lightning.train")
mclas_evaluate = partial(run_main, "mclas_lightning.evaluate")
