import base64
import json
import re

import numpy as np
import pytest

from mclas_lightning.report.heads_page import heads_page, page_data
from tests.report.analyses import SOURCE, made_up_analysis
from tests.report.chromium import needs_chromium, title_after


def test_the_page_needs_no_other_file_and_its_texts_are_only_text(tmp_path):
    made_up_analysis(tmp_path)
    text = heads_page(tmp_path)
    assert "<b>fire" not in text
    assert not re.search(r"(href|src)=|@import|url\(|fetch\(", text)
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    assert data
    assert json.loads(data[1])["shown"][0]["source"] == SOURCE


def test_its_maps_are_those_of_the_analysis(tmp_path):
    found = made_up_analysis(tmp_path)
    data = page_data(found, tmp_path)
    packed = np.frombuffer(base64.b64decode(data["shown"][0]["cross"]), np.uint8)
    np.testing.assert_allclose(
        packed.reshape(2, 3, 7, 7) / 255, found.maps(tmp_path).cross_LHWV, atol=0.003
    )
    head = next(
        h for h in data["heads"] if (h["attention"], h["layer"], h["head"]) == ("self", 1, 1)
    )
    assert head["kinds"] == ["translation"]
    assert head["scores"]["translation"] == 0.7


# Steps that a reader takes, each with what the page must then show.
STEPS = """
const words = [...document.querySelectorAll(".target .word")];
const said = () => by("said").textContent, seen = [];
const key = name => {
  document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
  // Chromium sends no focusin while its window lacks the focus, as at times here.
  if (!document.hasFocus())
    document.activeElement.dispatchEvent(new FocusEvent("focusin", {bubbles: true}));
};
const choose = (id, value) => { by(id).value = value; by(id).dispatchEvent(new Event("change")); };
const check = (name, good) => seen.push(`${name}:${good}`);
check("first", said().includes("Head 2.2, Self-attention: translation") && state.word === 4);
document.querySelector("#cross [data-head]").click();
check("head", said().startsWith("Head ") && state.head.attention === "cross");
const shaded = () => [...by("source").children].filter(
  span => /[1-9]/.test(span.style.backgroundColor.split(",").pop())).length;
check("shade", shaded() > 0 && shaded() <= 5);
words[1].dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
check("hover", said().includes('From "Munich"') && words[4].classList.contains("linked"));
words[1].focus();
key("ArrowRight");
check("key", document.activeElement === words[2] && said().includes('From "burns"'));
choose("kind", "self local");
check("filter", by("list").children.length === 3 && state.head.kinds.includes("local"));
choose("sort", "score");
check("sort", by("list").firstChild.textContent.startsWith("2.1"));
choose("kind", "self separator");
one().target[1] = "شرطة";
drawTexts();
const direction = id => getComputedStyle(by(id)).direction;
check("direction", direction("side0") === "rtl" && direction("source") === "ltr");
document.title = [document.documentElement.scrollWidth <= innerWidth, ...seen].join(" ");
"""


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("width", [480, 1280])
def test_chromium_follows_a_reader(tmp_path, width):
    made_up_analysis(tmp_path)
    title = title_after(f"{{{STEPS}}}", heads_page(tmp_path), tmp_path, width)
    steps = ("first", "head", "shade", "hover", "key", "filter", "sort", "direction")
    assert title.split() == ["true", *(f"{step}:true" for step in steps)]
