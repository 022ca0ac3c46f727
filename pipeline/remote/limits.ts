/** How long another machine is waited for. */
export interface HttpLimits {
  /** Longest wait for the answer to begin, and grace for its body. Default 30 s. */
  waitMs: number;
  /** A body that comes more slowly than this, the grace apart, is given up. Default 256 KiB. */
  bytesPerSecond: number;
  /** Default 5. */
  redirects: number;
}

export const HTTP_LIMITS: HttpLimits = { waitMs: 30_000, bytesPerSecond: 256 * 1024, redirects: 5 };
