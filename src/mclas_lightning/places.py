"""Where the folders lie that come with the package."""

from pathlib import Path


def shipped(name: str) -> Path:
    """Folder ``name``: in an installation it lies in the package, in a checkout beside src/."""
    places = (Path(__file__).parent / name, Path(__file__).parents[2] / name)
    return next((place for place in places if place.is_dir()), places[0])


CONF = shipped("conf")
EXPERIMENTS = shipped("experiments")
