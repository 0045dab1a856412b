# SPDX-License-Identifier: Apache-2.0
"""page_test.py VIEW_SHOW [PART]: the page as a browser shows it (TAP; skipped without Chromium).

Served with its policy by a server of the test's own, at two widths, light and dark, with scripts
and without. The page must show each fact, be readable (contrast), fit its window, and ask for
nothing but itself. Each check of this file has its control: a page that is spoilt in that one way.
`page_test.py VIEW_SHOW shots FOLDER` keeps pictures to look at.
"""
import base64
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chromium  # noqa: E402
import tap  # noqa: E402

SHOW = sys.argv[1]
NARROW, WIDE = 360, 1280
# Each text with what is behind it: contrast by WCAG 2, and where it is less than 4.5.
CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const over = (layers) => {  // what the eye gets of colours upon one another
    canvas.globalCompositeOperation = 'source-over';
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => { const [r, g, b] = rgb.map(v => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = []; let count = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, at = node.parentElement;
    if (!node.data.trim() || !at.checkVisibility() || at.closest('title')) continue;
    const back = [];
    for (let up = at; up; up = up.parentElement) back.unshift(getComputedStyle(up).backgroundColor);
    const style = getComputedStyle(at);
    const front = at.closest('svg') ? style.fill : style.color;
    const a = light(over(back)), b = light(over([...back, front])); count++;
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push([node.data.trim().slice(0, 40), contrast]);
  }
  return [count, found]; })()"""
# For each plot: its box, the length of its line, and whether the line has a colour of its own.
PLOTS = """[...document.querySelectorAll('svg')].map(svg => {
  const box = svg.getBoundingClientRect(), line = svg.querySelector('.line');
  const back = getComputedStyle(svg.closest('figure')).backgroundColor;
  const style = getComputedStyle(line);
  return {width: box.width, height: box.height, length: line.getTotalLength(),
          drawn: style.stroke !== 'none' && style.stroke !== back &&
                 parseFloat(style.strokeWidth) >= 1 && style.visibility === 'visible',
          title: svg.querySelector('title').textContent,
          inside: [...svg.querySelectorAll('text')].every(t => {
            const b = t.getBoundingClientRect();
            return b.width > 0 && b.left >= box.left - 1 && b.right <= box.right + 1; })}; })"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def show(what, picture):
    return subprocess.run([SHOW, what, picture], capture_output=True, timeout=60,
                          check=True).stdout.decode()


