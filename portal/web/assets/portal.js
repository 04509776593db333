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
