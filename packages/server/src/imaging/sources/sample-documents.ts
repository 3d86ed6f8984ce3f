/**
 * PDF and SVG files for tests, made from code so that none is in the repository. It is not part of the service. Invariant:
 * the same call makes the same file.
 */

/** A PDF of these objects, numbered from 1, of which the first is its catalogue; `trailer` is added to its dictionary. */
export function pdfOf(objects: readonly string[], trailer = ''): Buffer {
  const parts = ['%PDF-1.7\n'];
  const places: number[] = [];
  let at = parts[0]?.length ?? 0;
  for (const [i, object] of objects.entries()) {
    const text = `${i + 1} 0 obj\n${object}\nendobj\n`;
    places.push(at);
    parts.push(text);
    at += text.length;
  }
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  parts.push(`xref\n0 ${size}\n0000000000 65535 f \n${table}`);
  parts.push(`trailer\n<</Size ${size}/Root 1 0 R${trailer}>>\nstartxref\n${at}\n%%EOF\n`);
  return Buffer.from(parts.join(''), 'latin1');
}

/** A stream object. */
export function pdfStream(content: string, dictionary = ''): string {
  return `<</Length ${content.length}${dictionary}>>\nstream\n${content}\nendstream`;
}

export interface PdfPage {
  /** In points. */
  readonly width: number;
  readonly height: number;
  /** Operators that draw. */
  readonly content?: string;
  /** More of the page's dictionary, and of the catalogue's. */
  readonly page?: string;
  readonly catalogue?: string;
}

/** The left half of a page is red, the right half blue. */
const halves = ({ width, height }: PdfPage): string =>
  `1 0 0 rg 0 0 ${width / 2} ${height} re f 0 0 1 rg ${width / 2} 0 ${width / 2} ${height} re f`;

/** The objects of a document of one page. */
export function pdfObjects(page: PdfPage): string[] {
  const { width, height, content = halves(page) } = page;
  return [
    `<</Type/Catalog/Pages 2 0 R${page.catalogue ?? ''}>>`,
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${width} ${height}]/Contents 4 0 R${page.page ?? ''}>>`,
    pdfStream(content),
  ];
}

/** A document of one page. */
export function pdfOfPage(page: PdfPage): Buffer {
  return pdfOf(pdfObjects(page));
}

/** A document that asks for a password. */
export function lockedPdf(): Buffer {
  const word = '<'.padEnd(65, '5a').concat('>');
  const lock = `<</Filter/Standard/V 1/R 2/O ${word}/U ${word}/P -44>>`;
  return pdfOf([...pdfObjects({ width: 100, height: 50 }), lock], '/Encrypt 5 0 R/ID[<00><00>]');
}

/** A drawing whose left half is red and whose right half blue, with more drawn over it. */
export function svgOf(width: number, height: number, more = ''): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}">` +
      `<rect width="${width / 2}" height="${height}" fill="#ff0000"/>` +
      `<rect x="${width / 2}" width="${width / 2}" height="${height}" fill="#0000ff"/>${more}</svg>`,
  );
}
