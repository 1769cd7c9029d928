"""Console scripts of modules that take seconds to import: Ctrl-C is heard meanwhile, too."""

from mclas_lightning.errors import exits_cleanly


@exits_cleanly
def mclas_train() -> None:
    """``mclas-train``."""
    from mclas_lightning.train import main

    main()


@exits_cleanly
def mclas_evaluate() -> None:
    """``mclas-evaluate``."""
    from mclas_lightning.evaluate import main

    main()
