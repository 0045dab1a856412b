# SPDX-License-Identifier: Apache-2.0
"""view_test.py VIEW_SHOW [PART]: what the renderers make of pictures, read by parsers (TAP).

The numbers of a picture are given in the order of tests/gateway/view_picture.c, 37 apart, so that
each is found under its own name and no other. Names that would break out of a format must come
back from its parser as they went in, less what is no text.
"""
import base64
import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

SHOW = sys.argv[1]
START_S = 1795000000
ROUTES = ["ohttp", "records", "keys", "evidence", "other"]
STATUSES = ["gone", "1xx", "2xx", "3xx", "4xx", "5xx"]
BUCKETS = 14
CODES = {0: "done", 1: "framing", 2: "version", 3: "suite", 4: "tenant", 5: "key", 6: "size",
         7: "quota", 8: "busy", 9: "auth", 10: "stale", 11: "mode", 32: "pong", 33: "challenged",
         34: "granted", 35: "answered", 36: "held", 37: "dropped",
         38: "cancelled"}
FRONT = ["connections_accepted", "connections_refused", "tls_failed", "bad_requests",
         "slow_closed", "abuse_closed", "deadlines", "connections_open", "streams_open"]
# as the struct has them; the two sizes of one record are for nobody
STATS = ["inputs", "outputs", "records_served", "records_refused", "parks", "parks_with_credit",
         "wakes", "carves", "pool_bytes", None, None, "poisoned", "wakes_with_work", "inflight"]
GAUGES = {"connections_open", "streams_open", "pool_bytes", "inflight"}
MARK = "\ufffd"
# HOSTILE of view_picture.c as a reader of HTML or of a label sees it, and as JSON has it
HOSTILE_BEGIN = "a\"b'c<script>alert(1)</script>&amp;\\"
HOSTILE_END = MARK + "(" + 3 * MARK + MARK + "\u202e"


def numbers():
    """What `plain` shows: numbers under their names, and those that nothing may show."""
    last = 1000

    def give():
        nonlocal last
        last += 37
        return last

    front = {name: give() for name in FRONT}
    requests = {}
    for route in ROUTES:
        requests[route] = {"by_status": {name: give() for name in STATUSES},
                           "buckets": [give() for _ in range(BUCKETS)],
                           "seconds": give() + 0.25}
    codes = {code: give() for code in range(64)}
    instances, hidden = [], []
    for index in range(3):
        instance = {"security_version": give(), "grants": give(),
                    "restarts": give(), "start_s": START_S + 60 * (index + 1), "workers": []}
        for _ in range(2 - index % 2):
            given = [(name, give()) for name in STATS]
            hidden += [value for name, value in given if name is None]
            instance["workers"].append({name: value for name, value in given if name is not None})
        instances.append(instance)
    tenants = {label: {"requests": give(), "refused_rate": give(), "refused_quota": give()}
               for label in ("bank", "clinic")}
    return {"front": front, "requests": requests, "codes": codes, "instances": instances,
            "tenants": tenants, "hidden": hidden}


def show(what, picture):
    result = subprocess.run([SHOW, what, picture], capture_output=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.decode("utf-8")  # strictly


# ---- Prometheus text ----------------------------------------------------------------------------
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(,|\}|$)')
UNESCAPE = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read_metrics(text):
    """family -> (type, help, {(name, labels): value}); refuses whatever is not in order."""
    families = {}
    name = None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert name not in families, f"{name} twice"
            assert (words[0].isupper() or words[0].isdigit()) and words.endswith("."), line
            families[name] = [None, words, {}]
        elif line.startswith("# TYPE "):
            assert line[7:].split(" ")[0] == name and families[name][0] is None, line
            families[name][0] = line.split(" ")[3]
        else:
            series, value = read_sample(line)
            assert series[0] == name or families[name][0] == "histogram" and \
                series[0] in (name + "_bucket", name + "_sum", name + "_count"), line
            assert series not in families[name][2], f"{series} twice"
            families[name][2][series] = value
    return families


def read_sample(line):
    match = re.fullmatch(r"([a-z_0-9]+)(\{.*\})? (\S+)", line)
    assert match, line
    labels = []
    rest = (match.group(2) or "{}")[1:]
    while rest not in ("", "}"):
        label = LABEL.match(rest)
        assert label, line
        labels.append((label.group(1), re.sub(r"\\.", lambda m: UNESCAPE[m.group(0)],
                                              label.group(2))))
        rest = rest[label.end():]
    return (match.group(1), tuple(sorted(labels))), float(match.group(3))


