"""A test client that reads every page it fetches as a strict visitor would, and fails on what is not in order.

Each page must have the expected status, a title ending in the service's name, a language, exactly one h1, a label for
every field, forms and links that lead to a route, a CSRF token in every form that posts, an alternative for every
image, no id twice and nothing inline that the content security policy would refuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import html5lib
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from portal.web import SERVICE_NAME

UNLABELLED_TYPES = {"hidden", "submit", "button", "reset", "image"}
# What the HTML parser reports although the standard now allows it.
TOLERATED_PARSE_ERRORS: frozenset[str] = frozenset()

Value = str | bool | Iterable[object]


def squeezed(element: Tag) -> str:
    """The text of ``element`` as a reader sees it: runs of white space are one space."""
    return " ".join(element.get_text(" ").split())


class StrictClient:
    """Wraps Flask's test client; ``get`` and ``post`` return a checked ``Page``."""

    def __init__(self, app: Flask, client: FlaskClient | None = None) -> None:
        self.app = app
        self.client = client or app.test_client()
        self._h1_by_title: dict[str, str] = {}

    def get(self, path: str, status: int = 200) -> Page:
        """Fetch ``path`` without following redirects; fails unless it answers ``status``."""
        return self._read(self.client.get(path), path, status)

    def post(self, path: str, data: Mapping[str, object] | None = None, status: int = 302) -> Page:
        """Post ``data`` as a form to ``path``; fails unless it answers ``status``. Files are ``(stream, name)``."""
        return self._read(self.client.post(path, data=dict(data or {})), path, status)

    def follow(self, page: Page) -> Page:
        """The page that ``page`` redirects to."""
        assert page.location, f"{page.path} does not redirect"
        return self.get(page.location)

    def _read(self, response: TestResponse, path: str, status: int) -> Page:
        assert response.status_code == status, (
            f"{path} answered {response.status_code} instead of {status}:\n{response.get_data(as_text=True)[:2000]}"
        )
        page = Page(self, path, response)
        if page.is_html:
            complaints = page.complaints()
            assert not complaints, f"{path} is not in order:\n" + "\n".join(f"- {each}" for each in complaints)
            known = self._h1_by_title.setdefault(page.title, page.h1)
            assert known == page.h1, (
                f"{path} has the title {page.title!r}, which belongs to the page headed {known!r}, not {page.h1!r}"
            )
        return page


@dataclass(frozen=True, slots=True)
class Field:
    """One control of a form as its label names it."""

    label: str
    control: Tag


