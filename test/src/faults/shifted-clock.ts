/**
 * Loaded into a process before everything else, gives it another clock: `Date` is ahead by ROWLOCK_TEST_CLOCK_SHIFT_MS.
 * Timers, the database and the file system keep theirs, as with a machine whose clock is wrong.
 */
const shiftMs = Number(process.env['ROWLOCK_TEST_CLOCK_SHIFT_MS'] ?? 0);
const RealDate = globalThis.Date;

class ShiftedDate extends RealDate {
  constructor(...given: ConstructorParameters<typeof Date> | []) {
    if (given.length === 0) super(RealDate.now() + shiftMs);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