def series(name, **labels):
    return name, tuple(sorted(labels.items()))


def expected_metrics(truth):
    wanted = {series("caisson_build_info", version="0.1.0"): 1, series("caisson_ready"): 1,
              series("caisson_start_time_seconds"): START_S, series("caisson_draining"): 0}
    for name, value in truth["front"].items():
        wanted[series("caisson_" + name + ("" if name in GAUGES else "_total"))] = value
    for route, of in truth["requests"].items():
        for status, value in of["by_status"].items():
            wanted[series("caisson_requests_total", route=route, status=status)] = value
        wanted[series("caisson_request_duration_seconds_sum", route=route)] = of["seconds"]
        wanted[series("caisson_request_duration_seconds_count", route=route)] = sum(of["buckets"])
    for code, name in CODES.items():
        wanted[series("caisson_enclave_answers_total", code=name)] = truth["codes"][code]
    for service, state, count in [("echo", "current", 1), ("echo", "retiring", 1),
                                  ("echo", "starting", 0), ("echo", "down", 0),
                                  ("tokenize", "down", 1), ("tokenize", "current", 0),
                                  ("tokenize", "starting", 0), ("tokenize", "retiring", 0)]:
        wanted[series("caisson_instances", service=service, state=state)] = count
    for index, instance in enumerate(truth["instances"]):
        of = {"service": "echo" if index < 2 else "tokenize", "boot": f"3{index}" * 16}
        wanted[series("caisson_instance_info", **of, measurement=f"1{index}" * 48,
                      image=of["service"] + "-image", signer=f"2{index}" * 32,
                      security_version=str(instance["security_version"]),
                      backend="kvm" if index == 0 else "process",
                      evidence="tsm" if index == 0 else "software",
                      debug="1" if index == 1 else "0", ohttp_key_id=str(0xa0 + index))] = 1
        wanted[series("caisson_instance_start_time_seconds", **of)] = instance["start_s"]
        wanted[series("caisson_instance_grants", **of)] = instance["grants"]
        wanted[series("caisson_instance_restarts_total", **of)] = instance["restarts"]
        for number, worker in enumerate(instance["workers"]):
            for name, value in worker.items():
                whole = "caisson_worker_" + name + ("" if name in GAUGES else "_total")
                wanted[series(whole, **of, worker=str(number))] = value
    for label, tenant in truth["tenants"].items():
        wanted[series("caisson_tenant_requests_total", tenant=label)] = tenant["requests"]
        for reason in ("rate", "quota"):
            wanted[series("caisson_tenant_refused_total", tenant=label, reason=reason)] = \
                tenant["refused_" + reason]
    return wanted


def test_metrics():
    """metrics: each number under its own name and labels, and nothing else"""
    families = read_metrics(show("metrics", "plain"))
    found = {}
    for name, (kind, _, samples) in families.items():
        assert name.startswith("caisson_"), name
        assert (kind == "counter") == name.endswith("_total"), name
        assert kind in ("counter", "gauge", "histogram"), name
        found.update(samples)
    truth = numbers()
    buckets = {s: found.pop(s) for s in list(found) if s[0].endswith("_bucket")}
    wanted = expected_metrics(truth)
    assert found == wanted, set(found.items()) ^ set(wanted.items())
    for route, of in truth["requests"].items():
        mine = {dict(labels)["le"]: value for (_, labels), value in buckets.items()
                if dict(labels)["route"] == route}
        bounds = sorted(mine, key=float)
        assert len(bounds) == BUCKETS and bounds[-1] == "+Inf"
        steps = [mine[bound] for bound in bounds]
        assert steps == [sum(of["buckets"][:i + 1]) for i in range(BUCKETS)], route


def test_promtool():
    """metrics: what promtool says of each picture"""
    tool = shutil.which("promtool")
    if tool is None:
        return "no promtool here: 5 pictures not checked"
    for picture in ("plain", "hostile", "empty", "full", "small"):
        result = subprocess.run([tool, "check", "metrics"], capture_output=True, timeout=60,
                                input=show("metrics", picture).encode(), check=False)
        assert result.returncode == 0 and not result.stdout, result.stdout + result.stderr
    # its own control: a counter without its suffix
    bad = show("metrics", "plain").replace("caisson_requests_total", "caisson_requests")
    result = subprocess.run([tool, "check", "metrics"], capture_output=True, timeout=60,
                            input=bad.encode(), check=False)
    assert result.returncode != 0, "promtool says nothing of a bad name"
    return None


