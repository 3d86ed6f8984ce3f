/**
 * PDF and SVG files that are made to harm whoever draws them. It sends nothing. Invariant: no file has more than some
 * megabytes, and the same call makes the same file.
 */
import {
  pdfObjects,
  pdfOf,
  pdfOfPage,
  pdfStream,
  svgOf,
} from '../../../packages/server/dist/imaging/sources/sample-documents.js';

const page = { width: 100, height: 50 };

/** Replaces one object of an ordinary document; 1 is the catalogue, 2 the page tree, 3 the page, 4 what it draws. */
function pdfWith(number: number, object: string, ...more: readonly string[]): Buffer {
  const objects = pdfObjects(page);
  objects[number - 1] = object;
  return pdfOf([...objects, ...more]);
}

/** Documents that ask for much: sizes, counts, depth, loops, pictures. */
export function greedyPdfs(): Readonly<Record<string, Buffer>> {
  const image = (dictionary: string): Buffer =>
    pdfOf([
      ...pdfObjects({ ...page, content: '100 0 0 50 0 0 cm /I Do', page: '/Resources<</XObject<</I 5 0 R>>>>' }),
      pdfStream('\x00\x01\x02', `/Type/XObject/Subtype/Image${dictionary}`),
    ]);
  const self = '<</Type/XObject/Subtype/Form/BBox[0 0 100 50]/Resources<</XObject<</I 5 0 R>>>>/Length 5>>';
  const sound = pdfOfPage(page).toString('latin1');
  return {
    'box.pdf': pdfOfPage({ width: 1e9, height: 1e9, content: '' }),
    'strip.pdf': pdfOfPage({ width: 1e6, height: 0.001 }),
    'pages.pdf': pdfWith(2, '<</Type/Pages/Kids[3 0 R]/Count 1000000>>'),
    'tree-loop.pdf': pdfWith(2, '<</Type/Pages/Kids[2 0 R]/Count 1>>'),
    'table-loop.pdf': Buffer.from(
      sound.replace('/Root', `/Prev ${/startxref\n(\d+)/.exec(sound)?.[1]}/Root`),
      'latin1',
    ),
    'deep.pdf': pdfWith(4, pdfStream(`${'['.repeat(100_000)}${']'.repeat(100_000)} TJ`)),
    'nested.pdf': pdfWith(3, `<</Type/Page/Parent 2 0 R/MediaBox${'['.repeat(100_000)}0 0 9 9${']'.repeat(100_000)}>>`),
    'states.pdf': pdfWith(4, pdfStream('q '.repeat(200_000))),
    'self.pdf': pdfOf([
      ...pdfObjects({ ...page, content: '/I Do', page: '/Resources<</XObject<</I 5 0 R>>>>' }),
      `${self}\nstream\n/I Do\nendstream`,
    ]),
    'jbig2.pdf': image('/Width 60000/Height 60000/BitsPerComponent 1/ColorSpace/DeviceGray/Filter/JBIG2Decode'),
    'jpx.pdf': image('/Width 60000/Height 60000/Filter/JPXDecode'),
    'raw.pdf': image('/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB'),
  };
}

/** Documents that would do something when they are opened. */
export function actingPdfs(address: string): Readonly<Record<string, Buffer>> {
  const opened = (action: string): Buffer => pdfOf(pdfObjects({ ...page, catalogue: `/OpenAction<<${action}>>` }));
  return {
    'script.pdf': opened(`/S/JavaScript/JS(app.launchURL\\("${address}"\\);)`),
    'launch.pdf': opened('/S/Launch/F(/bin/sh)'),
    'address.pdf': opened(`/S/URI/URI(${address})`),
    'submit.pdf': opened(`/S/SubmitForm/F(${address})`),
    'file.pdf': pdfOf([
      ...pdfObjects({ ...page, content: '/I Do', page: '/Resources<</XObject<</I 5 0 R>>>>' }),
      `<</Type/XObject/Subtype/Form/Ref<</F<</FS/URL/F(${address})>>/Page 0>>/BBox[0 0 9 9]/Length 0>>\nstream\nendstream`,
    ]),
  };
}

/** Drawings that reach out, each still with its two halves. */
export function reachingSvgs(address: string, file: string): Readonly<Record<string, Buffer>> {
  const both = (more: (target: string) => string): Buffer => svgOf(60, 40, more(address) + more(file));
  return {
    'image.svg': both((target) => `<image xlink:href="${target}" width="60" height="40"/>`),
    'use.svg': both((target) => `<use xlink:href="${target}#a"/>`),
    'style.svg': both((target) => `<style>@import url("${target}"); rect { fill: url("${target}#b") red }</style>`),
    'filter.svg': both((target) => `<filter id="f"><feImage xlink:href="${target}"/></filter>`),
    'script.svg': both(
      (target) => `<script xlink:href="${target}"/><foreignObject><iframe src="${target}"/></foreignObject>`,
    ),
    'include.svg': both(
      (target) => `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="${target}" parse="text"/>`,
    ),
  };
}

/** Drawings that ask for much. */
export function greedySvgs(): Readonly<Record<string, Buffer>> {
  const laugh = Array.from({ length: 20 }, (_, i) => `<!ENTITY l${i + 1} "&l${i};&l${i};">`).join('');
  const entities = `<!DOCTYPE svg [<!ENTITY l0 "ha">${laugh}]>`;
  const doubled = Array.from(
    { length: 30 },
    (_, i) => `<g id="g${i + 1}"><use xlink:href="#g${i}"/><use xlink:href="#g${i}"/></g>`,
  );
  return {
    'laughs.svg': Buffer.from(entities + svgOf(9, 9, '<text>&l20;</text>').toString()),
    'size.svg': svgOf(4e6, 4e6),
    'nodes.svg': svgOf(60, 40, '<g/>'.repeat(1_000_000)),
    'doubled.svg': svgOf(60, 40, `<g id="g0"><rect width="1" height="1"/></g>${doubled.join('')}`),
    'self.svg': svgOf(60, 40, '<g id="s"><use xlink:href="#s"/></g>'),
    'depth.svg': svgOf(60, 40, '<g>'.repeat(50_000) + '</g>'.repeat(50_000)),
  };
}
