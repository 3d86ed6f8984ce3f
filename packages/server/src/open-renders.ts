/**
 * From configuration to rendering on demand: decoder processes of the API's own, which the operations know only as something
 * that makes pictures. None is started before somebody asks for a picture that is not there.
 */
import type { Backends } from './backend/backends.ts';
import type { RenderConfig } from './config.ts';
import type { Observe } from './domain/observation.ts';
import { type PictureParameters, transformSizesDefault } from './domain/transform.ts';
import { ImageError } from './imaging/image-error.ts';
import { presetDigest, type VariantPreset } from './imaging/presets.ts';
import { sourceBytesMax } from './imaging/processes/decoder-messages.ts';
import { DecoderPool } from './imaging/processes/decoder-pool.ts';
import type { Database } from './metadata/database.ts';
import { type PictureMaker, RenderFailure, Renders } from './operations/renders.ts';

/** A picture takes a processor for a twentieth of a second: two at once leave the rest of a small machine its own. */
const atOnceDefault = 2;
const waitingMaxDefault = 64;

/** Makes what renders for one process. */
export function openRenders(
  config: RenderConfig | undefined,
  parts: { readonly db: Database; readonly backends: Backends; readonly observe: Observe },
): Renders {
  const atOnce = config?.at_once ?? atOnceDefault;
  const limits = config?.decoder_limits;
  const pool = new DecoderPool({
    size: atOnce,
    observe: parts.observe,
    ...(limits === undefined ? {} : { timeoutMs: limits.timeout_ms, memoryBytesMax: limits.memory_bytes_max }),
    ...(config?.decoder_module === undefined ? {} : { module: config.decoder_module }),
  });
  return new Renders({
    ...parts,
    atOnce,
    waitingMax: config?.waiting_max ?? waitingMaxDefault,
    sizes: config?.sizes ?? transformSizesDefault,
    maker: makerOf(pool, parts.observe),
  });
}

function makerOf(pool: DecoderPool, observe: Observe): PictureMaker {
  let isStopping = false;
  return {
    bytesMax: sourceBytesMax,
    digestOf: (parameters) => presetDigest(presetOf(parameters)),
    make: async (file, parameters) => {
      try {
        const { variants } = await pool.render(file, [presetOf(parameters)]);
        const [variant] = variants;
        if (variant === undefined) throw new TypeError('a decoder answered no picture');
        return variant;
      } catch (error) {
        if (error instanceof ImageError) throw new RenderFailure(error.message, error.permanent, { cause: error });
        // What the store failed with is no word about the picture, nor is the end of this process.
        if (isStopping || (file.bytes === undefined && file.stream.errored !== null)) throw error;
        observe({ type: 'queue', message: 'a decoder failed', error });
        throw new RenderFailure('its decoder failed', false, { cause: error });
      }
    },
    stop: () => {
      isStopping = true;
      return pool.stop();
    },
  };
}

/** What sticks out is cut off evenly, as clients expect it; what is transparent stays so where the format can. */
function presetOf({ width, height, fit, format, quality }: PictureParameters): VariantPreset {
  const background = format === 'jpeg' ? '#ffffff' : 'transparent';
  return { name: 'render', width, height, fit, position: 'centre', format, quality, background };
}
