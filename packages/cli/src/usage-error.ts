/** A command line that cannot be understood: told in one sentence, exit code 2. It is never a failure of the work. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}
