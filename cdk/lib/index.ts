// What others may use.
export * from './janitor';
export * from './location';
export * from './location-props';
export * from './network';
export * from './observability';
export * from './results-bucket';
export { RetentionProps } from './retention';
export { Route, RouteConstructProps, RouteEnd, RouteProps } from './route';
export * from './state-machine';
export { SyncBudget, SyncDeletes, SyncOptions } from './sync';
export { Transfer, TransferEncryption, TransferEnd, TransferOptions } from './transfer';
export * from './transload';
export * from './transload-function';
export * from './transload-stack';
