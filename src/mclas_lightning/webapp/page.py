"""The page itself, by gradio: on loopback alone, with nothing from elsewhere.

The Content-Security-Policy keeps a browser from everything that is not of this server; gradio's
page asks for fonts and scripts of other servers otherwise.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from threading import Event
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # gradio reads it when it is imported.

import gradio as gr
from gradio.themes import Default
from starlette.middleware import Middleware

from mclas_lightning.errors import InputError
from mclas_lightning.webapp.cards import CSS, SCRIPT, message
from mclas_lightning.webapp.systems import LONGEST, System

HOST = "127.0.0.1"

WAITING = 8  # documents that may wait for the one that is being summarized

MOST_BEAM, MOST_PENALTY = 10, 2  # of the sliders, where the run has no larger value

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)

RIGHT_TO_LEFT = frozenset({"ar", "ary", "arz", "fa", "hbo", "he", "ps", "sd", "sdh", "ug", "ur"})

Messages = Callable[[dict[str, Any]], Awaitable[None]]


class Policy:
    """Adds the policy to each answer of a server (ASGI)."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Messages) -> None:
        async def sending(said: dict[str, Any]) -> None:
            if said["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY.encode())
                said = {**said, "headers": [*said.get("headers", ()), header]}
            await send(said)

        await self.app(scope, receive, sending)


def check_port(port: int) -> None:
    """InputError where another program has the port."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"--port {port}: cannot be opened ({error.strerror}); choose another one"
            ) from error


def serve(systems: Sequence[System], examples: Mapping[str, str], port: int) -> None:
    """Serve the page until Ctrl-C."""
    page = build(systems, examples)
    _, address, _ = page.launch(
        server_name=HOST, server_port=port, share=False, quiet=True, prevent_thread_lock=True,
        footer_links=[], ssr_mode=False, pwa=False, mcp_server=False, enable_monitoring=False,
        theme=Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        css=CSS, head=SCRIPT, app_kwargs={"middleware": [Middleware(Policy)]},
    )  # fmt: skip
    print(f"{address} (Ctrl-C ends it)", flush=True)
    try:
        Event().wait()
    finally:
        page.close(verbose=False)


def build(systems: Sequence[System], examples: Mapping[str, str]) -> gr.Blocks:
    """The page: a document, settings, and a card for each run."""
    decoding = systems[0].summarizer.decoding
    with gr.Blocks(title="mclas", analytics_enabled=False) as page:
        gr.Markdown("# Cross-lingual summaries")
        text = gr.Textbox(
            label=f"Document ({systems[0].languages['document']})", lines=8, max_lines=20,
            max_length=LONGEST, rtl=systems[0].languages["document"] in RIGHT_TO_LEFT,
            elem_id="document",
        )  # fmt: skip
        if examples:
            chosen = gr.Dropdown(
                [*examples], value=None, label="or one of the test set", elem_id="examples"
            )
            chosen.input(examples.get, chosen, text, api_visibility="private", queue=False)
        with gr.Accordion("Settings", open=False):
            beam = gr.Slider(1, max(MOST_BEAM, decoding.beam), decoding.beam, step=1, label="Beam")
            most = max(MOST_PENALTY, decoding.length_penalty)
            penalty = gr.Slider(0, most, decoding.length_penalty, step=0.1, label="Length penalty")
        button = gr.Button("Summarize", variant="primary", elem_id="summarize")
        cards = []
        with gr.Row():
            for _ in systems:
                with gr.Column(min_width=300):
                    cards.append(gr.HTML())

        def answers(document: str, width: int, length_penalty: float) -> Iterator[list[str]]:
            changed = {"beam": int(width), "length_penalty": float(length_penalty)}
            shown = [message(system.name, "Summarizing ...") for system in systems]
            yield shown
            for place, system in enumerate(systems):
                shown[place] = system.answer(document, changed)
                yield shown

        button.click(
            answers, [text, beam, penalty], cards, api_visibility="private", show_progress="hidden"
        )
    return page.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)
