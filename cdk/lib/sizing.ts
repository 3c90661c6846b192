// Memory and time of each function, with reasons. Lambda gives processor time in proportion to memory.
import { FunctionName } from './grants';

/** Memory and timeout of a function. */
export interface Size {
  /** MiB. */
  readonly memory: number;
  /** Seconds; as long as the state waits, for a worker ends in good order ten seconds before by itself. */
  readonly timeout: number;
  /** Why. */
  readonly reason: string;
}

/**
 * Bodies are streamed, so no part size needs more than 128 MiB; what more memory buys is processor time, for TLS on both sides
 * and the checksum between. 512 MiB is about 0.3 of a processor (1,769 MiB is one). Not measured on Lambda yet.
 */
export const SIZES: Readonly<Record<FunctionName, Size>> = {
  head: { memory: 256, timeout: 300, reason: 'a few small requests' },
  init: { memory: 256, timeout: 300, reason: 'up to 10 pages of parts' },
  part: { memory: 512, timeout: 900, reason: 'streams; the longest that Lambda allows' },
  complete: {
    memory: 512,
    timeout: 900,
    reason: 'combines up to 10,000 checksums, and S3 may take minutes to join the parts',
  },
  copy: { memory: 512, timeout: 900, reason: 'streams; the longest that Lambda allows' },
  abort: { memory: 256, timeout: 300, reason: 'a few small requests' },
  remove: { memory: 256, timeout: 300, reason: 'a few small requests' },
  thaw: { memory: 256, timeout: 300, reason: 'two small requests' },
  list: {
    memory: 1_024,
    timeout: 900,
    reason: 'up to 64 ranges listed at a time: reading the pages is processor time; the longest that Lambda allows',
  },
  batch: {
    memory: 1_024,
    timeout: 120,
    reason: 'up to 256 objects in flight, both ends by TLS; a child of five minutes makes two calls at least',
  },
  delete: { memory: 256, timeout: 120, reason: 'two small requests for each object' },
  pack: { memory: 1_024, timeout: 900, reason: 'compresses, and holds three parts; the longest that Lambda allows' },
  unpack: { memory: 1_024, timeout: 900, reason: 'holds files and parts; the longest that Lambda allows' },
  report: { memory: 512, timeout: 900, reason: 'streams the results of all objects; the longest that Lambda allows' },
};
