/** Observations as log lines of JSON. No token, no secret, no presigned URL: queries of requests are not logged at all. */
import { type Logger, pino } from 'pino';
import type { Observation, Observe } from './domain/observation.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Where lines go; standard error when undefined. */
  readonly write?: (line: string) => void;
}

/** Makes an observer that writes one line for each observation. */
export function createLog(options: LogOptions): Observe {
  const destination = { write: options.write ?? ((line: string) => void process.stderr.write(line)) };
  const logger = pino({ level: options.level, base: { service: 'rowlock' } }, destination);
  return (observation) => log(logger, observation);
}

function log(logger: Logger, observation: Observation): void {
  switch (observation.type) {
    case 'request':
      logger[observation.status >= 500 ? 'warn' : 'debug'](observation, 'request');
      break;
    case 'internal_error':
      logger.error(
        { where: observation.where, request_id: observation.request_id, err: asError(observation.error) },
        'internal error',
      );
      break;
    case 'job':
      if (observation.error === undefined) {
        logger.debug(observation, 'job');
      } else {
        logger.warn({ ...observation, error: undefined, err: asError(observation.error) }, 'job failed');
      }
      break;
    case 'queue':
      logger.warn({ err: asError(observation.error) }, observation.message);
      break;
    case 'sweep':
      logger[observation.enqueued + observation.completed > 0 ? 'info' : 'debug'](observation, 'sweep');
      break;
    case 'backend_call':
      logger.debug(observation, 'backend call');
      break;
    case 'render':
      logger.debug(observation, 'render');
      break;
    case 'stream_ended':
      logger.debug(observation, 'stream ended');
      break;
    case 'changes_polled':
    case 'changes_sent':
      break;
    case 'audit':
      if (observation.dropped > 0 || observation.error !== undefined) {
        logger.warn({ dropped: observation.dropped, err: asError(observation.error) }, 'audit entries not written');
      }
      break;
    case 'denied':
      logger.info(observation, 'denied');
      break;
    case 'health':
      logger[healthLevels[observation.state]](observation, `health of ${observation.check}: ${observation.says}`);
      break;
    case 'lifecycle':
      logger.info(observation.message);
      break;
  }
}

const healthLevels = { ok: 'debug', warn: 'warn', fail: 'error' } as const;

function asError(error: unknown): unknown {
  return error instanceof Error ? error : error === undefined ? undefined : new Error(String(error));
}
