// What the app uses of Lit, whose modules lie unchanged but for their import paths in lit/ (BSD-3-Clause, lit/LICENSE).
export { LitElement, html, svg, nothing, render } from "./lit/lit-element.js";
export { repeat } from "./lit/directives/repeat.js";
