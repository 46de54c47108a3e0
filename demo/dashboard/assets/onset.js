// Entry of the page: brings in every web component, the header with the notice that is shown once, and the light–dark switch.
import { language, words } from "./words.js";

const parts = ["live.js", "replay.js", "sessions.js", "engines.js"];
const present = await (await fetch("/onset/assets/index.json")).json();
await Promise.all(parts.filter((part) => present.includes(part)).map((part) => import(`./${part}`)));

const MARK = `<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round"
  stroke-linejoin="round" aria-hidden="true"><path d="M2 23h7c4 0 3-15 7-15s3 15 7 15h7"/></svg>`;

class OnsetHeader extends HTMLElement {
  // The name, and limits and consent: open at the first visit, then behind their button.
  connectedCallback() {
    if (this.shadowRoot) return;
    // A shadow root: Gradio's own rules for text and buttons do not reach into it, its colours do.
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = `
      <link rel="stylesheet" href="/onset/assets/header.css">
      <div class="brand">${MARK}<b>Onset</b><span></span></div>
      <button type="button" class="quiet" data-part="about"></button>
      <button type="button" class="quiet" data-part="theme" aria-pressed="false">◐</button>
      <dialog aria-labelledby="title"><h2 id="title"></h2><p></p><p></p>
      <button type="button" class="primary" data-part="understood"></button></dialog>`;
    root.querySelector(".brand span").textContent = words("shell.tagline");
    const [limits, consent] = root.querySelectorAll("p");
    root.querySelector("h2").textContent = words("shell.notice-title");
    limits.textContent = words("shell.notice-limits");
    consent.textContent = words("shell.notice-consent");
    const about = root.querySelector('[data-part="about"]');
    const understood = root.querySelector('[data-part="understood"]');
    const dialog = root.querySelector("dialog");
    about.textContent = words("shell.about");
    understood.textContent = words("shell.understood");
    about.addEventListener("click", () => dialog.showModal());
    understood.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => localStorage.setItem("onset-notice-read", "1"));
    if (!localStorage.getItem("onset-notice-read")) dialog.showModal();
    this.switchTheme(root);
  }

  switchTheme(root) {
    const button = root.querySelector('[data-part="theme"]');
    button.setAttribute("aria-label", words("shell.theme"));
    button.title = words("shell.theme");
    const show = (dark) => {
      document.body.classList.toggle("dark", dark);
      button.setAttribute("aria-pressed", String(dark));
    };
    const kept = localStorage.getItem("onset-theme");
    show(kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
    button.addEventListener("click", () => {
      const dark = !document.body.classList.contains("dark");
      localStorage.setItem("onset-theme", dark ? "dark" : "light");
      show(dark);
    });
  }
}

document.documentElement.lang = language;
customElements.define("onset-header", OnsetHeader);
document.documentElement.dataset.onset = "ready";
