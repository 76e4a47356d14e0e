"""The page in a real browser: quiet, self-contained, whole without JavaScript, and easier with it."""

import dataclasses
import datetime as dt
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from changed_release import changed, page_of, write
from cuvee.errata.errata_page import errata_page
from cuvee.history.over_releases import PackageInRelease, Past, ReleaseBefore
from cuvee.integration.outcomes import Counts, OutcomeState
from cuvee.release.record import Release
from cuvee.report.erratum_rows import HAS_FIX, HAS_FLAW, UNTRUE, ErratumRow
from cuvee.report.writer import write_report
from made_errata import BOTH, ERRATUM, FIXED, PUBLISHER, checked
from picture_folder import PICTURES

pytestmark = pytest.mark.real

CHROMIUM = Path("/usr/bin/chromium")
ERRATA = tuple(
    ErratumRow(
        number=f"starter-2026-{number}", title="Numbers of arrays", badge=badge, severity="high",
        date=dt.date(2026, 11, 20 + number), platforms=("linux-64", "linux-aarch64"),
        packages=("numpy 2.4.1",), fixed_in=("starter-2026.11.1",), cves=("CVE-2026-12345",),
        workaround="Use no arrays.",
        url=f"https://example.org/errata/index.html#starter-2026-{number}",
    )
    for number, badge in enumerate((UNTRUE, HAS_FLAW, HAS_FIX))
)  # fmt: skip
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(sample: Release, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("written") / "report"
    before = PackageInRelease(release="starter-2026.10.1", platform="linux-64", version="2.9", build="0")
    tests = Counts(run=9, passed=8)
    facts = ReleaseBefore(release=before.release, packages=99, tests=tests, install_seconds=4)
    past = Past(packages={"numpy": (before,)}, releases=(facts,))
    page = dataclasses.replace(page_of(sample), errata=ERRATA)
    write_report(page, sample, sample.graph, folder, past)
    releases = {"2026.10.0": BOTH, "2026.10.1": FIXED}
    errata = errata_page((checked(folder, ERRATUM, releases),), PUBLISHER)
    (folder / "errata.html").write_text(errata, encoding="utf-8")
    return (folder / "index.html").as_uri()


class Visit:
    """One opened page, with everything that it complained about or asked for."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def shown(self, part: str) -> int:
        return int(self.page.locator(f"#{part} [data-item]:not([hidden])").count())


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def visit(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, java_script_enabled=request.param)
    yield visit
    visit.context.close()


@pytest.fixture
def scripted(browser: Any, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address)
    yield visit
    visit.context.close()


def test_it_is_quiet_and_asks_for_nothing(visit: Visit, address: str) -> None:
    assert visit.complaints == []
    assert [url for url in visit.requests if not url.startswith("data:")] == [address]


def test_its_content_is_there(visit: Visit) -> None:
    page = visit.page
    for text in (
        "Blocked by 5",
        "numpy 2.4.1 is newer than scipy 1.16.3 accepts",
        "makensis is not installed",
    ):
        assert page.get_by_text(text).first.is_visible()
    indirect = page.locator("#package-anyio")
    assert not indirect.is_visible()
    page.locator("#packages details.fold > summary", has_text="Indirect packages").click()
    assert indirect.is_visible()
    for title, label in (("Sizes", "Sizes of packages"), ("Build waves", "Build waves of")):
        picture = page.locator(f'#packages svg.drawing[aria-label^="{label}"]')
        assert not picture.is_visible()
        page.locator("#packages details.fold > summary", has_text=title).click()
        assert picture.is_visible()
        fill = "getComputedStyle(document.querySelector('#packages svg.drawing .box')).fill"
        assert page.evaluate(fill) != "rgb(0, 0, 0)", "the policy lets the pictures' style through"
    log = page.locator("#outcome-1 pre")
    page.locator("#outcome-1 .log summary").click()
    assert "280 lines left out" in log.inner_text()


def test_nothing_sticks_out(scripted: Visit) -> None:
    page = scripted.page
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    for width in (1280, 768, 375):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_filters_can_be_combined_and_live_in_the_address(scripted: Visit, address: str) -> None:
    page, part = scripted.page, scripted.page.locator("#packages")
    assert scripted.shown("packages") == 122
    part.get_by_label("Status", exact=True).select_option("not-run")
    assert scripted.shown("packages") == 117
    part.get_by_label("Platform", exact=True).select_option("linux-64")
    assert scripted.shown("packages") == 0
    part.get_by_label("Platform", exact=True).select_option("win-64")
    part.get_by_label("Owner", exact=True).select_option("numerics")
    part.get_by_label("Find", exact=True).fill("num % &")
    assert scripted.shown("packages") == 0
    part.get_by_label("Find", exact=True).fill("num 2.4.1")
    assert scripted.shown("packages") == 1
    assert part.locator("output").inner_text() == "1 of 122 shown"
    shared = page.url
    assert shared.startswith(f"{address}#packages?")
    page.goto("about:blank")
    page.goto(shared)
    assert scripted.shown("packages") == 1
    part.get_by_role("button", name="Clear").click()
    assert scripted.shown("packages") == 122
    part.get_by_label("changed", exact=True).check()
    assert scripted.shown("packages") == 6
    assert scripted.complaints == []


def test_a_filter_opens_what_is_folded_and_hides_empty_groups(scripted: Visit) -> None:
    part = scripted.page.locator("#tests")
    part.get_by_label("Find", exact=True).fill("import:anyio")
    assert scripted.shown("tests") == 2
    assert part.get_by_text("smoke: import:anyio").first.is_visible()
    assert not part.get_by_role("heading", name="Newly failing").is_visible()
    assert not part.get_by_role("heading", name="Waived or known").is_visible()
    part.get_by_role("button", name="Clear").click()
    assert part.get_by_role("heading", name="Waived or known").is_visible()


def test_an_address_opens_what_it_points_into(scripted: Visit, address: str) -> None:
    scripted.page.goto(f"{address}#package-anyio")
    assert scripted.page.locator("#package-anyio").is_visible()
    scripted.page.goto("about:blank")
    scripted.page.goto(f"{address}#%E0%A4%A")
    assert scripted.shown("packages") == 122
    assert scripted.complaints == []


def test_a_tab_shows_its_group_and_is_in_the_address(scripted: Visit, address: str) -> None:
    part = scripted.page.locator("#tests")
    part.get_by_role("link", name="Flaky 1").click()
    assert scripted.page.url.endswith("#tests?triage=flaky")
    part.locator("a.tab[aria-current]", has_text="Flaky 1").wait_for()
    assert scripted.shown("tests") == 1
    assert part.locator("a.tab[aria-current]").inner_text() == "Flaky 1"
    part.get_by_role("link", name="All 5").press("Enter")
    part.locator("a.tab[aria-current]", has_text="All 5").wait_for()
    assert scripted.shown("tests") > 400
    scripted.page.goto(f"{address}#tests?triage=waived-or-known&platform=linux-64")
    assert scripted.shown("tests") == 2
    assert part.get_by_text("excel round trip").first.is_visible()


def test_tabs_lead_to_their_groups_without_javascript(browser: Any, address: str) -> None:
    visit = Visit(browser, address, java_script_enabled=False)
    visit.page.get_by_role("link", name="Flaky 1").first.click()
    assert visit.page.url.endswith("#triage-flaky")
    assert visit.page.locator("#triage-flaky .outcome").is_visible()
    visit.context.close()


def test_a_hash_can_be_copied(scripted: Visit) -> None:
    button = scripted.page.get_by_role("button", name="Copy the SHA-256 of Starter-2026.11.0-Linux-x86_64.sh")
    button.click()
    scripted.page.wait_for_function("button => button.textContent !== 'Copy'", arg=button.element_handle())
    assert button.inner_text() in {"Copied", "Selected"}


def test_a_task_leads_to_what_it_is_about(scripted: Visit) -> None:
    task = scripted.page.locator(".actors li li", has_text="Look at 2 tests on linux-64")
    task.get_by_role("link").click()
    assert scripted.page.url.endswith("#tests?status=timeout%7Cfail&platform=linux-64&owner=release+manager")
    assert scripted.shown("tests") == 2
    part = scripted.page.locator("#tests")
    assert part.get_by_label("Status", exact=True).locator("option:checked").inner_text() == "timeout or fail"
    assert part.get_by_label("Owner", exact=True).input_value() == "release manager"


def test_findings_can_be_filtered(scripted: Visit, address: str) -> None:
    scripted.page.goto(f"{address}#findings?status=blocked")
    assert scripted.shown("findings") == 1
    assert scripted.page.locator("#findings output").inner_text() == "1 of 6 shown"


@pytest.mark.parametrize(
    ("part", "query"),
    [("tests", "status=nonsense"), ("packages", "platform=solaris-128"), ("findings", "owner=nobody")],
)
def test_a_filter_that_nothing_meets_shows_nothing(
    scripted: Visit, address: str, part: str, query: str
) -> None:
    scripted.page.goto(f"{address}#{part}?{query}")
    assert scripted.shown(part) == 0
    assert scripted.page.locator(f"#{part} output").inner_text().startswith("0 of ")
    scripted.page.locator(f"#{part}").get_by_role("button", name="Clear").click()
    assert scripted.shown(part) > 0


def test_the_count_says_what_cannot_be_searched_for_here(scripted: Visit) -> None:
    page = scripted.page
    page.locator("#tests").get_by_label("Find", exact=True).fill("no such test")
    said = page.locator("#tests output").inner_text()
    assert said == "0 of 413 shown; 172 more are on the pages of platforms, and not searched here"
    page.locator("#triage-passing a", has_text="linux-aarch64").evaluate("link => link.click()")
    page.wait_for_url("**/tests/linux-aarch64.html#tests?triage=passing")
    assert scripted.shown("tests") == 286
    assert scripted.complaints == []


def test_a_search_goes_on_on_the_pages_that_have_the_other_rows(scripted: Visit, sample: Release) -> None:
    page, row = scripted.page, page_of(sample).results.passes[-1]
    find = page.locator("#tests").get_by_label("Find", exact=True)
    find.fill(f"{row.test} no such test")
    find.fill(row.test)
    page.locator("#tests").get_by_label("Platform", exact=True).select_option(row.platform)
    assert scripted.shown("tests") == 0
    page.locator("#tests a[data-search]", has_text=row.platform).click()
    page.wait_for_url(f"**/{row.place.partition('#')[0]}#tests?q=*")
    assert scripted.shown("tests") == 1
    assert page.get_by_role("link", name=row.test, exact=True).is_visible()
    assert page.get_by_label("Find", exact=True).input_value() == row.test
    assert scripted.complaints == []


def test_what_is_folded_is_not_printed(scripted: Visit) -> None:
    pages = scripted.page.pdf().count(b"/Type /Page\n")
    assert 0 < pages <= 12


def test_packages_are_filtered_by_closure_kind_and_change(scripted: Visit, address: str) -> None:
    page, part = scripted.page, scripted.page.locator("#packages")
    for query, count in {
        "needs=python": 122, "needs=numpy": 1, "neededby=numpy": 2, "needs=no-such-package": 0,
        "neededby=numpy&kind=requested&q=numpy": 1, "kind=indirect": 78, "downgraded=yes": 1,
        "differs=yes&owner=numerics": 0,
    }.items():  # fmt: skip
        page.goto(f"{address}#packages?{query}")
        assert (query, scripted.shown("packages")) == (query, count)
    part.get_by_role("button", name="Clear").click()
    part.get_by_label("Needed by", exact=True).fill("scipy")
    assert scripted.shown("packages") == 2
    assert page.url.endswith("#packages?neededby=scipy")


def test_tables_are_sorted_by_their_headings(scripted: Visit) -> None:
    page = scripted.page
    heading = page.locator("#artefacts th", has_text="Size")
    sizes = page.locator('#artefacts tbody tr td[data-label="Size"]')
    before = sizes.all_inner_texts()
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert sizes.all_inner_texts() == sorted(before, key=lambda text: float(text.split()[0]))
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert sizes.all_inner_texts() == before


def test_the_parts_of_a_long_table_are_sorted_as_one(browser: Any, address: str) -> None:
    visit = Visit(browser, address.replace("index.html", "stages.html"))
    rows = visit.page.locator("#stages tbody tr")
    before, parts = rows.count(), visit.page.locator("#stages .part").count()
    assert parts > 1
    button = visit.page.get_by_role("button", name="Package", exact=True)
    assert button.count() == 1
    button.click()
    button.click()
    assert rows.count() == before
    assert rows.first.get_attribute("id") == "xarray-1"
    visit.context.close()


def test_keys_find_walk_and_link_and_can_be_turned_off(scripted: Visit, address: str) -> None:
    page, keyboard = scripted.page, scripted.page.keyboard
    focused = "document.activeElement.id"
    keyboard.press("j")
    first = page.evaluate(focused)
    keyboard.press("j")
    assert page.evaluate(focused) not in {first, ""}
    keyboard.press("k")
    assert page.evaluate(focused) == first
    keyboard.press("l")
    assert page.url == f"{address}#{first}"
    keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    keyboard.type("j/?")
    assert page.evaluate("document.activeElement.value") == "j/?"
    keyboard.press("Escape")
    keyboard.press("?")
    page.get_by_label("Use these keys").uncheck()
    keyboard.press("Escape")
    keyboard.press("?")
    assert not page.locator("dialog[open]").count()
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_label("Use these keys").check()
    page.get_by_role("button", name="Close").click()
    keyboard.press("?")
    assert page.locator("dialog[open]").count()
    assert scripted.complaints == []


def test_each_outcome_has_a_link_that_opens_its_row(browser: Any, address: str, sample: Release) -> None:
    row = next(row for row in page_of(sample).results.passes if row.test == "import:xarray")
    visit = Visit(browser, address.replace("index.html", row.place))
    found = visit.page.locator("tr:target")
    assert found.locator("th").inner_text() == row.test
    assert found.is_visible()
    found.locator("th a").click()
    assert visit.page.url.endswith(row.place)
    visit.page.goto(
        f"{address.replace('index.html', row.place.partition('#')[0])}#tests?suite=upstream&status=pass"
    )
    assert visit.shown("tests") == 164
    assert visit.complaints == []
    visit.context.close()


AXE = (
    "{resultTypes: ['violations'], runOnly:"
    " ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
)
SAME = ".part ~ .part, tbody tr:nth-child(n + 8)"
"""What has the same markup as what comes before it; axe would take a minute for that."""


@pytest.fixture(scope="module")
def axe() -> str:
    """Return the program axe-core, which the package axe-playwright-python carries."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the Python package axe-playwright-python")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


