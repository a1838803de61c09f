"""Reviewers: by name, with a PIN where they want one; who leads says so."""

from concurrent.futures import ThreadPoolExecutor

from safelight.store import records, reviewers


def test_a_pin_keeps_others_from_deciding_in_ones_name(app):
    app.client.post("/api/reviewers", json={"name": "Grace", "pin": "1234"})
    photo = app.photos()["IMG_0000.JPG"]["id"]
    assert "PIN" in app.post("choices", {"keep": [photo]}, by="Grace", status=400)["cause"]
    right = {"X-Safelight-Reviewer": "Grace", "X-Safelight-Pin": "1234"}
    address = f"/api/shoots/{app.shoot}/choices"
    assert app.client.post(address, json={"keep": [photo]}, headers=right).status_code == 200
    wrong = right | {"X-Safelight-Pin": "1235"}
    assert app.client.post(address, json={"keep": [photo]}, headers=wrong).status_code == 400


def test_a_browser_says_once_who_sits_at_it(app):
    assert app.client.get("/api/me").json()["name"] == "Ada"
    assert app.client.post("/api/me", json={"name": "Zoë 张"}).json()["name"] == "Zoë 张"
    assert app.client.get("/api/me").json()["name"] == "Zoë 张"
    signed = app.client.cookies["safelight_reviewer"]
    app.client.cookies.clear()
    app.client.cookies.set("safelight_reviewer", signed[:-2] + ("00" if signed[-2:] != "00" else "11"))
    assert app.client.get("/api/me").json()["name"] == "Ada", "a cookie that was changed says nothing"


def test_only_a_lead_says_who_leads(app, library):
    first = app.client.post("/api/reviewers", json={"name": "Ada", "lead": True})
    assert first.json()["lead"] is True
    by_grace = {"X-Safelight-Reviewer": "Grace"}
    refused = app.client.post("/api/reviewers", json={"name": "Grace", "lead": True}, headers=by_grace)
    assert refused.status_code == 400
    refused = app.client.post("/api/reviewers", json={"name": "Ada", "pin": "9999"}, headers=by_grace)
    assert refused.status_code == 400
    assert reviewers.leads(library.store) == {"Ada"}


def test_pins_are_kept_as_salted_digests(library):
    for name in ("A", "B"):
        reviewers.save(library.store, name, by=name, pin="secret")
    from safelight.store import schema

    rows = library.store.newest(schema.reviewers, ["name"])
    assert len({row["pin"] for row in rows}) == 2
    assert all("secret" not in row["pin"] for row in rows)
    assert reviewers.knows(library.store, "A", "secret")
    assert not reviewers.knows(library.store, "A", "secret ")
    reviewers.save(library.store, "A", by="A", pin="")
    assert reviewers.knows(library.store, "A", "")


def test_where_two_people_differ_both_are_kept_and_the_item_waits_until_a_lead_has_spoken(app, library):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    app.post("choices", {"reject": [photo]}, by="Grace")
    assert app.photos()["IMG_0000.JPG"]["open"] == []
    app.post("choices", {"keep": [photo]}, by="Ada")
    shown = app.photos()["IMG_0000.JPG"]
    assert (shown["contested"], shown["open"], shown["decision"]) == (["cull"], ["cull"], "keep")
    app.client.post("/api/reviewers", json={"name": "Grace", "lead": True})
    shown = app.photos()["IMG_0000.JPG"]
    assert (shown["decision"], shown["by"], shown["open"]) == ("reject", "Grace", ["cull"]), "the lead's word counts"
    app.post("choices", {"reject": [photo]}, by="Grace")
    shown = app.photos()["IMG_0000.JPG"]
    assert (shown["decision"], shown["contested"], shown["open"]) == ("reject", [], [])
    assert len(records.ledger(library.store).rows) == 3


def test_people_who_come_to_agree_are_no_longer_in_conflict(app):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    app.post("choices", {"reject": [photo]}, by="Grace")
    app.post("choices", {"keep": [photo]}, by="Ada")
    app.post("choices", {"keep": [photo]}, by="Grace")
    assert app.photos()["IMG_0000.JPG"]["contested"] == []


def test_two_people_at_once_lose_nothing_and_double_nothing(app, library):
    photos = [p["id"] for p in app.photos().values()]
    headers = [{"X-Safelight-Reviewer": name} for name in ("Ada", "Grace")]
    address = f"/api/shoots/{app.shoot}/choices"

    def say(n):
        body = {"keep" if n % 3 else "reject": [photos[n % len(photos)]]}
        return app.client.post(address, json=body, headers=headers[n % 2]).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(say, range(80))) == {200}
    rows = records.ledger(library.store).rows
    assert len(rows) == 80
    state = library.state(library.shoots()[0].root)
    shown = {p["id"]: p for p in app.photos().values()}
    for photo in state.photos.values():
        assert shown[photo.id]["decision"] == photo.decision
        assert shown[photo.id]["contested"] == sorted(photo.contested)
