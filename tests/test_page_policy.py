import pytest

from mclas_lightning.page_policy import with_policy
from tests.report.chromium import needs_chromium, title_after

PAGE = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="">
<title>unharmed</title></head><body style="color: red">{body}</body></html>"""


def test_a_page_without_scripts_may_run_none():
    assert "script-src" not in with_policy(PAGE)
    assert "content=\"default-src 'none'; " in with_policy(PAGE)


def test_the_hash_of_each_script_is_in_the_policy_and_it_is_filled_anew():
    page = with_policy(PAGE.replace("{body}", "<script>a</script><script>b</script>"))
    # printf a | openssl dgst -sha256 -binary | base64
    assert "'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='" in page
    assert page.count("'sha256-") == 2
    assert with_policy(page) == page
    with pytest.raises(AssertionError):
        with_policy("<html></html>")


@needs_chromium
@pytest.mark.parametrize(
    "attack",
    [
        "<img src=x onerror=\"document.title = 'harmed'\">",
        "<svg onload=\"document.title = 'harmed'\"></svg>",
    ],
)
def test_a_browser_runs_our_script_and_none_of_a_text(attack, tmp_path):
    page = PAGE.replace("{body}", attack)
    assert title_after("void 0", page, tmp_path, 400) == "unharmed"
    assert title_after("document.title = 'ours'", page, tmp_path, 400) == "ours"
