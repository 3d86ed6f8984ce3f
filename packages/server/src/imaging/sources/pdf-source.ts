/**
 * The first page of a PDF as the renderer sees it, drawn by PDFium in WebAssembly at the size that is needed. No forms are
 * filled in and nothing is run: the engine has no JavaScript, no file and no network. Invariant: every handle is given back,
 * and what the page asks for never decides how many pixels are drawn.
 */
import { PDFiumModule } from '@hyzyla/pdfium';
import { type ImageLimits, pixelsMaxDefault } from '../decoder.ts';
import type { Size } from '../geometry.ts';
import { engineError, ImageError } from '../image-error.ts';
import { packedRgb } from '../pixels.ts';
import { variantSideMax } from '../presets.ts';
import type { OpenedSource } from './opened-source.ts';

type PDFium = Awaited<ReturnType<typeof PDFiumModule>>;

const bytesAPixel = 4;
const pointsPerInch = 72;
/** Of a page that is drawn as large as it is: what printers and Civic OS take. A4 has 2480 by 3508 pixels then. */
const printedDpi = 300;
/** FPDFBitmap_BGRx: no transparency, since a page is white. */
const opaque = 3;
/** FPDF_ANNOT: what others wrote on the page is seen. FPDF_REVERSE_BYTE_ORDER: red comes first. */
const flags = 0x01 | 0x10;
const whiteFill = 0xffffffff;
/** FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY. */
const lockedErrors: readonly number[] = [4, 5];
/** FPDF_PAGEOBJ_IMAGE. */
const imageObject = 3;
/** Of a page: those behind are drawn, within the time. */
const objectsLookedAt = 10_000;
/** Fonts and pictures of an ordinary page, unpacked. */
const pageBytes = 64 * 2 ** 20;

let loaded: Promise<PDFium> | undefined;

async function pdfium(): Promise<PDFium> {
  loaded ??= PDFiumModule({}).then((module) => {
    module._FPDF_InitLibraryWithConfig({});
    return module;
  });
  return await loaded;
}

/** Opens a document and looks at its first page; throws an ImageError. */
export async function openPdf(file: Buffer, _limits: ImageLimits): Promise<OpenedSource> {
  const module = await pdfium();
  const document = guarded(() => new OpenDocument(module, file));
  const { pages, told } = document;
  const enlarged = variantSideMax / Math.max(told.width, told.height);
  const printed = Math.min(enlarged, printedDpi / pointsPerInch);
  return {
    format: 'pdf',
    told: { width: pixels(told.width), height: pixels(told.height) },
    size: { width: Math.max(1, told.width * enlarged), height: Math.max(1, told.height * enlarged) },
    natural: { width: pixels(told.width * printed), height: pixels(told.height * printed) },
    pages,
    bytesNeeded: ({ width, height }) => pageBytes + file.length + width * height * bytesAPixel * 3,
    blocks: {},
    decode: async (size, _background, deadline) => {
      deadline.left();
      const data = guarded(() => document.draw(size));
      return { pixels: { data, ...size, channels: 3 }, damaged: false };
    },
    close: () => guarded(() => document.close()),
  };
}

function pixels(length: number): number {
  return Math.max(1, Math.round(length));
}

function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw engineError(error);
  }
}

/** A document and its first page, until it is closed. */
class OpenDocument {
  readonly #module: PDFium;
  readonly #bytes: number;
  #document = 0;
  #page = 0;
  #isClosed = false;
  readonly pages: number;
  /** In points. */
  readonly told: Size;

  constructor(module: PDFium, file: Buffer) {
    this.#module = module;
    this.#bytes = allocated(module, file.length);
    module.HEAPU8.set(file, this.#bytes);
    try {
      this.#document = module._FPDF_LoadMemDocument(this.#bytes, file.length, 0);
      if (this.#document === 0) throw refusal(module._FPDF_GetLastError());
      this.pages = module._FPDF_GetPageCount(this.#document);
      if (this.pages < 1) throw new ImageError('empty', 'the document has no pages');
      this.#page = module._FPDF_LoadPage(this.#document, 0);
      if (this.#page === 0) throw new ImageError('corrupt', 'the first page of the document is damaged');
      this.told = { width: module._FPDF_GetPageWidth(this.#page), height: module._FPDF_GetPageHeight(this.#page) };
      if (!(this.told.width > 0 && this.told.height > 0 && this.told.width * this.told.height < 2 ** 60)) {
        throw new ImageError('corrupt', 'the first page of the document has no size');
      }
      this.#refuseLargePictures();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A picture is unpacked as a whole, however small it is drawn. */
  #refuseLargePictures(): void {
    const module = this.#module;
    const sides = allocated(module, 8);
    try {
      const objects = Math.min(objectsLookedAt, module._FPDFPage_CountObjects(this.#page));
      for (let i = 0; i < objects; i++) {
        const object = module._FPDFPage_GetObject(this.#page, i);
        if (object === 0 || module._FPDFPageObj_GetType(object) !== imageObject) continue;
        if (module._FPDFImageObj_GetImagePixelSize(object, sides, sides + 4) === 0) continue;
        const [width = 0, height = 0] = new Uint32Array(module.HEAPU8.slice(sides, sides + 8).buffer);
        if (width * height > pixelsMaxDefault)
          throw new ImageError('too_large', 'the page has a picture of too many pixels');
      }
    } finally {
      module.wasmExports.free(sides);
    }
  }

  /** RGB. */
  draw({ width, height }: Size): Buffer {
    const module = this.#module;
    const bytes = width * height * bytesAPixel;
    const pixels = allocated(module, bytes);
    const bitmap = module._FPDFBitmap_CreateEx(width, height, opaque, pixels, width * bytesAPixel);
    try {
      if (bitmap === 0) throw new ImageError('memory', 'drawing the page takes too much memory');
      module._FPDFBitmap_FillRect(bitmap, 0, 0, width, height, whiteFill);
      module._FPDF_RenderPageBitmap(bitmap, this.#page, 0, 0, width, height, 0, flags);
      return packedRgb(Buffer.from(module.HEAPU8.subarray(pixels, pixels + bytes)));
    } finally {
      if (bitmap !== 0) module._FPDFBitmap_Destroy(bitmap);
      module.wasmExports.free(pixels);
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#page !== 0) this.#module._FPDF_ClosePage(this.#page);
    if (this.#document !== 0) this.#module._FPDF_CloseDocument(this.#document);
    this.#module.wasmExports.free(this.#bytes);
  }
}

function allocated(module: PDFium, bytes: number): number {
  const at = module.wasmExports.malloc(bytes);
  if (at === 0) throw new ImageError('memory', 'drawing the page takes too much memory');
  return at;
}

function refusal(error: number): ImageError {
  if (lockedErrors.includes(error)) return new ImageError('encrypted', 'the document opens with a password only');
  return new ImageError('corrupt', 'the document is damaged');
}