class Page:
    """One answer, and what a visitor can do with it. ``soup`` is the parsed page."""

    def __init__(self, client: StrictClient, path: str, response: TestResponse) -> None:
        self.client = client
        self.path = path
        self.response = response
        self.location: str | None = response.headers.get("Location")
        self.is_html = response.mimetype == "text/html" and not 300 <= response.status_code < 400
        self.body = response.get_data(as_text=True) if self.is_html else ""
        self.soup = BeautifulSoup(self.body, "html.parser")

    @property
    def title(self) -> str:
        """The document's title, empty when it has none."""
        return squeezed(self.soup.title) if self.soup.title else ""

    @property
    def h1(self) -> str:
        """The text of the first main heading, empty when there is none."""
        heading = self.soup.find("h1")
        return squeezed(heading) if isinstance(heading, Tag) else ""

    @property
    def text(self) -> str:
        """All text in the main part of the page."""
        main = self.soup.find("main")
        return squeezed(main if isinstance(main, Tag) else self.soup)

    def rows(self) -> list[list[str]]:
        """The text of every cell of every table body row, in order."""
        return [[squeezed(cell) for cell in line.find_all(["th", "td"])] for line in self.soup.select("tbody tr")]

    def click(self, text: str) -> Page:
        """Follow the one link whose text is ``text``, or else the one that contains it."""
        links = list(self.soup.find_all("a", href=True))
        found = [link for link in links if squeezed(link) == text] or [link for link in links if text in squeezed(link)]
        assert found, f"{self.path} has no link {text!r}; it has {sorted({squeezed(link) for link in links})}"
        targets = {str(link["href"]) for link in found}
        assert len(targets) == 1, f"{self.path} has several links {text!r}: {sorted(targets)}"
        return self.client.get(urljoin(self.path, targets.pop()))

    def submit(self, button: str, values: Mapping[str, Value] | None = None, status: int | None = None) -> Page:
        """Fill the form that holds ``button`` by its labels and send it.

        ``values`` maps a field's label (for radios and checkboxes: the option's own label, to ``True`` or ``False``) to
        what is entered; fields not named keep what stands in them. A date field's parts are ``"Day"``, ``"Month"``,
        ``"Year"``; where a label stands twice, ``"Legend: label"`` tells them apart. ``status`` defaults to 302 for a
        form that posts and 200 otherwise.
        """
        form, pressed = self._form_with(button)
        sent = self._standing_values(form)
        for label, value in (values or {}).items():
            self._enter(form, label, value, sent)
        if pressed.get("name"):
            sent.append((str(pressed["name"]), str(pressed.get("value", ""))))
        action = urljoin(self.path, str(form.get("action") or self.path))
        gathered: dict[str, list[object]] = {}
        for name, entered in sent:
            gathered.setdefault(name, []).append(entered)
        if str(form.get("method", "get")).lower() == "post":
            return self.client.post(action, gathered, 302 if status is None else status)
        response = self.client.client.get(action, query_string=gathered)
        return self.client._read(response, action, 200 if status is None else status)

    def complaints(self) -> list[str]:
        """Everything that is not in order, as sentences; empty for a good page."""
        return [
            *self._complaints_about_the_document(),
            *self._complaints_about_inline_code(),
            *self._complaints_about_fields(),
            *self._complaints_about_forms(),
            *self._complaints_about_links(),
        ]

    # What a visitor does ---------------------------------------------------------------------------------------------

    def _form_with(self, button: str) -> tuple[Tag, Tag]:
        offered = []
        for form in self.soup.find_all("form"):
            for control in form.find_all(["button", "input"]):
                if control.name == "input" and control.get("type") not in {"submit", "image"}:
                    continue
                label = squeezed(control) or str(control.get("value", ""))
                offered.append(label)
                if label == button:
                    return form, control
        raise AssertionError(f"{self.path} has no form with the button {button!r}; it has {offered}")

    def _fields(self, form: Tag) -> list[Field]:
        fields = []
        for control in form.find_all(["input", "select", "textarea"]):
            if control.get("type") in UNLABELLED_TYPES:
                continue
            label = self._label_of(control)
            group = control.find_parent("fieldset")
            legend = group.find("legend") if group else None
            fields.append(Field(label, control))
            if isinstance(legend, Tag):
                fields.append(Field(f"{squeezed(legend)}: {label}", control))
        return fields

    def _label_of(self, control: Tag) -> str:
        identifier = control.get("id")
        label = self.soup.find("label", attrs={"for": identifier}) if identifier else None
        wrapping = control.find_parent("label")
        if isinstance(label, Tag):
            return squeezed(label)
        if isinstance(wrapping, Tag):
            return squeezed(wrapping)
        named_by = str(control.get("aria-labelledby", "")).split()
        names = [self.soup.find(id=each) for each in named_by]
        return " ".join(squeezed(each) for each in names if isinstance(each, Tag)) or str(control.get("aria-label", ""))

    def _standing_values(self, form: Tag) -> list[tuple[str, object]]:
        values: list[tuple[str, object]] = []
        for control in form.find_all(["input", "select", "textarea"]):
            name, kind = str(control.get("name", "")), control.get("type", "text")
            if not name or control.has_attr("disabled") or kind in {"submit", "image", "button", "file"}:
                continue
            if kind in {"radio", "checkbox"} and not control.has_attr("checked"):
                continue
            if control.name == "select":
                values += [(name, option_value(option)) for option in chosen_options(control)]
            elif control.name == "textarea":
                values.append((name, control.get_text()))
            else:
                values.append((name, str(control.get("value", "on" if kind in {"radio", "checkbox"} else ""))))
        return values

    def _enter(self, form: Tag, label: str, value: Value, sent: list[tuple[str, object]]) -> None:
        fields = self._fields(form)
        found = {id(field.control): field.control for field in fields if field.label == label}
        names = sorted({field.label for field in fields})
        assert found, f"{self.path} has no field labelled {label!r}; it has {names}"
        assert len(found) == 1, f"{self.path} has {len(found)} fields labelled {label!r}; write 'Legend: {label}'"
        (control,) = found.values()
        name, kind = str(control["name"]), control.get("type", "text")
        if kind in {"radio", "checkbox"}:
            option = str(control.get("value", "on"))
            replaced = [pair for pair in sent if pair[0] != name or (kind == "checkbox" and pair[1] != option)]
            sent[:] = [*replaced, (name, option)] if value else replaced
            return
        # The parts of a date have one name between them: only this control's own place is filled.
        twins = [each for each in form.find_all(["input", "select", "textarea"]) if each.get("name") == name]
        places = [place for place, pair in enumerate(sent) if pair[0] == name]
        if len(twins) == len(places) > 1:
            place = next(place for place, each in zip(places, twins, strict=True) if each is control)
            sent[place] = (name, value)
            return
        sent[:] = [pair for pair in sent if pair[0] != name]
        if control.name == "select":
            options = {squeezed(option): option_value(option) for option in control.find_all("option")}
            assert value in options, f"{label!r} does not offer {value!r}; it offers {sorted(options)}"
            value = options[str(value)]
        sent.append((name, value))

    # What a visitor minds --------------------------------------------------------------------------------------------

    def _complaints_about_the_document(self) -> list[str]:
        found = []
        ending = f" – {SERVICE_NAME}"
        if not self.title.endswith(ending) or self.title == ending.strip():
            found.append(f"the title is {self.title!r}; it must say what the page is and end in {ending!r}")
        headings = self.soup.find_all("h1")
        if len(headings) != 1 or not self.h1:
            found.append(f"there are {len(headings)} h1 headings; there must be exactly one, with text")
        if not (self.soup.html and self.soup.html.get("lang")):
            found.append("the html element has no lang")
        if len(self.soup.find_all("main")) != 1:
            found.append("there must be exactly one main element")
        ids = Counter(str(element["id"]) for element in self.soup.find_all(id=True))
        found += [f"the id {name!r} stands {times} times" for name, times in ids.items() if times > 1]
        found += [f"an image has no alt: {image}" for image in self.soup.find_all("img") if not image.has_attr("alt")]
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        parser.parse(self.body)
        found += [
            f"the HTML does not parse: {kind} {details} at line {position[0]}"
            for position, kind, details in parser.errors
            if kind not in TOLERATED_PARSE_ERRORS
        ]
        return found

    def _complaints_about_inline_code(self) -> list[str]:
        found = [f"an inline script: {script}" for script in self.soup.find_all("script") if not script.get("src")]
        found += [f"a script without a nonce: {each}" for each in self.soup.find_all("script", nonce=False)]
        found += [f"an inline style sheet: {style}" for style in self.soup.find_all("style")]
        for element in self.soup.find_all(True):
            refused = [name for name in element.attrs if name == "style" or name.startswith("on")]
            found += [f"<{element.name}> has an inline {name}" for name in refused]
        return found

    def _complaints_about_fields(self) -> list[str]:
        controls = self.soup.find_all(["input", "select", "textarea"])
        found = [
            f"<{control.name} name={control.get('name')!r}> has no label"
            for control in controls
            if control.get("type") not in UNLABELLED_TYPES and not self._label_of(control).strip()
        ]
        ids = {str(element["id"]) for element in self.soup.find_all(id=True)}
        for label in self.soup.find_all("label", attrs={"for": True}):
            if label["for"] not in ids:
                found.append(f"the label {squeezed(label)!r} is for {label['for']!r}, which is not on the page")
        return found

    def _complaints_about_forms(self) -> list[str]:
        found = []
        for form in self.soup.find_all("form"):
            method = str(form.get("method", "get")).upper()
            action = urljoin(self.path, str(form.get("action") or self.path))
            if not self._leads_somewhere(action, method):
                found.append(f"the form to {action!r} ({method}) leads to no route")
            if method == "POST" and not form.find("input", attrs={"name": "csrf_token", "value": True}):
                found.append(f"the form to {action!r} has no csrf_token")
            if not form.find(["button", "input"], attrs={"type": ["submit", "image"]}) and not form.find(
                "button", attrs={"type": False}
            ):
                found.append(f"the form to {action!r} has no button")
        return found

    def _complaints_about_links(self) -> list[str]:
        found = []
        ids = {str(element["id"]) for element in self.soup.find_all(id=True)}
        for link in self.soup.find_all("a"):
            href = str(link.get("href", ""))
            if not href:
                found.append(f"the link {squeezed(link)!r} leads nowhere")
            elif href.startswith("#"):
                if href[1:] not in ids:
                    found.append(f"the link {squeezed(link)!r} leads to {href!r}, which is not on the page")
            elif urlsplit(href).scheme in {"", "http", "https"} and not self._leads_somewhere(
                urljoin(self.path, href), "GET"
            ):
                found.append(f"the link {squeezed(link)!r} to {href!r} leads to no route")
            if not squeezed(link) and not link.get("aria-label") and not link.find("img", alt=True):
                found.append(f"the link to {href!r} has no text")
        return found

    def _leads_somewhere(self, address: str, method: str) -> bool:
        parts = urlsplit(address)
        if parts.netloc and parts.netloc != self.response.request.host:
            return True
        adapter = self.client.app.url_map.bind(self.response.request.host)
        try:
            adapter.match(parts.path, method=method)
        except RequestRedirect:
            return True
        except (NotFound, MethodNotAllowed):
            return False
        return True


def option_value(option: Tag) -> str:
    """What an option of a select sends."""
    return str(option.get("value", squeezed(option)))


def chosen_options(select: Tag) -> list[Tag]:
    """The options of ``select`` that stand chosen; as in a browser, the first where nothing is marked."""
    options = select.find_all("option")
    marked = [option for option in options if option.has_attr("selected")]
    return marked or ([] if select.has_attr("multiple") else options[:1])
