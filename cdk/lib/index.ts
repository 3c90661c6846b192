// What others may use.
export { Browse, BrowseConstructProps, BrowseProps } from './browse';
export { FileSystem, FileSystemConstructProps } from './file-system';
export { HttpsProps } from './https';
export * from './janitor';
export * from './location';
export * from './location-props';
export * from './network';
export * from './notifications';
export * from './observability';
export * from './results-bucket';
export { RetentionProps } from './retention';
export { Route, RouteConstructProps, RouteEnd, RouteProps } from './route';
export * from './state-machine';
export { SyncBudget, SyncDeletes, SyncOptions } from './sync';
export { Transfer, TransferEncryption, TransferEnd, TransferOptions, TransferThaw, TransferWindow } from './transfer';
export * from './transload';
export * from './transload-function';
export * from './transload-stack';
