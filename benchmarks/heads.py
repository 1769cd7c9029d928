"""The analysis of attention heads beside a teacher-forced evaluation; its memory; an ablation.

    python -m benchmarks.heads
    python -m benchmarks.heads --paper 1 --documents 100 --stories 4 --ablated 0 --repeats 1

Documents are generated news, ``--stories`` told one after the other; the network has random weights
and ``--layers`` of ``--heads`` in its decoder, or the paper's sizes. Random weights write summaries
up to the limit, 16 word pieces a side, as many as the toy corpus's have on average. Memory is the
peak after all documents, divided by the peak after a quarter of them.
"""

import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.measure import arguments, peak_memory, show, timed
from benchmarks.networks import paper_network
from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.corpora.toy import tell_story
from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.example import Example
from mclas_lightning.heads.ablation import ablate, encoded, side_losses
from mclas_lightning.heads.alignment import keys
from mclas_lightning.heads.config import HeadsConfig, heads_config
from mclas_lightning.heads.findings import Aligning, Findings, add_document, summary_of
from mclas_lightning.heads.gather import document_maps
from mclas_lightning.heads.ibm1 import Aligner
from mclas_lightning.metrics.tokens import tokens
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.task import Task

MAX_SUMMARY = 100

DECODING = DecodingConfig(
    beam=1, length_penalty=1.0, min_length=3, max_length=16, lengths="summary", mask="none",
    renormalize=True, block_trigrams="summary", weights="float32", max_tokens=16_384,
)  # fmt: skip


def examples(num: int, stories: int) -> list[Example]:
    """Generated news in English, with summaries in English and German."""
    told = [tell_story(0, i) for i in range(num * stories)]
    groups = [told[i : i + stories] for i in range(0, len(told), stories)]
    return [
        Example(
            id=group[0].id,
            document=" ".join(one.documents["en"] for one in group),
            mono=" ".join(one.summaries["en"] for one in group),
            cross=" ".join(one.summaries["de"] for one in group),
        )
        for group in groups
    ]


def toy_network(tokenizer: Tokenizer, layers: int, heads: int) -> Seq2Seq:
    """The encoder and the width of ``network=tiny``."""
    torch.manual_seed(0)
    encoder = {
        "vocab_size": len(tokenizer), "hidden_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 512,
    }  # fmt: skip
    decoder = DecoderConfig(layers=layers, heads=heads, feed_forward=512, dropout=0.0)
    return Seq2Seq(NetworkConfig(encoder=encoder, decoder=decoder))


def analyze(
    summarizer: NetworkSummarizer, config: HeadsConfig, aligning: Aligning, read: Sequence[Example]
) -> dict[str, dict[str, Any]]:
    """The scores of all heads on reference summaries, as in ``mclas heads``."""
    found = Findings(config, aligning, set())
    for one in read:
        (document,), (summaries,) = split([one])
        maps = document_maps(summarizer, "decoder", document, summaries, MAX_SUMMARY, "en")
        add_document(found, one.id, maps)
    return summary_of(found)


def split(read: Sequence[Example]) -> tuple[list[str], list[Summaries]]:
    """The documents, and their reference summaries."""
    references: list[Summaries] = [{"mono": e.mono or "", "cross": e.cross or ""} for e in read]
    return [one.document for one in read], references


def compared(
    summarizer: NetworkSummarizer, read: Sequence[Example], repeats: int
) -> dict[str, Any]:
    """Seconds of an analysis and of an evaluation, and the memory of the analysis."""
    pairs = [(keys(tokens(e.mono or "")), keys(tokens(e.cross or ""))) for e in read]
    config = heads_config()
    aligning = Aligning(None, Aligner(pairs, config.aligner.iterations), config.aligner.link)
    analyze(summarizer, config, aligning, read[: len(read) // 4])
    quarter = peak_memory()
    analysis = timed(lambda: analyze(summarizer, config, aligning, read), repeats)
    whole, (documents, references) = peak_memory(), split(read)

    def evaluate() -> object:
        batches = encoded(summarizer, "decoder", documents, references, MAX_SUMMARY)
        return side_losses(summarizer, "decoder", batches)

    evaluation = timed(evaluate, repeats)
    return {
        "analysis": analysis,
        "evaluation": evaluation,
        "analysis / evaluation": analysis["min_s"] / evaluation["min_s"],
        "memory, all / a quarter": whole / quarter,
    }


def main() -> None:
    """Print the report."""
    asked = arguments(
        __doc__ or "", paper=0, layers=3, heads=8, documents=200, stories=1, ablated=200
    )
    read = examples(asked.documents, asked.stories)
    texts = [text for one in read for text in (one.document, one.mono or "", one.cross or "")]
    tokenizer = train_tokenizer(texts, size=4000, lowercase=False)
    network = paper_network() if asked.paper else toy_network(tokenizer, asked.layers, asked.heads)
    summarizer = NetworkSummarizer(
        network=network.eval(),
        task=Task(name="mclas", targets={"decoder": ("mono", "cross")}),
        tokenizer=tokenizer,
        vocabulary={},
        languages={"mono": "en", "cross": "de"},
        max_source=512,
    )
    report = compared(summarizer, read, asked.repeats)
    if asked.ablated:
        began, cpu = time.perf_counter(), time.process_time()
        documents, references = split(read[: asked.ablated])
        ablate(summarizer, "decoder", documents, references, MAX_SUMMARY, DECODING)
        seconds = (time.perf_counter() - began, time.process_time() - cpu)
        report["ablation"] = dict(zip(("s", "cpu_s"), seconds, strict=True))
    show(report, asked.json)


if __name__ == "__main__":
    main()
