import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from analysis import schema
from analysis.sources import catalogue, gdc

CASES = json.loads(
    (Path(__file__).parent / "fixtures" / "gdc" / "json" / "clinical.project-mmrf-commpass.json").read_text()
)
RELEASE = "Data Release 45.0 - December 04, 2025"


class FakeGDC:
    """A GDC on loopback: `faults` maps (path, nth request to it) to what goes wrong, `log` keeps what was asked."""

    def __init__(self):
        self.cases, self.release, self.faults, self.log = list(CASES), RELEASE, {}, []

    def firsts(self):
        return [body["from"] for path, body in self.log if path == "/cases"]

    def answer(self, path, body):
        self.log.append((path, body))
        fault = self.faults.get((path, sum(asked == path for asked, _ in self.log)))
        if path == "/status":
            content = {"status": "OK", "data_release": self.release}
        else:
            hits = self.cases[body["from"] : body["from"] + body["size"]]
            pagination = {"from": body["from"], "size": body["size"], "total": len(self.cases)}
            content = {"data": {"hits": hits, "pagination": pagination}, "warnings": {}}
        if callable(fault):
            content, fault = fault(content), None
        return json.dumps(content).encode(), fault


@pytest.fixture
def server(monkeypatch):
    fake = FakeGDC()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(None)

        def do_POST(self):
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body):
            content, fault = fake.answer(self.path, body)
            status = fault if isinstance(fault, int) else 200
            self.send_response(status)
            if fault != "truncated":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            # "cut": the line goes dead within the answer; "truncated": the answer ends early and looks finished
            self.wfile.write(content[: len(content) // 2] if fault in ("cut", "truncated") else content)

        def log_message(self, *arguments):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("RELAPSE_GDC_ADDRESS", raising=False)
    fake.address = f"http://127.0.0.1:{running.server_port}"
    yield fake
    running.shutdown()
    running.server_close()
    thread.join()


def fetch(server, folder, **choices):
    choices = {"address": server.address, "page_size": 2, "attempts": 3, "pause_seconds": 0, **choices}
    return catalogue.fetch("commpass", folder, **choices)


def test_what_is_fetched_reads_like_the_export(server, tmp_path):
    told = []
    folder = fetch(server, tmp_path / "raw" / "commpass", tell=lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert gdc.recognises(folder)
    fetched, exported = gdc.read(folder), gdc.read(Path(__file__).parent / "fixtures" / "gdc" / "json")
    for name in ("patients", "treatments", "labs", "findings"):
        pd.testing.assert_frame_equal(fetched[name], exported[name])
    assert fetched["cohort"]["release"].tolist() == [RELEASE]


def test_the_manifest_tells_the_release_the_request_and_every_checksum(server, tmp_path):
    folder = fetch(server, tmp_path)
    manifest = json.loads((folder / "fetch.json").read_text())
    assert (manifest["data_release"], manifest["cases"], manifest["address"]) == (RELEASE, 5, server.address)
    assert manifest["request"]["filters"]["content"]["value"] == ["MMRF-COMMPASS"]
    assert [page["from"] for page in manifest["pages"]] == [0, 2, 4]
    for page in manifest["pages"]:
        assert hashlib.sha256((folder / page["file"]).read_bytes()).hexdigest() == page["sha256"]
    stored = {path.name for path in folder.iterdir()}
    assert stored == {"fetch.json", *(page["file"] for page in manifest["pages"])}, "nothing half-written stays"


@pytest.mark.parametrize("fault", [500, 503, 429, "cut", "truncated"])
def test_a_passing_fault_is_tried_again(server, tmp_path, fault):
    server.faults = {("/cases", 2): fault, ("/status", 1): fault}
    fetch(server, tmp_path)
    assert server.firsts() == [0, 2, 2, 4]
    assert len(gdc.read(tmp_path)["patients"]) == 5


def test_after_a_cut_only_the_missing_pages_are_asked_for(server, tmp_path):
    server.faults = {("/cases", nth): "cut" for nth in (3, 4, 5)}
    with pytest.raises(ConnectionError, match=r"broken answer .* 3 times"):
        fetch(server, tmp_path)
    with pytest.raises(schema.BadInputError, match="a finished download"):
        gdc.read(tmp_path)
    server.log.clear()
    server.faults = {}
    fetch(server, tmp_path)
    assert server.firsts() == [4]
    assert len(gdc.read(tmp_path)["patients"]) == 5


def test_a_stored_page_that_was_damaged_is_asked_for_again(server, tmp_path):
    server.faults = {("/cases", nth): 500 for nth in (3, 4, 5)}
    with pytest.raises(ConnectionError, match="HTTP 500"):
        fetch(server, tmp_path)
    next(tmp_path.glob("cases-000002-*.json")).write_text("{}")
    server.log.clear()
    server.faults = {}
    fetch(server, tmp_path)
    assert server.firsts() == [2, 4]


def test_pages_of_another_release_are_not_taken_up(server, tmp_path):
    server.faults = {("/cases", nth): 500 for nth in (3, 4, 5)}
    with pytest.raises(ConnectionError):
        fetch(server, tmp_path)
    server.log.clear()
    server.faults, server.release = {}, "Data Release 46.0"
    fetch(server, tmp_path)
    assert server.firsts() == [0, 2, 4]


def test_a_whole_download_is_not_asked_for_again(server, tmp_path):
    fetch(server, tmp_path)
    server.log.clear()
    fetch(server, tmp_path)
    assert server.firsts() == []


def test_the_earlier_download_stays_readable_until_the_new_one_is_complete(server, tmp_path):
    fetch(server, tmp_path)
    server.log.clear()
    server.release, server.cases = "Data Release 46.0", CASES[:4]
    server.faults = {("/cases", nth): 500 for nth in (2, 3, 4)}
    with pytest.raises(ConnectionError):
        fetch(server, tmp_path)
    earlier = gdc.read(tmp_path)
    assert (len(earlier["patients"]), earlier["cohort"]["release"].iloc[0]) == (5, RELEASE)
    server.faults = {}
    fetch(server, tmp_path)
    later = gdc.read(tmp_path)
    assert (len(later["patients"]), later["cohort"]["release"].iloc[0]) == (4, "Data Release 46.0")
    assert len(list(tmp_path.glob("cases-*"))) == 2, "pages of the earlier download are gone"


def test_a_total_that_changes_between_pages_is_refused_and_nothing_of_it_used_again(server, tmp_path):
    def one_more(content):
        content["data"]["pagination"]["total"] += 1
        content["data"]["hits"] = content["data"]["hits"][:2]
        return content

    server.faults = {("/cases", 2): one_more}
    with pytest.raises(ConnectionError, match="5 cases on every page, came 6 from case 2 on"):
        fetch(server, tmp_path)
    server.log.clear()
    server.faults = {}
    fetch(server, tmp_path)
    assert server.firsts() == [0, 2, 4]


def test_a_case_that_comes_twice_is_noticed(server, tmp_path):
    server.cases[3] = server.cases[0]
    with pytest.raises(ConnectionError, match="expected 5 different cases, came 4"):
        fetch(server, tmp_path)
    assert not (tmp_path / "fetch.json").exists()


def test_a_release_that_changes_meanwhile_is_noticed(server, tmp_path):
    server.faults = {("/status", 2): lambda content: {**content, "data_release": "Data Release 46.0"}}
    with pytest.raises(ConnectionError, match="the release changed"):
        fetch(server, tmp_path)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (404, "HTTP 404"),
        (lambda content: ["no object"], "expected a JSON object, came list"),
        (lambda content: {"message": "bad filter"}, "expected data.hits and data.pagination.total"),
        (lambda content: {"data": None}, "expected data.hits and data.pagination.total"),
        (lambda content: {"data": {"hits": [], "pagination": {"total": 0}}}, "came 0 of 0 in all"),
        (lambda content: {"data": {"hits": CASES[:1], "pagination": {"total": 5}}}, "expected 2 cases from case 0"),
    ],
)
def test_an_answer_that_is_none_is_said_at_once_with_what_to_do(server, tmp_path, fault, message):
    server.faults = {("/cases", 1): fault}
    with pytest.raises(ConnectionError) as caught:
        fetch(server, tmp_path)
    assert message in str(caught.value)
    assert f"{server.address}/cases" in str(caught.value)
    assert "run the same command again" in str(caught.value)
    assert len(server.firsts()) == 1, "what cannot pass by itself is not tried again"


def test_no_network_and_no_address_are_said_plainly(server, tmp_path):
    with pytest.raises(ConnectionError, match="no connection"):
        fetch(server, tmp_path, address="http://127.0.0.1:1")
    with pytest.raises(ConnectionError, match="expected an address like"):
        fetch(server, tmp_path, address="api.example.org")


def test_a_status_without_a_release_is_refused(server, tmp_path):
    server.faults = {("/status", 1): lambda content: {"status": "OK"}}
    with pytest.raises(ConnectionError, match="data release"):
        fetch(server, tmp_path)


def test_the_address_may_come_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("RELAPSE_GDC_ADDRESS", server.address + "/")
    folder = catalogue.fetch("commpass", tmp_path, page_size=3, pause_seconds=0)
    assert len(gdc.read(folder)["patients"]) == 5


def test_a_fetched_page_changed_by_hand_is_refused(server, tmp_path):
    folder = fetch(server, tmp_path)
    page = next(folder.glob("cases-000002-*.json"))
    page.write_text(page.read_text().replace("Alive", "Dead"))
    with pytest.raises(schema.BadInputError, match="the page as it was fetched"):
        gdc.read(folder)
    (folder / "fetch.json").write_text("[]")
    with pytest.raises(schema.BadInputError, match="the list of fetched pages"):
        gdc.read(folder)


def test_an_unknown_name_and_an_empty_page_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="did you mean 'commpass'"):
        catalogue.fetch("compass", tmp_path)
    with pytest.raises(ValueError, match="page_size"):
        catalogue.fetch("commpass", tmp_path, page_size=0)


def test_the_catalogue_is_complete():
    found = catalogue.entries()
    schema.check(found, catalogue.CATALOGUE)
    assert found["citation"].str.len().all()
    assert found["licence"].str.len().all()
