export {
  type ErrorBody,
  type ErrorReason,
  type ErrorSpelling,
  errorBody,
  errorSpellings,
  isRowlockError,
  RowlockError,
  type RowlockErrorOptions,
} from './errors.ts';
