/** How the map looks: the sea, the land, its markers and its buttons. */
export const mapStyle: string = `
:host { --sea: var(--rowlock-sea, light-dark(#e6eef1, #10201f)); --land: var(--rowlock-land, light-dark(#ffffff, #22302b)); }
.map {
  position: relative; height: var(--rowlock-map-height, 20rem); overflow: hidden;
  border: 1px solid var(--border); border-radius: var(--round); background: var(--sea);
  cursor: grab; touch-action: none; user-select: none;
}
.map:active { cursor: grabbing; }
.map:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; }
svg.world { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.land { fill: var(--land); stroke: var(--border); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.borders { fill: none; stroke: var(--border); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.markers { position: absolute; inset: 0; pointer-events: none; }
.marker {
  position: absolute; inset-block-start: 0; inset-inline-start: 0; display: grid; place-items: center;
  width: 2.75rem; height: 2.75rem; min-width: 0; min-height: 0; margin: 0; padding: 0; border: 0;
  background: none; color: var(--main); pointer-events: auto; text-decoration: none; cursor: pointer;
}
.marker:hover { background: none; }
.marker:hover, .marker:focus-visible { z-index: 1; }
.marker:focus-visible { outline: none; }
.marker:focus-visible > * { outline: 2px solid var(--main); outline-offset: 3px; }
.dot { width: 1rem; height: 1rem; border: 2px solid var(--surface-low); border-radius: 50%; background: var(--main); box-shadow: 0 1px 4px rgb(0 0 0 / 45%); }
.count {
  display: grid; place-items: center; min-width: 2rem; height: 2rem; padding: 0 0.4rem;
  border: 2px solid var(--surface-low); border-radius: 99px; background: var(--main); color: var(--on-main);
  font-size: 0.8125rem; font-weight: 650; box-shadow: 0 1px 4px rgb(0 0 0 / 45%);
}
.label {
  position: absolute; inset-block-end: 2.5rem; max-width: 14rem; padding: 0.25rem 0.6rem; border-radius: 6px;
  background: var(--on-surface); color: var(--surface-low); font-size: 0.8125rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; opacity: 0; pointer-events: none;
}
.marker:hover .label, .marker:focus-visible .label { opacity: 1; }
.controls { position: absolute; inset-block-start: 0.6rem; inset-inline-end: 0.6rem; display: grid; gap: 0.4rem; }
.controls button { padding: 0; }
.chosen {
  position: absolute; inset: auto 0.6rem 0.6rem; max-height: 60%; padding: 0.5rem 0.9rem; overflow-y: auto;
  border: 1px solid var(--border); border-radius: var(--round); background: var(--surface-high); cursor: auto;
}
.nothing { position: absolute; inset: auto 0 0; padding: 0.75rem; text-align: center; }
details { margin-top: 0.4rem; font-size: 0.9375rem; }
summary { width: fit-content; padding: 0.65rem 0; border-radius: 4px; cursor: pointer; }
.places { max-height: 16rem; overflow-y: auto; }
.places li { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.75rem; min-height: 2.75rem; border-top: 1px solid var(--border); }
.places a { color: var(--main); overflow-wrap: anywhere; }
`;