class Server(http.server.ThreadingHTTPServer):
    """Pages by path, with the policy; counts what was asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages, self.asked = {}, []
        self.policy = ""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        page = self.server.pages.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, *arguments):
        pass


class Rig:
    def __init__(self):
        self.server = Server()
        for picture in ("plain", "hostile", "empty", "full", "small"):
            self.server.pages["/" + picture] = show("page", picture)
        self.policy = show("policy", "plain").strip()
        # With another style than the policy's all but test_policy() still looks at that style.
        style = self.server.pages["/plain"].split("<style>")[1].split("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.server.policy = re.sub(r"'sha256-[^']*'", f"'sha256-{digest}'", self.policy)
        self.browser = chromium.Chromium()

    def open(self, path, width=WIDE, scripts=True, scheme="light"):
        self.server.asked.clear()
        page = chromium.Page(self.browser, width, scripts, scheme)
        page.open(self.server.url(path))
        return page

    def spoil(self, old, new):
        """The plain page, changed once."""
        text = self.server.pages["/plain"]
        assert text.count(old) >= 1, old
        self.server.pages["/spoilt"] = text.replace(old, new, 1)
        return "/spoilt"

    def close(self):
        self.browser.close()
        self.server.shutdown()
        self.server.server_close()


def words_of(html_text):
    """Facts of the page that a reader must find on the screen: all cells and values."""
    found = re.findall(r"<(?:dd|td|th|dt|h1|h2|summary|figcaption)\b[^>]*>(.*?)"
                       r"</(?:dd|td|th|dt|h1|h2|summary|figcaption)>", html_text)
    return {" ".join(re.sub(r"<[^>]*>", "", f).split()) for f in found}


def closed(page, rig, path):
    """Nothing but the page was asked for, and nobody complains."""
    assert rig.server.asked == [path], rig.server.asked
    urls = [u for u in page.requests() if not u.startswith("data:")]
    assert urls == [rig.server.url(path)], urls
    assert page.complaints() == [], page.complaints()


def test_facts(rig):
    """each fact is on the screen, at both widths, with scripts and without"""
    wanted = words_of(rig.server.pages["/plain"])
    assert len(wanted) > 200, len(wanted)
    for width in (NARROW, WIDE):
        for scripts in (True, False):
            page = rig.open("/plain", width, scripts)
            closed(page, rig, "/plain")
            ran = page.evaluate("document.scripts.length")
            assert ran == 0, ran
            for folded in (False, True):
                if folded:  # what a click on each summary opens
                    page.evaluate("for (const d of document.querySelectorAll('details'))"
                                  " d.open = true")
                text = " ".join(page.evaluate("document.body.innerText").lower().split())
                missing = [w for w in wanted if w.lower() not in text]
                assert folded != bool(missing), (width, missing)
            page.close()


def test_fits(rig):
    """nothing is wider than its window, at any width and for any picture"""
    for width in (320, NARROW, 768, WIDE, 1920):
        for picture in ("/plain", "/hostile", "/full", "/empty"):
            page = rig.open(picture, width)
            assert page.evaluate(WIDER) <= 0, (width, picture, page.evaluate(WIDER))
            page.close()
    page = rig.open(rig.spoil("<h1>", "<h1 style>" + "x" * 400), NARROW)  # the control
    assert page.evaluate(WIDER) > 0
    page.close()


def test_contrast(rig):
    """all text has a contrast of 4.5, light and dark"""
    backs = set()
    for scheme in ("light", "dark"):
        page = rig.open("/plain", WIDE, True, scheme)
        count, found = page.evaluate(CONTRAST)
        assert count > 200 and found == [], (scheme, count, found)
        backs.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(backs) == 2, "dark is as light"
    page = rig.open("/plain")  # the control
    page.evaluate("document.querySelector('h1').style.color = '#888'")
    assert [f[0] for f in page.evaluate(CONTRAST)[1]] == ["Caisson gateway"]
    page.close()


def test_plots(rig):
    """plots are drawn, large enough, with labels inside"""
    for width in (NARROW, WIDE):
        for scheme in ("light", "dark"):
            page = rig.open("/plain", width, False, scheme)
            plots = page.evaluate(PLOTS)
            assert len(plots) == 3
            for plot in plots:
                assert plot["width"] > 250 and plot["height"] > 100, plot
                assert plot["length"] > 250 and plot["drawn"] and plot["inside"], plot
                assert "last 10 minutes" in plot["title"], plot
            page.close()


def test_policy(rig):
    """the policy lets the page's own style through, and nothing else"""
    kept = rig.server.policy
    rig.server.policy = rig.policy
    page = rig.open("/plain")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "24px"
    page.close()
    rig.server.policy = kept.replace("sha256-", "sha256-x", 1)
    page = rig.open("/plain")
    assert page.complaints() and \
        page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") != "24px"
    page.close()
    rig.server.policy = kept
    for bad in ("<script>document.title = 'ran'</script>", "<img src=/x.png>",
                "<p onclick=x>a</p><style>p{}</style>", "<iframe src=/x></iframe>"):
        path = rig.spoil("<main>", "<main>" + bad)
        page = rig.open(path)
        assert page.evaluate("document.title") == "Caisson gateway"
        assert rig.server.asked == [path] and page.complaints(), bad
        page.close()
    rig.server.policy = "default-src *"  # without it the same page does ask, and the test sees it
    page = rig.open(rig.spoil("<main>", "<main><img src=/x.png>"))
    assert "/x.png" in rig.server.asked and page.complaints()
    page.close()
    rig.server.policy = "script-src 'unsafe-inline'"  # and without scripts is without scripts
    path = rig.spoil("<main>", "<main><script>document.title = 'ran'</script>")
    for scripts, title in ((True, "ran"), (False, "Caisson gateway")):
        page = rig.open(path, WIDE, scripts)
        assert page.evaluate("document.title") == title, scripts
        page.close()
    rig.server.policy = kept


def test_hostile(rig):
    """hostile names are shown as text, and nothing of them runs"""
    for width in (NARROW, WIDE):
        page = rig.open("/hostile", width)
        closed(page, rig, "/hostile")
        assert page.evaluate("document.scripts.length") == 0
        assert "<script>alert(1)</script>" in page.evaluate("document.body.innerText")
        page.close()


TESTS = [test_facts, test_fits, test_contrast, test_plots, test_policy, test_hostile]


def shots(rig, folder):
    for picture in ("plain", "hostile", "empty"):
        for width in (NARROW, WIDE):
            for scheme in ("light", "dark"):
                page = rig.open("/" + picture, width, False, scheme)
                page.screenshot(os.path.join(folder, f"{picture}-{width}-{scheme}.png"))
                page.close()


def main():
    if chromium.find() is None:
        return tap.skip_all(f"no Chromium here: {len(TESTS)} checks of the page not done")
    rig = Rig()
    try:
        if sys.argv[2:3] == ["shots"]:
            return shots(rig, sys.argv[3])
        return tap.run(tap.chosen(TESTS, 2), rig)
    finally:
        rig.close()


sys.exit(main())
