"""``mclas new-dataset``: files of one's own become a corpus and a file of ``conf/dataset/``."""