def test_metrics_hostile():
    """metrics: hostile names come back whole, one boot is one series, none has none"""
    families = read_metrics(show("metrics", "hostile"))
    name = HOSTILE_BEGIN + "\n# HELP x y" + 3 * MARK + HOSTILE_END
    info = families["caisson_instance_info"][2]
    assert len(info) == 1, info  # of three: one has the same boot, one has none
    labels = dict(list(info)[0][1])
    for key in ("service", "image", "backend", "evidence"):
        assert labels[key] == name, labels[key]
    tenants = {dict(labels)["tenant"]
               for _, labels in families["caisson_tenant_requests_total"][2]}
    assert tenants == {name, "\U0001f511 \u00e9t\u00e9"}, tenants
    states = families["caisson_instances"][2]
    assert len(states) == 8 and sum(states.values()) == 3, states


# ---- JSON ---------------------------------------------------------------------------------------
def no_twice(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def read_json(picture):
    def refuse(word):
        raise AssertionError(word + " is no JSON")
    return json.loads(show("json", picture), object_pairs_hook=no_twice, parse_constant=refuse)


def test_json():
    """JSON: each number under its own name"""
    got, truth = read_json("plain"), numbers()
    assert got["front"] == truth["front"]
    assert got["requests"] == truth["requests"]
    assert got["enclave_answers"] == {name: truth["codes"][c] for c, name in CODES.items()}
    assert {t.pop("label"): t for t in got["tenants"]} == truth["tenants"]
    for index, instance in enumerate(got["instances"]):
        for key, value in truth["instances"][index].items():
            assert instance[key] == value, key
        assert instance["measurement"] == f"1{index}" * 48
        assert instance["signer"] == f"2{index}" * 32
        assert instance["boot_id"] == f"3{index}" * 16
        assert instance["ohttp_keys_sha256"] == f"4{index}" * 32
        assert instance["ohttp_key_id"] == 0xa0 + index
        assert instance["debug"] == (index == 1)
        assert instance["insecure_evidence"] == (index != 0)
        assert instance["state"] == ["current", "retiring", "down"][index]
    assert got["ready"] is True and got["draining"] is False
    assert len(got["plots"]["requests_per_s"]) == 120 and got["plots"]["seconds_apart"] == 5
    assert len(got["latency_bounds_s"]) == BUCKETS - 1


def test_json_hostile():
    """JSON: hostile names come back whole"""
    got = read_json("hostile")
    name = HOSTILE_BEGIN + "\n# HELP x y\r\x01\x7f" + HOSTILE_END
    assert got["version"] == name and got["tenants"][0]["label"] == name
    assert got["instances"][0]["service"] == name and got["instances"][2]["service"] == name + "2"


def test_json_full():
    """JSON: the largest picture, and one of nothing"""
    got = read_json("full")
    assert len(got["instances"]) == 16 and len(got["instances"][0]["workers"]) == 64
    assert len(got["tenants"]) == 64 and len(got["plots"]["errors_per_s"]) == 120
    assert set(got["plots"]["errors_per_s"] + got["plots"]["latency_p99_ms"]) == {None}
    assert got["front"]["connections_accepted"] == 2 ** 64 - 1
    got = read_json("empty")
    assert got["instances"] == got["tenants"] == [] and got["version"] == ""


# ---- the page -----------------------------------------------------------------------------------
VOID = {"meta", "link"}


class Page(html.parser.HTMLParser):
    """Elements in order, tables by id, and complaints about what is not well nested."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.seen, self.words = [], [], []
        self.tables, self.rows, self.names, self.facts, self.loud = {}, None, [], [], []
        self.feed(text)
        self.close()
        assert not self.stack, self.stack

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        if tag == "table":
            self.rows = self.tables.setdefault(dict(attrs).get("id", len(self.tables)), [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag in ("dt", "dd"):
            self.facts.append([tag, ""])
        elif tag == "bdi":
            self.names.append("")
        elif tag == "p" and dict(attrs).get("class", "").startswith("loud"):
            self.loud.append("")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert "svg" in self.stack, tag  # only there does it end an element
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, f"</{tag}> in {self.stack}"

    def handle_data(self, data):
        self.words.append(data)
        if self.rows and ("td" in self.stack or "th" in self.stack):
            self.rows[-1][-1] += data
        if "dt" in self.stack or "dd" in self.stack:
            self.facts[-1][1] += data
        if "bdi" in self.stack:
            self.names[-1] += data
        if "p" in self.stack and self.loud:
            self.loud[-1] += data


def grouped(value):
    return f"{value:,}"


def within(buckets, share):
    """The bound within which a share of the answers was, as the page says it."""
    bounds = read_json("plain")["latency_bounds_s"]
    for i, bound in enumerate(bounds):
        if 100 * sum(buckets[:i + 1]) >= share * sum(buckets):
            return f"{bound * 1000:.10g} ms"
    return f"over {bounds[-1]:.10g} s"


def page_facts(page):
    """One dictionary for each instance."""
    found = []
    for (dt, name), (dd, value) in zip(page.facts[::2], page.facts[1::2]):
        assert (dt, dd) == ("dt", "dd")
        if name == "Image":
            found.append({})
        found[-1][name] = value
    return found


def test_page():
    """page: each fact in its place"""
    page, truth = Page(show("page", "plain")), numbers()
    for index, facts in enumerate(page_facts(page)):
        instance = truth["instances"][index]
        wanted = {"Image": ("echo" if index < 2 else "tokenize") + "-image",
                  "Measurement": f"1{index}" * 48, "Signer": f"2{index}" * 32,
                  "Security version": grouped(instance["security_version"]),
                  "Backend": "kvm" if index == 0 else "process",
                  "Evidence": "tsm" if index == 0 else "software", "Boot id": f"3{index}" * 16,
                  "Oblivious HTTP key id": f"0xa{index}", "SHA-256 of its keys": f"4{index}" * 32,
                  "Grants": grouped(instance["grants"]),
                  "Started": f"2026-11-18 11:{7 + index:02}:40 UTC",
                  "Restarts": grouped(instance["restarts"])}
        assert facts == wanted, facts
    requests = {row[0]: row[1:] for row in page.tables["requests"]}
    for route, of in truth["requests"].items():
        statuses = [of["by_status"][name] for name in STATUSES[1:] + STATUSES[:1]]
        assert requests[route][:6] == [grouped(value) for value in statuses], route
        assert requests[route][6:] == [within(of["buckets"], 50), within(of["buckets"], 99)], route
    for i, row in enumerate(page.tables["latency"][1:]):
        assert row[1:] == [grouped(of["buckets"][i]) for of in truth["requests"].values()], row
    front = [row[1] for row in page.tables["front"][1:]]
    assert front == [grouped(value) for value in truth["front"].values()]
    assert page.tables["answers"][1:] == [[n, grouped(truth["codes"][c])] for c, n in CODES.items()]
    assert page.tables["tenants"][1:] == [[label] + [grouped(v) for v in of.values()]
                                          for label, of in truth["tenants"].items()]
    workers = [row for name, table in page.tables.items() if isinstance(name, int)
               for row in table[1:]]
    order = [name.replace("_", " ") for name in ("inflight", *filter(None, STATS[:13]))]
    headings = page.tables[0][0][1:]
    assert sorted(headings) == sorted(order), headings
    given = [w for i in truth["instances"] for w in i["workers"]]
    assert workers == [[str(n)] + [grouped(w[h.replace(" ", "_")]) for h in headings]
                       for n, w in zip([0, 1, 0, 0, 1], given)], workers
    assert len(page.tables["values"]) == 121 and page.tables["values"][1][0] == "0"


def test_page_loud():
    """page: debug images, software evidence and what is down come first and are loud"""
    text = show("page", "plain")
    page = Page(text)
    said = [line.split(".")[0] for line in page.loud]
    assert said == ["Debug image: service echo, image echo-image",
                    "Insecure evidence: service echo, image echo-image",
                    "Insecure evidence: service tokenize, image tokenize-image",
                    "Down: service tokenize, image tokenize-image", "killed by signal 9"], said
    assert text.index("<b>Down</b>") < text.index("What runs here")
    assert Page(show("page", "small")).loud == [], "a sound instance is no alarm"
    full = show("page", "full")
    assert ">not ready<" in full and ">draining<" in full and full.count("<b>Debug image</b>") == 16
    assert Page(show("page", "empty")).loud[0].startswith("Nothing runs here")


def test_page_hostile():
    """page: hostile names are text, and nothing of them is markup"""
    plain, hostile = Page(show("page", "plain")), Page(show("page", "hostile"))
    name = HOSTILE_BEGIN + MARK + "# HELP x y" + 3 * MARK + HOSTILE_END
    for found in (hostile.names[0], *[f["Image"] for f in page_facts(hostile)]):
        assert found == name, found
    assert set(hostile.names) == {name, name + "2", "\U0001f511 \u00e9t\u00e9"}, hostile.names
    kinds = {tag for tag, _ in plain.seen}
    assert {tag for tag, _ in hostile.seen} == kinds
    # three instances, two tenants, a version, and what is loud: no name outside of <bdi>
    assert "".join(hostile.words).count("<script>") == sum(n.count("<script>")
                                                           for n in hostile.names)


def test_page_closed():
    """page: no script, nothing from elsewhere, and its policy names just its style"""
    for picture in ("plain", "hostile", "empty", "full"):
        text = show("page", picture)
        page = Page(text)
        assert not {tag for tag, _ in page.seen} & {"script", "img", "iframe", "object", "base",
                                                   "form", "embed", "use", "image"}
        for tag, attributes in page.seen:
            assert not [a for a in attributes if a.startswith("on") or a in ("style", "src")], tag
            target = attributes.get("href")
            assert target is None or (tag, target) == ("link", "data:,") or \
                tag == "a" and target.startswith("/"), (tag, target)
        ids = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
        assert len(set(ids)) == len(ids), "one id twice"
        style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
        assert "url(" not in style and "@import" not in style
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = show("policy", picture)
        assert f"style-src 'sha256-{digest}';" in policy, f"it should be sha256-{digest}"
        assert policy.startswith("default-src 'none';") and "script" not in policy
        assert "unsafe" not in policy


def test_page_plots():
    """page: plots have a title, an axis with values, and a line through all points"""
    page = Page(show("page", "plain"))
    ids = [a["id"] for t, a in page.seen if t == "svg"]
    assert ids == ["plot-requests", "plot-errors", "plot-latency"]
    assert [a["aria-labelledby"] for t, a in page.seen if t == "svg"] == [i + "-title" for i in ids]
    lines = [a["d"] for t, a in page.seen if t == "path" and a["class"] == "line"]
    plots = read_json("plain")["plots"]
    for line, name, end in zip(lines, ("requests_per_s", "errors_per_s", "latency_p99_ms"),
                               (4000, 3, 2)):
        points = [tuple(map(float, p.split())) for p in re.split("[ML]", line) if p]
        assert len(points) == 120 and points[-1][0] == 350 and points[0][0] == 52
        for i, (x, y) in enumerate(points):
            assert abs(x - (52 + 298 * i / 119)) < 0.06, (name, i, x)
            assert abs(y - (142 - 132 * plots[name][i] / end)) < 0.06, (name, i, y)
    words = "".join(page.words)
    for word in ("4000", "0.5", "10 min ago", "now 2249", "Requests per second, last 10 minutes"):
        assert word in words, word
    for picture in ("full", "empty", "small"):
        for tag, attributes in Page(show("page", picture)).seen:
            for value in attributes.values() if tag in ("path", "line", "text", "circle") else ():
                assert not re.search("nan|inf", value.lower()), (picture, value)


def test_hidden():
    """nothing shows a size below a class"""
    hidden = numbers()["hidden"]
    assert len(hidden) == 10
    for what in ("metrics", "page", "json"):
        text = show(what, "plain").replace(",", "")
        for value in hidden:
            assert not re.search(rf"\b{value}\b", text), (what, value)
        for word in ("scratch", "stack"):
            assert word not in text, (what, word)


def test_reference():
    """docs/GATEWAY.md has each metric with its type and what it counts"""
    path = os.path.join(os.environ.get("CAISSON_SOURCE", "."), "docs", "GATEWAY.md")
    with open(path, encoding="utf-8") as file:
        rows = re.findall(r"^\| `(caisson_\w+)` \| (\w+) \|[^|]*\| ([^|]*) \|$", file.read(), re.M)
    wanted = {(name, of[0], of[1][:-1]) for name, of in
              read_metrics(show("metrics", "plain")).items()}
    assert set(rows) == wanted, set(rows) ^ wanted


TESTS = [test_metrics, test_metrics_hostile, test_promtool, test_json, test_json_hostile,
         test_json_full, test_page, test_page_loud, test_page_hostile, test_page_closed,
         test_page_plots, test_hidden, test_reference]


sys.exit(tap.run(tap.chosen(TESTS, 2)))
