/** How uploads look: the field that takes files, the list of those on their way, one line of it. */
export const uploadStyle: string = `
.take {
  display: grid; gap: 0.6rem; justify-items: center; padding: 1.5rem 1rem;
  border: 1.5px dashed var(--border); border-radius: var(--round);
  background: var(--surface-low); text-align: center;
}
.take.over { border-color: var(--main); background: var(--main-wash); }
.take > .icon { width: 2.25rem; height: 2.25rem; color: var(--main); stroke-width: 1.25; }
.choices { display: flex; flex-wrap: wrap; justify-content: center; gap: 0.6rem; }
.file-button { position: relative; display: inline-flex; }
.file-button input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: pointer; font-size: 0; }
.file-button input:focus-visible + label { outline: 2px solid var(--main); outline-offset: 2px; }
.file-button:hover > label.primary { background: var(--main-hover); }
.file-button:hover > label:not(.primary) { background: var(--surface-hover); }
.consent { display: inline-flex; align-items: center; gap: 0.6rem; min-height: 2.75rem; font-size: 0.9375rem; cursor: pointer; }
.consent input { width: 1.25rem; height: 1.25rem; margin: 0; flex: none; accent-color: var(--main); }
.upload-list header {
  display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0 0.5rem; min-height: 2.75rem;
}
.upload-list h2:focus-visible { outline-offset: 4px; border-radius: 4px; }
.all-actions { display: flex; flex-wrap: wrap; }
.all-actions > button { font-size: 0.875rem; }
.upload-list > progress { height: 4px; margin-bottom: 0.4rem; }
.upload-list > .upload-words { margin-bottom: 0.5rem; }
.take ~ .upload-list { margin-top: 0.75rem; }
.take ~ .problem { margin-top: 0.75rem; }
:host(rowlock-uploads) .settled .done { display: none; }
.uploads { position: relative; max-height: var(--rowlock-uploads-height, min(24rem, 50vh)); overflow-y: auto; }
.upload {
  display: grid; grid-template-columns: 1fr auto; align-items: center; gap: 0.15rem 0.6rem;
  min-height: 3.25rem; padding: 0.35rem 0; border-top: 1px solid var(--border);
}
.upload .name { font-size: 0.9375rem; font-weight: 600; overflow-wrap: anywhere; }
.row-actions { display: flex; grid-row: 1 / span 4; grid-column: 2; align-items: center; }
.row-actions > .icon { margin: 0 0.75rem; color: var(--main); }
.upload progress { grid-column: 1; }
.upload-words, .upload-place {
  grid-column: 1; color: var(--on-surface-soft); font-size: 0.8125rem; font-variant-numeric: tabular-nums;
}
.upload-place:empty { display: none; }
.upload.failed .upload-words, .upload.failed .row-actions > .icon { color: var(--wrong); }
@media (max-width: 30rem) {
  .choices, .choices .file-button, .choices .button { width: 100%; }
  .row-actions button { padding: 0 0.5rem; }
}
`;
