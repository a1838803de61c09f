"""Delivering in real Chromium."""

import json

import pytest

from bench import _browser
from tests.browser.desk import said

pytestmark = pytest.mark.skipif(_browser.reason_to_skip() is not None, reason=_browser.reason_to_skip() or "")


def test_a_delivery_says_what_is_missing_then_is_written(desk, tmp_path):
    desk.go("deliver")
    desk.get_by_text("without an answer").wait_for()
    go = desk.locator("#go")
    assert go.is_disabled()
    photos = {p["path"]: p["id"] for p in desk.ask("photos")["photos"]}
    burnt = {"photos": [photos["IMG_0003.JPG"]], "operators": ["exposure"], "reason": "too_bright", "say": "reject"}
    for answer in (burnt, {"photos": list(photos.values()), "say": "approve"}):
        desk.evaluate(
            """([shoot, said]) => fetch(`/api/shoots/${shoot}/edits`, {
            method: "POST", body: JSON.stringify(said), headers: {"Content-Type": "application/json"}})""",
            [desk.shoot, answer],
        )
    desk.fill("[name=to]", str(tmp_path / "out"))
    desk.get_by_text("nobody has signed").wait_for()
    desk.fill("[name=sign_off]", "Ada")
    desk.wait_for_function("() => !document.getElementById('go').disabled")
    go.click()
    desk.get_by_text("5 files written").wait_for(timeout=60_000)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["signed_off_by"] == "Ada"


def test_what_breaks_one_rule_is_taken_together_by_who_sits_there(desk, tmp_path):
    """Another's name is refused; the files of a rule are answered at once, taken back at once, and go out."""
    desk.expected = ("400",)
    photos = [p["id"] for p in desk.ask("photos")["photos"]]
    desk.evaluate(
        """([shoot, said]) => fetch(`/api/shoots/${shoot}/edits`, {
        method: "POST", body: JSON.stringify(said), headers: {"Content-Type": "application/json"}})""",
        [desk.shoot, {"photos": photos, "say": "approve"}],
    )
    rules = tmp_path / "shop.toml"
    rules.write_text('schema = "safelight.client/1"\nclient = "Shop"\n[size]\nlong_least = 10000\n')
    desk.go("deliver")
    desk.fill("[name=to]", str(tmp_path / "out"))
    desk.fill("[name=client]", str(rules))
    desk.fill("[name=sign_off]", "Grace")
    desk.get_by_text("Ada sits at this browser, and Grace is to sign").wait_for()
    assert desk.locator("#go").is_disabled()
    desk.fill("[name=sign_off]", "Ada")
    desk.wait_for_function("() => !document.getElementById('go').disabled")
    desk.locator("#go").click()
    rule = desk.locator(".rule", has_text="5 files").first
    rule.wait_for(timeout=90_000)
    take = rule.get_by_role("button", name="Take all 5 on my name")
    take.click()
    rule.get_by_text("all answered").wait_for()
    assert {row.bundled for row in said(tmp_path, f"check.{rule_name(desk)}")} == {5}
    desk.locator("h1").click()
    desk.keyboard.press("Control+z")
    take.wait_for()
    for button in desk.get_by_role("button", name="Take all").all():
        button.click()
        desk.locator("#told > div").wait_for()
    for button in desk.get_by_role("button", name="Take it on my name").all():
        button.click()
    desk.get_by_text("all answered: sign again").wait_for()
    desk.locator("#go").click()
    desk.get_by_text("5 files written").wait_for(timeout=90_000)


def rule_name(page):
    return next(r["finding"] for r in page.ask("deliveries")["held"] if r["taken_by"])
