"""Console scripts: Ctrl-C is heard while their modules are imported, too."""

from functools import partial

from mclas_lightning.errors import run_main
from mclas_lightning.progress import bound_libraries

bound_libraries()  # Libraries read the variables that this sets when they are loaded.

mclas = partial(run_main, "mclas_lightning.cli.main")
mclas_train = partial(run_main, "mclas_lightning.train")
mclas_evaluate = partial(run_main, "mclas_lightning.evaluate")
