/** How a gallery looks: its tiles, and one picture large. */
export const galleryStyle: string = `
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10rem, 42vw), 1fr)); gap: 1rem; }
.tiles li { display: grid; gap: 0.15rem; align-content: start; min-width: 0; }
.tile { display: block; width: 100%; padding: 0; border: 0; border-radius: var(--round); background: none; overflow: hidden; }
.frame {
  display: grid; place-items: center; aspect-ratio: 1; border-radius: var(--round); overflow: hidden;
  background: var(--main-wash); color: var(--main); font-size: 1.75rem;
}
.frame img, .frame canvas { display: block; width: 100%; height: 100%; object-fit: cover; }
.frame img { animation: appear 0.25s ease-out; }
.tile:hover .frame { filter: brightness(0.96); }
li[data-state="queued"] .frame, li[data-state="processing"] .frame, li[data-state="unknown"] .frame {
  animation: pulse 1.6s ease-in-out infinite;
}
li[data-state="failed"] .frame { background: var(--wrong-wash); color: var(--wrong); }
.caption {
  font-size: 0.875rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
.state { color: var(--on-surface-soft); font-size: 0.8125rem; overflow-wrap: anywhere; }
.state:empty { display: none; }
li[data-state="failed"] .state { color: var(--wrong); }
.more { display: flex; margin: 1rem auto 0; }
.empty {
  display: grid; gap: 0.5rem; justify-items: center; padding: 2.5rem 1rem;
  border: 1.5px dashed var(--border); border-radius: var(--round); text-align: center;
}
.empty > .icon { width: 2.5rem; height: 2.5rem; color: var(--main); stroke-width: 1.25; }
.lightbox {
  width: min(72rem, calc(100vw - 1.5rem)); max-width: none; height: calc(100dvh - 1.5rem); max-height: none;
  padding: 0.75rem 1rem; border: 1px solid var(--border); border-radius: 14px;
  background: var(--surface-low); color: var(--on-surface);
}
.lightbox[open] { display: grid; grid-template-rows: auto minmax(0, 1fr) auto auto; gap: 0.5rem; }
.lightbox::backdrop { background: rgb(8 20 16 / 70%); }
.lightbox header { display: flex; justify-content: space-between; gap: 1rem; }
.shown-words { min-width: 0; }
.shown-words h2 { overflow-wrap: anywhere; }
.lightbox footer { display: flex; justify-content: flex-end; }
.viewer { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: center; gap: 0.5rem; }
.stage { display: grid; place-items: center; height: 100%; min-height: 0; font-size: 3rem; color: var(--main); }
.stage img, .stage canvas { max-width: 100%; max-height: 100%; min-height: 0; object-fit: contain; border-radius: 6px; }
.stage canvas { width: 60%; }
.stage img { animation: appear 0.2s ease-out; }
.step { padding: 0; }
.step[aria-disabled="true"] { opacity: 0.35; cursor: default; }
@media (max-width: 40rem) {
  .viewer { grid-template: minmax(0, 1fr) auto / auto auto; justify-content: space-between; }
  .stage { grid-column: 1 / -1; grid-row: 1; }
}
`;