PAGES = [
    "index.html", "stages.html", "tests/linux-64.html", "packages/numpy.html", "platforms/linux-64.html",
    "platforms/osx-64.html",
    "changes/starter-2026.10.1.html", "errata.html",
]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Any, address: str, axe: str, name: str) -> None:
    visit = Visit(browser, address.replace("index.html", name), bypass_csp=True)
    page = visit.page
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    # What is not rendered yet has no sizes that axe could measure.
    page.add_style_tag(content="* { content-visibility: visible !important; }")
    page.evaluate(f"document.querySelectorAll('{SAME}').forEach((item) => item.remove())")
    page.evaluate(axe)
    found = page.evaluate(f"axe.run(document, {AXE})")
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("axe.run(document, {runOnly: {type: 'rule', values: ['color-contrast']}})")
    problems = [
        (rule["id"], node["html"])
        for rule in (*found["violations"], *dark["violations"])
        for node in rule["nodes"]
    ]
    assert len(found["passes"]) > 20
    assert problems == []
    visit.context.close()


@pytest.mark.parametrize("name", PAGES[1:5])
@pytest.mark.parametrize("scripted", [True, False])
def test_the_other_pages_are_quiet_whole_and_fit(
    browser: Any, address: str, name: str, scripted: bool
) -> None:
    where = address.replace("index.html", name)
    visit = Visit(browser, where, java_script_enabled=scripted)
    assert visit.complaints == []
    assert [url for url in visit.requests if not url.startswith("data:")] == [where]
    for width in (1280, 375):
        visit.page.set_viewport_size({"width": width, "height": 800})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    visit.page.get_by_role("link", name="Starter PyData 2026.11.0").click()
    assert visit.page.get_by_text("Blocked by 5").is_visible()
    visit.context.close()


