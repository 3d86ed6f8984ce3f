/**
 * Makes a position of degrees, minutes and seconds with their letters. It reads no file. Invariant: what it calls found
 * lies on the earth and was said completely; null island, which cameras write that know nothing, is no position.
 */
/** Where a picture was taken, as it says itself. */
export interface ImageLocation {
  /** `none`: it says nothing; `invalid`: it says something that cannot be a position. */
  readonly state: 'found' | 'none' | 'invalid';
  /** Degrees, south and west negative; null unless found. */
  readonly latitude: number | null;
  readonly longitude: number | null;
  /** Metres above the sea, below it negative. */
  readonly altitude: number | null;
  /** Horizontal, in metres. */
  readonly accuracy: number | null;
}

/** One coordinate as it was written. */
export interface WrittenAngle {
  /** `N`, `S`, `E` or `W`; without it nobody knows the sign. */
  readonly ref: string | null;
  /** Degrees, minutes, seconds; NaN for what had a zero denominator. */
  readonly degrees: readonly number[] | undefined;
}

export interface WrittenPosition {
  readonly latitude: WrittenAngle;
  readonly longitude: WrittenAngle;
  readonly altitude?: number | undefined;
  readonly accuracy?: number | undefined;
}

/** Metres; the highest aircraft and the deepest trench are within. */
const altitudeMax = 100_000;
const altitudeMin = -12_000;
const accuracyMax = 1_000_000;

export function unknownPosition(state: 'none' | 'invalid'): ImageLocation {
  return { state, latitude: null, longitude: null, altitude: null, accuracy: null };
}

/** Returns a position, or `invalid`. Altitude and accuracy that cannot be are null by themselves. */
export function positionOf({ latitude, longitude, altitude, accuracy }: WrittenPosition): ImageLocation {
  const up = signed(latitude, 'N', 'S', 90);
  const across = signed(longitude, 'E', 'W', 180);
  if (up === undefined || across === undefined || (up === 0 && across === 0)) return unknownPosition('invalid');
  return {
    state: 'found',
    latitude: up,
    longitude: across,
    altitude: within(altitude, altitudeMin, altitudeMax, 100),
    accuracy: within(accuracy, 0, accuracyMax, 100),
  };
}

function signed({ ref, degrees }: WrittenAngle, plus: string, minus: string, max: number): number | undefined {
  const letter = ref?.toUpperCase();
  if (letter !== plus && letter !== minus) return undefined;
  const [whole = Number.NaN, minutes = Number.NaN, seconds = Number.NaN] = degrees ?? [];
  // Written as a comparison that NaN fails.
  if (!(whole >= 0 && minutes >= 0 && minutes <= 60 && seconds >= 0 && seconds <= 60)) return undefined;
  const angle = whole + minutes / 60 + seconds / 3600;
  if (!(angle <= max)) return undefined;
  // Nine digits behind the point are a tenth of a millimetre. `0 -` would make a negative zero.
  return rounded(letter === minus && angle !== 0 ? -angle : angle, 1e9);
}

function within(value: number | undefined, min: number, max: number, parts: number): number | null {
  return value !== undefined && value >= min && value <= max ? rounded(value, parts) : null;
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts + 0;
}
