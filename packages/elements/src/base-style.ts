/**
 * The style that all elements have in common: colours with their names, buttons, progress, pictograms. A page changes a
 * colour by its name with `--rowlock-` before it; the console's own names are taken too.
 */
export const baseStyle: string = `
:host {
  --on-surface: var(--rowlock-ink, var(--ink, light-dark(#14211d, #e7eeeb)));
  --on-surface-soft: var(--rowlock-soft, var(--soft, light-dark(#55645e, #9aaaa4)));
  --surface-low: var(--rowlock-surface, var(--surface, light-dark(#ffffff, #151e1b)));
  --surface-high: var(--rowlock-raised, var(--raised, light-dark(#ffffff, #1c2723)));
  --surface-hover: var(--rowlock-hover, var(--hover, light-dark(#f0f4f2, #1a2521)));
  --border: var(--rowlock-line, var(--line, light-dark(#dce3e0, #28352f)));
  --main: var(--rowlock-accent, var(--accent, light-dark(#0d6557, #56c9b3)));
  --main-hover: var(--rowlock-accent-hover, var(--accent-hover, light-dark(#0a5347, #74d8c4)));
  --on-main: var(--rowlock-on-accent, var(--on-accent, light-dark(#ffffff, #06231d)));
  --main-wash: var(--rowlock-accent-wash, var(--accent-wash, light-dark(#e2f1ed, #14332c)));
  --wrong: var(--rowlock-danger, var(--danger, light-dark(#b42318, #ff8f85)));
  --wrong-wash: var(--rowlock-danger-wash, var(--danger-wash, light-dark(#fdeceb, #3a1a18)));
  --round: var(--rowlock-radius, var(--radius, 10px));
  display: block;
  color: var(--on-surface);
  font-family: inherit;
  line-height: 1.45;
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h2 { font-size: 1rem; line-height: 1.3; }
:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; }
.icon {
  width: 1.25em; height: 1.25em; flex: none; fill: none; stroke: currentcolor;
  stroke-linecap: round; stroke-linejoin: round; stroke-width: 1.75;
}
button, .button {
  display: inline-flex; align-items: center; justify-content: center; gap: 0.45rem;
  min-width: 2.75rem; min-height: 2.75rem; padding: 0 0.9rem;
  border: 1px solid var(--border); border-radius: 8px;
  background: var(--surface-high); color: var(--on-surface);
  font: inherit; font-size: 0.9375rem; font-weight: 550; white-space: nowrap; cursor: pointer;
}
button:hover, .button:hover { background: var(--surface-hover); }
button:disabled { cursor: default; opacity: 0.6; }
.primary { border-color: transparent; background: var(--main); color: var(--on-main); }
.primary:hover { background: var(--main-hover); }
.quiet { border-color: transparent; background: transparent; color: var(--on-surface-soft); padding: 0 0.6rem; }
.quiet:hover { color: var(--on-surface); }
progress {
  display: block; width: 100%; height: 6px; border: 0; border-radius: 3px;
  background: var(--border); appearance: none; overflow: hidden;
}
progress::-webkit-progress-bar { background: var(--border); }
progress::-webkit-progress-value { border-radius: 3px; background: var(--main); transition: width 0.2s linear; }
progress::-moz-progress-bar { border-radius: 3px; background: var(--main); }
.hint { color: var(--on-surface-soft); font-size: 0.875rem; }
.problem { color: var(--wrong); font-size: 0.9375rem; }
.problem:empty { display: none; }
.spoken {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.name { overflow-wrap: anywhere; }
.disguise {
  margin: 0 0.15em; padding: 0.05em 0.35em; border-radius: 4px;
  background: light-dark(#fdf1dc, #33270f); color: light-dark(#7a4a03, #f2c879);
  font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.75em; font-weight: 600; white-space: nowrap;
}
@keyframes appear { from { opacity: 0; } }
@keyframes pulse { 50% { opacity: 0.45; } }
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after, progress::-webkit-progress-value { animation: none !important; transition: none !important; }
}
`;
