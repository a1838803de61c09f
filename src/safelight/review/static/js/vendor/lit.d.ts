// What the type check knows of Lit: as much as the app uses.
export class LitElement extends HTMLElement {
  createRenderRoot(): any;
  render(): unknown;
  requestUpdate(name?: PropertyKey, before?: unknown): void;
  readonly updateComplete: Promise<boolean>;
  hasUpdated: boolean;
  connectedCallback(): void;
  disconnectedCallback(): void;
  protected firstUpdated(changed: Map<PropertyKey, unknown>): void;
  protected updated(changed: Map<PropertyKey, unknown>): void;
  protected willUpdate(changed: Map<PropertyKey, unknown>): void;
  static properties: Record<string, object>;
}
export function html(strings: TemplateStringsArray, ...values: unknown[]): unknown;
export function svg(strings: TemplateStringsArray, ...values: unknown[]): unknown;
export function render(value: unknown, container: HTMLElement | DocumentFragment): unknown;
export const nothing: symbol;
export function repeat<T>(
  items: Iterable<T>, key: (item: T, index: number) => unknown, template: (item: T, index: number) => unknown,
): unknown;