def test_the_page_of_errata_is_quiet_and_fits_without_scripts(browser: Any, address: str) -> None:
    where = address.replace("index.html", "errata.html")
    visit = Visit(browser, where, java_script_enabled=False)
    assert visit.complaints == []
    assert [url for url in visit.requests if not url.startswith("data:")] == [where]
    for width in (1280, 375):
        visit.page.set_viewport_size({"width": width, "height": 800})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    visit.page.get_by_role("link", name="tiny-2026-1", exact=True).click()
    assert visit.page.get_by_text("A file can fill the memory").is_visible()
    visit.context.close()


def test_the_matrix_can_be_filtered_in_its_address(browser: Any, address: str) -> None:
    visit = Visit(
        browser, address.replace("index.html", "stages.html#stages?status=regression&platform=linux-64")
    )
    assert visit.shown("stages") == 2
    assert visit.page.get_by_role("link", name="sqlalchemy").is_visible()
    visit.page.get_by_label("Find", exact=True).fill("pandas")
    assert visit.shown("stages") == 1
    assert visit.complaints == []
    visit.context.close()


def much_broken(ready: Release) -> Release:
    """Make every third test fail."""
    broken = OutcomeState.FAIL, "AssertionError: 3 rows went in, 2 came out"
    runs = tuple(
        dataclasses.replace(
            run,
            outcomes=tuple(
                dataclasses.replace(item, state=broken[0], reason=broken[1]) if number % 3 == 0 else item
                for number, item in enumerate(run.outcomes)
            ),
        )
        for run in ready.runs
    )
    return changed(ready, runs=runs)


@pytest.mark.parametrize("state", ["good", "broken"])
def test_pictures_are_kept_of_pages_in_light_and_dark_wide_and_narrow(
    browser: Any, ready: Release, tmp_path: Path, state: str
) -> None:
    """People look at these; what a test can see is that nothing sticks out and that dark is dark."""
    write(ready if state == "good" else much_broken(ready), tmp_path)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in ("index", "stages", "tests/linux-64", "platforms/linux-64", "packages/numpy"):
        visit = Visit(browser, (tmp_path / f"{name}.html").as_uri())
        for scheme, width in [("light", 1280), ("dark", 390), ("dark", 1280), ("light", 390)]:
            if name != "index" and (scheme, width) in {("dark", 1280), ("light", 390)}:
                continue
            visit.page.emulate_media(color_scheme=scheme)
            visit.page.set_viewport_size({"width": width, "height": 1400})
            shown = f"report-{state}-{name.replace('/', '-')}-{scheme}-{width}.png"
            visit.page.screenshot(path=PICTURES / shown)
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
            paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (paper == "rgb(21, 22, 26)") == (scheme == "dark")
        assert visit.complaints == []
        visit.context.close()
