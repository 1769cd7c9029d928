import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from mclas_lightning.corpora import fetch as module
from mclas_lightning.corpora.fetch import HUB, fetch
from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256

FILES = {
    "data/english-french_CrossSum.tar.bz2": bytes(range(256))
    * 50_000,  # more than a chunk of the hub's client
    "data/english-french_CrossSum_v2.tar.bz2": b"more",
    "data/french-english_CrossSum.tar.bz2": b"of another pair",
    "README.md": b"a card",
}
CHUNK = 10 * 2**20
COMMIT = "0123456789abcdef" * 2 + "01234567"


class Hub(BaseHTTPRequestHandler):
    """As a Hugging Face hub answers for one dataset; the first large answer is broken off."""

    broken: ClassVar[list[str]] = []
    asked: ClassVar[list[tuple[str, str, str | None]]] = []

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def log_message(self, *_):
        pass

    def answer(self):
        self.asked.append((self.command, self.path, self.headers.get("Range")))
        if self.path.startswith("/api/datasets/csebuetnlp/CrossSum"):
            siblings = [{"rfilename": name, "size": len(raw)} for name, raw in FILES.items()]
            about = {"id": "csebuetnlp/CrossSum", "sha": COMMIT, "siblings": siblings}
            return self.send(json.dumps(about).encode())
        name = self.path.partition(f"/resolve/{COMMIT}/")[2].partition("?")[0]
        return self.send(FILES[name]) if name in FILES else self.send_error(404)

    def send(self, body):
        start = int((self.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.command == "GET":
            cut = len(body) > CHUNK and self.path not in self.broken
            self.wfile.write(body[start : start + CHUNK + 7] if cut else body[start:])
            if cut:
                self.broken.append(self.path)
                self.close_connection = True


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(hub, *words, cwd):
    own = {"HF_ENDPOINT": hub, "HF_HUB_OFFLINE": "0", "HF_HOME": str(cwd / "home")}
    return subprocess.run(
        [sys.executable, "-m", "mclas_lightning.cli.main", "data", "fetch", *words],
        cwd=cwd, env=os.environ | own | {"HF_HUB_DISABLE_XET": "1"}, capture_output=True, text=True,
    )  # fmt: skip


def fetched(out):
    """The hashes that fetched.json has of files, whose origin it has as well."""
    files = json.loads((out / "fetched.json").read_text())["files"]
    for file in files:
        assert (file["repository"], file["revision"]) == ("csebuetnlp/CrossSum", COMMIT)
        assert file["bytes"] == len(FILES[file["file"]])
    return {file["file"]: file["sha256"] for file in files}


def test_the_files_of_a_pair_are_fetched_resumed_and_noted(hub, tmp_path):
    done = run(hub, "crosssum", "--source", "en", "--target", "fr", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "csebuetnlp/CrossSum: 2 files, 12.8 MB"
    assert said[-1] == (
        "import them with: mclas data import crosssum data/raw/crosssum --source en --target fr "
        "--out ..."
    )
    out = tmp_path / "data" / "raw" / "crosssum"
    pair = [name for name in FILES if "english-french" in name]
    for name in pair:
        assert (out / name).read_bytes() == FILES[name]
    assert not (out / "data" / "french-english_CrossSum.tar.bz2").exists()
    wanted = [range for _, path, range in Hub.asked if pair[0] in path and range]
    assert f"bytes={CHUNK}-" in wanted
    assert fetched(out) == {name: sha256(out / name) for name in pair}
    Hub.asked.clear()
    done = run(hub, "crosssum", "--source", "en", "--target", "fr", cwd=tmp_path)
    assert done.returncode == 0
    assert {path for method, path, _ in Hub.asked if method == "GET" and "resolve" in path} == set()
    done = run(hub, "crosssum", "--source", "fr", "--target", "en", cwd=tmp_path)
    assert done.returncode == 0
    both = [*pair, "data/french-english_CrossSum.tar.bz2"]
    assert fetched(out) == {name: sha256(out / name) for name in both}
    done = run(hub, "crosssum", "--source", "en", "--target", "hi", cwd=tmp_path)
    assert done.returncode == 2
    assert "csebuetnlp/CrossSum: has no data/english-hindi_CrossSum*.tar.bz2" in done.stderr


@pytest.mark.parametrize(
    ("corpus", "source", "target", "said"),
    [
        ("crossum", "en", "fr", "corpus 'crossum' does not exist; did you mean 'crosssum'"),
        ("convsumx", None, "zh", "convsumx: is on no hub; to get it: git clone https://github"),
        ("zh2ensum", None, None, "is on no hub; .*LCSTS/DATA/PART_I.txt --out data/zh2ensum`$"),
        ("toy", None, None, "toy: is on no hub; to get it: mclas data toy --out data/toy #"),
        ("crosssum", "en", None, "give the languages of the corpus"),
        ("xscitldr", None, "fr", "--target: language 'fr' is not in this corpus; choose from: de"),
        ("xscitldr", "de", "it", "--source de: this format is in 'en'"),
        ("xlsum", "en", "fr", "--target fr: this format is in one language"),
        ("crosssum", "en", "en", "expected two languages, found 'en' twice"),
        ("xlsum", "hi", None, r"no hub delivers it .*get data/hindi_XLSum_v\*.tar.bz2 from http"),
    ],
)
def test_what_no_hub_has_is_said_in_one_line(tmp_path, corpus, source, target, said):
    with pytest.raises(InputError, match=said) as raised:
        list(fetch(corpus, source, target, tmp_path / "out"))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_disk_that_is_too_small_is_named_before_the_download(tmp_path, monkeypatch):
    size = 10**18
    file = type("File", (), {"rfilename": "valid/de-en.jsonl", "size": size})
    about = type("About", (), {"siblings": [file], "sha": COMMIT})
    hub = type("Hub", (), {"dataset_info": lambda *_, **__: about})
    monkeypatch.setattr(module, "HfApi", hub)
    lines = fetch("xwikis", "de", "en", tmp_path)
    assert next(lines) == f"GEM/xwikis: 1 files, {size / 1e6:,.1f} MB"
    with pytest.raises(InputError, match="more than is free"):
        next(lines)


def test_every_open_corpus_but_convsumx_is_on_a_hub():
    from mclas_lightning.corpora.readers.formats import FORMATS

    assert {name for name, format in FORMATS.items() if format.open} == {*HUB, "convsumx"}
