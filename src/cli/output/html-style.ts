import { html } from './html-markup.ts'

/** The looks of an exported thread: light or dark as the reader has it, and on paper. */
export const STYLE = html`<style>
:root {
  color-scheme: light dark;
  --text: #1f2328; --back: #ffffff; --dim: #59636e; --line: #d1d9e0; --panel: #f6f8fa;
  --accent: #0550ae; --bad: #b42318; --good: #116329; --bad-back: #ffebe9; --good-back: #dafbe1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --back: #0d1117; --dim: #9198a1; --line: #3d444d; --panel: #151b23;
    --accent: #79c0ff; --bad: #ff9492; --good: #7ee787; --bad-back: #3c1618; --good-back: #12361f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 52rem; padding: 2rem 1rem 4rem;
  background: var(--back); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: .85rem; font-weight: 600; margin: 0 0 1rem; }
h3 { font-size: .85rem; margin: 0 0 .25rem; color: var(--dim); }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
dt, time, .dim { color: var(--dim); }
dt, dd, time { font-size: .85rem; font-weight: normal; }
dd { margin: 0; }
article { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
article:target { border-top-color: var(--accent); }
section, details, .note { margin: 0 0 1rem; }
.text { white-space: pre-wrap; unicode-bidi: plaintext; }
.user { border-left: 3px solid var(--accent); padding-left: .75rem; }
.bad { color: var(--bad); }
.error { border-left: 3px solid var(--bad); padding-left: .75rem; color: var(--bad); }
img { display: block; max-width: 100%; max-height: 30rem; margin-top: .5rem; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; }
code { white-space: pre-wrap; }
details { border: 1px solid var(--line); border-radius: 6px; }
summary { background: var(--panel); border-radius: 6px; cursor: pointer; padding: .35rem .75rem; }
details > .text, pre { margin: 0; padding: .5rem .75rem; }
pre { white-space: pre-wrap; }
.diff span { display: block; }
.add { background: var(--good-back); color: var(--good); }
.del { background: var(--bad-back); color: var(--bad); }
.hunk { color: var(--dim); }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
  h2, h3, summary { break-after: avoid; }
}
</style>`
