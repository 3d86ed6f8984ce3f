/** What a command of the command line is. */
export interface Command {
  readonly name: string;
  readonly group: 'Run' | 'Files' | 'Operate';
  /** One line, without a full stop. */
  readonly summary: string;
  readonly usage: string;
  /** Flags of this command alone: name with its placeholder, and help. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Names of the service's options that it takes. */
  readonly settings?: readonly string[];
  readonly notes?: string;
  /** The exit code when it could not do its work; 1 unless given. */
  readonly failureCode?: number;
  readonly examples: readonly string[];
  /** Answers the exit code. */
  run(argv: readonly string[]): Promise<number>;
}
