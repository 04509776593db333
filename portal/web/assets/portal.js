// Progressive enhancement only: every page works without this file.
import {
  Button, CharacterCount, Checkboxes, createAll, ErrorSummary, FileUpload, NotificationBanner, PasswordInput, Radios,
  ServiceNavigation, SkipLink,
} from "govuk-frontend";
import { Alert } from "@ministryofjustice/frontend/moj/components/alert/alert.mjs";
import { ButtonMenu } from "@ministryofjustice/frontend/moj/components/button-menu/button-menu.mjs";
import { SortableTable } from "@ministryofjustice/frontend/moj/components/sortable-table/sortable-table.mjs";

const COMPONENTS = [
  CharacterCount, Checkboxes, ErrorSummary, FileUpload, NotificationBanner, PasswordInput, Radios, ServiceNavigation,
  SkipLink, Alert, ButtonMenu, SortableTable,
];

// The frontend packages ask for these classes before they start; their own templates set them in an inline script,
// which the content security policy refuses.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
for (const Component of COMPONENTS) {
  createAll(Component);
}
// One click is one order: a second press of the same button within a second does nothing.
createAll(Button, { preventDoubleClick: true });

// A table wider than its frame can be scrolled with the keyboard; one that fits is no stop on the way.
const frames = [...document.querySelectorAll("[data-scroll-frame]")];
const settle = () => {
  for (const frame of frames) {
    if (frame.scrollWidth > frame.clientWidth) {
      frame.setAttribute("tabindex", "0");
    } else {
      frame.removeAttribute("tabindex");
    }
  }
};
settle();
window.addEventListener("resize", settle);

// Filters that only choose what is shown apply themselves; the button stays for those without this script.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});

// A page that waits for something asks again by itself: it says what is new, and loads anew when the wait is over.
// Without this script, the link "Look again" does the same.
const waiting = document.querySelector("[data-look-again]");
if (waiting) {
  let failures = 0;
  const lookAgain = async () => {
    let now = waiting;
    try {
      const answer = await fetch(window.location.href, { cache: "no-store", redirect: "error" });
      if (!answer.ok) {
        throw new Error(answer.statusText);
      }
      now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-look-again]");
      failures = 0;
    } catch {
      failures += 1;
    }
    if (!now) {
      window.location.reload();
      return;
    }
    // Only what is new is put in: the link keeps its focus, and nothing is read out twice.
    if (now.firstElementChild.textContent !== waiting.firstElementChild.textContent) {
      waiting.firstElementChild.replaceWith(now.firstElementChild);
    }
    if (failures < 10) {
      window.setTimeout(lookAgain, 2000 * (failures + 1));
    }
  };
  window.setTimeout(lookAgain, 2000);
}

// Search as you type: the hits follow what is typed and chosen, and so does the address. The page says how many there
// are to those who cannot see it; what was asked before is given up. Without this script the button asks.
const PAUSE = 250;
for (const form of document.querySelectorAll("form[data-search]")) {
  const hits = document.getElementById(form.dataset.search);
  const told = document.querySelector("[data-hits-said]");
  let asked = new AbortController();
  let waiting;

  const search = async () => {
    asked.abort();
    asked = new AbortController();
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) {
      if (value) {
        address.searchParams.append(name, value);
      }
    }
    hits.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { "X-Portal-Part": "hits" }, signal: asked.signal });
      if (answer.redirected || (!answer.ok && answer.status !== 422)) {
        // Signed out meanwhile, or a failure: the whole page says what to do.
        window.location.assign(address);
        return;
      }
      hits.innerHTML = await answer.text();
      hits.removeAttribute("aria-busy");
      window.history.replaceState(null, "", address);
      told.textContent = [...hits.querySelectorAll("[data-say]")].map((each) => each.textContent.trim()).join(" ");
    } catch (fault) {
      if (fault.name !== "AbortError") {
        hits.removeAttribute("aria-busy");
        told.textContent = "The search does not answer. Press Search to try again.";
      }
    }
  };

  form.addEventListener("input", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(search, PAUSE);
  });
}
