/** Presigning without a server of ours, for Lambda, Workers and other runtimes that have WebCrypto and nothing else. */
export {
  batchKeysMax,
  type EdgeAnswer,
  type EdgeRequest,
  EdgeSigner,
  type EdgeSignerConfig,
} from './edge-signer.ts';
export { createFetchHandler, type FetchHandler } from './fetch-handler.ts';
export {
  createLambdaHandlers,
  createS3EventHandler,
  type LambdaAnswer,
  type LambdaHandlers,
  type LambdaRequest,
  type S3Event,
  type S3EventOptions,
} from './lambda.ts';
export { EdgePresigner, type EdgePresignRequest, type EdgeStore } from './presigner.ts';
export {
  type EdgeCaller,
  type EdgeFile,
  type EdgeGrant,
  type EdgeRules,
  type OwnFolderOptions,
  ownFolderRules,
  type PostgrestOptions,
  postgrestRules,
} from './rules.ts';
export { type EdgeClaims, type EdgeJwk, type EdgeTokenOptions, EdgeTokenVerifier } from './token-verifier.ts';
